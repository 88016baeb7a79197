"""Alerts against a real SMTP server that goes wrong in every way, and is away for long."""

from collections import defaultdict

import pytest
from sqlalchemy import select

from alerts.changes import Key
from alerts.dispatch import Dispatched, dispatch
from alerts.evaluate import Subject
from alerts.notifiers.mail import MailNotifier
from alerts.outbox import OVERTAKEN, Outbox
from alerts.speaker import Speaker
from app.db import reading
from app.domain.window import HOUR_US, MINUTE_US
from app.models import Delivery, Notification
from app.settings import load
from tests.alerts.receiving import MailServer
from tests.alerts.test_store import Clock, fired, resolved, store

__all__ = ["store"]
KEYS = [Key("silence", f"integration=i{number}") for number in range(6)]


class Sending:
    """The dispatcher, its clock, and the server that it sends to."""

    def __init__(self, engine, store, tmp_path) -> None:
        self.server = MailServer()
        self.store = store
        self.clock = Clock()
        home = {"MIDSPAN_HOME": str(tmp_path), "MIDSPAN_SMTP_URL": self.server.url}
        settings = load(home, tmp_path / "none.env")
        self._send = {"mail": MailNotifier(settings, Speaker(settings.base_url, str), self.clock)}
        self._outbox = Outbox(engine)

    def turn(self, minutes: float = 0) -> Dispatched:
        self.clock.now_us += int(minutes * MINUTE_US)
        return dispatch(self._outbox, self._send, self.clock)

    def begin(self) -> None:
        made = [fired(self.store, key, Subject(key.series, key.series, "globex")) for key in KEYS]
        self.store.record(made, {}, self.clock.now_us)

    def end(self) -> None:
        self.store.record([resolved(self.store, key) for key in KEYS], {}, self.clock.now_us)


@pytest.fixture
def sending(engine, store, tmp_path):
    sending = Sending(engine, store, tmp_path)
    yield sending
    sending.server.close()


def deliveries(engine) -> dict[str, tuple[str, str]]:
    with reading(engine) as session:
        rows = session.scalars(select(Notification))
        return {row.message_id: (row.delivery.value, row.reason) for row in rows}


def order(server: MailServer) -> dict[str, int]:
    """The place of the first copy of each message."""
    return {got.name: place for place, got in reversed(list(enumerate(server.taken)))}


def test_every_alert_arrives_through_every_fault_and_copies_carry_the_first_ones_id(
    engine, sending, monkeypatch
):
    monkeypatch.setattr("app.mail.delivery.TIMEOUT_S", 0.3)
    sending.begin()
    sending.end()
    sending.server.says = ["451", "drop", "reset", "trickle", "421", "drop", "452", "drop"] * 2
    for _ in range(12):
        sending.turn(15)
        if not sending.server.says:
            break
    while sending.turn(15) != Dispatched():
        pass
    first, planned = order(sending.server), deliveries(engine)
    told = {name for name, (delivery, _) in planned.items() if delivery == Delivery.SENT}
    assert set(first) == told
    assert len(sending.server.taken) > len(first), "some came twice: they were taken and broken off"
    words = defaultdict(set)
    for got in sending.server.taken:
        words[got.name].add((got.headers["To"], got.headers["Subject"]))
    assert all(len(said) == 1 for said in words.values())
    overtaken = {name for name, (_, reason) in planned.items() if reason == OVERTAKEN}
    assert told | overtaken == set(planned)
    for name in told:
        if ".resolved." in name:
            begun = name.replace(".resolved.", ".fired.")
            assert begun in overtaken or first[begun] < first[name]


def test_a_server_that_is_away_for_an_hour_gets_the_newest_word_on_each_when_it_is_back(
    engine, sending
):
    port = sending.server.port
    sending.server.close()
    sending.begin()
    sending.turn()
    sending.end()
    for _ in range(7):
        sending.turn(10)
    assert {delivery for delivery, _ in deliveries(engine).values()} <= {"queued", "dropped"}
    sending.server = MailServer(port)
    while sending.turn(15) != Dispatched():
        pass
    names = [got.name for got in sending.server.taken]
    assert len(names) == len(set(names)) == 2 * len(KEYS)
    assert all(".resolved." in name for name in names)
    assert sorted(set(deliveries(engine).values())) == [
        ("dropped", OVERTAKEN),
        ("sent", "it_is_over"),
    ]


def test_what_still_fires_after_an_hour_is_told_when_the_server_is_back(engine, sending):
    port = sending.server.port
    sending.server.close()
    sending.begin()
    for _ in range(8):
        sending.turn(10)
    sending.server = MailServer(port)
    sending.turn(15)
    assert len(sending.server.taken) == 2 * len(KEYS)
    sending.end()
    sending.turn(1)
    assert len(sending.server.taken) == 4 * len(KEYS)
    first = order(sending.server)
    assert all(
        first[name.replace(".resolved.", ".fired.")] < place
        for name, place in first.items()
        if ".resolved." in name
    )


def test_what_is_refused_for_good_is_given_up_and_the_rest_goes_on(engine, sending):
    sending.begin()
    sending.server.says = ["550"]
    assert sending.turn() == Dispatched(sent=2 * len(KEYS) - 1, failed=1)
    assert sending.turn(HOUR_US / MINUTE_US) == Dispatched()
