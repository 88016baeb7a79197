"""Rollup rows into `Health`, for many integrations at once."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from app.domain import histogram
from app.domain.health import Facts, Status, assess, status_of, wilson
from app.domain.objective import Objective, error_ratio
from app.domain.sentence import Evidence, Group, sentence
from app.domain.window import MINUTE_US, parse_duration
from app.domain.words import Direction, Kind
from app.queries.counting import Ints, Named, Sums, add_up, answered, latencies, name_all
from app.queries.results import Health, IntegrationView, Latency, ObjectiveView
from app.store.port import Rollups

_NOUNS: dict[tuple[int, int], str] = {
    (Direction.OUTBOUND, Kind.REQUEST): "calls to the partner",
    (Direction.OUTBOUND, Kind.WEBHOOK): "webhooks",
    (Direction.INBOUND, Kind.REQUEST): "calls from the partner",
    (Direction.INBOUND, Kind.WEBHOOK): "webhooks from the partner",
}
#: Statuses whose sentence names operations.
_NAMING = frozenset({Status.FAILING, Status.SILENT, Status.DEGRADED})


def judge_all(views: Sequence[IntegrationView], rollups: Rollups, *, now_us: int) -> list[Health]:
    """The health of each view, in their order, over what `rollups` covers.

    `now_us` tells a window that ends now from one that is over.
    """
    counted = _Counted(views, rollups)
    to_now = _ends_now(rollups, now_us)
    return [_health(view, row, counted, {}, to_now=to_now) for row, view in enumerate(views)]


def judge(
    view: IntegrationView,
    rollups: Rollups,
    bad_by_operation: Callable[[], Mapping[str, int]],
    *,
    now_us: int,
) -> Health:
    """The same of one, whose sentence names the operations that fail, if any do: only then are
    they asked for."""
    counted = _Counted([view], rollups)
    to_now = _ends_now(rollups, now_us)
    found = _health(view, 0, counted, {}, to_now=to_now)
    if found.status not in _NAMING:
        return found
    return _health(view, 0, counted, bad_by_operation(), to_now=to_now)


def _ends_now(rollups: Rollups, now_us: int) -> bool:
    return rollups.window.end_us > now_us - MINUTE_US


def statuses(sums: Sums, objectives: tuple[Objective, ...]) -> list[Status]:
    """The status of every group of `sums`, all of one integration."""
    timed = sums.latency.sum(axis=1).tolist()
    above = {
        each.threshold_us // 1000: _above(sums.latency, each.threshold_us).tolist()
        for each in objectives
        if each.threshold_us is not None
    }
    columns = zip(
        sums.good.tolist(),
        sums.bad.tolist(),
        sums.excluded.tolist(),
        sums.shed.tolist(),
        answered(sums.cube),
        strict=True,
    )
    return [
        status_of(
            Facts(
                *counts,
                timed=timed[place],
                above={limit: numbers[place] for limit, numbers in above.items()},
            ),
            objectives,
        )
        for place, counts in enumerate(columns)
    ]


def _above(latency: Ints, threshold_us: int) -> Ints:
    limit = int(histogram.position(np.array([threshold_us]))[0])
    found: Ints = latency[:, limit + 1 :].sum(axis=1)
    return found


class _Counted:
    """Everything counted about every integration of a question; row i belongs to `views[i]`.

    Rows of integrations that were not asked about (removed ones, say) go to one row more.
    """

    def __init__(self, views: Sequence[IntegrationView], rollups: Rollups) -> None:
        self.window = rollups.window
        row_of = {view.slug: row for row, view in enumerate(views)}
        owner = [row_of.get(each.integration, len(views)) for each in rollups.series]
        rows = np.array(owner, dtype=np.int64)[rollups.series_index]
        sums: Sums = add_up(rollups, rows, len(views) + 1)
        self.good: list[int] = sums.good.tolist()
        self.bad: list[int] = sums.bad.tolist()
        self.excluded: list[int] = sums.excluded.tolist()
        self.shed: list[int] = sums.shed.tolist()
        self.request_bytes: list[int] = sums.request_bytes.tolist()
        self.response_bytes: list[int] = sums.response_bytes.tolist()
        self.named: Named = name_all(sums.cube)
        self.answered = answered(sums.cube)
        self.latencies: list[Latency] = latencies(sums.latency)
        self._cumulative = sums.latency.cumsum(axis=1)
        self.timed: list[int] = self._cumulative[:, -1].tolist()
        self.groups = _groups(rollups, owner)
        self._above: dict[int, list[int]] = {}

    def above(self, row: int, threshold_us: int) -> int:
        """`histogram.count_above` of a row, computed for all rows at the first call."""
        if threshold_us not in self._above:
            limit = int(histogram.position(np.array([threshold_us]))[0])
            above = self._cumulative[:, -1] - self._cumulative[:, limit]
            self._above[threshold_us] = above.tolist()
        return self._above[threshold_us][row]


def _groups(rollups: Rollups, owner: Sequence[int]) -> dict[int, tuple[Group, ...]]:
    """Eligible and bad exchanges of each row by direction and kind."""
    index, size = rollups.series_index, len(rollups.series)
    good = np.bincount(index, weights=rollups.good, minlength=size).tolist()
    bad = np.bincount(index, weights=rollups.bad, minlength=size).tolist()
    found: dict[int, tuple[Group, ...]] = defaultdict(tuple)
    for place, each in enumerate(rollups.series):
        if good[place] + bad[place]:
            noun = _NOUNS[each.direction, each.kind]
            group = Group(noun, int(good[place] + bad[place]), int(bad[place]))
            found[owner[place]] += (group,)
    return found


def _health(
    view: IntegrationView,
    row: int,
    counted: _Counted,
    bad_by_operation: Mapping[str, int],
    *,
    to_now: bool,
) -> Health:
    objectives = objectives_of(view.objectives)
    facts = _facts(row, counted, objectives, paused=view.paused and to_now)
    assessment = assess(facts, objectives)
    evidence = Evidence(counted.groups[row], counted.named.bad_by_outcome[row], bad_by_operation)
    length_us = counted.window.length_us
    return Health(
        window=counted.window,
        proxied=facts.recorded + facts.shed,
        recorded=facts.recorded,
        shed=facts.shed,
        good=facts.good,
        bad=facts.bad,
        excluded=facts.excluded,
        error_ratio=error_ratio(facts.good, facts.bad),
        error_interval=wilson(facts.bad, facts.eligible),
        latency_ms=counted.latencies[row],
        by_outcome=counted.named.by_outcome[row],
        by_fault=counted.named.by_fault[row],
        status=assessment.status.value,
        reasons=assessment.reasons,
        sentence=sentence(assessment, facts, objectives, evidence, length_us, to_now=to_now),
        request_bytes=counted.request_bytes[row],
        response_bytes=counted.response_bytes[row],
    )


def _facts(
    row: int, counted: _Counted, objectives: tuple[Objective, ...], *, paused: bool
) -> Facts:
    return Facts(
        paused=paused,
        good=counted.good[row],
        bad=counted.bad[row],
        excluded=counted.excluded[row],
        shed=counted.shed[row],
        answered=counted.answered[row],
        bad_by_fault=counted.named.bad_by_fault[row],
        excluded_by_fault=counted.named.excluded_by_fault[row],
        timed=counted.timed[row],
        above={
            each.threshold_us // 1000: counted.above(row, each.threshold_us)
            for each in objectives
            if each.threshold_us is not None
        },
    )


@lru_cache(maxsize=1024)
def objectives_of(views: tuple[ObjectiveView, ...]) -> tuple[Objective, ...]:
    """As the rules of `app.domain` take them."""
    return tuple(
        Objective(
            each.name,
            each.target,
            parse_duration(each.window),
            None if each.threshold_ms is None else each.threshold_ms * 1000,
        )
        for each in views
    )
