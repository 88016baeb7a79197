"""Who uses one integration: how many, who came and who fell silent, which operations, on whom it
hangs.

Numbers are of whole UTC days. An address without a time shows the last 28 days.
"""

from typing import Any
from urllib.parse import quote

from dash import Dash, Input, Output, State, dcc, html

from app.auth import current_scope
from app.domain.usage import COHORTS
from app.errors import BadQuery
from app.queries import UsageView, churn, get_integration, usage
from dashboards import asking, ids, urlstate, words
from dashboards import format as show
from dashboards.client import clientside
from dashboards.components import strip
from dashboards.components.grid import column, grid
from dashboards.components.panel import chart, panel
from dashboards.components.texts import shown
from dashboards.figures.usage import active, named
from dashboards.ids import part
from dashboards.pages import header, usage_rows
from dashboards.pages.overview import compared
from dashboards.pages.usage_rows import PLACES

PATH = "/integrations/<slug>/usage"
NAME = "Usage"
#: The time of an address that names none.
USUAL = "?window=28d"
CHARTS = (ids.CHART_ACTIVE, ids.CHART_NAMED)

_OF = "usage"
_D = words.DEFINITIONS
_OPERATIONS = [
    column("operation", "Operation", "Code", keep=True, minWidth=170, flex=5,
           params={"sub": "sub"}),
    column("exchanges", "Exchanges", "Shown", right=True, keep=True, minWidth=96, flex=2),
    column("before", "Change", "Shown", right=True, minWidth=110, flex=2,
           tip=_D["exchanges_before"], params={"sub": "before_sub"}),
    column("word", "", "Toned", keep=True, minWidth=98, flex=2, tip=_D["change"],
           params={"tone": "word_tone"}),
]  # fmt: skip
_CUSTOMERS = [
    column("customer", "Customer", "Linked", keep=True, minWidth=130, flex=4,
           params={"sub": "sub"}),
    column("exchanges", "Exchanges", "Shown", right=True, keep=True, minWidth=100, flex=2,
           tip=_D["exchanges_before"], params={"sub": "change_sub"}),
    column("share", "Share", "Shown", right=True, minWidth=80, flex=2, tip=_D["concentration"]),
    column("ratio", "Errors", "Shown", right=True, keep=True, minWidth=80, flex=2,
           tip=_D["error_ratio"]),
]  # fmt: skip
_COHORTS = [
    column("week_at", "First active", "Shown", keep=True, minWidth=130, flex=3, tip=_D["cohorts"],
           params={}),
    column("size", "New", "Shown", right=True, keep=True, minWidth=72, flex=2),
    *(
        column(f"w{place}", f"+{place}{show.THIN}wk" if place else "that week", "Shown",
               right=True, keep=0 < place < 3, minWidth=76 if place else 96, flex=2,
               sortable=False,
               params={"tip": f"w{place}_tip"})
        for place in range(COHORTS)
    ),
]  # fmt: skip
_CALLERS = [
    column("operation", "Deprecated operation", "Text", keep=True, minWidth=150, flex=4),
    column("installation", "Called by", "Text", keep=True, minWidth=110, flex=3),
    column("customer", "Customer", "Text", minWidth=100, flex=3),
    column("exchanges", "Of the newest", "Shown", right=True, minWidth=110, flex=2,
           tip=_D["callers"]),
    column("newest_us", "Newest", "When", minWidth=100, flex=2),
]  # fmt: skip


def layout(slug: str, **_query: str) -> html.Div:
    """The skeleton; `NotFound` for an integration that the caller may not see."""
    view = get_integration(asking.reading(), current_scope(), slug)
    return html.Div(
        [
            *header.header(_OF, view, NAME),
            html.Div("", id=ids.USAGE_PROBLEM, className="quiet gone"),
            html.Div(
                [
                    html.Div(
                        [
                            html.Div("", id=ids.USAGE_PERIOD, className="period"),
                            html.A("CSV", id=ids.USAGE_CSV, href="", className="button"),
                        ],
                        className="title-row",
                    ),
                    strip.strip(_OF, PLACES),
                    html.Div(_charts(), className="columns"),
                    html.Div([_operations(), _customers()], className="columns"),
                    html.Div(_callers(), id=part(ids.USAGE_CALLERS, "panel"), className="gone"),
                    _cohorts(),
                    panel(
                        "Failures and leaving",
                        html.P("", id=ids.USAGE_CHURN, className="detail"),
                        wide=True,
                    ),
                ],
                id=ids.USAGE_FULL,
                className="stack",
            ),
            html.Div(header.empty(slug), id=ids.USAGE_EMPTY, className="gone"),
            dcc.Store(id=ids.USAGE_CHARTS),
        ],
        id=part(_OF, "body"),
        className="page loading",
    )


