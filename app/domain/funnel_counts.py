"""Counts of many installs, kept so that they add up: days into a window, windows into each other.

`measure` turns installs into positions, one for everything that is true of each: that it entered,
which steps it reached (in any order, and in the order of the funnel), at which step it waits or was
lost and why, and how long each step took, from the entry and from the step before. How often each
position occurs is a sparse count like any other (`app.domain.histogram`), and `read` makes numbers
of a sum of them. Times are kept in milliseconds, by the same buckets as latencies are in
microseconds: up to 34 years, within `histogram.RELATIVE_ERROR`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.domain import histogram
from app.domain.funnel import Funnel, LostCause
from app.domain.histogram import BUCKETS, Counts
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, SECOND_US

#: Fewer installs than this say little about all: an answer says so.
ENOUGH = 20
CAUSES = tuple(LostCause)
#: Bounds of the time to activate, as it is shown.
SOON_US = (MINUTE_US, 10 * MINUTE_US, HOUR_US, 6 * HOUR_US, DAY_US)
_MS = 1_000
_MISSING = -1
_ANY, _STRICT, _LOST = 0, 1, 2
_WAITING = _LOST + len(CAUSES)
_SINCE_ENTRY = _WAITING + 1
_SINCE_STEP = _SINCE_ENTRY + BUCKETS
_PER_STEP: int = _SINCE_STEP + BUCKETS
_HEAD = 1  # position 0 counts the installs themselves

Whole = NDArray[np.int64]


class Order(StrEnum):
    """Whether a step counts only behind the steps before it."""

    ANY = "any"
    STRICT = "strict"


class Install(NamedTuple):
    """One install: the first times of its steps, and what it awaits or was lost at."""

    steps: dict[str, int]
    next_step: str | None
    due_us: int | None
    lost: LostCause | None


@dataclass(frozen=True, slots=True)
class StepCount:
    """One step. `lost` counts installs that came to the step before and not to this one, by cause;
    `waiting` those that still may. Times in seconds, from the entry and from the step before it
    that was reached; None when nobody reached it."""

    name: str
    reached: int
    lost: dict[str, int]
    waiting: int
    median_s: float | None
    p90_s: float | None
    step_median_s: float | None
    step_p90_s: float | None


@dataclass(frozen=True, slots=True)
class FunnelCount:
    """A funnel: how many entered, reached its goal at all, and within a length of time. `sooner`
    are how many reached it within each of `SOON_US`."""

    entered: int
    activated: int
    within: int
    steps: tuple[StepCount, ...]
    sooner: tuple[int, ...] = ()

    @property
    def lost(self) -> int:
        """Installs that will not come further as far as is known, at any step."""
        return sum(sum(step.lost.values()) for step in self.steps)

    @property
    def waiting(self) -> int:
        """Installs that still may."""
        return sum(step.waiting for step in self.steps)


def width(funnel: Funnel) -> int:
    """How many positions the counts of a funnel have."""
    return _HEAD + len(funnel.steps) * _PER_STEP


def measure(
    installs: Sequence[Install], groups: Whole, size: int, funnel: Funnel, now_us: int
) -> list[bytes]:
    """The sparse counts of each of `size` groups; install i belongs to group `groups[i]`.

    What is late at `now_us` and was not judged is lost without a sign of life: stuck.
    """
    times = _times(installs, funnel)
    reached = times != _MISSING
    entry = np.where(reached, times, np.iinfo(np.int64).max).min(axis=1, initial=2**62)
    parts = [
        (groups, np.zeros(len(installs), dtype=np.int64)),
        _ends(installs, groups, funnel, now_us),
    ]
    previous, in_order = entry, np.ones(len(installs), dtype=np.bool_)
    for number in range(len(funnel.steps)):
        here, base = reached[:, number], _HEAD + number * _PER_STEP
        at_us = times[:, number]
        in_order &= here & (at_us >= previous)
        since_entry, since_step = at_us - entry, np.maximum(at_us - previous, 0)
        parts += [
            (groups[here], np.full(int(here.sum()), base + _ANY)),
            (groups[in_order], np.full(int(in_order.sum()), base + _STRICT)),
            (groups[here], base + _SINCE_ENTRY + histogram.position(since_entry[here] // _MS)),
            (groups[here], base + _SINCE_STEP + histogram.position(since_step[here] // _MS)),
        ]
        previous = np.where(here, at_us, previous)
    return _sparse(parts, size)


def entered(counts: bytes) -> int:
    """How many installs sparse counts of `measure` are of."""
    return int.from_bytes(counts[2:6], "little")  # the first pair, of position 0


def due_us(installs: Sequence[Install], now_us: int) -> int | None:
    """When the next of them will be late; None: none will."""
    waiting = [
        each.due_us
        for each in installs
        if each.lost is None and each.due_us is not None and each.due_us > now_us
    ]
    return min(waiting, default=None)


def read(counts: Counts, funnel: Funnel, order: Order, within_us: int) -> list[FunnelCount]:
    """The numbers of dense counts of many groups, shape (groups, `width(funnel)`)."""
    groups, steps = len(counts), len(funnel.steps)
    cells = counts[:, _HEAD:].reshape(groups, steps, _PER_STEP)
    reached = cells[:, :, _STRICT if order is Order.STRICT else _ANY].tolist()
    ends = cells[:, :, _LOST : _WAITING + 1].tolist()
    times = cells[:, :, _SINCE_ENTRY:].reshape(groups * steps * 2, BUCKETS)
    seconds = _seconds(times).reshape(groups, steps, 4)
    counted = [
        tuple(map(_step, funnel.steps, *of_group))
        for of_group in zip(reached, ends, seconds.tolist(), strict=True)
    ]
    goal = funnel.steps.index(funnel.goal)
    goals = cells[:, goal, _SINCE_ENTRY:_SINCE_STEP]
    limits = histogram.position(np.array([within_us, *SOON_US]) // _MS)
    within = np.cumsum(goals, axis=1)[:, limits].tolist()
    return [
        FunnelCount(entries, its[goal].reached, soon[0], its, tuple(soon[1:]))
        for entries, its, soon in zip(counts[:, 0].tolist(), counted, within, strict=True)
    ]


def _step(name: str, reached: int, ends: list[int], seconds: list[float]) -> StepCount:
    *lost, waiting = ends
    causes = {cause.value: number for cause, number in zip(CAUSES, lost, strict=True)}
    return StepCount(name, reached, causes, waiting, *(None if isnan(s) else s for s in seconds))


def _seconds(times: Counts) -> NDArray[np.float64]:
    """The median and the 90th percentile of each row, NaN where it is empty; what took less than a
    millisecond took no time."""
    found_ms = histogram.quantiles(times, (0.5, 0.9))
    return np.where(found_ms <= 1, 0.0, found_ms * _MS / SECOND_US)


def _times(installs: Sequence[Install], funnel: Funnel) -> Whole:
    """When each reached each step, shape (installs, steps), microseconds."""
    rows = [[each.steps.get(step, _MISSING) for step in funnel.steps] for each in installs]
    return np.array(rows, dtype=np.int64).reshape(len(rows), len(funnel.steps))


def _ends(
    installs: Sequence[Install], groups: Whole, funnel: Funnel, now_us: int
) -> tuple[Whole, Whole]:
    """Group and position of those that wait or were lost."""
    places = {step: _HEAD + at * _PER_STEP for at, step in enumerate(funnel.steps)}
    found = [
        (at, places[each.next_step] + _fate(each, now_us))
        for at, each in enumerate(installs)
        if each.next_step in places
    ]
    pairs = np.array(found, dtype=np.int64).reshape(len(found), 2)
    return groups[pairs[:, 0]], pairs[:, 1]


def _fate(install: Install, now_us: int) -> int:
    if install.lost is not None:
        return _LOST + CAUSES.index(install.lost)
    if install.due_us is not None and install.due_us <= now_us:
        return _LOST + CAUSES.index(LostCause.STUCK)
    return _WAITING


def _sparse(parts: Sequence[tuple[Whole, Whole]], size: int) -> list[bytes]:
    keys = np.concatenate([groups << 16 | positions for groups, positions in parts])
    found, counts = np.unique(keys, return_counts=True)
    bounds = np.searchsorted(found >> 16, np.arange(size + 1))
    return [
        histogram.encode_sparse(found[start:end] & 0xFFFF, counts[start:end])
        for start, end in pairwise(bounds)
    ]
