"""What a metrics store is asked and told: the Protocol and its values."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from app.domain.error_group import ErrorGroup
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, WEEK_US, Window
from app.domain.words import Outcome
from app.store.activity import COUNTS, Activity
from app.store.day_counts import DayCounts

#: Every outcome but `ok`.
FAILURES = tuple(int(outcome) for outcome in Outcome if outcome != Outcome.OK)
NOTHING = Activity()
#: Steps a rollup is kept at.
RESOLUTIONS_US = (MINUTE_US, HOUR_US, DAY_US, WEEK_US)


class Series(NamedTuple):
    """What a rollup counts together. `operation` is "" at the level of the whole integration."""

    integration: str
    direction: int
    kind: int
    operation: str = ""


class Sum(NamedTuple):
    """What is added to one series in one minute. `tally` and `latency` are sparse codings of
    `app.domain.tally` cells and `app.domain.histogram` positions; `total_us` sums durations of
    the exchanges in `latency`; `shed` counts exchanges that passed unrecorded (not in `exchanges`).
    """

    series: Series
    minute_us: int
    exchanges: int
    good: int
    bad: int
    excluded: int
    shed: int
    total_us: int
    request_bytes: int
    response_bytes: int
    tally: bytes
    latency: bytes


class StoredExchange(NamedTuple):
    """One exchange as stored: classified, scrubbed, its operation settled.

    Field meanings and units are those of `collectors.record.Exchange`. A tuple, because the loader
    makes one per exchange and a store hands it to its driver as it is, fields in this order.
    """

    id: bytes
    started_us: int
    direction: int
    kind: int
    integration: str
    operation: str
    installation: str
    customer: str
    topic: str
    method: str
    path: str
    status: int
    outcome: int
    fault: int
    verdict: int
    error: str
    error_detail: str
    queue_us: int
    connect_us: int
    tls_us: int
    first_byte_us: int
    total_us: int
    request_bytes: int
    response_bytes: int
    delivery: str
    attempt: int
    trace_id: str
    captured: bool


class ErrorSum(NamedTuple):
    """What is added to one error group in one hour: `exchanges` of them between `first_us` and
    `last_us`. `sample` is the id of the newest, `example` what it said; `installations` is a sketch
    of `app.domain.distinct`."""

    group: ErrorGroup
    fault: int
    hour_us: int
    exchanges: int
    first_us: int
    last_us: int
    sample: bytes
    example: str
    installations: bytes


@dataclass(frozen=True, slots=True)
class StoredErrorGroup:
    """A group since its first exchange. `hours` are the starts of the steps of a window in which it
    had exchanges and how many, `installations` the sketch over that window. `sample` None: the
    newest exchange is no longer kept."""

    id: int
    group: ErrorGroup
    fault: int
    first_us: int
    last_us: int
    exchanges: int
    sample: bytes | None
    example: str
    hours: tuple[tuple[int, int], ...] = ()
    installations: bytes = b""


@dataclass(frozen=True, slots=True)
class StoredCapture:
    """The scrubbed evidence of one exchange. `query` has no question mark."""

    id: bytes
    request_headers: tuple[tuple[str, str], ...]
    request_body: bytes
    response_headers: tuple[tuple[str, str], ...]
    response_body: bytes
    query: str = ""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a journal has been loaded: everything before `offset` of `segment`, and the
    sequence number expected next."""

    segment: int
    offset: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Batch:
    """One loader transaction. `positions` maps a journal's name to where it will stand."""

    exchanges: Sequence[StoredExchange] = ()
    captures: Sequence[StoredCapture] = ()
    sums: Sequence[Sum] = ()
    positions: Mapping[str, Position] = field(default_factory=dict)
    errors: Sequence[ErrorSum] = ()
    activity: Activity = NOTHING


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each kind of row is kept, in microseconds. Longer rollups are
    kept for good."""

    exchanges_us: int
    captures_us: int
    minutes_us: int = 48 * HOUR_US
    hours_us: int = 90 * DAY_US


@dataclass(frozen=True, slots=True)
class ExchangeFilter:
    """Which exchanges. None matches all; `integrations` () matches none. `text` is sought in
    error, error detail and path; `least_us` is the shortest duration."""

    integrations: tuple[str, ...] | None = None
    window: Window | None = None
    direction: int | None = None
    kind: int | None = None
    outcomes: tuple[int, ...] | None = None
    verdict: int | None = None
    fault: int | None = None
    operation: str | None = None
    installation: str | None = None
    customer: str | None = None
    topic: str | None = None
    status: int | None = None
    text: str | None = None
    method: str | None = None
    error: str | None = None
    delivery: str | None = None
    trace_id: str | None = None
    least_us: int | None = None

    @property
    def searches(self) -> bool:
        """Whether rows may have to be looked at that do not match: integration, window and all
        failures together have an index, nothing else has."""
        indexed = replace(self, integrations=None, window=None)
        return indexed not in (ExchangeFilter(), ExchangeFilter(outcomes=FAILURES))


@dataclass(frozen=True, slots=True)
class Rollups:
    """Many rollup rows as columns; row i belongs to `series[series_index[i]]` and starts at
    `t_us[i]`. `steps_us[i]` is its length. Blob columns are decoded with
    `app.domain.histogram.decode_into`; one may name a position more than once. `series` are those
    that have rows.

    `window` is what the rows really cover: an end that lies where minutes are no longer
    kept is moved outwards to the hour, and so on.
    """

    window: Window
    series: tuple[Series, ...]
    series_index: NDArray[np.int64]
    t_us: NDArray[np.int64]
    steps_us: NDArray[np.int64]
    exchanges: NDArray[np.int64]
    good: NDArray[np.int64]
    bad: NDArray[np.int64]
    excluded: NDArray[np.int64]
    shed: NDArray[np.int64]
    total_us: NDArray[np.int64]
    request_bytes: NDArray[np.int64]
    response_bytes: NDArray[np.int64]
    tally: Sequence[bytes]
    latency: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.t_us)


@dataclass(frozen=True, slots=True)
class Traffic:
    """How much crossed in every step of `window`: arrays of shape (slugs, steps), row i belonging
    to `slugs[i]`; `exchanges` with those that were shed. The first and last step may reach beyond
    the window, on to the grid of `step_us`, but count only what lies within."""

    window: Window
    step_us: int
    slugs: tuple[str, ...]
    exchanges: NDArray[np.int64]
    bad: NDArray[np.int64]


class MetricsStore(Protocol):
    """A metrics store. Every method is one transaction, unless it says otherwise, and may raise
    `StoreUnavailable`; trying again with the same store works once the database is back."""

    def append(self, batch: Batch) -> None:
        """Take a batch whole or not at all. An exchange id already stored makes it fail, because
        positions exclude replays: it raises `StoreRefused`, a defect that must be seen."""

    def positions(self) -> dict[str, Position]:
        """Where each journal stands."""

    def operations(self) -> dict[tuple[str, int, int], frozenset[str]]:
        """The operation names in use by (integration, direction, kind)."""

    def fold(self, now_us: int) -> int:
        """Fold the hours, days and weeks that are over; how many rows were written. Each of them
        is a transaction of its own. Parts of activity are merged along the way."""

    def expire(self, now_us: int, retention: Retention, limit: int = 20_000) -> int:
        """Delete up to `limit` rows of each kind that are past their retention; how many. Minutes
        and hours that are not folded yet stay."""

    def rollups(
        self,
        window: Window,
        *,
        integrations: Sequence[str] | None = None,
        operations: bool = False,
        step_us: int | None = None,
    ) -> Rollups:
        """The rows that together cover `window`, each exchange in exactly one of them.

        `integrations` None: all. `operations`: rows per operation instead of per integration.
        `step_us`, whole minutes: no row may be longer than it or straddle its grid (a chart's
        step), except where shorter rows are no longer kept. None: as few rows as possible; one may
        sum up its series over a long stretch of the window.
        """

    def traffic(
        self, window: Window, step_us: int, *, integrations: Sequence[str] | None = None
    ) -> Traffic:
        """How much crossed in every step of `window`, for each integration that has rows in it.
        `step_us`: whole minutes; where only longer rows are kept, they count in the step they
        start in."""

    def activity(
        self,
        window: Window,
        *,
        integrations: Sequence[str] | None = None,
        installations: Sequence[str] | None = None,
    ) -> Activity:
        """What each installation did on each day, UTC, that lies within `window` or partly so; one
        row per installation, direction, kind and day. None: all. Kept for good."""

    def day_counts(
        self,
        window: Window,
        *,
        integrations: Sequence[str] | None = None,
        columns: Sequence[str] = COUNTS,
        failing: bool = False,
    ) -> DayCounts:
        """The `columns` of the same days, some of `app.store.activity.COUNTS`, not merged: for
        whoever adds them up anyway. `failing`: only of installations with a bad exchange on one of
        these days; they are few, so that most are not even named, and no customer is."""

    def find(
        self,
        where: ExchangeFilter,
        *,
        before: bytes | None = None,
        after: bytes | None = None,
        limit: int = 50,
        oldest_first: bool = False,
    ) -> list[StoredExchange]:
        """Newest first unless told otherwise, only ids smaller than `before` and greater than
        `after`."""

    def horizon(
        self, where: ExchangeFilter, *, before: bytes | None = None, rows: int = 50_000
    ) -> bytes | None:
        """The id behind which a search from `before` backwards has looked at about `rows` exchanges
        of the integrations and the window of `where`; None when there are fewer."""

    def get(self, exchange_id: bytes) -> tuple[StoredExchange, StoredCapture | None] | None:
        """One exchange with its capture, if both are still kept."""

    def error_groups(
        self, integration: str, window: Window, step_us: int
    ) -> list[StoredErrorGroup]:
        """The error groups of an integration, its window counted in steps of `step_us` (whole hours
        on the grid of hours). Groups not seen within the window have no hours."""

    def failing_groups(
        self, integrations: Sequence[str], hours: Window, seen_us: int
    ) -> list[StoredErrorGroup]:
        """The error groups of integrations whose newest exchange started at `seen_us` or later,
        counted over whole `hours`; those without any exchange in them are left out, and so are
        samples and installations."""

    def iterate(self, window: Window, batch: int = 10_000) -> Iterator[list[StoredExchange]]:
        """All exchanges of a window, oldest first, in lists of `batch`; each list is a transaction
        of its own."""

    def newest_us(self) -> int | None:
        """The start of the newest exchange stored."""

    def close(self) -> None:
        """Give connections back."""
