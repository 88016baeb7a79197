"""What figures and components need to know of a result: shapes, so that they import no query.

The dataclasses of `app.queries.results` have them; so has anything in a test that looks alike.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol


class Percentiles(Protocol):
    """Milliseconds; None when nothing was timed."""

    @property
    def p50(self) -> float | None: ...  # noqa: D102
    @property
    def p95(self) -> float | None: ...  # noqa: D102
    @property
    def p99(self) -> float | None: ...  # noqa: D102


class Step(Protocol):
    """One step of a chart."""

    @property
    def start_us(self) -> int: ...  # noqa: D102
    @property
    def exchanges(self) -> int: ...  # noqa: D102
    @property
    def good(self) -> int: ...  # noqa: D102
    @property
    def bad(self) -> int: ...  # noqa: D102
    @property
    def excluded(self) -> int: ...  # noqa: D102
    @property
    def by_outcome(self) -> Mapping[str, int]: ...  # noqa: D102
    @property
    def latency_ms(self) -> Percentiles: ...  # noqa: D102


class Steps(Protocol):
    """Every step of a window, oldest first."""

    @property
    def step_us(self) -> int: ...  # noqa: D102
    @property
    def points(self) -> Sequence[Step]: ...  # noqa: D102


class Objective(Protocol):
    """A target over a window; `threshold_ms` None means availability."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def target(self) -> float: ...  # noqa: D102
    @property
    def window(self) -> str: ...  # noqa: D102
    @property
    def threshold_ms(self) -> int | None: ...  # noqa: D102


class DayOfUse(Protocol):
    """One UTC day: installations active on it and within the 7 and 28 days up to its end, and its
    exchanges that name one."""

    @property
    def start_us(self) -> int: ...  # noqa: D102
    @property
    def active(self) -> int: ...  # noqa: D102
    @property
    def active_week(self) -> int: ...  # noqa: D102
    @property
    def active_month(self) -> int: ...  # noqa: D102
    @property
    def exchanges(self) -> int: ...  # noqa: D102
    @property
    def bad(self) -> int: ...  # noqa: D102


class Moved(Protocol):
    """How MRR came from one balance to another, minor units."""

    @property
    def opening(self) -> int: ...  # noqa: D102
    @property
    def closing(self) -> int: ...  # noqa: D102
    @property
    def new(self) -> int: ...  # noqa: D102
    @property
    def expansion(self) -> int: ...  # noqa: D102
    @property
    def contraction(self) -> int: ...  # noqa: D102
    @property
    def churn(self) -> int: ...  # noqa: D102
    @property
    def reactivation(self) -> int: ...  # noqa: D102


class RevenuePeriod(Protocol):
    """The movements of some whole days since 1970, `end_day` not among them."""

    @property
    def first_day(self) -> int: ...  # noqa: D102
    @property
    def end_day(self) -> int: ...  # noqa: D102
    @property
    def moved(self) -> Moved: ...  # noqa: D102
