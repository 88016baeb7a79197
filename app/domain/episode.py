"""When an integration was in trouble: runs of steps with a troubled status, made into episodes.

Pure. A step that says nothing (idle, too few exchanges) between two troubled ones belongs to the
episode: a failing integration is often called less. Two such steps in a row end it. One troubled
step alone is weather, unless nothing at all was answered in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.health import RANK, Status
from app.domain.window import Window

#: Statuses that need a person.
TROUBLED = frozenset({Status.FAILING, Status.SILENT, Status.SLOW, Status.DEGRADED})
_SAYS_NOTHING = frozenset({Status.IDLE, Status.NOT_ENOUGH_DATA, Status.PAUSED})


@dataclass(frozen=True, slots=True)
class Episode:
    """A stretch of trouble and the worst status in it. `lasts`: it reaches the end of what was
    looked at; `whole`: its beginning was seen, it did not start before."""

    window: Window
    status: Status
    lasts: bool
    whole: bool


def episodes(statuses: Sequence[Status], start_us: int, step_us: int) -> list[Episode]:
    """The episodes among steps of `step_us` from `start_us` on, oldest first."""
    found: list[Episode] = []
    first: int | None = None
    last = 0
    for place, status in enumerate([*statuses, Status.HEALTHY]):
        if status in TROUBLED:
            first, last = (place if first is None else first), place
        elif first is not None and not (status in _SAYS_NOTHING and place - last < 2):
            found.append(_episode(statuses, first, last, start_us, step_us))
            first = None
    return [each for each in found if _counts(each, step_us)]


def _counts(episode: Episode, step_us: int) -> bool:
    return episode.status is Status.SILENT or episode.window.length_us > step_us


def _episode(
    statuses: Sequence[Status], first: int, last: int, start_us: int, step_us: int
) -> Episode:
    within = [each for each in statuses[first : last + 1] if each in TROUBLED]
    rest = statuses[last + 1 :]
    return Episode(
        Window(start_us + first * step_us, start_us + (last + 1) * step_us),
        min(within, key=RANK.__getitem__),
        lasts=len(rest) < 2 and all(each in _SAYS_NOTHING for each in rest),
        whole=first > 0,
    )
