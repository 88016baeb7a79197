"""What one integration earns: how much, since when, who stays, what was paid.

Numbers are of whole UTC days. An address without a time shows the last 90 days: months say more of
money than hours do.
"""

from typing import Any
from urllib.parse import quote

from dash import Dash, Input, Output, State, dcc, html

from app.auth import current_scope
from app.errors import BadQuery, NotFound
from app.queries import RevenueView, get_integration, plans, revenue, unmatched
from dashboards import asking, ids, router, urlstate, words
from dashboards import format as show
from dashboards.client import clientside
from dashboards.components import strip
from dashboards.components.grid import column, grid
from dashboards.components.panel import chart, panel
from dashboards.components.texts import shown
from dashboards.figures.base import Figure
from dashboards.figures.revenue import movements, mrr
from dashboards.ids import part
from dashboards.pages import header, revenue_levers, revenue_rows
from dashboards.pages.revenue_rows import KEPT, PAID

PATH = "/integrations/<slug>/revenue"
NAME = "Revenue"

_OF = "revenue"
_PAID = "revenue-paid"
_D = words.DEFINITIONS
#: The time of an address that names none.
USUAL = "?window=90d"
CHARTS = (ids.CHART_MRR, ids.CHART_MOVEMENTS)
_PLANS = [
    column("plan", "Plan", "Text", keep=True, minWidth=76, flex=2),
    column("price", "Price", "Shown", right=True, keep=True, minWidth=164, flex=4),
    column("subscriptions", "Subscriptions", "Shown", right=True, minWidth=110, flex=2),
    column("quantity", "Quantity", "Shown", right=True, minWidth=90, flex=2),
    column("mrr", "MRR", "Shown", right=True, keep=True, tip=_D["mrr"], minWidth=120, flex=3),
]
_CURRENCIES = [
    column("currency", "Currency", "Text", keep=True, minWidth=90, flex=2),
    column("mrr", "MRR", "Shown", right=True, keep=True, tip=_D["mrr"], minWidth=120, flex=3),
    column("rate", "Rate", "Text", tip=_D["rate_date"], minWidth=110, flex=3),
    column("on", "Rate of", "Text", tip=_D["rate_date"], minWidth=110, flex=3),
    column("into", "Converted", "Shown", right=True, keep=True, minWidth=120, flex=3),
]
_UNMATCHED = [
    column("subscription", "Subscription", "Text", keep=True, minWidth=120, flex=3),
    column("installation", "Installation", "Text", keep=True, minWidth=120, flex=3),
    column("customer", "Customer", "Text", minWidth=110, flex=3),
    column("plan", "Plan", "Text", minWidth=90, flex=2),
    column("mrr", "MRR", "Shown", right=True, keep=True, minWidth=110, flex=2),
    column("last_us", "Newest event", "When", minWidth=110, flex=2),
]
_EXAMPLE = """\
curl -X POST {base}/api/v1/billing-events -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" -d '[{{"id": "bill-1", "integration": "{slug}",
  "installation": "inst-7", "customer": "cust-3", "subscription": "sub-9",
  "type": "subscription_started", "occurred_at": "2026-11-22T10:05:00Z", "plan": "pro",
  "interval": "month", "amount": {{"amount_minor": 4900, "currency": "USD"}}}}]'"""


def layout(slug: str, **_query: str) -> html.Div:
    """The skeleton; `NotFound` for an integration that the caller may not see, and for one that is
    internal."""
    view = get_integration(asking.reading(), current_scope(), slug)
    if view.visibility == "internal":
        raise NotFound(f"{slug!r} is internal: nobody pays for it")
    return html.Div(
        [
            *header.header(_OF, view, NAME),
            html.Div("", id=ids.REVENUE_PROBLEM, className="quiet gone"),
            html.Div(
                [
                    html.Div(
                        [
                            html.Div("", id=ids.REVENUE_PERIOD, className="period"),
                            html.A("CSV", id=ids.REVENUE_CSV, href="", className="button"),
                        ],
                        className="title-row",
                    ),
                    strip.strip(_OF, KEPT),
                    html.Div(_charts(), className="columns"),
                    strip.strip(_PAID, PAID),
                    revenue_levers.panels(),
                    panel("Plans and prices, now", _grid(ids.REVENUE_PLANS, _PLANS, "Plans")),
                    html.Div(
                        panel(
                            "By currency",
                            _grid(ids.REVENUE_CURRENCIES, _CURRENCIES, "Currencies"),
                        ),
                        id=part(ids.REVENUE_CURRENCIES, "panel"),
                        className="gone",
                    ),
                    html.Div(
                        panel(
                            "Paid for, installation not known",
                            grid(
                                ids.REVENUE_UNMATCHED,
                                _UNMATCHED,
                                page_size=8,
                                label="Unmatched subscriptions",
                            ),
                        ),
                        id=part(ids.REVENUE_UNMATCHED, "panel"),
                        className="gone",
                    ),
                ],
                id=ids.REVENUE_FULL,
                className="stack",
            ),
            html.Div(_empty(slug), id=ids.REVENUE_EMPTY, className="gone"),
            dcc.Store(id=ids.REVENUE_CHARTS),
        ],
        id=part(_OF, "body"),
        className="page loading",
    )


