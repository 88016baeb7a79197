"""One week of one partner: each of its integrations beside the week before."""

from dataclasses import dataclass

from app.domain.scope import Scope
from app.domain.window import DAY_US, WEEK_US, Window
from app.queries.alerts import during
from app.queries.budgets import BudgetView, budgets
from app.queries.health import health, operations
from app.queries.reading import Reading
from app.queries.registry import integrations_within
from app.queries.results import Health, IntegrationView, OperationView

#: 1970 began on a Thursday: the first Monday was the 5th.
_FIRST_MONDAY_US = 4 * DAY_US


@dataclass(frozen=True, slots=True)
class IntegrationWeek:
    """One integration over a week. `worst`: the operation with the most bad exchanges, if any had
    one; `incidents`: how many were on."""

    view: IntegrationView
    now: Health
    before: Health
    budgets: tuple[BudgetView, ...]
    worst: OperationView | None
    incidents: int


@dataclass(frozen=True, slots=True)
class PartnerWeek:
    """One week of a partner, its integrations with the most bad exchanges first; those that had no
    exchange in two weeks are left out."""

    partner: str
    name: str
    week: Window
    integrations: tuple[IntegrationWeek, ...]


def week_before(now_us: int) -> Window:
    """The last whole week, Monday to Monday, UTC."""
    monday_us = now_us - (now_us - _FIRST_MONDAY_US) % WEEK_US
    return Window(monday_us - WEEK_US, monday_us)


def partner_week(reading: Reading, scope: Scope, partner: str, week: Window) -> PartnerWeek | None:
    """None for a partner without a current integration within the scope, or without traffic."""
    views = [view for view in integrations_within(reading, scope) if view.partner_slug == partner]
    weeks = [_of(reading, scope, view, week) for view in views if not view.removed]
    busy = [each for each in weeks if each.now.proxied or each.before.proxied]
    if not busy:
        return None
    busy.sort(key=lambda each: (-each.now.bad, -each.now.proxied, each.view.slug))
    return PartnerWeek(partner, views[0].partner_name, week, tuple(busy))


def _of(reading: Reading, scope: Scope, view: IntegrationView, week: Window) -> IntegrationWeek:
    slug = view.slug
    failing = [each for each in operations(reading, scope, slug, week)[:1] if each.bad]
    return IntegrationWeek(
        view,
        health(reading, scope, slug, week),
        health(reading, scope, slug, week.previous()),
        tuple(budgets(reading, scope, slug)),
        failing[0] if failing else None,
        len(during(reading, scope, slug, week)),
    )
