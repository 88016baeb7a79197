"""From exchanges in a store to a mail in a box: every part real, the clock by hand."""

import json
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from alerts.dispatch import dispatch
from alerts.engine import FILE, Engine
from alerts.notifiers.mail import MailNotifier
from alerts.outbox import Outbox
from alerts.speaker import Speaker
from alerts.store import main_fault
from app.auth import incident_links
from app.auth.caller import own_scope
from app.commands.lifecycle import record
from app.commands.lost_installs import judge_lost
from app.db import reading, transaction
from app.domain.gates import OPEN, GateState, encode_gates
from app.domain.scope import Role
from app.domain.window import HOUR_US, MINUTE_US, SECOND_US
from app.domain.words import Verdict
from app.models import Alert, Incident, Notification, Platform
from app.queries import ExchangeFilter, list_exchanges
from app.settings import load, secret_key
from app.store.port import Batch
from collectors.loader.activity import activity
from tests.app.web_world import SLUGS, World
from tests.contract.worlds import exchange, failure, shed

GLOBEX, INITECH = SLUGS[0], SLUGS[2]


class Box:
    """An SMTP server's side: takes mails, or answers each as told."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.says: list[str] = []

    async def handle_DATA(self, server, _session, envelope):  # noqa: N802
        says = self.says.pop(0) if self.says else "250 OK"
        if says.startswith("250") or says == "drop":
            parsed = message_from_bytes(envelope.content, policy=policy.default)
            self.taken.append(parsed)
        if says == "drop":
            server.transport.abort()
        return says


@pytest.fixture
def box() -> Iterator[tuple[Box, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    handler = Box()
    server = Controller(handler, hostname="127.0.0.1", port=port)
    server.start()
    yield handler, port
    server.stop()


@pytest.fixture
def engine(world: World) -> Engine:
    """Rules over the world, whose loader is well."""
    with transaction(world.engine) as session:
        session.add(Platform(id=1, name="Acme Cloud", api_base_url=None))
    loader_says(world)
    return Engine(world.reading, world.settings.home, "midspan.example")


def loader_says(world: World, **given: int) -> None:
    folder = world.settings.home / "status"
    folder.mkdir(exist_ok=True)
    status = {"updated_us": world.clock.now_us, "lag_bytes": 0, **given}
    (folder / "loader.json").write_text(json.dumps(status))


def pass_minutes(world: World, minutes: float) -> None:
    world.clock.pass_us(int(minutes * MINUTE_US))
    loader_says(world)


def traffic(world: World, slug: str, good: int, bad: int, ago_min: float = 2) -> None:
    at_us = world.clock.now_us - int(ago_min * MINUTE_US)
    world.load(
        [exchange(at_us + n, integration=slug) for n in range(good)]
        + [failure(at_us + n, integration=slug, error_detail="boom") for n in range(bad)]
    )


def open_alerts(world: World) -> set[tuple[str, str | None, str]]:
    with reading(world.engine) as session:
        rows = session.scalars(select(Alert))
        return {
            (row.rule, row.integration, row.state.value)
            for row in rows
            if row.state.value in ("firing", "recovering", "pending")
        }


def send(world: World, port: int) -> None:
    settings = load(
        {"MIDSPAN_HOME": str(world.settings.home), "MIDSPAN_SMTP_URL": f"smtp://127.0.0.1:{port}"},
        world.settings.home / "none.env",
    )
    notifier = MailNotifier(settings, Speaker(settings.base_url, lambda: "Acme Cloud"), world.clock)
    dispatch(Outbox(world.engine), {"mail": notifier}, world.clock)


def test_a_quiet_world_tells_nobody(world, engine):
    traffic(world, GLOBEX, 500, 0)
    report = engine.round()
    assert (report.planned, report.broken) == (0, ())
    assert open_alerts(world) == set()
    assert json.loads((world.settings.home / FILE).read_text())["instances"] == report.instances


def test_a_budget_that_burns_is_told_with_evidence_and_again_when_it_is_over(world, engine, box):
    handler, port = box
    traffic(world, GLOBEX, 900, 100)
    assert engine.round().planned == 2
    send(world, port)
    fired = {each["To"]: each for each in handler.taken}
    assert set(fired) == {"eco@acme.example", "oncall@globex.example"}
    mail = fired["oncall@globex.example"]
    assert mail["Subject"] == f"[P1] {GLOBEX}: 10\u202f% errors (objective 0.5\u202f%), partner"
    assert "eco@acme.example" not in mail.as_string()
    text = mail.get_body(("plain",)).get_content()
    html = mail.get_body(("html",)).get_content()
    for said in ("10\u202f%", "/alerts?incident=", "/exchanges/", "Acme Cloud"):
        assert said in html
        assert said in text or said == "Acme Cloud"
    assert [part.get_content_type() for part in mail.walk()][-1] == "image/png"
    assert "/acknowledge?token=" in html
    (token,) = re.findall(r"Acknowledge: \S+token=(\S+)", text)
    link = incident_links.read(secret_key(world.settings), token)
    assert (link.incident, link.address) == (1, "oncall@globex.example")

    pass_minutes(world, 65)
    traffic(world, GLOBEX, 5_000, 0, ago_min=60)
    traffic(world, GLOBEX, 20_000, 0)
    engine.round()
    pass_minutes(world, 16)
    engine.round()
    assert open_alerts(world) == set()
    send(world, port)
    over = [each for each in handler.taken if each["To"] == "oncall@globex.example"][-1]
    assert over["Subject"].startswith(f"[resolved] {GLOBEX}: ")
    assert over["References"] == mail["Message-ID"]
    assert "/acknowledge" not in over.get_body(("plain",)).get_content()


def test_evidence_is_frozen_when_it_fires(world, engine):
    traffic(world, GLOBEX, 900, 100)
    engine.round()
    with reading(world.engine) as session:
        evidence = json.loads(session.scalars(select(Incident.evidence)).one())
    assert evidence["now"]["bad"] == 100
    assert evidence["now"]["proxied"] == 1000
    assert evidence["operations"][0]["bad"] == 100
    failed = ExchangeFilter(integrations=(GLOBEX,), verdict=int(Verdict.BAD))
    newest = list_exchanges(world.reading, own_scope(), failed, None, 3).items
    assert [each["id"] for each in evidence["samples"]] == [each.id for each in newest]
    left = {each["name"]: each["remaining_ratio"] for each in evidence["budgets"]}
    assert left == {"availability": pytest.approx(1 - 0.1 / 0.005), "latency": 1.0}
    assert len(evidence["chart"]["points"]) in (60, 61)  # three hours on the grid of the step
    assert evidence["chart"]["allowed_ratio"] == 0.005


def test_the_samples_of_an_incident_show_every_kind_of_failure_first(world, engine):
    at_us = world.clock.now_us - 2 * MINUTE_US
    rare = [failure(at_us, integration=GLOBEX, operation="POST /v1/issues", status=500)]
    often = [failure(at_us + n, integration=GLOBEX) for n in range(1, 40)]
    world.load([exchange(at_us + n, integration=GLOBEX) for n in range(300)] + rare + often)
    engine.round()
    with reading(world.engine) as session:
        evidence = json.loads(session.scalars(select(Incident.evidence)).first())
    operations = [each["operation"] for each in evidence["samples"]]
    assert len(operations) == 3
    assert operations[1] == "POST /v1/issues"


def test_when_too_many_begin_at_once_evidence_is_read_later_and_for_its_time(
    world, engine, monkeypatch
):
    monkeypatch.setattr("alerts.evidence.AT_ONCE", 1)
    for slug in (GLOBEX, INITECH):
        traffic(world, slug, 900, 100)
    engine.round()
    with reading(world.engine) as session:
        before = [json.loads(text) for text in session.scalars(select(Incident.evidence))]
    assert [each.get("owed", False) for each in before] == [False, True]
    assert [main_fault(json.dumps(each)) for each in before] == ["partner", "partner"]
    assert before[1]["now"]["bad"] == 100
    pass_minutes(world, 5)
    traffic(world, GLOBEX, 900, 100, ago_min=1)
    traffic(world, INITECH, 900, 100, ago_min=1)
    engine.round()
    with reading(world.engine) as session:
        after = [json.loads(text) for text in session.scalars(select(Incident.evidence))]
    assert after[0] == before[0]
    assert (after[1]["now"]["proxied"], after[1]["at_us"]) == (1000, before[1]["at_us"])
    assert "owed" not in after[1]


def test_evaluating_again_changes_and_tells_nothing_more(world, engine):
    traffic(world, GLOBEX, 900, 100)
    assert engine.round().planned == 2
    assert [engine.round().changed for _ in range(3)] == [0, 0, 0]


def test_a_new_scheduler_goes_on_where_the_old_one_was_killed(world, engine):
    traffic(world, GLOBEX, 900, 100)
    engine.round()
    again = Engine(world.reading, world.settings.home, "midspan.example")
    assert again.round().changed == 0
    with reading(world.engine) as session:
        assert len(session.scalars(select(Notification)).all()) == 2


def test_silence_is_told_when_nothing_that_is_tried_is_answered(world, engine):
    at_us = world.clock.now_us - 2 * MINUTE_US
    world.load(
        failure(at_us + n, integration=INITECH, outcome=4, status=0, error="connect_refused")
        for n in range(340)
    )
    engine.round()
    assert ("silence", INITECH, "firing") in open_alerts(world)


def test_silence_is_told_when_past_weeks_had_traffic_and_now_there_is_none(world, engine):
    for week in (1, 2, 3, 4):
        traffic(world, INITECH, 2_000, 0, ago_min=week * 7 * 24 * 60)
    traffic(world, GLOBEX, 500, 0)
    engine.round()
    assert open_alerts(world) == {("silence", INITECH, "firing")}


def test_when_nothing_crosses_at_all_the_platform_is_told_of_once(world, engine):
    for week in (1, 2, 3, 4):
        for slug in (GLOBEX, INITECH):
            traffic(world, slug, 20_000, 0, ago_min=week * 7 * 24 * 60)
    engine.round()
    assert ("platform-outage", None, "firing") in open_alerts(world)
    with reading(world.engine) as session:
        sent = session.scalars(select(Notification).filter_by(delivery="queued")).all()
        dropped = session.scalars(select(Notification).filter_by(delivery="dropped")).all()
    assert [each.address for each in sent] == ["eco@acme.example"]
    assert dropped == []  # nobody is expected to be louder than all the others


def test_on_a_day_that_is_quiet_for_all_the_small_are_not_called_silent(world, engine):
    for week in (1, 2, 3, 4):
        for slug, usual in ((GLOBEX, 20_000), (INITECH, 160)):  # 40 in a quarter of an hour
            traffic(world, slug, usual, 0, ago_min=week * 7 * 24 * 60)
    traffic(world, GLOBEX, 1_500, 0)  # three tenths of what is usual
    engine.round()
    assert open_alerts(world) == set()


def test_an_open_circuit_is_told_after_a_minute(world, engine):
    state = GateState(GLOBEX, "outbound", OPEN, since_us=world.clock.now_us, failed=30, counted=40)
    for minutes, expected in ((0, "pending"), (1, "firing")):
        pass_minutes(world, minutes)
        (world.settings.home / "status" / "gates-0.json").write_bytes(
            encode_gates(world.clock.now_us, [state])
        )
        engine.round()
        assert ("circuit-open", GLOBEX, expected) in open_alerts(world)


def test_a_loader_that_says_nothing_is_told_and_explains_what_is_quiet(world, engine):
    for week in (1, 2, 3, 4):
        traffic(world, INITECH, 2_000, 0, ago_min=week * 7 * 24 * 60)
    world.clock.pass_us(31 * SECOND_US)
    for _ in range(2):
        engine.round()
        world.clock.pass_us(MINUTE_US)
    assert ("midspan-loader-gone", None, "firing") in open_alerts(world)


def test_a_store_that_is_away_ends_no_incident_and_begins_none(world, engine, monkeypatch):
    traffic(world, GLOBEX, 900, 100)
    engine.round()
    before = open_alerts(world)
    path = world.settings.home / "metrics.db"
    path.rename(path.with_suffix(".away"))
    world.store.close()
    pass_minutes(world, 1)
    broken = Engine(world.reading, world.settings.home, "midspan.example")
    broken.round()
    assert before <= open_alerts(world)
    path.with_suffix(".away").rename(path)


def test_a_broken_rule_file_stops_no_other_rule_and_is_told(world, engine):
    folder = world.settings.home / "rules"
    folder.mkdir()
    (folder / "a.yaml").write_text(
        "rules:\n  - {name: bad, kind: tresholt}\n"
        "  - {name: many, kind: threshold, measure: bad, above: 5, window: 1h}\n"
    )
    traffic(world, GLOBEX, 900, 100)
    report = engine.round()
    assert report.broken == (
        "a.yaml:2: 'kind': 'tresholt' is not one of threshold, burn_rate, silence, anomaly,"
        " circuit_open, circuit_near, error_group, installs_stuck, funnel_drop, reconciliation,"
        " revenue_at_risk, platform_outage: did you mean 'threshold'?",
    )
    assert {("many", GLOBEX, "firing"), ("midspan-rule-broken", None, "firing")} <= open_alerts(
        world
    )


def test_shed_exchanges_are_told_to_the_ecosystem_team_alone(world, engine):
    minute_us = (world.clock.now_us // MINUTE_US - 2) * MINUTE_US
    world.store.append(Batch(sums=[shed(minute_us, 7, GLOBEX)]))
    engine.round()
    assert ("midspan-shed", None, "firing") in open_alerts(world)
    with reading(world.engine) as session:
        assert set(session.scalars(select(Notification.address))) == {"eco@acme.example"}


@pytest.mark.parametrize("fault", ["451 later", "drop"])
def test_a_mail_that_may_have_arrived_is_sent_again_with_its_id(fault, world, engine, box):
    handler, port = box
    traffic(world, GLOBEX, 900, 100)
    engine.round()
    handler.says = [fault, fault]
    send(world, port)
    world.clock.pass_us(10 * SECOND_US)
    send(world, port)
    ids = {each["To"]: set() for each in handler.taken}
    for each in handler.taken:
        ids[each["To"]].add(each["Message-ID"])
    assert len(ids) == 2
    assert all(len(known) == 1 for known in ids.values())
    with reading(world.engine) as session:
        assert {row.delivery.value for row in session.scalars(select(Notification))} == {"sent"}


def test_an_address_that_is_refused_for_good_raises_an_alert_of_its_own(world, engine, box):
    handler, port = box
    traffic(world, GLOBEX, 900, 100)
    engine.round()
    handler.says = ["550 no such user"]
    send(world, port)
    engine.round()
    assert ("midspan-channel-broken", None, "firing") in open_alerts(world)


def test_the_house_asks_with_a_scope_of_its_own():
    from app.auth.caller import own_scope

    assert own_scope().role == Role.ECOSYSTEM
    assert own_scope().covers(None)


def test_stuck_installs_are_told_with_the_exchange_that_most_failed_at(world, engine):
    started_us = world.clock.now_us - 25 * HOUR_US
    events = [
        {"id": f"e-{n}", "integration": GLOBEX, "installation": f"i-{n}", "step": "started",
         "occurred_at": datetime.fromtimestamp(started_us / 1e6, UTC).isoformat()}
        for n in range(4)
    ]  # fmt: skip
    with transaction(world.engine) as session:
        record(session, events, now_us=world.clock.now_us)
    about = {"integration": GLOBEX, "kind": 1, "topic": "installation.created"}
    rows = [failure(started_us + 1, installation=f"i-{n}", **about) for n in range(3)]
    world.store.append(Batch(rows, activity=activity(rows)))
    judge_lost(world.engine, world.store, world.clock.now_us)
    for minutes, expected in ((0, "pending"), (2, "firing")):
        pass_minutes(world, minutes)
        engine.round()
        assert ("installs-stuck", GLOBEX, expected) in open_alerts(world)
    with reading(world.engine) as session:
        said = set(session.scalars(select(Incident.summary)))
    assert said == {
        "4 installs are stuck, 0 went on in the last 24 hours. 3 of 4 lost at redirected "
        "had their `installation.created` webhook answered 503"
    }
