"""Every integration of a scope on one page: how it is, how it was, what it has left, since when.

A fixed number of readings whatever the number of integrations: two leagues, one of traffic, one
for each window that objectives have, and one for the first few in trouble. Each is a question of
its own, that other windows and other pages ask too: whoever asks may bring answers that are still
fresh (`Share`).
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.domain.episode import TROUBLED, Episode
from app.domain.health import Status
from app.domain.scope import Scope
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, Window, ceil, floor
from app.queries.at_risk import RiskView, at_risk_of_all
from app.queries.budgets import BudgetView, budgets_of_all
from app.queries.health import league
from app.queries.reading import Reading
from app.queries.results import Health, IntegrationView
from app.queries.trouble import lasting
from app.telemetry import timed_query

#: How many in trouble are looked at closely, worst first.
CLOSELY = 6
#: A sparkline shows a day by the hour, or a longer window in at most `_MOST` whole hours or days.
_MOST = 36
_STEPS_US = (HOUR_US, 2 * HOUR_US, 6 * HOUR_US, DAY_US, 2 * DAY_US, 7 * DAY_US)
_CLOSE_STEPS = 96
_RISKY_US = 28 * DAY_US


class Share(Protocol):
    """Gives what the function answers, or answered a moment ago to the same question of the same
    scope; `slow`: what hardly changes within a minute, and may be as old."""

    def __call__(  # noqa: D102
        self, question: Hashable, answer: Callable[[], Any], *, slow: bool = False
    ) -> Any: ...


def _anew(
    question: Hashable,
    answer: Callable[[], Any],
    *,
    slow: bool = False,
) -> Any:
    return answer()


@dataclass(frozen=True, slots=True)
class OverviewRow:
    """One integration. `traffic` and `failed` count exchanges per step of the sparkline, and are
    empty where nothing crossed;
    `budgets` are those of its objectives; `trouble` is the episode that lasts, where known;
    `risk` what failures put at risk, None where nobody pays."""

    view: IntegrationView
    now: Health
    before: Health | None
    traffic: tuple[int, ...]
    failed: tuple[int, ...]
    budgets: tuple[BudgetView, ...]
    trouble: Episode | None
    risk: RiskView | None = None

    @property
    def least(self) -> BudgetView | None:
        """The objective with the smallest share of its budget left."""
        known = [each for each in self.budgets if each.standing.remaining_ratio is not None]
        return min(known, key=lambda each: each.standing.remaining_ratio or 0.0, default=None)


@dataclass(frozen=True, slots=True)
class Overview:
    """Trouble first, as of `as_of_us`. `traffic_window` is what the sparklines cover."""

    rows: tuple[OverviewRow, ...]
    traffic_window: Window
    traffic_step_us: int
    as_of_us: int


@timed_query("overview")
def overview(reading: Reading, scope: Scope, window: Window, share: Share = _anew) -> Overview:
    """Every integration within the scope over a window, as `league` orders them."""
    as_of_us, now = league_as_of(reading, scope, window, share)
    _, earlier = league_as_of(reading, scope, window.previous(), share, slow=True)
    before = {view.slug: health for view, health in earlier}
    views = [view for view, _ in now]
    among = None if scope.covers(None) else [view.slug for view in views]
    left = share("budgets", lambda: _left(reading, views, among), slow=True)
    spark, step_us = _spark(window)
    traffic = share(
        ("traffic", spark, step_us),
        lambda: reading.store.traffic(spark, step_us, integrations=among),
        slow=True,
    )
    crossed = dict(zip(traffic.slugs, traffic.exchanges.tolist(), strict=True))
    failed = dict(zip(traffic.slugs, traffic.bad.tolist(), strict=True))
    closely = tuple(view for view, health in now if Status(health.status) in TROUBLED)[:CLOSELY]
    trouble = share(
        ("trouble", window, closely), lambda: _trouble(reading, closely, window), slow=True
    )
    risk = share(
        ("at risk", window), lambda: at_risk_of_all(reading, scope, _lately(window)), slow=True
    )
    rows = [
        OverviewRow(
            view,
            health,
            before.get(view.slug),
            tuple(crossed.get(view.slug, ())),
            tuple(failed.get(view.slug, ())),
            tuple(left.get(view.slug, ())),
            trouble.get(view.slug),
            risk.get(view.slug),
        )
        for view, health in now
    ]
    return Overview(tuple(rows), traffic.window, step_us, as_of_us)


def _lately(window: Window) -> Window:
    """What of a window says what is at risk now: at most its last 28 days."""
    return Window(max(window.start_us, window.end_us - _RISKY_US), window.end_us)


def league_as_of(
    reading: Reading, scope: Scope, window: Window, share: Share, *, slow: bool = False
) -> tuple[int, list[tuple[IntegrationView, Health]]]:
    """`league`, and when it was asked; `slow`: of a window that is over."""
    found: tuple[int, list[tuple[IntegrationView, Health]]] = share(
        ("league", window), lambda: (reading.clock(), league(reading, scope, window)), slow=slow
    )
    return found


def _left(
    reading: Reading, views: Sequence[IntegrationView], among: Sequence[str] | None
) -> dict[str, list[BudgetView]]:
    found = budgets_of_all(reading, views, among)
    return {view.slug: each for view, each in zip(views, found, strict=True)}


def _spark(window: Window) -> tuple[Window, int]:
    """The time of the sparklines, which ends with the window, and their step."""
    length_us = max(window.length_us, DAY_US)
    step_us = next((s for s in _STEPS_US if length_us <= s * _MOST), _STEPS_US[-1])
    start_us = max(floor(window.end_us - length_us, step_us), 0)
    return Window(start_us, window.end_us), step_us


def _trouble(
    reading: Reading, views: Sequence[IntegrationView], window: Window
) -> dict[str, Episode]:
    """The lasting episode of each of `views`, by slug."""
    if not views:
        return {}
    step_us = ceil(max(window.length_us // _CLOSE_STEPS, MINUTE_US), MINUTE_US)
    rollups = reading.store.rollups(
        window, integrations=[view.slug for view in views], step_us=step_us
    )
    return lasting(views, rollups, step_us)
