"""A home with partners, users and two days of varied traffic, and the real web app over it.

The browser tests run on it; `python tests/browser/shots.py FOLDER` takes pictures of it.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import pi
from pathlib import Path

import numpy as np
from flask import Flask
from sqlalchemy import Engine
from werkzeug.serving import make_server

from alerts.trial import tried
from app import migrations
from app.auth.caller import own_scope
from app.commands import registry_file, registry_import, users
from app.commands.notes import write_note
from app.db import registry_engine, transaction
from app.domain.ids import exchange_id
from app.domain.route import EMPTY_TABLE
from app.domain.rule import Severity
from app.domain.scope import Role
from app.domain.window import DAY_US, HOUR_US, MINUTE_US
from app.domain.words import Direction, Kind, Outcome
from app.factory import create_app
from app.queries.reading import now_us as wall_clock_us
from app.settings import Settings, load
from app.store.open import open_store
from app.store.schema import migrate as migrate_store
from collectors.loader.batch import Preparer
from collectors.record import NOT_REACHED, Capture, Exchange, Loss
from dashboards.mount import mount
from tests.app.alert_worlds import add_incident
from tests.browser import sample_installs, sample_money

PASSWORD = "correct-horse-battery-staple"
ADMIN, GLOBEX, NOBODY = "admin@acme.example", "dev@globex.example", "dev@soylent.example"
ENGINEER, BUILDER = "engineer@acme.example", "builder@acme.example"
HOSTILE = (
    "<script>window.__owned=1</script><img src=x onerror=window.__owned=1> "
    "javascript:alert(1) \u202egnp.exe \x00\x1b[31m " + "A" * 4_000
)


@dataclass(frozen=True)
class Cast:
    """One integration of the sample. Rates are exchanges an hour at the height of the day."""

    slug: str
    partner: str
    name: str
    rate: float
    p50_ms: float
    spread: float = 0.55
    error_ratio: float = 0.002
    visibility: str = "public"
    objectives: bool = True
    incident: Callable[["Draw"], None] | None = None


@dataclass
class Draw:
    """Drawn columns of one integration; an incident changes them."""

    now_us: int
    started_us: np.ndarray
    status: np.ndarray
    total_ms: np.ndarray
    operation: np.ndarray
    outcome: np.ndarray
    error: np.ndarray


OPERATIONS = (
    ("POST", "/v1/issues", ""),
    ("GET", "/v1/issues/4711", ""),
    ("GET", "/v1/projects", ""),
    ("POST", "/-/hook", "installation.created"),
    ("POST", "/-/hook", "issue.updated"),
    ("PATCH", "/v1/issues/4711", ""),
)
_SHARES = np.array([0.22, 0.36, 0.14, 0.06, 0.17, 0.05])
_HOOK = 3


def _webhooks_fail(draw: Draw) -> None:
    hit = (draw.operation == _HOOK) | (draw.operation == 4)
    late = draw.started_us > draw.now_us - 3 * HOUR_US
    chosen = hit & late & (np.random.default_rng(5).random(len(hit)) < 0.82)
    draw.status[chosen], draw.outcome[chosen] = 500, Outcome.SERVER_ERROR
    draw.total_ms[late] *= 2.4


def _refuses(draw: Draw) -> None:
    late = draw.started_us > draw.now_us - 25 * HOUR_US
    draw.status[late], draw.outcome[late] = 0, Outcome.CONNECT_ERROR
    draw.error[late] = "connect_refused"


def _slows(draw: Draw) -> None:
    late = draw.started_us > draw.now_us - 7 * HOUR_US
    draw.total_ms[late] *= 4.5


def _forbids_writing(draw: Draw) -> None:
    late = draw.started_us > draw.now_us - 8 * HOUR_US
    chosen = late & (draw.operation == 0)
    draw.status[chosen], draw.outcome[chosen] = 503, Outcome.SERVER_ERROR


CAST = (
    Cast("globex-issues", "globex", "Globex Issues", 1000, 62, incident=_webhooks_fail),
    Cast("hooli-sync", "hooli", "Hooli Sync", 16, 90, incident=_refuses),
    Cast("initech-chat", "initech", "Initech Chat", 240, 210, 0.7, incident=_slows),
    Cast("umbrella-ci", "umbrella", "Umbrella CI", 420, 88),
    Cast("stark-board", "stark", "Stark Board", 300, 120, 0.4, 0.0015),
    Cast("wayne-alerts", "wayne", "Wayne Alerts", 90, 44, 0.3, 0.0),
    Cast(
        "acme-internal-etl",
        "acme",
        "Acme internal ETL",
        150,
        260,
        0.5,
        0.0015,
        "internal",
        incident=_forbids_writing,
    ),
    Cast("soylent-crm", "soylent", "Soylent CRM", 0.5, 130, 0.4, 0.0, objectives=False),
    Cast("tyrell-forms", "tyrell", "Tyrell Forms", 0, 100, objectives=False),
)


def registry_yaml() -> str:
    """The registry file of the cast."""
    lines = [
        "platform:",
        "  name: Acme Cloud",
        "  api_base_url: http://127.0.0.1:9000",
        "partners:",
    ]
    for one in CAST:
        lines += [
            f"  - slug: {one.partner}",
            f"    name: {one.partner.capitalize()}",
            f"    contacts: [oncall@{one.partner}.example]",
            "    integrations:",
            f"      - slug: {one.slug}",
            f"        name: {one.name}",
            f"        visibility: {one.visibility}",
            "        category: project-management",
            f"        api_base_url: https://api.{one.partner}.example",
            f"        webhook_url: https://hooks.{one.partner}.example/acme",
            '        operations: ["GET /v1/issues/{id}", "PATCH /v1/issues/{id}"]',
        ]
        if one.objectives:
            lines += [
                "        objectives:",
                "          - {name: availability, target: 0.995, window: 28d}",
                "          - {name: latency, target: 0.95, threshold_ms: 800, window: 28d}",
            ]
    return "\n".join(lines) + "\n"


def records(one: Cast, now_us: int, hours: int, seed: int) -> list[Exchange]:
    """The traffic of one integration before `now_us`, a daily wave with weather on it.

    The wave ends at `now_us` whatever the clock says: a seed draws the same exchanges at any hour.
    """
    draw = _draw(one, now_us, hours, np.random.default_rng(seed))
    if one.incident:
        one.incident(draw)
    return [_record(one, draw, i, seed) for i in range(len(draw.started_us))]


def _draw(one: Cast, now_us: int, hours: int, rng: np.random.Generator) -> Draw:
    minutes = np.arange(-hours * 60, 0)
    wave = 0.62 + 0.38 * np.sin((minutes % 1440) / 1440 * 2 * pi - 1.9)
    counts = rng.poisson(one.rate / 60 * wave * rng.gamma(60, 1 / 60, len(minutes)))
    n = int(counts.sum())
    starts = now_us + np.repeat(minutes * MINUTE_US, counts)
    starts = np.sort(starts + rng.integers(0, MINUTE_US, n))
    failing = rng.random(n) < one.error_ratio
    odd = rng.random(n) < 0.006
    status = np.where(failing, 502, np.where(odd, rng.choice([401, 404, 422], n), 200))
    outcome = np.where(failing, Outcome.SERVER_ERROR, np.where(odd, Outcome.CLIENT_ERROR, 0))
    slow = rng.random(n) < one.error_ratio / 3
    status, outcome = np.where(slow, 0, status), np.where(slow, Outcome.TIMEOUT, outcome)
    error = np.where(slow, "first_byte_timeout", "").astype(object)
    total = one.p50_ms * np.exp(rng.normal(0, one.spread, n)) * (0.9 + 0.25 * wave.mean())
    total = np.where(slow, 10_000 + rng.random(n) * 20, total)
    operation = rng.choice(len(OPERATIONS), n, p=_SHARES)
    return Draw(now_us, starts, status, total, operation, outcome.astype(int), error)


def _record(one: Cast, draw: Draw, i: int, seed: int) -> Exchange:
    method, path, topic = OPERATIONS[int(draw.operation[i])]
    outcome, status = int(draw.outcome[i]), int(draw.status[i])
    total_us, answered = int(draw.total_ms[i] * 1000), status > 0
    started_us = int(draw.started_us[i])
    webhook_refused = bool(topic) and 400 <= status < 500
    error = "webhook_refused" if webhook_refused else str(draw.error[i])
    return Exchange(
        id=exchange_id(started_us, seed, i),
        started_us=started_us,
        direction=Direction.OUTBOUND,
        kind=Kind.WEBHOOK if topic else Kind.REQUEST,
        integration=one.slug,
        installation=f"inst-{i % 31}",
        customer=f"cust-{i % 17}",
        operation="",
        topic=topic,
        method=method,
        path=path,
        status=status,
        outcome=outcome,
        error=error,
        error_detail="connection refused" if outcome == Outcome.CONNECT_ERROR else "",
        queue_us=40,
        connect_us=2_100 if i % 9 == 0 else 0,
        tls_us=7_800 if i % 9 == 0 else 0,
        first_byte_us=int(total_us * 0.86) if answered else NOT_REACHED,
        total_us=total_us,
        request_bytes=812,
        response_bytes=2_341 if answered else 0,
        delivery=f"del-{i}" if topic else "",
        attempt=1 if topic else 0,
        trace_id=f"{i:032x}",
        capture=_capture(status) if outcome != Outcome.OK else None,
    )


def _capture(status: int) -> Capture:
    answer = b'{"error": "null value in column team_id", "request": "r-17"}' if status else b""
    return Capture(
        [("content-type", "application/json"), ("user-agent", "acme-cloud/1.0")],
        b'{"event": "installation.created", "installation": "inst-7", "plan": "pro"}',
        [("content-type", "application/json"), ("server", "nginx")] if status else [],
        answer,
    )


def hostile(now_us: int) -> Exchange:
    """A failure of globex-issues in which every text from the wire is an attack."""
    return Exchange(
        id=exchange_id(now_us, 99, 1),
        started_us=now_us,
        direction=Direction.OUTBOUND,
        kind=Kind.REQUEST,
        integration="globex-issues",
        installation="<b>inst</b>\u202e",
        customer="javascript:alert(1)",
        operation="",
        topic="",
        method="GET",
        path="/v1/<script>window.__owned=1</script>",
        status=500,
        outcome=Outcome.SERVER_ERROR,
        error="",
        error_detail=HOSTILE,
        queue_us=40,
        connect_us=0,
        tls_us=0,
        first_byte_us=80_000,
        total_us=90_000,
        request_bytes=len(HOSTILE.encode()),
        response_bytes=1_000_000,
        delivery="",
        attempt=0,
        trace_id="0" * 32,
        capture=Capture(
            [("content-type", "text/html"), ("user-agent", HOSTILE)],
            HOSTILE.encode(),
            [("content-type", "text/html")],
            b"<script>window.__owned=1</script>" + b"B" * 8_000,
        ),
    )


def settings(home: Path, **more: str) -> Settings:
    """Settings of a throw-away home."""
    return load({"MIDSPAN_HOME": str(home), **more}, home / "none.env")


def fill(home: Path, now_us: int, hours: int = 48, *, attack: bool = True) -> Settings:
    """Databases, registry, users and traffic; `attack`: hostile texts in the newest failure."""
    config = settings(home)
    migrations.migrate(config)
    migrate_store(config.metrics_url)
    engine = registry_engine(config.registry_url)
    wanted = registry_file.parse(registry_yaml().encode(), "registry.yaml")
    with transaction(engine) as session:
        registry_import.apply(session, wanted, now_us=now_us, actor="sample")
    with transaction(engine) as session:
        for email, role, partners, integrations in (
            (ADMIN, Role.ADMIN, (), ()),
            (ENGINEER, Role.ECOSYSTEM, (), ()),
            (GLOBEX, Role.PARTNER, ("globex",), ()),
            (NOBODY, Role.PARTNER, ("tyrell",), ()),
            (BUILDER, Role.INTERNAL, (), ("acme-internal-etl",)),
        ):
            users.add_user(
                session,
                email=email,
                role=role,
                password=PASSWORD,
                partners=partners,
                integrations=integrations,
                now_us=now_us,
                actor="sample",
            )
    _happenings(engine, now_us)
    sample_money.pay(engine, now_us)
    sample_installs.install(engine, now_us)
    _load(config, engine, now_us, hours, attack)
    engine.dispose()
    return config


def _happenings(engine: Engine, now_us: int) -> None:
    """An incident that is on, one that is over, and a release."""
    begun_us = now_us - 170 * MINUTE_US
    add_incident(
        engine, now_us, "globex-issues", "globex", severity=Severity.P1, fired_us=begun_us,
        summary="82 % of webhooks answered 500, partner side",
    )  # fmt: skip
    add_incident(
        engine, now_us, "initech-chat", "initech", rule="latency-burn", over=True,
        fired_us=now_us - 7 * HOUR_US, resolved_us=now_us - 6 * HOUR_US,
        summary="p95 2.3\u202fs, objective 800\u202fms",
    )  # fmt: skip
    write_note(
        engine, own_scope(), slug="globex-issues", kind="deploy", text="Release 4.2",
        at_us=now_us - 9 * HOUR_US, now_us=now_us, actor="user:ann@globex.example",
    )  # fmt: skip


def _load(config: Settings, engine: Engine, now_us: int, hours: int, attack: bool) -> None:
    store = open_store(config.metrics_url)
    preparer = Preparer("sample secret of thirty-two bytes")
    preparer.use(EMPTY_TABLE)
    for seed, one in enumerate(CAST):
        found = records(one, now_us, hours, seed + 1)
        if found:
            store.append(preparer.prepare(found).batch)
    lost = Loss(now_us - 5 * HOUR_US, "globex-issues", Direction.OUTBOUND, Kind.REQUEST, 12)
    newest = [hostile(now_us - 7_000_000)] if attack else []
    store.append(preparer.prepare(newest, [lost]).batch)
    while store.fold(now_us):
        pass
    sample_installs.compare(engine, store, now_us)
    store.close()


def web_app(config: Settings) -> Flask:
    """The app with its pages, as wsgi.py puts it together."""
    server = create_app(config)
    shared = server.extensions["midspan"]
    shared.try_rule = partial(tried, shared.reading, config.home)
    mount(server, config)
    return server


@contextmanager
def served(server: Flask) -> Iterator[str]:
    """The app on a free port; its address."""
    http = make_server("127.0.0.1", 0, server, threaded=True)
    thread = threading.Thread(target=http.serve_forever, name="web", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}"
    finally:
        http.shutdown()
        thread.join(10)
        http.server_close()


def ago_us(days: float) -> int:
    """A moment before now, for tests that read the wall clock."""
    return wall_clock_us() - int(days * DAY_US)
