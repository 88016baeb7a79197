"""The receivers that stand now, and asking for a test message to one of them."""

from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.commands import audit
from app.commands.receiver_file import NAME, ReceiverFile, read_file
from app.db import transaction
from app.domain.receiver import Target
from app.domain.scope import Scope
from app.errors import NotFound
from app.models import ReceiverTest


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


def ask_for_test(
    engine: Engine, home: Path, scope: Scope, *, name: str, now_us: int, actor: str
) -> None:
    """Ask for a test message to a receiver; the scheduler sends it. `NotFound` for one that there
    is not, and for whoever does not see everything."""
    if not scope.covers(None) or name not in Receivers(home).read().directory.receivers:
        raise NotFound(f"no receiver {name!r}")
    with transaction(engine) as session:
        _ask(session, name, now_us, actor)


def _ask(session: Session, name: str, now_us: int, actor: str) -> None:
    session.merge(
        ReceiverTest(receiver=name, asked_us=now_us, asked_by=actor[:300], done_us=None, error="")
    )
    audit.record(session, now_us=now_us, actor=actor, action="receiver.tested", subject=name)