def register(app: Dash) -> None:
    """One callback for what is earned, one for the levers, and the browser's painting."""
    revenue_levers.register(app, USUAL)

    @app.callback(
        {
            "body": Output(part(_OF, "body"), "className"),
            "sentence": Output(part(_OF, "sentence"), "children"),
            "as_of": Output(part(_OF, "as-of"), "children"),
            "as_of_at": Output(part(_OF, "as-of"), "dateTime"),
            "period": Output(ids.REVENUE_PERIOD, "children"),
            "csv": Output(ids.REVENUE_CSV, "href"),
            "problem": Output(ids.REVENUE_PROBLEM, "children"),
            "problem_class": Output(ids.REVENUE_PROBLEM, "className"),
            "full": Output(ids.REVENUE_FULL, "className"),
            "empty": Output(ids.REVENUE_EMPTY, "className"),
            "kept": [Output(*pair) for pair in strip.outputs(_OF, KEPT)],
            "paid": [Output(*pair) for pair in strip.outputs(_PAID, PAID)],
            "charts": Output(ids.REVENUE_CHARTS, "data"),
            "plans": Output(ids.REVENUE_PLANS, "rowData"),
            "currencies": Output(ids.REVENUE_CURRENCIES, "rowData"),
            "currencies_class": Output(part(ids.REVENUE_CURRENCIES, "panel"), "className"),
            "unmatched": Output(ids.REVENUE_UNMATCHED, "rowData"),
            "unmatched_class": Output(part(ids.REVENUE_UNMATCHED, "panel"), "className"),
        },
        Input(ids.LOCATION, "search"),
        Input(ids.PULSE, "data"),
        State(ids.LOCATION, "pathname"),
    )
    @asking.main
    def refresh(search: str | None, _pulse: Any, pathname: str | None) -> asking.Props:
        slug = asking.slug_of(pathname, "revenue")
        ask = asking.asked(urlstate.timed(search, USUAL))
        return content(ask, slug, router.query(search).get("currency"))

    painted = [Output(chart_id, "figure") for chart_id in CHARTS]
    clientside(app, "paint", painted, Input(ids.REVENUE_CHARTS, "data"), Input(ids.SCHEME, "data"))


def content(ask: asking.Asked, slug: str, currency: str | None) -> asking.Props:
    """The props of the page."""
    problem = ask.range.problem or ""
    window = ask.range.window
    try:
        found = revenue(ask.reading, ask.scope, slug, window, currency)
    except BadQuery as error:
        problem = f"{error}. Amounts are told in what most customers pay in."
        found = revenue(ask.reading, ask.scope, slug, window)
    into = found.currency
    lost = unmatched(ask.reading, ask.scope, slug) if found.unmatched else ()
    currencies = revenue_rows.currency_rows(found.currencies, into)
    listed = plans(ask.reading, ask.scope, slug)
    never = not listed and not found.currencies and not found.unmatched
    ends = f"from={urlstate.iso(found.window.start_us)}&to={urlstate.iso(found.window.end_us)}"
    return {
        "body": "page",
        "sentence": revenue_rows.sentence(found),
        "as_of": f"as of {show.clock(ask.now_us)}",
        "as_of_at": urlstate.iso(ask.now_us),
        "period": f"{revenue_rows.span(found)}, compared with their beginning",
        "csv": f"/api/v1/integrations/{quote(slug)}/revenue.csv?{ends}&currency={into}",
        "problem": problem,
        "problem_class": shown(bool(problem), "quiet"),
        "full": shown(not never, "stack"),
        "empty": shown(never),
        "kept": strip.props(revenue_rows.kept(found)),
        "paid": strip.props(revenue_rows.paid(found)),
        "charts": pictures(found),
        "plans": [revenue_rows.plan_row(each, place) for place, each in enumerate(listed)],
        "currencies": currencies,
        "currencies_class": shown(bool(currencies)),
        "unmatched": [revenue_rows.unmatched_row(each) for each in lost],
        "unmatched_class": shown(bool(lost)),
    }


def pictures(found: RevenueView) -> list[Figure]:
    """The charts, in the order of `CHARTS`."""
    return [mrr(found.points, found.currency), movements(found.points, found.currency)]


def _charts() -> list[Any]:
    return [
        chart(ids.CHART_MRR, "MRR", "at the end of each period", "MRR over time."),
        chart(
            ids.CHART_MOVEMENTS,
            "What moved it",
            "above the line won, below lost",
            "MRR won by new, returning and growing customers and lost by shrinking and leaving "
            "ones, over time.",
        ),
    ]


def _grid(of: str, columns: list[dict[str, Any]], label: str) -> Any:
    return grid(of, columns, label=label)


def _empty(slug: str) -> html.Div:
    base = asking.base_url()
    return html.Div(
        [
            html.H2("Nobody has told Midspan of money yet"),
            html.P(
                "Subscriptions and payments are told by the platform: as events, as a CSV file, "
                "or by Stripe itself. What customers pay a month, and who stays, follows from them."
            ),
            html.Pre(_EXAMPLE.format(base=base, slug=slug), className="command", tabIndex="0"),
            html.Pre("python -m app billing import FILE", className="command", tabIndex="0"),
        ],
        className="face panel",
    )
