"""How near an integration comes to the limits that the registry sets it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain import histogram
from app.domain.tally import CELLS
from app.domain.window import DAY_US, MINUTE_US, SECOND_US, Window
from app.domain.words import Direction, Fault, Outcome, Verdict
from app.queries.reading import Reading
from app.queries.registry_usage import rate_limit_of
from app.store.port import Rollups

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WayQuota:
    """One direction. `busiest` is exchanges in the busiest `step_us` of the last day of the
    window; `refused` are those that the proxy refused in it."""

    direction: str
    busiest: int
    step_us: int
    refused: int

    @property
    def per_second(self) -> float:
        """The rate of the busiest step."""
        return self.busiest * SECOND_US / self.step_us


@dataclass(frozen=True, slots=True)
class QuotaView:
    """The limit, None for none, and how each direction stood to it in `window`."""

    requests_per_second: float | None
    window: Window
    ways: tuple[WayQuota, ...]

    def used(self, way: WayQuota) -> float | None:
        """The share of the limit that the busiest step took; None without a limit."""
        limit = self.requests_per_second
        return way.per_second / limit if limit else None


def quota(reading: Reading, slug: str, window: Window) -> QuotaView:
    """The last day of the window up to now, by the minute, or by the hour where minutes are no
    longer kept."""
    end_us = min(window.end_us, reading.clock() // MINUTE_US * MINUTE_US + MINUTE_US)
    span = Window(max(end_us - DAY_US, 0), max(end_us, MINUTE_US))
    rollups = reading.store.rollups(span, integrations=[slug], step_us=MINUTE_US)
    directions = np.array([each.direction for each in rollups.series], np.int64)
    way_of = directions[rollups.series_index]
    ways = [
        _way(direction, rollups, np.flatnonzero(way_of == direction))
        for direction in Direction
        if (way_of == direction).any()
    ]
    return QuotaView(rate_limit_of(reading, slug), rollups.window, tuple(ways))


def _way(direction: Direction, rollups: Rollups, rows: Ints) -> WayQuota:
    starts, place = np.unique(rollups.t_us[rows], return_inverse=True)
    numbers = np.bincount(place, weights=rollups.exchanges[rows], minlength=len(starts))
    steps = np.zeros(len(starts), np.int64)
    steps[place] = rollups.steps_us[rows]
    busiest = int(np.argmax(numbers / steps))
    tallies = [rollups.tally[row] for row in rows.tolist()]
    cells = histogram.decode_into(tallies, rows * 0, (1, CELLS))
    cube = cells.reshape(len(Outcome), len(Fault), len(Verdict))
    refused = int(cube[Outcome.REJECTED].sum())
    return WayQuota(direction.word, int(numbers[busiest]), int(steps[busiest]), refused)
