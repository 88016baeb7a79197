"""Which operations of an integration are used, which began and stopped, and by whom old ones are
still called.

Counts come from rollups. Who calls a deprecated operation no rollup knows: that is said of its
newest exchanges that are kept, and of how many of them.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.domain.operation import shape
from app.domain.scope import Scope
from app.domain.usage import LEAST_TO_STOP, topic_of, version_of
from app.domain.window import Window
from app.domain.words import Direction, Kind
from app.queries.exchanges import list_exchanges
from app.queries.reading import Reading
from app.queries.registry_usage import deprecated_of
from app.queries.usage_days import Days
from app.store.port import ExchangeFilter, Rollups

#: Deprecated operations whose callers are looked for, and exchanges looked at for each.
_MOST_OPERATIONS, _LOOKED_AT = 5, 200
_Key = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class OperationUse:
    """One operation in one direction; `change` is `adopted`, `stopped` or None."""

    operation: str
    direction: str
    kind: str
    topic: str | None
    version: str | None
    deprecated: bool
    exchanges: int
    before: int
    change: str | None


@dataclass(frozen=True, slots=True)
class VersionUse:
    """The requests whose paths carry one version of an API; "" for those that carry none."""

    direction: str
    version: str
    exchanges: int
    before: int


@dataclass(frozen=True, slots=True)
class Caller:
    """One installation among the newest exchanges of an operation; None: none was named."""

    installation: str | None
    customer: str | None
    exchanges: int
    newest_us: int


@dataclass(frozen=True, slots=True)
class CallersView:
    """Who calls a deprecated operation, most first, among its newest `looked_at` exchanges that
    are kept; `exchanges` are all of the window."""

    operation: str
    direction: str
    exchanges: int
    looked_at: int
    callers: tuple[Caller, ...]


@dataclass(frozen=True, slots=True)
class Operations:
    """Every operation of the window and of the equal time before, most exchanges first, and how
    long the platform waited for the partner in both: the durations of its calls and webhooks."""

    used: tuple[OperationUse, ...]
    waited_us: int
    waited_before_us: int


def operations_of(reading: Reading, slug: str, days: Days) -> Operations:
    """What was used of an integration, and what that cost the platform."""
    earlier = Days(days.known.first, days.before.first)
    parts = [_rollups(reading, slug, part) for part in (days, days.before, earlier)]
    used = _used(reading, slug, [_exchanges(part) for part in parts])
    return Operations(tuple(used), _waited_us(parts[0]), _waited_us(parts[1]))


def _used(reading: Reading, slug: str, counts: Sequence[Mapping[_Key, int]]) -> list[OperationUse]:
    deprecated = deprecated_of(reading, slug)
    found = []
    for key in counts[0].keys() | counts[1].keys():
        now, before, long_ago = (each.get(key, 0) for each in counts)
        direction, kind, operation = key
        change = None
        if now and not before and not long_ago:
            change = "adopted"
        elif not now and before >= LEAST_TO_STOP:
            change = "stopped"
        found.append(
            OperationUse(
                operation,
                Direction(direction).word,
                Kind(kind).word,
                topic_of(operation) if kind == Kind.WEBHOOK else None,
                version_of(operation),
                shape(operation) in deprecated,
                now,
                before,
                change,
            )
        )
    return sorted(found, key=lambda it: (-it.exchanges, -it.before, it.operation, it.direction))


def _rollups(reading: Reading, slug: str, days: Days) -> Rollups | None:
    if days.length <= 0:
        return None
    return reading.store.rollups(days.window, integrations=[slug], operations=True)


def _waited_us(rollups: Rollups | None) -> int:
    if rollups is None:
        return 0
    outbound = np.array([each.direction == Direction.OUTBOUND for each in rollups.series], bool)
    return int(rollups.total_us[outbound[rollups.series_index]].sum())


def _exchanges(rollups: Rollups | None) -> dict[_Key, int]:
    if rollups is None:
        return {}
    sums = np.bincount(
        rollups.series_index, weights=rollups.exchanges, minlength=len(rollups.series)
    )
    return {
        (each.direction, each.kind, each.operation): int(number)
        for each, number in zip(rollups.series, sums.tolist(), strict=True)
        if number
    }


def versions_of(operations: Sequence[OperationUse]) -> tuple[VersionUse, ...]:
    """The requests by the version in their paths, most first."""
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for each in operations:
        if each.topic is None:
            known = sums[each.direction, each.version or ""]
            known[0] += each.exchanges
            known[1] += each.before
    found = [VersionUse(*key, *numbers) for key, numbers in sums.items()]
    return tuple(sorted(found, key=lambda it: (-it.exchanges, it.direction, it.version)))


def callers(
    reading: Reading, scope: Scope, slug: str, window: Window, called: Sequence[OperationUse]
) -> tuple[CallersView, ...]:
    """Who made the newest exchanges of the first few of `called`."""
    return tuple(_callers(reading, scope, slug, window, each) for each in called[:_MOST_OPERATIONS])


def _callers(
    reading: Reading, scope: Scope, slug: str, window: Window, called: OperationUse
) -> CallersView:
    wanted = ExchangeFilter(
        integrations=(slug,),
        window=window,
        operation=called.operation,
        direction=int(Direction.of(called.direction)),
    )
    found = list_exchanges(reading, scope, wanted, limit=_LOOKED_AT).items
    numbers = Counter((each.installation, each.customer) for each in found)
    newest: dict[tuple[str | None, str | None], int] = {}
    for each in found:
        newest.setdefault((each.installation, each.customer), each.started_us)
    who = [Caller(*key, number, newest[key]) for key, number in numbers.most_common()]
    return CallersView(called.operation, called.direction, called.exchanges, len(found), tuple(who))
