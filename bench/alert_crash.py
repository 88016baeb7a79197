"""Kills whoever evaluates and sends at random moments, and counts mails that are missing.

Instances of a rule come to be wrong and right again by a script; the child does with them what the
scheduler does (decide, record, lease, send, mark), over a real registry and a real SMTP server that
also refuses and breaks off. The clock is moved on by hand from child to child, so that leases and
retries pass in seconds, however fast the machine is. In the end every notification must have
arrived, copies only with the id of the first, an incident's beginning before its end, and every
instance must have fired once.
"""

import multiprocessing
import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from sqlalchemy import func, select

from alerts.changes import changes
from alerts.conditions import Verdict as Found
from alerts.dispatch import dispatch
from alerts.evaluate import Evaluation, Round, Subject
from alerts.notifiers.mail import MailNotifier
from alerts.outbox import OVERTAKEN, Outbox
from alerts.speaker import Speaker
from alerts.store import AlertStore
from app.db import reading, registry_engine, transaction
from app.domain.alert import Finding, Patience
from app.domain.rule import CircuitOpen, Rule, Severity
from app.domain.scope import Role
from app.domain.window import MINUTE_US, SECOND_US
from app.errors import MidspanError
from app.migrations import migrate_registry
from app.models import Delivery, Incident, Notification, User
from app.settings import Settings, load
from bench.common import report

ALERTS = 3_000
KILLS = 300
_INTERVAL_US = 15 * SECOND_US
#: So much time passes from one child to the next.
_PER_CHILD_US = 15 * SECOND_US
#: And so much when enough were killed.
_WHEN_KILLED_US = 2 * MINUTE_US
_PATIENCE = Patience(for_us=30 * SECOND_US, keep_us=30 * SECOND_US)
_LASTS_US = 10 * MINUTE_US
#: A run is given up after so long; a busy machine may need most of it.
_WAITS_S = 1_800.0
_PATIENCE_S = 10.0
#: So many are killed at any moment; the others are let evaluate once before.
_AT_ONCE_RATIO = 0.25
#: P1, of which there are never too many for one address.
_RULE = Rule("scripted", CircuitOpen(), Severity.P1)
_PERSON = "ann@acme.example"


@dataclass(frozen=True)
class Script:
    """When each of `alerts` instances is wrong: one after another, over `over_us`, from `begun_us`
    on. `passed_us` is the clock, shared by all processes."""

    alerts: int
    over_us: int
    begun_us: int
    passed_us: Any

    def now_us(self) -> int:
        return self.begun_us + int(self.passed_us.value)

    def pass_us(self, length_us: int) -> None:
        self.passed_us.value += length_us

    def wrong_us(self, number: int) -> int:
        return self.begun_us + MINUTE_US + number * self.over_us // self.alerts

    @property
    def ends_us(self) -> int:
        return self.wrong_us(self.alerts) + _LASTS_US + _PATIENCE.keep_us + MINUTE_US

    def round(self, now_us: int) -> Round:
        """What is found of those that are wrong, and of those that were until lately."""
        known = [
            number
            for number in range(self.alerts)
            if 0 <= now_us - self.wrong_us(number) < 2 * _LASTS_US
        ]
        return Round(tuple(self._evaluation(number, now_us) for number in known))

    def _evaluation(self, number: int, now_us: int) -> Evaluation:
        begun_us = self.wrong_us(number)
        wrong = begun_us <= now_us < begun_us + _LASTS_US
        found = Found(Finding.TRUE if wrong else Finding.FALSE, f"Instance {number}")
        return Evaluation(_RULE, Subject(f"instance={number}"), found, _PATIENCE)


@dataclass
class Box:
    """The SMTP server: what arrived, in order; it refuses some and breaks off after others."""

    dice: random.Random
    taken: list[tuple[str, str, str]] = field(default_factory=list)

    async def handle_DATA(self, server, _session, envelope):  # noqa: N802
        chance = self.dice.random()
        if chance < 0.02:
            return "451 later"
        message = message_from_bytes(envelope.content)
        self.taken.append((message["Message-ID"], message["To"], message["Subject"]))
        if chance < 0.04:
            server.transport.abort()
        return "250 OK"


