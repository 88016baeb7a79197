"""Who is on call at a moment: a rotation by local days, and what was arranged otherwise. Pure.

Shifts change at a time of day in the schedule's own zone. Days are counted by the calendar and only
then turned into moments, so a week stays a week when the clocks change; a time of day that a change
of the clocks leaves out or has twice is taken once, by the offset before the change.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from app.domain.window import SECOND_US


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody stands in from `starts_us` until `ends_us`."""

    starts_us: int
    ends_us: int
    mail: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """People who take turns of `days` days each, the first of them from `first` on.

    They hand over at `at` in `zone`. Of two overrides at one moment the later in the list holds.
    Before `first` the rotation runs backwards, so there is always somebody.
    """

    name: str
    zone: ZoneInfo
    people: tuple[str, ...]
    first: date
    at: time
    days: int
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True)
class Shift:
    """One person's time; `stands_in` when it is an override's."""

    starts_us: int
    ends_us: int
    mail: str
    stands_in: bool = False


def on_call(schedule: Schedule, at_us: int) -> str:
    """The address of whoever is on call."""
    return _override(schedule, at_us) or _turn(schedule, _turn_at(schedule, at_us))


def shifts(schedule: Schedule, from_us: int, until_us: int) -> Iterator[Shift]:
    """Who is on call in between, in order, without gaps; the first and the last are cut there."""
    edges = sorted({from_us, until_us, *_edges(schedule, from_us, until_us)})
    waiting: Shift | None = None
    for starts_us, ends_us in pairwise(edges):
        override = _override(schedule, starts_us)
        mail = override or on_call(schedule, starts_us)
        if waiting and (waiting.mail, waiting.stands_in) == (mail, override is not None):
            waiting = Shift(waiting.starts_us, ends_us, mail, waiting.stands_in)
            continue
        if waiting:
            yield waiting
        waiting = Shift(starts_us, ends_us, mail, override is not None)
    if waiting:
        yield waiting


def _edges(schedule: Schedule, from_us: int, until_us: int) -> Iterator[int]:
    """The moments in between at which it may be somebody else's turn."""
    turn = _turn_at(schedule, from_us) + 1
    while (change_us := _begins_us(schedule, turn)) < until_us:
        yield change_us
        turn += 1
    for each in schedule.overrides:
        yield from (at_us for at_us in (each.starts_us, each.ends_us) if from_us < at_us < until_us)


def _override(schedule: Schedule, at_us: int) -> str | None:
    holding = [each.mail for each in schedule.overrides if each.starts_us <= at_us < each.ends_us]
    return holding[-1] if holding else None


def _turn(schedule: Schedule, number: int) -> str:
    return schedule.people[number % len(schedule.people)]


def _turn_at(schedule: Schedule, at_us: int) -> int:
    """The number of the turn that a moment lies in, 0 for the first; negative before it."""
    local = datetime.fromtimestamp(at_us // SECOND_US, UTC).astimezone(schedule.zone).date()
    number = (local - schedule.first).days // schedule.days
    # On the day of a change the one before goes on until the hour comes.
    return number - 1 if at_us < _begins_us(schedule, number) else number


def _begins_us(schedule: Schedule, number: int) -> int:
    day = schedule.first + timedelta(days=number * schedule.days)
    local = datetime.combine(day, schedule.at, schedule.zone)
    return int(local.timestamp()) * SECOND_US
