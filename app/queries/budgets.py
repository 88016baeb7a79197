"""How much of every objective's budget is left, each over its own window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from app.domain import histogram
from app.domain.objective import Standing, standing
from app.domain.scope import Scope
from app.domain.window import Window, parse_duration, window_ending
from app.queries.counting import Sums, add_up
from app.queries.reading import Reading
from app.queries.registry import integration_within
from app.queries.results import IntegrationView, ObjectiveView
from app.telemetry import timed_query


@dataclass(frozen=True, slots=True)
class BudgetView:
    """One objective, where it stands over its window up to now, and what was excluded from it."""

    objective: ObjectiveView
    standing: Standing
    excluded: int


@timed_query("budgets")
def budgets(reading: Reading, scope: Scope, slug: str) -> list[BudgetView]:
    """The objectives of one integration in the registry's order; `NotFound` outside the scope.

    Availability counts good and bad exchanges; latency counts timed ones, bad being slower than
    the threshold (`app.domain.objective`).
    """
    view = integration_within(reading, scope, slug)
    now_us = reading.clock()
    windows = {
        each.window: window_ending(now_us, parse_duration(each.window)) for each in view.objectives
    }
    sums = {text: _sums(reading, slug, window) for text, window in windows.items()}
    return _budgets(view, sums)


def budgets_of_all(
    reading: Reading, views: Sequence[IntegrationView], integrations: Sequence[str] | None
) -> list[list[BudgetView]]:
    """The same for each of `views`, one reading for every window that their objectives have.
    `integrations` are the slugs to read, None: all."""
    now_us = reading.clock()
    rows = {view.slug: row for row, view in enumerate(views)}
    sums: dict[str, Sums] = {}
    for text in sorted({each.window for view in views for each in view.objectives}):
        window = window_ending(now_us, parse_duration(text))
        rollups = reading.store.rollups(window, integrations=integrations)
        owner = [rows.get(each.integration, len(views)) for each in rollups.series]
        groups = np.array(owner, dtype=np.int64)[rollups.series_index]
        sums[text] = add_up(rollups, groups, len(views) + 1)
    return [_budgets(view, sums, row) for row, view in enumerate(views)]


def _sums(reading: Reading, slug: str, window: Window) -> Sums:
    rollups = reading.store.rollups(window, integrations=[slug])
    return add_up(rollups, rollups.series_index * 0, 1)


def _budgets(view: IntegrationView, sums: Mapping[str, Sums], row: int = 0) -> list[BudgetView]:
    return [
        BudgetView(
            each, _standing(each, sums[each.window], row), int(sums[each.window].excluded[row])
        )
        for each in view.objectives
    ]


def _standing(objective: ObjectiveView, sums: Sums, row: int) -> Standing:
    if objective.threshold_ms is None:
        return standing(objective.target, int(sums.good[row]), int(sums.bad[row]))
    latency = sums.latency[row]
    timed = int(latency.sum())
    slow = int(latency[_place(objective.threshold_ms) + 1 :].sum()) if timed else 0
    return standing(objective.target, timed - slow, slow)


@lru_cache(maxsize=256)
def _place(threshold_ms: int) -> int:
    """The bucket of a threshold; few are in use, and every integration asks."""
    return int(histogram.position(np.array([threshold_ms * 1000]))[0])
