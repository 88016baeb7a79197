"""Every question that pages, API, mails and alerts may ask, answered within a scope.

A query takes a `Reading` (where to look) and a `Scope` (whose data the caller may see) and returns
frozen values of `app.queries.results`. What lies outside the scope does not exist: an integration
of somebody else raises the same `NotFound` as one that was never registered, and the pseudo
integration `unattributed` is there only for a scope that covers everything.

It never writes, never builds a scope, and takes its windows as given: the clock of the `Reading`
serves to say "in the last hour" of a window that ends now, and to end an objective's window. When a
database is away it raises `StoreUnavailable` or `RegistryUnavailable`; it does not guess.
docs/numbers.md defines every number returned here.
"""

from app.queries.at_risk import RiskView, at_risk, at_risk_of_all
from app.queries.benchmark import figures_of_last_month
from app.queries.budgets import BudgetView, budgets
from app.queries.churn import ChurnView, churn
from app.queries.closeup import Closeup, closeup
from app.queries.error_groups import (
    ErrorGroupsView,
    ErrorGroupView,
    assignees,
    error_groups,
    get_error_group,
)
from app.queries.exchanges import get_exchange, list_exchanges, siblings
from app.queries.funnels import FunnelView, funnel, funnels
from app.queries.gates import gates
from app.queries.health import health, league, operations, series
from app.queries.installations import (
    get_installation,
    list_installations,
    reconciliation,
    stuck,
)
from app.queries.integrations import get_integration, list_integrations
from app.queries.levers import LeversView, levers
from app.queries.losses import Loss, lost_reasons
from app.queries.notes import notes
from app.queries.overview import Overview, OverviewRow, Share, league_as_of, overview
from app.queries.partner_lists import partner_list
from app.queries.partners import get_partner, list_partners
from app.queries.reading import Reading
from app.queries.results import Siblings
from app.queries.revenue import (
    RevenueView,
    plans,
    revenue,
    revenue_by_day,
    unmatched,
)
from app.queries.risk_of import RiskOf, at_risk_of_group, at_risk_of_incident
from app.queries.spreadsheet import export
from app.queries.stories import story
from app.queries.timeline import DayView, Heat, Timeline, WayView, days, timeline
from app.queries.usage import UsageView, usage
from app.queries.usage_export import export_usage
from app.store.port import ExchangeFilter

__all__ = [
    "BudgetView",
    "ChurnView",
    "Closeup",
    "DayView",
    "ErrorGroupView",
    "ErrorGroupsView",
    "ExchangeFilter",
    "FunnelView",
    "Heat",
    "LeversView",
    "Loss",
    "Overview",
    "OverviewRow",
    "Reading",
    "RevenueView",
    "RiskOf",
    "RiskView",
    "Share",
    "Siblings",
    "Timeline",
    "UsageView",
    "WayView",
    "assignees",
    "at_risk",
    "at_risk_of_all",
    "at_risk_of_group",
    "at_risk_of_incident",
    "budgets",
    "churn",
    "closeup",
    "days",
    "error_groups",
    "export",
    "export_usage",
    "figures_of_last_month",
    "funnel",
    "funnels",
    "gates",
    "get_error_group",
    "get_exchange",
    "get_installation",
    "get_integration",
    "get_partner",
    "health",
    "league",
    "league_as_of",
    "levers",
    "list_exchanges",
    "list_installations",
    "list_integrations",
    "list_partners",
    "lost_reasons",
    "notes",
    "operations",
    "overview",
    "partner_list",
    "plans",
    "reconciliation",
    "revenue",
    "revenue_by_day",
    "series",
    "siblings",
    "story",
    "stuck",
    "timeline",
    "unmatched",
    "usage",
]
