"""Routes in the registry: who is told at once, who while nobody takes it, and what ends that."""

from datetime import date, time
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from alerts.dispatch import Dispatched, dispatch
from alerts.outbox import LEASE_US, Outbox
from alerts.store import AlertStore, main_fault
from app.commands.alerting import acknowledge, close, silence_incident
from app.db import reading, transaction
from app.domain.alert import Event
from app.domain.alert_route import Directory, OnCall, Route, Step, When
from app.domain.on_call import Schedule
from app.domain.receiver import MailBox, PagerDuty, Slack
from app.domain.rule import Severity
from app.domain.window import HOUR_US, MINUTE_US, SECOND_US
from app.errors import NotFound, Unavailable
from app.models import AuditEntry, Incident, Notification
from app.models import Silence as SilenceRow
from tests.alerts.test_store import KEY, NOW_US, ONCALL, Clock, Post, fired, resolved, rows, store
from tests.app.web_world import EVERYTHING, GLOBEX, NOBODY

__all__ = ["store"]
ANN, HEAD = "ann@acme.example", "head@acme.example"
DIRECTORY = Directory(
    {
        "first": OnCall("daily"),
        "heads": MailBox((HEAD,)),
        "pager": PagerDuty("k"),
        "ops": Slack("https://h.example/x"),
    },
    {"daily": Schedule("daily", ZoneInfo("UTC"), (ANN,), date(2025, 1, 1), time(9), 1)},
    (
        Route(
            "loud",
            When(severities=frozenset({"P1", "P2"})),
            ("first", "pager"),
            (Step(15 * MINUTE_US, ("heads",)), Step(30 * MINUTE_US, ("first", "ops"))),
        ),
    ),
)
CHANNELS = ("mail", "slack", "pagerduty", "webhook")


@pytest.fixture
def begun(store: AlertStore) -> AlertStore:
    """One incident that the route takes."""
    store.record([fired(store)], {}, NOW_US, directory=DIRECTORY)
    return store


def at(minutes: float) -> Clock:
    clock = Clock()
    clock.now_us += int(minutes * MINUTE_US)
    return clock


def sent(engine, clock: Clock) -> list[tuple[str, int, str]]:
    post = Post()
    while dispatch(Outbox(engine), dict.fromkeys(CHANNELS, post), clock).sent:
        pass
    return [(each.address, each.level, each.event.value) for each in post.taken]


def take(engine, minutes: float = 1) -> None:
    with transaction(engine) as session:
        acknowledge(session, EVERYTHING, number=1, now_us=at(minutes).now_us, actor="user:ann")


def test_those_of_the_route_are_told_at_once_and_the_partner_as_ever(engine, begun):
    assert sent(engine, at(0)) == [(ANN, 0, "fired"), ("pager", 0, "fired"), (ONCALL, 0, "fired")]
    assert sent(engine, at(14.9)) == []


def test_what_no_route_takes_goes_to_whoever_is_told_by_default(engine, store):
    store.record([fired(store, severity=Severity.P3)], {}, NOW_US, directory=DIRECTORY)
    assert [each[0] for each in sent(engine, at(0))] == ["alice@acme.example", ONCALL]


def test_while_nobody_takes_it_each_step_is_told_once(engine, begun):
    sent(engine, at(0))
    assert sent(engine, at(15)) == [(HEAD, 1, "fired")]
    assert sent(engine, at(29)) == []
    assert sent(engine, at(30)) == [(ANN, 2, "fired"), ("ops", 2, "fired")]
    assert sent(engine, at(600)) == []
    assert len({each.message_id for each in _notifications(engine)}) == 6


def test_a_step_is_sent_again_with_its_id_when_its_sender_was_killed(engine, begun):
    sent(engine, at(0))
    [lost] = Outbox(engine).lease(at(15).now_us, 9, CHANNELS)
    post, clock = Post(), at(15)
    clock.now_us += LEASE_US + 1
    dispatch(Outbox(engine), dict.fromkeys(CHANNELS, post), clock)
    assert [each.message_id for each in post.taken] == [lost.message_id]


def test_once_somebody_has_it_no_step_follows_and_the_pager_stops(engine, begun):
    sent(engine, at(0))
    take(engine)
    assert sent(engine, at(60)) == [("pager", 0, "acknowledged")]
    assert [row[2:] for row in rows(engine) if row[2] == "dropped"] == [
        ("dropped", "not_needed")
    ] * 3


def test_once_it_is_over_no_step_follows_and_everybody_told_hears_of_it(engine, begun):
    sent(engine, at(15))
    begun.record([resolved(begun)], {}, at(20).now_us, directory=DIRECTORY)
    assert sorted(sent(engine, at(60))) == sorted(
        (address, 0, "resolved") for address in (ANN, "pager", ONCALL, HEAD)
    )


