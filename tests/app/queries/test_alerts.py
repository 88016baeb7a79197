"""Incidents and silences within a scope, and what people may do about them."""

import pytest
from sqlalchemy import Engine, select

from app.commands.alerting import acknowledge, add_silence, end_silence
from app.db import reading, transaction
from app.domain.alert import Event, State
from app.domain.rule import Severity
from app.domain.scope import Role, Scope
from app.domain.window import DAY_US, HOUR_US, Window
from app.errors import NotFound, Refused
from app.models import (
    Alert,
    AuditEntry,
    Delivery,
    Incident,
    Integration,
    Notification,
    Partner,
    Silence,
    Visibility,
)
from app.queries import Reading
from app.queries.alerts import during, incident, incidents, silences

NOW_US = 1_764_000_000_000_000
CANARY = "canary-initech"
EVERYTHING = Scope(Role.ECOSYSTEM, None)
GLOBEX = Scope(Role.PARTNER, frozenset({"globex"}))
NOBODY = Scope(Role.PARTNER, frozenset())


@pytest.fixture
def asked(engine: Engine) -> Reading:
    """Two incidents of Globex, one of Initech, one of Midspan itself."""
    with transaction(engine) as session:
        for slug in ("globex", "initech"):
            owner = Partner(slug=slug, name=slug, created_us=1, updated_us=1)
            session.add(owner)
            session.flush()
            session.add(
                Integration(
                    partner_id=owner.id, slug=f"{slug}-crm", name="CRM",
                    visibility=Visibility.PUBLIC, allow_private_addresses=False, connect_ms=1,
                    first_byte_ms=1, idle_ms=1, total_ms=1, body_bytes=1, created_us=1,
                    updated_us=1,
                )
            )  # fmt: skip
        globex = _alert(session, "globex-crm", "globex")
        _incident(session, globex, 1, resolved_us=NOW_US)
        _incident(session, globex, 2)
        _incident(session, _alert(session, "initech-crm", "initech"), 2, summary=CANARY)
        _incident(session, _alert(session, None, None), 2)
    return Reading(engine, None, lambda: NOW_US)  # type: ignore[arg-type]  # asks no store


