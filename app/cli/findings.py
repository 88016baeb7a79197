"""What the doctor finds: a level, what was looked at, how it is and how to mend it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from app.errors import MidspanError


class Level(StrEnum):
    """`warn` works for now; `fail` does not."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor."""

    level: Level
    what: str
    how: str

    def __str__(self) -> str:
        return " ".join(f"{self.level:<5} {self.what}: {self.how}".splitlines())


def ok(what: str, how: str) -> Finding:
    """It is as it should be."""
    return Finding(Level.OK, what, how)


def warn(what: str, how: str) -> Finding:
    """It works, and somebody should look."""
    return Finding(Level.WARN, what, how)


def fail(what: str, how: str) -> Finding:
    """It does not work."""
    return Finding(Level.FAIL, what, how)


def guarded(what: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """The findings of a check; its own failure is one too."""
    try:
        yield from check()
    except MidspanError as error:
        yield fail(what, str(error))
    except OSError as error:
        yield fail(what, f"{error.filename or ''} {error.strerror or error}".strip())


def size(count: int) -> str:
    """Bytes for people."""
    value, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
