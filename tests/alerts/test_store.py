"""Alerts, incidents and notifications in the registry, and the outbox, on both databases."""

import json

import pytest
from sqlalchemy import Engine, select

from alerts.changes import Change, Key
from alerts.conditions import Verdict
from alerts.dispatch import Dispatched, dispatch, retry_delay_us
from alerts.evaluate import Subject
from alerts.later import release
from alerts.outbox import LEASE_US, OVERTAKEN, Letter, Outbox
from alerts.stages import Meaning
from alerts.store import AlertStore, Recorded
from app.db import reading, transaction
from app.domain.alert import Event, Finding, Standing, State
from app.domain.rule import Severity
from app.domain.scope import Role
from app.domain.window import HOUR_US, MINUTE_US, SECOND_US
from app.errors import Refused, Unavailable
from app.models import (
    Alert,
    Delivery,
    Incident,
    Notification,
    Partner,
    PartnerContact,
    Silence,
    User,
)

NOW_US = 1_764_000_000_000_000
KEY = Key("silence", "integration=globex-issues")
SUBJECT = Subject(KEY.series, "globex-issues", "globex")
ALICE, ONCALL = "alice@acme.example", "oncall@globex.example"


@pytest.fixture
def store(engine: Engine) -> AlertStore:
    """One ecosystem user and one partner with a contact."""
    with transaction(engine) as session:
        session.add(User(email=ALICE, password_hash="x", role=Role.ECOSYSTEM, created_us=1))
        session.add(
            User(email="root@acme.example", password_hash="x", role=Role.ADMIN, created_us=1)
        )
        globex = Partner(slug="globex", name="Globex", created_us=1, updated_us=1)
        session.add(globex)
        session.flush()
        session.add(PartnerContact(partner_id=globex.id, position=0, email=ONCALL))
    return AlertStore(engine, "midspan.example")


def fired(store: AlertStore, key: Key = KEY, subject: Subject = SUBJECT, **given: object) -> Change:
    held = store.held().get(key)
    number = (held.standing.incident if held else 0) + 1
    values = {
        "key": key, "held": held, "standing": Standing(State.FIRING, NOW_US, number, NOW_US),
        "event": Event.FIRED, "subject": subject,
        "verdict": Verdict(Finding.TRUE, "Silent: 0 of 340"), "severity": Severity.P2, **given,
    }  # fmt: skip
    return Change(**values)


def resolved(store: AlertStore, key: Key = KEY) -> Change:
    held = store.held()[key]
    standing = Standing(State.RESOLVED, NOW_US + 1, held.standing.incident, NOW_US)
    return fired(store, key, held.subject, standing=standing, event=Event.RESOLVED)


def rows(engine: Engine) -> list[tuple[str, str, str, str]]:
    with reading(engine) as session:
        found = session.scalars(select(Notification).order_by(Notification.id))
        return [
            (each.event.value, each.address, each.delivery.value, each.reason) for each in found
        ]


class Post:
    """Takes letters, or refuses each as told; remembers what it took."""

    def __init__(self, *errors: Exception) -> None:
        self.taken: list[Letter] = []
        self._errors = list(errors)

    def __call__(self, letter: Letter) -> None:
        if self._errors and (error := self._errors.pop(0)):
            raise error
        self.taken.append(letter)


class Clock:
    def __init__(self) -> None:
        self.now_us = NOW_US

    def __call__(self) -> int:
        return self.now_us


def test_a_firing_leaves_an_incident_with_its_evidence_and_tells_both_sides(engine, store):
    evidence = json.dumps({"now": {"bad": 7}})
    assert store.record([fired(store)], {KEY: evidence}, NOW_US) == Recorded(1, 0, 2)
    assert rows(engine) == [
        ("fired", ALICE, "queued", "first_word"),
        ("fired", ONCALL, "queued", "first_word"),
    ]
    with reading(engine) as session:
        incident = session.scalars(select(Incident)).one()
        assert (incident.number, incident.summary) == (1, "Silent: 0 of 340")
        assert json.loads(incident.evidence) == {"now": {"bad": 7}}


def test_what_is_held_is_what_was_recorded(store):
    store.record([fired(store)], {}, NOW_US)
    held = store.held()[KEY]
    assert held.standing == Standing(State.FIRING, NOW_US, 1, NOW_US)
    assert (held.subject, held.severity) == (SUBJECT, Severity.P2)


def test_of_two_evaluations_that_saw_the_same_one_changes_it(engine, store):
    first = fired(store)
    assert store.record([first], {}, NOW_US).changed == 1
    assert store.record([first], {}, NOW_US) == Recorded(0, 1, 0)
    late = resolved(store)
    assert store.record([late], {}, NOW_US + 1).changed == 1
    assert store.record([late], {}, NOW_US + 1) == Recorded(0, 1, 0)
    assert len(rows(engine)) == 4


