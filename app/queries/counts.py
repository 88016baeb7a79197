"""What rules are evaluated on: plain counts of many series over one window, in one store read."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from app.domain import histogram
from app.domain.scope import Scope
from app.domain.window import Window
from app.queries.counting import Ints, add_up, answered, latencies, name_all
from app.queries.reading import Reading
from app.queries.registry import integrations_within
from app.queries.results import IntegrationView, Latency
from app.store.port import Rollups
from app.telemetry import timed_query

_NOTHING_TIMED = Latency(None, None, None)


class Counted(NamedTuple):
    """Whose counts: an integration, and one operation of it ("": all of it)."""

    integration: str
    operation: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """docs/numbers.md defines each. `answered` got an HTTP answer; `above` says for each latency
    objective of the integration how many of the `timed` took longer than its milliseconds."""

    good: int = 0
    bad: int = 0
    excluded: int = 0
    shed: int = 0
    answered: int = 0
    timed: int = 0
    latency_ms: Latency = _NOTHING_TIMED
    bad_by_fault: Mapping[str, int] = field(default_factory=dict)
    excluded_by_fault: Mapping[str, int] = field(default_factory=dict)
    above: Mapping[int, int] = field(default_factory=dict)

    @property
    def eligible(self) -> int:
        """Exchanges that count for an objective."""
        return self.good + self.bad

    @property
    def proxied(self) -> int:
        """All exchanges that crossed."""
        return self.eligible + self.excluded + self.shed


@dataclass(frozen=True, slots=True)
class CountsView:
    """Counts over `window`, which is what they really cover. A series without traffic is left
    out; `of` answers with zeros for it."""

    window: Window
    counts: Mapping[Counted, Counts]

    def of(self, integration: str, operation: str = "") -> Counts:
        """The counts of one series."""
        return self.counts.get(Counted(integration, operation), _NONE)


_NONE = Counts()


def together(parts: Iterable[Counts]) -> Counts:
    """Several series as one. Percentiles do not add up and are left out, and so is `above`, whose
    thresholds are each integration's own."""
    whole = list(parts)
    bad, excluded = Counter[str](), Counter[str]()
    for part in whole:
        bad.update(part.bad_by_fault)
        excluded.update(part.excluded_by_fault)
    return Counts(
        good=sum(part.good for part in whole),
        bad=sum(part.bad for part in whole),
        excluded=sum(part.excluded for part in whole),
        shed=sum(part.shed for part in whole),
        answered=sum(part.answered for part in whole),
        timed=sum(part.timed for part in whole),
        bad_by_fault=dict(bad),
        excluded_by_fault=dict(excluded),
    )


@timed_query("counts")
def counts(
    reading: Reading, scope: Scope, window: Window, *, operations: bool = False
) -> CountsView:
    """Counts of every integration within the scope, or of every operation of each.

    Removed integrations are left out, and so is traffic that belongs to none.
    """
    views = {view.slug: view for view in integrations_within(reading, scope)}
    rollups = reading.store.rollups(window, integrations=sorted(views), operations=operations)
    names = [Counted(each.integration, each.operation) for each in rollups.series]
    keys = sorted(set(names))
    row_of = {key: row for row, key in enumerate(keys)}
    rows = np.array([row_of[name] for name in names], dtype=np.int64)[rollups.series_index]
    return CountsView(
        rollups.window, dict(zip(keys, _rows(keys, rows, rollups, views), strict=True))
    )


def _rows(
    keys: Sequence[Counted], rows: Ints, rollups: Rollups, views: Mapping[str, IntegrationView]
) -> list[Counts]:
    sums = add_up(rollups, rows, len(keys))
    named, answers = name_all(sums.cube), answered(sums.cube)
    timings = latencies(sums.latency)
    return [
        Counts(
            good=int(sums.good[i]),
            bad=int(sums.bad[i]),
            excluded=int(sums.excluded[i]),
            shed=int(sums.shed[i]),
            answered=answers[i],
            timed=int(sums.latency[i].sum()),
            latency_ms=timings[i],
            bad_by_fault=named.bad_by_fault[i],
            excluded_by_fault=named.excluded_by_fault[i],
            above=_above(sums.latency[i], views[key.integration]),
        )
        for i, key in enumerate(keys)
    ]


def _above(latency: Ints, view: IntegrationView) -> dict[int, int]:
    return {
        each.threshold_ms: histogram.count_above(latency, each.threshold_ms * 1000)
        for each in view.objectives
        if each.threshold_ms is not None
    }
