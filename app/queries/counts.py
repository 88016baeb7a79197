"""What rules are evaluated on: plain counts of many series, each minute read once."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from app.domain import histogram
from app.domain.scope import Scope
from app.domain.window import Window
from app.queries.counting import Ints, Sums, add_up, answered, latencies, name_all, plus
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
    reading: Reading,
    scope: Scope,
    end_us: int,
    lengths_us: Collection[int],
    *,
    operations: bool = False,
) -> dict[int, CountsView]:
    """Counts of every integration within the scope, or of every operation of each, over windows of
    these lengths that all end at `end_us`.

    What lies in several windows is read once, for the shortest of them. Removed integrations are
    left out, and so is traffic that belongs to none.
    """
    views = {view.slug: view for view in integrations_within(reading, scope)}
    parts = _parts(reading, end_us, lengths_us, sorted(views), operations)
    keys = sorted(
        {Counted(each.integration, each.operation) for _, part in parts for each in part.series}
    )
    row_of = {key: row for row, key in enumerate(keys)}
    found: dict[int, CountsView] = {}
    total: Sums | None = None
    for length_us, part in parts:
        names = [row_of[Counted(each.integration, each.operation)] for each in part.series]
        rows = np.array(names, dtype=np.int64)[part.series_index]
        sums = add_up(part, rows, len(keys))
        total = plus(total, sums) if total else sums
        window = Window(part.window.start_us, parts[0][1].window.end_us)
        found[length_us] = CountsView(window, _rows(keys, total, views))
    return found


def _parts(
    reading: Reading,
    end_us: int,
    lengths_us: Collection[int],
    slugs: Sequence[str],
    operations: bool,
) -> list[tuple[int, Rollups]]:
    """What each window has that the next shorter one has not. The store may begin one earlier than
    it was asked to (`Rollups.window`); the next then ends there. When it has to end one later,
    because minutes were let go meanwhile, everything is read again."""
    found: list[tuple[int, Rollups]] = []
    until_us = end_us
    for length_us in sorted(lengths_us):
        start_us = min(end_us - length_us, until_us)
        part = reading.store.rollups(
            Window(start_us, until_us), integrations=slugs, operations=operations
        )
        if found and part.window.end_us > until_us:
            return _parts(reading, end_us, lengths_us, slugs, operations)
        found.append((length_us, part))
        until_us = part.window.start_us
    return found


def _rows(
    keys: Sequence[Counted], sums: Sums, views: Mapping[str, IntegrationView]
) -> dict[Counted, Counts]:
    named, answers = name_all(sums.cube), answered(sums.cube)
    timings = latencies(sums.latency)
    timed = sums.latency.sum(axis=1).tolist()
    numbers = zip(
        keys, sums.good.tolist(), sums.bad.tolist(), sums.excluded.tolist(), sums.shed.tolist(),
        strict=True,
    )  # fmt: skip
    return {
        key: Counts(
            good=good,
            bad=bad,
            excluded=excluded,
            shed=shed,
            answered=answers[i],
            timed=timed[i],
            latency_ms=timings[i],
            bad_by_fault=named.bad_by_fault[i],
            excluded_by_fault=named.excluded_by_fault[i],
            above=_above(sums.latency[i], views[key.integration]),
        )
        for i, (key, good, bad, excluded, shed) in enumerate(numbers)
        if good + bad + excluded + shed
    }


def _above(latency: Ints, view: IntegrationView) -> dict[int, int]:
    return {
        each.threshold_ms: histogram.count_above(latency, each.threshold_ms * 1000)
        for each in view.objectives
        if each.threshold_ms is not None
    }