@dataclass(frozen=True)
class Verdict:
    """What a run of kills left behind."""

    kills: int
    incidents: int
    notifications: int
    arrived: int
    copies: int
    overtaken: int
    lost: list[str]
    strangers: list[str]
    disordered: list[str]
    refired: int
    late_s: float

    @property
    def clean(self) -> bool:
        return not (self.lost or self.strangers or self.disordered or self.refired)


def run(home: Path, *, alerts: int, kills: int, seed: int = 1) -> Verdict:
    """At least that many kills while that many instances fire and recover."""
    dice = random.Random(seed)
    with _serving(dice) as (box, port):
        settings = _settings(home, port)
        _prepare(settings)
        # Without a lock: whoever is killed in the middle would hold it for ever.
        clock = multiprocessing.get_context("fork").RawValue("q", 0)
        script = Script(alerts, kills * _PER_CHILD_US, time.time_ns() // 1000, clock)
        killed = _storm(settings, script, kills, dice)
        return _judge(settings, script, box, killed)


def _storm(settings: Settings, script: Script, kills: int, dice: random.Random) -> int:
    killed, deadline_s = 0, time.monotonic() + _WAITS_S
    worker = _Worker(settings, script)
    worker.warm_up()
    while time.monotonic() < deadline_s:
        script.pass_us(_PER_CHILD_US if killed < kills else _WHEN_KILLED_US)
        worker.turns.value = 0
        child = multiprocessing.get_context("fork").Process(target=worker.work)
        child.start()
        over = killed >= kills and script.now_us() > script.ends_us
        if over:
            child.join(2.0)
        else:
            worker.wait(0 if dice.random() < _AT_ONCE_RATIO else 1)
            child.join(dice.uniform(0.0, 0.4))
        child.kill()
        child.join()
        if child.exitcode != -signal.SIGKILL:
            raise RuntimeError(f"the child ended by itself: {child.exitcode}")
        killed += not over
        if over and not _waiting(settings):
            break
    return killed


class _Worker:
    """What the scheduler does."""

    def __init__(self, settings: Settings, script: Script) -> None:
        self._script = script
        self._engine = registry_engine(settings.registry_url)
        self._store, self._outbox = (
            AlertStore(self._engine, "midspan.example"),
            Outbox(self._engine),
        )
        self._mail = MailNotifier(
            settings, Speaker(settings.base_url, lambda: "Acme Cloud"), script.now_us
        )
        self._evaluated_us = 0
        self.turns = multiprocessing.get_context("fork").RawValue("i", 0)

    def wait(self, turns: int) -> None:
        """Wait until the process that works has made so many turns, however busy the machine is."""
        until_s = time.monotonic() + _PATIENCE_S
        while self.turns.value < turns and time.monotonic() < until_s:
            time.sleep(0.005)

    def warm_up(self) -> None:
        """Work until a first message went out, so that a process that is killed soon has done
        something: its statements are compiled already."""
        while not self.turn():
            self._script.pass_us(_INTERVAL_US)
        self._engine.dispose()

    def work(self) -> None:
        """Work until killed, from the first evaluation on."""
        sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - ends with the process
        self._evaluated_us = 0
        while True:
            self.turn()
            self.turns.value += 1

    def turn(self) -> int:
        """Evaluate when it is time, and send; how many messages went out."""
        now_us = self._script.now_us()
        try:
            if now_us - self._evaluated_us >= _INTERVAL_US:
                self._evaluated_us = now_us
                made = changes(self._store.held(), self._script.round(now_us), now_us)
                self._store.record(made, {}, now_us)
            return dispatch(self._outbox, {"mail": self._mail}, self._script.now_us).sent
        except MidspanError:
            time.sleep(0.01)
            return 0


@contextmanager
def _serving(dice: random.Random) -> Iterator[tuple[Box, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    box = Box(random.Random(dice.random()))
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield box, port
    finally:
        server.stop()


def _settings(home: Path, port: int) -> Settings:
    given = {"MIDSPAN_HOME": str(home), "MIDSPAN_SMTP_URL": f"smtp://127.0.0.1:{port}"}
    return load(given, home / "none.env")


def _prepare(settings: Settings) -> None:
    settings.home.mkdir(exist_ok=True)
    migrate_registry(settings.registry_url)
    engine = registry_engine(settings.registry_url)
    with transaction(engine) as session:
        session.add(User(email=_PERSON, password_hash="x", role=Role.ECOSYSTEM, created_us=1))
    engine.dispose()


def _waiting(settings: Settings) -> int:
    engine = registry_engine(settings.registry_url)
    open_ones = select(func.count()).select_from(Incident).where(Incident.resolved_us.is_(None))
    queued = select(func.count()).where(Notification.delivery == Delivery.QUEUED)
    with reading(engine) as session:
        found = (session.scalar(open_ones) or 0) + (session.scalar(queued) or 0)
    engine.dispose()
    return found


def _judge(settings: Settings, script: Script, box: Box, killed: int) -> Verdict:
    engine = registry_engine(settings.registry_url)
    with reading(engine) as session:
        planned = list(session.scalars(select(Notification)))
        incidents = list(session.scalars(select(Incident)))
        late_us = [
            each.fired_us - script.wrong_us(int(each.alert.series.partition("=")[2]))
            - _PATIENCE.for_us
            for each in incidents
        ]  # fmt: skip
    engine.dispose()
    order = {name: place for place, (name, _, _) in reversed(list(enumerate(box.taken)))}
    # Whoever sends may be killed before it is marked, and the mark then say that it was overtaken.
    names = {
        each.message_id
        for each in planned
        if each.delivery == Delivery.SENT or each.reason == OVERTAKEN
    }
    counted = Counter(name for name, _, _ in box.taken)
    one_word = Counter((to, subject) for _, to, subject in set(box.taken))
    per_instance = Counter(each.alert_id for each in incidents)
    return Verdict(
        kills=killed,
        incidents=len(incidents),
        notifications=len(planned),
        arrived=len(box.taken),
        copies=sum(count - 1 for count in counted.values()),
        lost=[
            each.message_id for each in planned
            if each.message_id not in order and each.reason != OVERTAKEN
        ],
        overtaken=sum(each.reason == OVERTAKEN for each in planned),
        strangers=[name for name in counted if name not in names]
        + [f"{to} {subject}" for (to, subject), count in one_word.items() if count > 1],
        disordered=[
            name for name, place in order.items()
            if ".resolved." in name and place < order.get(name.replace(".resolved.", ".fired."), -1)
        ],
        refired=sum(count - 1 for count in per_instance.values())
        + abs(script.alerts - len(per_instance)),
        late_s=max(late_us, default=0) / SECOND_US,
    )  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        verdict = run(Path(home), alerts=ALERTS, kills=KILLS)
    report(
        "alert_crash",
        [
            {"figure": "alerts", "count": verdict.incidents, "target": ALERTS},
            {"figure": "kill -9", "count": verdict.kills, "target": KILLS},
            {"figure": "messages lost", "count": len(verdict.lost), "target": 0},
            {"figure": "copies with another id", "count": len(verdict.strangers), "target": 0},
            {"figure": "ends before beginnings", "count": len(verdict.disordered), "target": 0},
            {"figure": "missing or fired again", "count": verdict.refired, "target": 0},
        ],
        {
            "messages": verdict.notifications,
            "arrived": verdict.arrived,
            "beginnings overtaken by their ends": verdict.overtaken,
            "copies with an equal Message-ID": verdict.copies,
            "latest firing, seconds of that clock": verdict.late_s,
        },
    )
    sys.exit(not verdict.clean)


if __name__ == "__main__":
    main()
