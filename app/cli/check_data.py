"""Do both databases answer, is the routing table that of now, is the clock right."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import Engine, func, select

from app.cli.context import day
from app.cli.findings import Finding, fail, ok, warn
from app.commands.routing import build_table
from app.db import reading, shown
from app.domain.route import Route, RouteTable, decode_table
from app.domain.window import MINUTE_US
from app.models import AuditEntry
from app.settings import Settings
from app.store import schema
from app.store.open import open_store
from app.store.port import Position

#: 2026-01-01, before the first version: no honest clock is earlier.
_EARLIEST_US = 1_767_225_600_000_000
_TOLERANCE_US = 2 * MINUTE_US


@dataclass(frozen=True, slots=True)
class Stored:
    """What the metrics store says about itself."""

    positions: Mapping[str, Position]
    newest_us: int | None


def stored(settings: Settings) -> Stored:
    """Ask the metrics store; `SchemaError` or `StoreUnavailable`."""
    schema.check(settings.metrics_url)
    store = open_store(settings.metrics_url)
    try:
        return Stored(store.positions(), store.newest_us())
    finally:
        store.close()


def metrics_store(settings: Settings, found: Stored) -> Finding:
    """That the metrics store answers."""
    said = f"newest exchange {day(found.newest_us)}" if found.newest_us else "no exchange yet"
    return ok("metrics store", f"{shown(settings.metrics_url)}, {said}")


def registry(settings: Settings, engine: Engine) -> Iterator[Finding]:
    """What the registry holds."""
    with reading(engine) as session:
        table = build_table(session)
    where = shown(settings.registry_url)
    if not table.revision:
        yield warn("registry", f"{where} is empty: run python -m app import registry.yaml")
        return
    yield ok("registry", f"{where}, revision {table.revision}, {len(table.routes)} integrations")
    private = [route.integration for route in table.routes if _points_inside(route)]
    if private:
        yield warn(
            "registry",
            f"{', '.join(private)} point at private addresses, which the proxy refuses unless "
            "allow_private_addresses is true",
        )


def routing(settings: Settings, engine: Engine) -> Iterator[Finding]:
    """Whether the published routing table is that of the registry."""
    path = settings.routes_path
    with reading(engine) as session:
        wanted = build_table(session)
    try:
        published = decode_table(path.read_bytes())
    except FileNotFoundError:
        yield fail("routing", f"{path} is not there: run python -m app routes")
        return
    except ValueError as error:
        yield fail("routing", f"{path}: {error}: run python -m app routes")
        return
    yield _compared(published, wanted)


def clock(engine: Engine | None, found: Stored | None, now_us: int) -> Iterator[Finding]:
    """Whether this machine's clock agrees with what has been written."""
    audited = None
    if engine is not None:
        with reading(engine) as session:
            audited = session.scalar(select(func.max(AuditEntry.at_us)))
    latest = max((found and found.newest_us) or 0, audited or 0)
    if now_us < _EARLIEST_US:
        yield fail("clock", f"says {day(now_us)}: set it, and keep it set by NTP")
    elif latest > now_us + _TOLERANCE_US:
        yield fail("clock", f"says {day(now_us)}, but something is stored of {day(latest)}: set it")
    else:
        yield ok("clock", f"{day(now_us)}, later than everything stored")


def _compared(published: RouteTable, wanted: RouteTable) -> Finding:
    if published == wanted:
        return ok("routing", f"revision {wanted.revision} is published")
    return fail(
        "routing",
        f"revision {published.revision} is published, the registry is at {wanted.revision}: "
        "run python -m app routes, or start the loader, which does",
    )


def _points_inside(route: Route) -> bool:
    urls = (route.api_base_url, route.webhook_url)
    return not route.allow_private_addresses and any(url and _is_inside(url) for url in urls)


def _is_inside(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