def test_the_end_is_told_to_those_who_heard_the_beginning(engine, store):
    store.record([fired(store)], {}, NOW_US)
    with transaction(engine) as session:
        silenced = session.scalars(select(Notification).filter_by(address=ONCALL)).one()
        silenced.delivery = Delivery.DROPPED
    store.record([resolved(store)], {}, NOW_US + 1)
    assert rows(engine)[2:] == [
        ("resolved", ALICE, "queued", "it_is_over"),
        ("resolved", ONCALL, "dropped", "never_told"),
    ]
    with reading(engine) as session:
        assert session.scalars(select(Incident)).one().resolved_us == NOW_US + 1


def test_a_silence_in_force_drops_with_its_reason(engine, store):
    with transaction(engine) as session:
        session.add(
            Silence(
                integration="globex-issues",
                starts_us=NOW_US,
                ends_us=NOW_US + 1,
                created_by="user:x",
                comment="",
            )
        )
    store.record([fired(store)], {}, NOW_US)
    assert {row[2:] for row in rows(engine)} == {("dropped", "silenced")}


def test_an_open_platform_outage_explains_a_silence(engine, store):
    outage = fired(store, Key("platform-outage", "midspan"), Subject("midspan"))
    meant = Meaning(frozenset({"platform-outage"}), quiet=frozenset({KEY.rule}))
    store.record([outage, fired(store)], {}, NOW_US, meant)
    assert rows(engine) == [
        ("fired", ALICE, "queued", "first_word"),
        ("fired", ALICE, "dropped", "explained_by_platform"),
        ("fired", ONCALL, "dropped", "explained_by_platform"),
    ]


def test_a_change_without_an_event_tells_nobody(engine, store):
    pending = fired(store, standing=Standing(State.PENDING, NOW_US), event=None)
    assert store.record([pending], {}, NOW_US) == Recorded(1, 0, 0)
    assert rows(engine) == []


def test_letters_go_out_once_loudest_first(engine, store):
    other = Key("slow", KEY.series)
    store.record([fired(store, other, severity=Severity.P4), fired(store)], {}, NOW_US)
    post, outbox, clock = Post(), Outbox(engine), Clock()
    assert dispatch(outbox, {"mail": post}, clock) == Dispatched(sent=4)
    assert [each.severity for each in post.taken] == [Severity.P2] * 2 + [Severity.P4] * 2
    assert dispatch(outbox, {"mail": post}, clock) == Dispatched()
    assert {row[2] for row in rows(engine)} == {"sent"}


def test_a_letter_knows_its_incident_and_who_else_was_told(engine, store):
    store.record([fired(store)], {KEY: "{}"}, NOW_US)
    [letter, _] = Outbox(engine).lease(NOW_US, 9, ["mail"])
    assert (letter.address, letter.others) == (ALICE, (ONCALL,))
    assert (letter.rule, letter.integration, letter.partner) == (
        "silence",
        "globex-issues",
        "globex",
    )
    assert letter.message_id.endswith("@midspan.example>")


def test_what_is_in_hand_is_in_one_hand_until_the_lease_is_over(engine, store):
    store.record([fired(store)], {}, NOW_US)
    outbox = Outbox(engine)
    first = outbox.lease(NOW_US, 9, ["mail"])
    assert outbox.lease(NOW_US + LEASE_US, 9, ["mail"]) == []
    again = outbox.lease(NOW_US + LEASE_US + 1, 9, ["mail"])
    assert [each.message_id for each in again] == [each.message_id for each in first]


def test_an_outage_is_waited_out_with_the_same_message_id(engine, store):
    store.record([fired(store)], {}, NOW_US)
    away = Unavailable("away")
    post, outbox, clock = Post(away, away, away), Outbox(engine), Clock()
    assert dispatch(outbox, {"mail": post}, clock) == Dispatched(retried=2)
    assert dispatch(outbox, {"mail": post}, clock) == Dispatched()
    clock.now_us += 10 * SECOND_US
    assert dispatch(outbox, {"mail": post}, clock) == Dispatched(sent=1, retried=1)
    clock.now_us += MINUTE_US
    assert dispatch(outbox, {"mail": post}, clock) == Dispatched(sent=1)
    assert len({each.message_id for each in post.taken}) == 2


def test_an_address_that_is_refused_is_given_up_and_counted(engine, store):
    store.record([fired(store)], {}, NOW_US)
    post, outbox = Post(Refused("550 no such user")), Outbox(engine)
    assert dispatch(outbox, {"mail": post}, Clock()) == Dispatched(sent=1, failed=1)
    assert outbox.undelivered(NOW_US + HOUR_US) == 1
    assert outbox.undelivered(NOW_US + HOUR_US + 1) == 0
    with reading(engine) as session:
        failed = session.scalars(select(Notification).filter_by(delivery=Delivery.FAILED)).one()
        assert failed.error == "550 no such user"


