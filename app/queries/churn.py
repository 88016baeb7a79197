"""Who left after meeting failures, against others like them that met none too many.

The newest `PERIODS` whole periods of `app.domain.exposure` are compared, each with the one behind
it. Only installations count that somebody would tell the leaving of: those of lifecycle events or
with a subscription. One that was brought back has not left.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import reading as registry_session
from app.domain.exposure import (
    PERIOD_DAYS,
    Counted,
    Stratum,
    Study,
    age_band,
    sentence,
    study,
    usage_band,
)
from app.domain.risk import LEAST, is_at_risk
from app.domain.scope import Scope
from app.domain.window import DAY_US, Window
from app.models import Installation, Integration, Subscription
from app.queries.at_risk import target_of
from app.queries.reading import Reading
from app.queries.registry import integration_within
from app.queries.usage_days import Days
from app.store.day_counts import DayCounts
from app.telemetry import timed_query

#: Periods in which installations may be exposed; one more follows the last of them.
PERIODS = 6
_PERIOD_US = PERIOD_DAYS * DAY_US
Ints = NDArray[np.int64]
_COUNTED = ("exchanges", "good", "bad")


@dataclass(frozen=True, slots=True)
class ChurnView:
    """The study, what may be said of it, and the days that it looked at."""

    integration: str
    window: Window
    sentence: str
    found: Study


class _Life(NamedTuple):
    """What is known of an installation; None: not told, or it is still there."""

    plan: str
    entered_us: int | None
    left_us: int | None


@timed_query("churn")
def churn(reading: Reading, scope: Scope, slug: str) -> ChurnView:
    """One integration; `NotFound` outside the scope. Its periods end with the newest whole day."""
    view = integration_within(reading, scope, slug)
    end = reading.clock() // DAY_US
    days = Days(max(end - PERIOD_DAYS * (PERIODS + 1), 0), end)
    counts = reading.store.day_counts(days.window, integrations=[slug], columns=_COUNTED)
    with registry_session(reading.engine) as session:
        lives = _lives(session, slug)
    found = study(_counted(counts, days, lives, target_of(view)))
    return ChurnView(slug, days.window, sentence(found), found)


def _lives(session: Session, slug: str) -> dict[str, _Life]:
    number = session.scalar(select(Integration.id).where(Integration.slug == slug))
    found = {
        name: _Life(plan or "", entered_us, uninstalled_us)
        for name, plan, entered_us, uninstalled_us in session.execute(
            select(
                Installation.external_id,
                Installation.plan,
                Installation.entered_us,
                Installation.uninstalled_us,
            ).where(Installation.integration_id == number)
        )
    }
    bills: dict[str, list[tuple[str | None, int | None, int | None]]] = defaultdict(list)
    for name, plan, started_us, ended_us in session.execute(
        select(
            Subscription.installation,
            Subscription.plan,
            Subscription.started_us,
            Subscription.ended_us,
        )
        .where(Subscription.integration_id == number)
        .order_by(Subscription.anchor_us)
    ):
        bills[name].append((plan, started_us, ended_us))
    for name, rows in bills.items():
        found[name] = _with_bills(found.get(name), rows)
    return found


def _with_bills(life: _Life | None, rows: list[tuple[str | None, int | None, int | None]]) -> _Life:
    """Cancelled is who has no subscription that runs any more; the newest plan counts."""
    known = life or _Life("", None, None)
    plans = [plan for plan, _, _ in rows if plan]
    starts = [at_us for _, at_us, _ in rows if at_us is not None]
    ends = [at_us for _, _, at_us in rows if at_us is not None]
    cancelled_us = max(ends) if len(ends) == len(rows) else None
    left = [at_us for at_us in (known.left_us, cancelled_us) if at_us is not None]
    entered_us = known.entered_us
    return _Life(
        plans[-1] if plans else known.plan,
        min(starts, default=None) if entered_us is None else entered_us,
        min(left, default=None),
    )


def _counted(
    counts: DayCounts, days: Days, lives: Mapping[str, _Life], target: float
) -> list[Counted]:
    sums: dict[Stratum, Counter[tuple[bool, bool]]] = defaultdict(Counter)
    for who, period, good, bad, exchanges in _uses(counts, days):
        life = lives.get(counts.installations[who])
        end_us = (days.first + PERIOD_DAYS * (period + 1)) * DAY_US
        if life is None or (life.left_us is not None and life.left_us < end_us):
            continue
        age_us = None if life.entered_us is None else max(end_us - life.entered_us, 0)
        left = life.left_us is not None and life.left_us < end_us + _PERIOD_US
        stratum = Stratum(life.plan, age_band(age_us), usage_band(exchanges))
        sums[stratum][is_at_risk(good, bad, target), left] += 1
    return [
        Counted(
            each[True, False] + each[True, True],
            each[True, True],
            each[False, False] + each[False, True],
            each[False, True],
        )
        for each in sums.values()
    ]


def _uses(counts: DayCounts, days: Days) -> Iterator[tuple[int, int, int, int, int]]:
    """Installation, period, good, bad and all exchanges, where there are enough to judge."""
    size = len(counts.installations) * (PERIODS + 1)
    place = counts.who.astype(np.int64) * (PERIODS + 1)
    place += (counts.day - days.first) // PERIOD_DAYS

    def added(column: NDArray[np.int32]) -> Ints:
        found: Ints = np.bincount(place, weights=column, minlength=size).astype(np.int64)
        return found

    good, bad, every = (added(counts.counts[name]) for name in ("good", "bad", "exchanges"))
    for it in np.flatnonzero(good + bad >= LEAST).tolist():
        who, period = divmod(it, PERIODS + 1)
        if period < PERIODS:
            yield who, period, int(good[it]), int(bad[it]), int(every[it])
