"""Publishing the routing table: one JSON file in the home, swapped whole.

A reader sees the old table or the new one, whole, whatever is killed when. Publishers take turns
by a lock file and read the registry only after they have it, so an older table never replaces a
newer one.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.commands import registry_rows as rows
from app.commands import revision
from app.commands.files import replace_file
from app.commands.registry_export import current_integrations
from app.db import reading
from app.domain.route import Route, RouteTable, encode_table
from app.models import Integration, Platform


def build_table(session: Session) -> RouteTable:
    """The table of the registry as this transaction sees it."""
    platform = session.get(Platform, 1)
    return RouteTable(
        revision=revision.current(session),
        platform_name=platform.name if platform else "",
        platform_api_base_url=platform.api_base_url if platform else None,
        routes=tuple(sorted(map(_route, session.scalars(current_integrations())), key=_slug)),
    )


def publish(engine: Engine, path: Path) -> bool:
    """Make the file at `path` hold the table of now; whether it had to be written.

    Raises `RegistryUnavailable` or `SchemaError`, and `OSError` when the file cannot be written;
    the table that was there then stays.
    """
    with _turn(path):
        with reading(engine) as session:
            content = encode_table(build_table(session))
        if _content(path) == content:
            return False
        replace_file(path, content)
        return True


def _route(row: Integration) -> Route:
    return Route(
        integration=row.slug,
        partner=row.partner.slug,
        api_base_url=row.api_base_url,
        webhook_url=row.webhook_url,
        inbound_token_sha256=tuple(token.sha256 for token in row.inbound_tokens),
        allow_private_addresses=row.allow_private_addresses,
        timeouts=rows.timeouts_of(row),
        limits=rows.limits_of(row),
        operations=tuple(operation.template for operation in row.operations),
        ramp=rows.ramp_of(row.wire),
        breaker=rows.breaker_of(row.wire),
        paused=rows.paused_of(row.wire),
        capture=rows.capture_of(row.wire),
        tls=rows.tls_of(row.wire),
    )


def _slug(route: Route) -> str:
    return route.integration


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