def test_nobody_hears_the_end_before_the_beginning(engine, store):
    store.record([fired(store)], {}, NOW_US)
    store.record([resolved(store)], {}, NOW_US + 1)
    post, outbox, clock = Post(Unavailable("away")), Outbox(engine), Clock()
    clock.now_us += 1
    dispatch(outbox, {"mail": post}, clock)
    assert [(each.event, each.address) for each in post.taken] == [(Event.FIRED, ONCALL)]
    clock.now_us += MINUTE_US
    while dispatch(outbox, {"mail": post}, clock).sent:
        pass
    assert [each.event for each in post.taken if each.address == ALICE] == [
        Event.FIRED, Event.RESOLVED
    ]  # fmt: skip
    thread = {each.thread_id for each in post.taken if each.address == ALICE}
    assert len(thread) == 1


def test_after_a_long_outage_only_the_newest_word_is_said(engine, store):
    store.record([fired(store)], {}, NOW_US)
    store.record([resolved(store)], {}, NOW_US + 1)
    post, clock = Post(), Clock()
    clock.now_us += HOUR_US + 1
    while dispatch(Outbox(engine), {"mail": post}, clock).sent:
        pass
    assert {each.event for each in post.taken} == {Event.RESOLVED}
    assert [row[2:] for row in rows(engine)] == [("dropped", OVERTAKEN)] * 2 + [
        ("sent", "it_is_over")
    ] * 2


def test_the_next_incident_of_the_same_rule_is_told_again(engine, store):
    store.record([fired(store)], {}, NOW_US)
    store.record([resolved(store)], {}, NOW_US + 1)
    store.record([fired(store)], {}, NOW_US + 2)
    with reading(engine) as session:
        assert list(session.scalars(select(Incident.number).order_by(Incident.id))) == [1, 2]
        assert session.scalars(select(Alert)).one().incident == 2
    assert len(set(rows(engine))) == 4
    assert len(rows(engine)) == 6


def test_delays_double_to_ten_minutes_and_differ_by_message():
    bases = [5 * 2**step for step in range(7)]
    for attempts, base in enumerate(bases, 1):
        delay_s = retry_delay_us(attempts, "<a@b>") / SECOND_US
        assert 0.8 * base <= delay_s <= 1.2 * base
    assert 480 <= retry_delay_us(50, "<a@b>") / SECOND_US <= 720
    assert len({retry_delay_us(3, f"<{number}@b>") for number in range(20)}) == 20


MEANT = Meaning(frozenset({"platform-outage"}), frozenset({"silence"}), frozenset({"silence", "b"}))
BURN = Key("b", KEY.series)


def test_what_goes_on_when_the_greater_incident_is_over_is_told_after_all(engine, store):
    store.record([fired(store, BURN, severity=Severity.P1)], {}, NOW_US, MEANT)
    store.record([fired(store)], {}, NOW_US + 1, MEANT)
    reasons = {row[1:] for row in rows(engine)[2:]}
    assert reasons == {(to, "dropped", "part_of_incident") for to in (ALICE, ONCALL)}
    assert release(engine, NOW_US + 2, MEANT) == 0
    store.record([resolved(store, BURN)], {}, NOW_US + 3, MEANT)
    assert release(engine, NOW_US + 4, MEANT) == 2
    reasons = {row[1:] for row in rows(engine)[2:4]}
    assert reasons == {(to, "queued", "explained_no_more") for to in (ALICE, ONCALL)}
    assert release(engine, NOW_US + 5, MEANT) == 0


def test_what_is_over_before_its_explanation_is_tells_nobody(engine, store):
    store.record([fired(store, BURN, severity=Severity.P1)], {}, NOW_US, MEANT)
    store.record([fired(store)], {}, NOW_US + 1, MEANT)
    store.record([resolved(store)], {}, NOW_US + 2, MEANT)
    store.record([resolved(store, BURN)], {}, NOW_US + 3, MEANT)
    assert release(engine, NOW_US + 4, MEANT) == 0


def test_a_louder_incident_takes_the_place_of_the_open_one(engine, store):
    store.record([fired(store, severity=Severity.P4)], {}, NOW_US, MEANT)
    store.record([fired(store, severity=Severity.P1)], {}, NOW_US + 1, MEANT)
    with reading(engine) as session:
        found = session.scalars(select(Incident).order_by(Incident.id)).all()
        assert [(each.number, each.severity, each.resolved_us) for each in found] == [
            (1, Severity.P4, NOW_US + 1), (2, Severity.P1, None),
        ]  # fmt: skip
    assert [row[3] for row in rows(engine)] == ["first_word"] * 4
