"""Rollup rows into `Health`, for many integrations at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from app.domain import histogram
from app.domain.health import Facts, assess, wilson
from app.domain.objective import Objective, error_ratio
from app.domain.sentence import Evidence, Group, sentence
from app.domain.window import MINUTE_US, parse_duration
from app.domain.words import Direction, Kind
from app.queries.counting import Ints, Named, Sums, add_up, answered, latencies, name_all
from app.queries.results import Health, IntegrationView, Latency
from app.store.port import Rollups

_NOUNS = {
    (Direction.OUTBOUND, Kind.REQUEST): "calls to the partner",
    (Direction.OUTBOUND, Kind.WEBHOOK): "webhooks",
    (Direction.INBOUND, Kind.REQUEST): "calls from the partner",
    (Direction.INBOUND, Kind.WEBHOOK): "webhooks from the partner",
}


def judge_all(
    views: Sequence[IntegrationView],
    rollups: Rollups,
    *,
    now_us: int,
    bad_by_operation: Mapping[str, int] | None = None,
) -> list[Health]:
    """The health of each view, in their order, over what `rollups` covers.

    `now_us` tells a window that ends now from one that is over. `bad_by_operation` is evidence
    for the sentence of a single view.
    """
    counted = _Counted(views, rollups)
    to_now = rollups.window.end_us > now_us - MINUTE_US
    return [
        _health(view, row, counted, bad_by_operation or {}, to_now=to_now)
        for row, view in enumerate(views)
    ]


class _Counted:
    """Everything counted about every integration of a question; row i belongs to `views[i]`.

    Rows of integrations that were not asked about (removed ones, say) go to one row more.
    """

    def __init__(self, views: Sequence[IntegrationView], rollups: Rollups) -> None:
        self.window = rollups.window
        row_of = {view.slug: row for row, view in enumerate(views)}
        owner = [row_of.get(each.integration, len(views)) for each in rollups.series]
        rows = np.array(owner, dtype=np.int64)[rollups.series_index]
        self.sums: Sums = add_up(rollups, rows, len(views) + 1)
        self.named: Named = name_all(self.sums.cube)
        self.answered = answered(self.sums.cube)
        self.timed: list[int] = self.sums.latency.sum(axis=1).tolist()
        self.latencies: list[Latency] = latencies(self.sums.latency)
        self.groups = _groups(rollups, owner)


def _groups(rollups: Rollups, owner: Sequence[int]) -> dict[int, tuple[Group, ...]]:
    """Eligible and bad exchanges of each row by direction and kind."""
    index, size = rollups.series_index, len(rollups.series)
    good = np.bincount(index, weights=rollups.good, minlength=size).tolist()
    bad = np.bincount(index, weights=rollups.bad, minlength=size).tolist()
    found: dict[int, tuple[Group, ...]] = defaultdict(tuple)
    for place, each in enumerate(rollups.series):
        if good[place] + bad[place]:
            noun = _NOUNS[Direction(each.direction), Kind(each.kind)]
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
    objectives = _objectives(view)
    facts = _facts(row, counted, objectives)
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
        request_bytes=int(counted.sums.request_bytes[row]),
        response_bytes=int(counted.sums.response_bytes[row]),
    )


def _facts(row: int, counted: _Counted, objectives: tuple[Objective, ...]) -> Facts:
    sums = counted.sums
    return Facts(
        good=int(sums.good[row]),
        bad=int(sums.bad[row]),
        excluded=int(sums.excluded[row]),
        shed=int(sums.shed[row]),
        answered=counted.answered[row],
        bad_by_fault=counted.named.bad_by_fault[row],
        excluded_by_fault=counted.named.excluded_by_fault[row],
        timed=counted.timed[row],
        above=_above(sums.latency[row], objectives) if counted.timed[row] else {},
    )


def _above(latency: Ints, objectives: tuple[Objective, ...]) -> dict[int, int]:
    """Exchanges slower than each latency threshold, by threshold in milliseconds."""
    return {
        each.threshold_us // 1000: histogram.count_above(latency, each.threshold_us)
        for each in objectives
        if each.threshold_us is not None
    }


def _objectives(view: IntegrationView) -> tuple[Objective, ...]:
    return tuple(
        Objective(
            each.name,
            each.target,
            parse_duration(each.window),
            None if each.threshold_ms is None else each.threshold_ms * 1000,
        )
        for each in view.objectives
    )
