"""Alerts: the states of one rule instance and what moves it from one to the next. Pure.

An instance is a rule applied to one series: one integration, one operation, one partner, or
Midspan itself. Each evaluation brings a finding; `advance` answers with where the instance stands
then, and with the event that people have to be told of, if there is one.

- `inactive`: nothing is wrong. `pending`: wrong, but not yet for as long as the rule asks.
- `firing`: told. `recovering`: right again, but not yet for as long as the rule asks; wrong again
  within that time is the same incident, and nobody is told twice.
- `resolved`: was firing, and is over; told. Behaves as `inactive`.
- `no_data`, `error`: nothing can be said. Neither begins an incident nor ends one: what was pending
  or firing stays so, because a store that is away has mended nothing. They are told by rules of
  their own.

Clocks run on the times given, so a restart changes nothing: `since_us` is when the state began, and
an evaluation that comes late only comes late.
"""

from dataclasses import dataclass, replace
from enum import StrEnum


class State(StrEnum):
    """Where a rule instance stands."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"
    RESOLVED = "resolved"
    NO_DATA = "no_data"
    ERROR = "error"


class Finding(StrEnum):
    """What an evaluation found. `GONE`: the series is no longer there (removed, or paused)."""

    TRUE = "true"
    FALSE = "false"
    NO_DATA = "no_data"
    ERROR = "error"
    GONE = "gone"


class Event(StrEnum):
    """What people are told. An evaluation brings the first and the last; that somebody took an
    incident is told where it would go on ringing."""

    FIRED = "fired"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a finding must hold: `for_us` to fire, `keep_us` without it to resolve."""

    for_us: int = 0
    keep_us: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """One rule instance between two evaluations.

    `incident` counts the times it fired, from 1; 0: never. `fired_us` is when the newest incident
    began to be told, None before the first.
    """

    state: State = State.INACTIVE
    since_us: int = 0
    incident: int = 0
    fired_us: int | None = None

    @property
    def open(self) -> bool:
        """Whether people are told that it is wrong."""
        return self.state in _OPEN


@dataclass(frozen=True, slots=True)
class Step:
    """What an evaluation changed."""

    standing: Standing
    event: Event | None = None


_OPEN = frozenset({State.FIRING, State.RECOVERING})
_CALM = frozenset({State.INACTIVE, State.RESOLVED, State.NO_DATA, State.ERROR})
_BLIND = {Finding.NO_DATA: State.NO_DATA, Finding.ERROR: State.ERROR}


def advance(
    standing: Standing,
    finding: Finding,
    now_us: int,
    patience: Patience,
    *,
    louder: bool = False,
) -> Step:
    """Where the instance stands after an evaluation at `now_us`. What is found `louder` than the
    incident that is open begins the next one: it wakes people, and the open one did not.

    A finding that is older than the state it meets (a clock that stepped back) moves no clock: the
    time passed since counts as none.
    """
    if finding in _BLIND:
        return _blind(standing, _BLIND[finding], now_us)
    if finding == Finding.GONE:
        return _gone(standing, now_us)
    if finding == Finding.TRUE and louder and standing.open:
        return _fire(standing, now_us)
    if finding == Finding.TRUE:
        return _wrong(standing, now_us, patience)
    return _right(standing, now_us, patience)


def _wrong(standing: Standing, now_us: int, patience: Patience) -> Step:
    match standing.state:
        case State.FIRING:
            return Step(standing)
        case State.RECOVERING:
            return Step(replace(standing, state=State.FIRING, since_us=now_us))
        case State.PENDING if now_us - standing.since_us < patience.for_us:
            return Step(standing)
        case State.PENDING:
            return _fire(standing, now_us)
        case _ if patience.for_us > 0:
            return Step(replace(standing, state=State.PENDING, since_us=now_us))
        case _:
            return _fire(standing, now_us)


def _right(standing: Standing, now_us: int, patience: Patience) -> Step:
    match standing.state:
        case State.INACTIVE | State.RESOLVED:
            return Step(standing)
        case State.FIRING if patience.keep_us > 0:
            return Step(replace(standing, state=State.RECOVERING, since_us=now_us))
        case State.RECOVERING if now_us - standing.since_us < patience.keep_us:
            return Step(standing)
        case State.FIRING | State.RECOVERING:
            return _resolve(standing, now_us)
        case _:
            return Step(replace(standing, state=State.INACTIVE, since_us=now_us))


def _blind(standing: Standing, state: State, now_us: int) -> Step:
    if standing.state == state or standing.state not in _CALM:
        return Step(standing)
    return Step(replace(standing, state=state, since_us=now_us))


def _gone(standing: Standing, now_us: int) -> Step:
    if standing.open:
        return _resolve(standing, now_us)
    if standing.state in (State.INACTIVE, State.RESOLVED):
        return Step(standing)
    return Step(replace(standing, state=State.INACTIVE, since_us=now_us))


def _fire(standing: Standing, now_us: int) -> Step:
    fired = Standing(State.FIRING, now_us, standing.incident + 1, now_us)
    return Step(fired, Event.FIRED)


def _resolve(standing: Standing, now_us: int) -> Step:
    return Step(replace(standing, state=State.RESOLVED, since_us=now_us), Event.RESOLVED)