def _alert(session, integration, partner) -> Alert:
    row = Alert(
        rule="silence", series=f"integration={integration}", integration=integration,
        partner=partner, state=State.FIRING, since_us=NOW_US, incident=2, fired_us=NOW_US,
        summary="", version=1,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def _incident(session, alert, number, *, resolved_us=None, summary="quiet") -> None:
    row = Incident(
        alert_id=alert.id, number=number, severity=Severity.P2, fired_us=NOW_US,
        resolved_us=resolved_us, summary=summary, evidence="{}",
    )  # fmt: skip
    session.add(row)
    session.flush()
    for audience in ("ecosystem", "partner"):
        session.add(
            Notification(
                incident_id=row.id, event=Event.FIRED, receiver=audience, audience=audience,
                channel="mail", address=f"{audience}@{alert.partner}.example",
                message_id=f"<{row.id}.{audience}>", delivery=Delivery.SENT, reason="first_word",
                attempts=1, due_us=NOW_US, created_us=NOW_US, done_us=NOW_US, error="",
            )
        )  # fmt: skip


def test_the_ecosystem_team_sees_every_incident_newest_first(asked):
    found = incidents(asked, EVERYTHING)
    assert [each.integration for each in found.items] == [
        None, "initech-crm", "globex-crm", "globex-crm"
    ]  # fmt: skip
    assert [each.state for each in found.items] == ["firing", "firing", "firing", "resolved"]
    assert len(found.items[0].notifications) == 2


def test_a_partner_sees_its_own_and_who_of_its_own_was_told(asked):
    found = incidents(asked, GLOBEX)
    assert [each.integration for each in found.items] == ["globex-crm", "globex-crm"]
    assert {told.receiver for each in found.items for told in each.notifications} == {"partner"}
    assert CANARY not in repr(found)
    assert incidents(asked, NOBODY).items == ()


def test_what_is_outside_the_scope_is_not_there(asked):
    theirs = incidents(asked, EVERYTHING).items[1].id
    assert incident(asked, EVERYTHING, theirs).summary == CANARY
    with pytest.raises(NotFound):
        incident(asked, GLOBEX, theirs)
    with transaction(asked.engine) as session, pytest.raises(NotFound):
        acknowledge(session, GLOBEX, number=theirs, now_us=NOW_US, actor="user:x")


def test_lists_are_paged_and_narrowed(asked):
    first = incidents(asked, EVERYTHING, limit=3)
    assert first.next is not None
    rest = incidents(asked, EVERYTHING, limit=3, before=int(first.next))
    assert (len(first.items), len(rest.items), rest.next) == (3, 1, None)
    assert len(incidents(asked, EVERYTHING, open_only=True).items) == 3
    assert len(incidents(asked, EVERYTHING, integration="globex-crm").items) == 2


def test_an_incident_is_taken_once(asked):
    number = incidents(asked, GLOBEX).items[0].id
    for actor, taken in (("user:dev@globex.example", True), ("user:other", False)):
        with transaction(asked.engine) as session:
            assert acknowledge(session, GLOBEX, number=number, now_us=NOW_US, actor=actor) is taken
    assert incident(asked, GLOBEX, number).acked_by == "user:dev@globex.example"
    with reading(asked.engine) as session:
        assert len(session.scalars(select(AuditEntry)).all()) == 1


def silence(asked: Reading, scope: Scope, **given: object) -> int:
    values = {
        "rule": None, "integration": "globex-crm", "partner": None, "starts_us": NOW_US,
        "ends_us": NOW_US + HOUR_US, "comment": "", **given,
    }  # fmt: skip
    with transaction(asked.engine) as session:
        made = add_silence(session, scope, **values, now_us=NOW_US, actor="user:x")
        return made.id


def test_a_partner_silences_its_own_and_nothing_else(asked):
    silence(asked, GLOBEX)
    silence(asked, GLOBEX, integration=None, partner="globex", rule="silence")
    for given in (
        {"integration": "initech-crm"},
        {"integration": None, "partner": "initech"},
        {"integration": None, "rule": "silence"},
        {"partner": "initech"},
    ):
        with pytest.raises(NotFound):
            silence(asked, GLOBEX, **given)
    assert {each.partner for each in silences(asked, GLOBEX)} == {"globex"}


@pytest.mark.parametrize(
    "given",
    [
        {"ends_us": NOW_US},
        {"ends_us": NOW_US + 93 * DAY_US},
        {"starts_us": NOW_US - DAY_US, "ends_us": NOW_US - HOUR_US},
        {"integration": None},
        {"comment": "x" * 501},
    ],
)
def test_a_silence_that_makes_no_sense_is_refused(asked, given):
    with pytest.raises(Refused):
        silence(asked, EVERYTHING, **given)
    assert silences(asked, EVERYTHING) == []


def test_a_silence_is_ended_early_by_those_who_see_it(asked):
    number = silence(asked, EVERYTHING, integration="initech-crm")
    with transaction(asked.engine) as session, pytest.raises(NotFound):
        end_silence(session, GLOBEX, number=number, now_us=NOW_US + 1, actor="user:x")
    for _ in range(2):
        with transaction(asked.engine) as session:
            end_silence(session, EVERYTHING, number=number, now_us=NOW_US + 1, actor="user:x")
    with reading(asked.engine) as session:
        assert session.scalars(select(Silence.ends_us)).one() == NOW_US + 1


def test_incidents_of_a_time_are_those_that_were_on_in_it(asked):
    ids = {each.resolved_us: each.id for each in during(
        asked, EVERYTHING, "globex-crm", Window(NOW_US - HOUR_US, NOW_US + HOUR_US)
    )}  # fmt: skip
    assert set(ids) == {None, NOW_US}
    later = Window(NOW_US + HOUR_US, NOW_US + DAY_US)
    assert [each.id for each in during(asked, EVERYTHING, "globex-crm", later)] == [ids[None]]
    earlier = Window(NOW_US - DAY_US, NOW_US)
    assert during(asked, EVERYTHING, "globex-crm", earlier) == []


def test_incidents_of_a_time_are_those_of_one_integration_of_the_callers(asked):
    always = Window(0, NOW_US + DAY_US)
    assert len(during(asked, GLOBEX, "globex-crm", always)) == 2
    for scope in (GLOBEX, NOBODY):
        with pytest.raises(NotFound):
            during(asked, scope, "initech-crm", always)