def test_the_end_waits_for_the_beginning_and_for_the_word_that_it_was_taken(engine, begun):
    take(engine)
    begun.record([resolved(begun)], {}, at(2).now_us)
    away = Post(Unavailable("away"))
    dispatch(Outbox(engine), {"pagerduty": away}, at(3))
    assert away.taken == []
    rung = [event for address, _, event in sent(engine, at(4)) if address == "pager"]
    assert rung == ["fired", "acknowledged", "resolved"]


def test_whoever_closes_it_tells_so_once_and_an_evaluation_adds_nothing(engine, begun):
    sent(engine, at(0))
    for expected in (True, False):
        with transaction(engine) as session:
            assert (
                close(session, EVERYTHING, number=1, now_us=at(5).now_us, actor="user:ann")
                == expected
            )
    begun.record([resolved(begun)], {}, at(20).now_us)
    assert [each[2] for each in sent(engine, at(60))] == ["resolved"] * 3
    with reading(engine) as session:
        incident = session.scalars(select(Incident)).one()
        assert (incident.resolved_us, incident.closed_by) == (at(5).now_us, "user:ann")
        assert [each.action for each in session.scalars(select(AuditEntry))] == ["incident.closed"]


def test_what_was_closed_fires_anew_only_after_it_was_right(engine, begun):
    with transaction(engine) as session:
        close(session, EVERYTHING, number=1, now_us=at(5).now_us, actor="user:ann")
    assert begun.held()[KEY].standing.open
    begun.record([resolved(begun)], {}, at(20).now_us)
    assert begun.record([fired(begun)], {}, at(30).now_us, directory=DIRECTORY).planned == 6


def test_a_partner_reaches_its_own_incident_and_nobody_elses(engine, begun):
    given = {"number": 1, "now_us": NOW_US, "actor": "x"}
    with pytest.raises(NotFound), transaction(engine) as session:
        close(session, NOBODY, **given)
    with pytest.raises(NotFound), transaction(engine) as session:
        silence_incident(session, NOBODY, for_us=HOUR_US, **given)
    with transaction(engine) as session:
        assert close(session, GLOBEX, **given)


def test_a_silence_from_midspans_own_incident_is_of_its_rule(engine, store):
    own = fired(store, KEY._replace(rule="midspan-shed"), subject_of_midspan())
    store.record([own], {}, NOW_US)
    with transaction(engine) as session:
        silence_incident(
            session, EVERYTHING, number=1, for_us=4 * HOUR_US, now_us=NOW_US, actor="mail:x"
        )
    with reading(engine) as session:
        row = session.scalars(select(SilenceRow)).one()
        assert (row.rule, row.integration, row.partner) == ("midspan-shed", None, None)
        assert row.ends_us - row.starts_us == 4 * HOUR_US


def subject_of_midspan():
    from alerts.evaluate import Subject

    return Subject("midspan")


def test_an_address_that_is_told_in_two_roles_is_told_once(engine, store):
    directory = Directory({"x": MailBox((ONCALL,))}, {}, (Route("r", When(), ("x",)),))
    store.record([fired(store)], {}, NOW_US, directory=directory)
    assert [row[1] for row in rows(engine)] == [ONCALL]


@pytest.mark.parametrize(
    ("evidence", "fault"),
    [
        ("{}", None),
        ('{"now": {"by_fault": {}}}', None),
        ('{"now": {"by_fault": {"none": 900, "partner": 7, "network": 3}}}', "partner"),
        ('{"now": {"by_fault": {"none": 900, "partner": 0}}}', None),
    ],
)
def test_the_fault_is_that_of_most_of_what_failed(evidence, fault):
    assert main_fault(evidence) == fault


def test_a_clock_set_back_strands_neither_a_lease_nor_a_retry(engine, begun):
    Outbox(engine).lease(at(0).now_us, 1, CHANNELS)
    post = Post(Unavailable("away"))
    dispatch(Outbox(engine), {"pagerduty": post}, at(0))
    back = Clock()
    back.now_us -= 2 * HOUR_US
    assert {each[0] for each in sent(engine, back)} == {ANN, "pager", ONCALL}


def test_what_is_tried_in_vain_for_long_counts_as_undelivered(engine, begun):
    outbox = Outbox(engine)
    dispatch(outbox, {"pagerduty": Post(Unavailable("away"))}, at(0))
    assert outbox.undelivered(at(10).now_us) == 0
    assert outbox.undelivered(at(10).now_us + SECOND_US) == 1


def _notifications(engine) -> list[Notification]:
    with reading(engine) as session:
        found = session.scalars(select(Notification).where(Notification.event == Event.FIRED))
        return list(found)


def test_a_letter_that_cannot_be_written_holds_up_no_other_and_counts_as_undelivered(engine, store):
    store.record([fired(store)], {}, NOW_US)
    post, outbox = Post(KeyError("a field of a template")), Outbox(engine)
    assert dispatch(outbox, {"mail": post}, at(0)) == Dispatched(sent=1, retried=1)
    with reading(engine) as session:
        errors = set(session.scalars(select(Notification.error)))
    assert errors == {"", "a defect: KeyError"}
