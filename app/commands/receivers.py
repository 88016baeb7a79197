"""The receivers that stand now, and asking for a test message to one of them."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.commands import audit
from app.commands.receiver_file import NAME, Entry, ReceiverFile, read_file
from app.db import reading, transaction
from app.domain.alert_route import Group, OnCall
from app.domain.on_call import shifts
from app.domain.receiver import Target
from app.domain.scope import Scope
from app.domain.window import DAY_US, MINUTE_US
from app.errors import NotFound
from app.models import ReceiverTest

_AHEAD_US = 14 * DAY_US


@dataclass(frozen=True, slots=True)
class ReceiverView:
    """A receiver, as a page may show it, and its newest test."""

    name: str
    kind: str
    shown: str
    asked_us: int | None = None
    done_us: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class ShiftView:
    """Somebody's time on call by a schedule."""

    schedule: str
    mail: str
    starts_us: int
    ends_us: int
    stands_in: bool


@dataclass(frozen=True, slots=True)
class ReceiversView:
    """Receivers, shifts from now on for two weeks, and what is wrong with the file."""

    receivers: tuple[ReceiverView, ...]
    shifts: tuple[ShiftView, ...]
    problems: tuple[str, ...]


class Receivers:
    """The receiver file of a home, read again when it changed."""

    def __init__(self, home: Path) -> None:
        self._path = home / NAME
        self._mark: tuple[int, int] | None = None
        self._file = ReceiverFile.empty()

    def read(self) -> ReceiverFile:
        """What the file says now."""
        mark = self._now()
        if mark is None or mark != self._mark:
            self._file = read_file(self._path)
            self._mark = mark
        return self._file

    def targets(self) -> dict[str, Target]:
        """The receivers that are one address or hook, by name."""
        return self.read().directory.targets()

    def _now(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size


def read_receivers(home: Path) -> ReceiverFile:
    """What the file of a home says now, read once."""
    return read_file(home / NAME)


def ask_for_test(
    engine: Engine, home: Path, scope: Scope, *, name: str, now_us: int, actor: str
) -> None:
    """Ask for a test message to a receiver; the scheduler sends it. `NotFound` for one that there
    is not, and for whoever does not see everything."""
    if not scope.covers(None) or name not in read_receivers(home).directory.receivers:
        raise NotFound(f"no receiver {name!r}")
    with transaction(engine) as session:
        _ask(session, name, now_us, actor)


def _ask(session: Session, name: str, now_us: int, actor: str) -> None:
    session.merge(
        ReceiverTest(receiver=name, asked_us=now_us, asked_by=actor[:300], done_us=None, error="")
    )
    audit.record(session, now_us=now_us, actor=actor, action="receiver.tested", subject=name)


def receivers_view(engine: Engine, home: Path, scope: Scope, now_us: int) -> ReceiversView | None:
    """Who can be told, without a secret; None for whoever does not see everything."""
    if not scope.covers(None):
        return None
    file = read_receivers(home)
    with reading(engine) as session:
        tests = {each.receiver: each for each in session.scalars(select(ReceiverTest))}
    directory = file.directory
    return ReceiversView(
        tuple(
            _receiver_view(name, entry, tests.get(name))
            for name, entry in directory.receivers.items()
        ),
        tuple(
            ShiftView(name, each.mail, each.starts_us, each.ends_us, each.stands_in)
            for name, schedule in directory.schedules.items()
            for each in shifts(schedule, now_us - now_us % MINUTE_US, now_us + _AHEAD_US)
        ),
        file.problems,
    )


def _receiver_view(name: str, entry: Entry, test: ReceiverTest | None) -> ReceiverView:
    match entry:
        case Group(members):
            kind, shown = "group", ", ".join(members)
        case OnCall(schedule):
            kind, shown = "on_call", f"whoever is on call by {schedule}"
        case target:
            kind, shown = target.channel.value, target.shown
    if test is None:
        return ReceiverView(name, kind, shown)
    return ReceiverView(name, kind, shown, test.asked_us, test.done_us, test.error)
