"""What a partner can work on: where customers come from and stay, how long value takes, where those
who pay stall, and how that compares.

Of installations whose first step lies in the window, whatever became of them since.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from sqlalchemy import Connection, Row, exists, func, select, text

from app.db import looking_up
from app.domain.funnel import InstallationState
from app.domain.scope import Scope
from app.domain.window import DAY_US, SECOND_US, Window
from app.models import Installation, Subscription
from app.models.billing import IS_PAYING
from app.queries.benchmark import BenchmarkView, benchmark
from app.queries.reading import Reading
from app.queries.registry import integration_within
from app.queries.revenue import days_of, earning
from app.telemetry import timed_query

#: Plans and sources that are listed, most installations first.
MOST = 20
_Life = Row[tuple[str | None, str | None, int, int | None, int | None]]


@dataclass(frozen=True, slots=True)
class Conversion:
    """Installations of one `source` or `plan` (None: not told): how many came, reached the goal of
    their funnel, and were ever paid for."""

    by: str
    name: str | None
    entered: int
    activated: int
    paid: int


@dataclass(frozen=True, slots=True)
class TimeTo:
    """How long it took `installations` of them from their first step; None: nobody got there."""

    installations: int
    median_seconds: int | None
    p90_seconds: int | None


@dataclass(frozen=True, slots=True)
class Stall:
    """Installations that are paid for now and still wait for `step`."""

    step: str
    installations: int


@dataclass(frozen=True, slots=True)
class LeversView:
    """One integration over one window of whole days."""

    integration: str
    window: Window
    conversion: tuple[Conversion, ...]
    to_activation: TimeTo
    to_payment: TimeTo
    stalled: tuple[Stall, ...]
    benchmark: BenchmarkView


@timed_query("levers")
def levers(reading: Reading, scope: Scope, slug: str, window: Window) -> LeversView:
    """`NotFound` outside the scope and for an internal integration; `BadQuery` as `revenue`."""
    days = days_of(window)
    view = integration_within(reading, scope, slug)
    whole = Window(days.first * DAY_US, days.end * DAY_US)
    with looking_up(reading.engine) as registry:
        number = earning(reading, registry, scope, slug, None)
        lives = _lives(registry, number, whole)
        stalled = _stalled(registry, number)
    return LeversView(
        integration=slug,
        window=whole,
        conversion=(*_conversion("source", lives), *_conversion("plan", lives)),
        to_activation=_time_to([each.activated_us - each.entered_us for each in lives
                                if each.activated_us is not None]),
        to_payment=_time_to([each.paid_us - each.entered_us for each in lives
                             if each.paid_us is not None]),
        stalled=stalled,
        benchmark=benchmark(reading, view),
    )  # fmt: skip


def _lives(registry: Connection, number: int, window: Window) -> Sequence[_Life]:
    paid = (
        select(Subscription.installation, func.min(Subscription.paid_us).label("paid_us"))
        .where(Subscription.integration_id == number, Subscription.paid_us.is_not(None))
        .group_by(Subscription.installation)
        .subquery()
    )
    table = Installation
    return registry.execute(
        select(table.plan, table.source, table.entered_us, table.activated_us, paid.c.paid_us)
        .outerjoin(paid, paid.c.installation == table.external_id)
        .where(
            table.integration_id == number,
            table.entered_us >= window.start_us,
            table.entered_us < window.end_us,
        )
    ).all()


def _conversion(by: str, lives: Sequence[_Life]) -> list[Conversion]:
    sums: dict[str | None, list[int]] = defaultdict(lambda: [0, 0, 0])
    for each in lives:
        known = sums[getattr(each, by)]
        known[0] += 1
        known[1] += each.activated_us is not None
        known[2] += each.paid_us is not None
    found = [Conversion(by, name, *numbers) for name, numbers in sums.items()]
    return sorted(found, key=lambda it: (-it.entered, it.name or ""))[:MOST]


def _time_to(lengths_us: Sequence[int]) -> TimeTo:
    """Ranks as those of latencies; who paid before the first step took no time."""
    ordered = sorted(max(each, 0) for each in lengths_us)
    ranks = [floor(q * (len(ordered) - 1)) for q in (0.5, 0.9)] if ordered else []
    median, p90 = [ordered[rank] // SECOND_US for rank in ranks] or (None, None)
    return TimeTo(len(ordered), median, p90)


def _stalled(registry: Connection, number: int) -> tuple[Stall, ...]:
    paying = exists().where(
        Subscription.integration_id == number,
        Subscription.installation == Installation.external_id,
        text(f"subscriptions.{IS_PAYING}"),
    )
    step = func.coalesce(Installation.next_step, "")
    rows = registry.execute(
        select(step, func.count())
        .where(
            Installation.integration_id == number,
            Installation.state == InstallationState.INSTALLING,
            paying,
        )
        .group_by(step)
        .order_by(func.count().desc(), step)
    )
    return tuple(Stall(name, many) for name, many in rows)