def register(app: Dash) -> None:
    """One callback for all that is read, and the browser's painting."""

    @app.callback(
        {
            "body": Output(part(_OF, "body"), "className"),
            "sentence": Output(part(_OF, "sentence"), "children"),
            "as_of": Output(part(_OF, "as-of"), "children"),
            "as_of_at": Output(part(_OF, "as-of"), "dateTime"),
            "period": Output(ids.USAGE_PERIOD, "children"),
            "csv": Output(ids.USAGE_CSV, "href"),
            "problem": Output(ids.USAGE_PROBLEM, "children"),
            "problem_class": Output(ids.USAGE_PROBLEM, "className"),
            "full": Output(ids.USAGE_FULL, "className"),
            "empty": Output(ids.USAGE_EMPTY, "className"),
            "strip": [Output(*pair) for pair in strip.outputs(_OF, PLACES)],
            "charts": Output(ids.USAGE_CHARTS, "data"),
            "operations": Output(ids.USAGE_OPERATIONS, "rowData"),
            "customers": Output(ids.USAGE_CUSTOMERS, "rowData"),
            "cohorts": Output(ids.USAGE_COHORTS, "rowData"),
            "callers": Output(ids.USAGE_CALLERS, "rowData"),
            "churn": Output(ids.USAGE_CHURN, "children"),
            "callers_class": Output(part(ids.USAGE_CALLERS, "panel"), "className"),
        },
        Input(ids.LOCATION, "search"),
        Input(ids.PULSE, "data"),
        State(ids.LOCATION, "pathname"),
    )
    @asking.main
    def refresh(search: str | None, _pulse: Any, pathname: str | None) -> asking.Props:
        slug = asking.slug_of(pathname, "usage")
        return content(asking.asked(urlstate.timed(search, USUAL)), slug, search or "")

    painted = [Output(chart_id, "figure") for chart_id in CHARTS]
    clientside(app, "paint", painted, Input(ids.USAGE_CHARTS, "data"), Input(ids.SCHEME, "data"))


def content(ask: asking.Asked, slug: str, search: str) -> asking.Props:
    """The props of the page."""
    problem = ask.range.problem or ""
    try:
        view = usage(ask.reading, ask.scope, slug, ask.range.window)
    except BadQuery as error:
        ask = asking.asked(USUAL)
        view, problem = usage(ask.reading, ask.scope, slug, ask.range.window), str(error)
    nothing = not view.exchanges and not view.exchanges_before and ask.range.live
    ends = f"from={urlstate.iso(view.window.start_us)}&to={urlstate.iso(view.window.end_us)}"
    return {
        "body": "page",
        "sentence": view.sentence,
        "as_of": f"as of {show.clock(ask.now_us)}",
        "as_of_at": urlstate.iso(ask.now_us),
        "period": f"{compared(ask)}, in whole days of UTC",
        "csv": f"/api/v1/integrations/{quote(slug)}/usage.csv?{ends}",
        "problem": problem,
        "problem_class": shown(bool(problem), "quiet"),
        "full": shown(not nothing, "stack"),
        "empty": shown(nothing),
        "strip": strip.props(usage_rows.figures(view)),
        "charts": pictures(view),
        "operations": usage_rows.operation_rows(view, search),
        "customers": usage_rows.customer_rows(view),
        "cohorts": usage_rows.cohort_rows(view.cohorts),
        "callers": usage_rows.caller_rows(view.deprecated),
        "churn": _churn(ask, slug),
        "callers_class": shown(bool(view.deprecated)),
    }


def _churn(ask: asking.Asked, slug: str) -> str:
    """Hardly changes within a minute, whatever time is looked at."""
    return asking.shared(ask, ("churn", slug), lambda: churn(ask.reading, ask.scope, slug)).sentence


def pictures(view: UsageView) -> list[Any]:
    """The figures of `CHARTS`."""
    return [active(view.days), named(view.days)]


def _charts() -> list[Any]:
    return [
        chart(
            ids.CHART_ACTIVE,
            "Active installations",
            "the last day may be running",
            "Installations active on each day, and within 7 and 28 days up to it.",
        ),
        chart(
            ids.CHART_NAMED,
            "Exchanges",
            "of installations",
            "Exchanges of each day that name an installation, with the bad ones among them.",
        ),
    ]


def _operations() -> html.Section:
    body = grid(
        ids.USAGE_OPERATIONS,
        _OPERATIONS,
        row_px=44,
        page_size=10,
        empty="No operation in this time.",
        label="Operations, most exchanges first",
    )
    return panel("Operations and topics", body)


def _customers() -> html.Section:
    body = grid(
        ids.USAGE_CUSTOMERS,
        _CUSTOMERS,
        row_px=44,
        page_size=10,
        empty="No exchange names a customer or an installation.",
        label="Customers, most exchanges first",
    )
    return panel("On whom it hangs", body)


def _cohorts() -> html.Section:
    body = grid(
        ids.USAGE_COHORTS,
        _COHORTS,
        row_px=36,
        empty="Nobody was seen for the first time in the last weeks.",
        label="Who was still active, by the week of the first exchange",
    )
    return panel("Who stayed", body, aside="share active so many weeks later", wide=True)


def _callers() -> html.Section:
    body = grid(
        ids.USAGE_CALLERS,
        _CALLERS,
        row_px=36,
        page_size=10,
        empty="None of the exchanges that are kept calls one.",
        label="Who still calls deprecated operations",
    )
    return panel("Deprecated, and still called", body, wide=True)
