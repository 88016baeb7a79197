"""The installs of one integration: how many become users, how soon, and where they get lost."""

from typing import Any
from urllib.parse import quote, urlencode

from dash import Dash, Input, Output, State, dcc, html

from app.auth import current_scope
from app.errors import BadQuery
from app.queries import FunnelView, funnel, get_integration, lost_reasons
from app.queries.funnels import Asked, By
from dashboards import asking, ids, router, urlstate, words
from dashboards import format as show
from dashboards.client import clientside
from dashboards.components import states, strip
from dashboards.components.grid import column, grid
from dashboards.components.panel import chart, choices, panel
from dashboards.components.texts import shown
from dashboards.figures.installs import installs as picture
from dashboards.ids import part
from dashboards.pages import header
from dashboards.pages import installs_rows as rows
from dashboards.pages.overview import compared

PATH = "/integrations/<slug>/installs"
NAME = "Installs"

_OF = "installs"
_D = words.DEFINITIONS
_FUNNEL = [
    column("name", "Step", "Text", keep=True, minWidth=104, flex=3, sortable=False),
    column("count", "Reached", "Budget", tip=_D["reached"], keep=True, minWidth=120, flex=4,
           sortable=False),
    column("previous", "Of the step before", "Shown", right=True, tip=_D["reached"], minWidth=108,
           flex=3, sortable=False, params={"sub": "entered_sub"}),
    column("median", "Time it took", "Shown", right=True, tip=_D["seconds"], minWidth=104, flex=3,
           sortable=False, params={"sub": "median_sub"}),
    column("lost", "Lost here", "Shown", right=True, tip=_D["lost"], keep=True, minWidth=110,
           flex=4, sortable=False, params={"sub": "lost_sub", "tone": "lost_tone"}),
    column("waiting", "Under way", "Shown", right=True, tip=_D["waiting"], minWidth=92, flex=2,
           sortable=False),
]  # fmt: skip
_LOST = [
    column("name", "Lost at", "Text", keep=True, minWidth=100, flex=3, sortable=False),
    column("count", "Installs", "Shown", right=True, tip=_D["lost"], keep=True, minWidth=84,
           flex=2, sortable=False, params={"tip": "count_tip"}),
    column("how", "What became of them", "Linked", keep=True, long=True, minWidth=150,
           flex=9, sortable=False, params={"sub": "cause"}),
]  # fmt: skip
_TIMES = [
    column("name", "Activated", "Text", keep=True, minWidth=110, flex=3, sortable=False),
    column("count", "Installs", "Budget", keep=True, minWidth=120, flex=5, sortable=False),
]
_REASONS = [
    column("name", "Reason", "Text", keep=True, minWidth=110, flex=4),
    column("count", "Uninstalls", "Budget", tip=_D["uninstalled"], keep=True, minWidth=120,
           flex=5),
]  # fmt: skip
_COHORTS = [
    column("name", "Installs", "Text", keep=True, minWidth=92, flex=3, sortable=False),
    column("entered", "Began", "Shown", right=True, tip=_D["entered"], keep=True, minWidth=78,
           flex=2),
    column("activated", "Activated", "Shown", right=True, tip=_D["activated"], keep=True,
           minWidth=128, flex=3, params={"sub": "activated_sub"}),
    column("median", "Median time", "Shown", right=True, tip=_D["seconds"], minWidth=104, flex=2),
    column("waiting", "Under way", "Shown", right=True, tip=_D["waiting"], minWidth=92, flex=2),
    column("lost", "Lost", "Shown", right=True, tip=_D["lost"], minWidth=78, flex=2),
]  # fmt: skip
_BY = {"": "by day", "plan": "by plan", "source": "by source"}


def layout(slug: str, **_query: str) -> html.Div:
    """The skeleton; `NotFound` for an integration that the caller may not see."""
    view = get_integration(asking.reading(), current_scope(), slug)
    return html.Div(
        [
            *header.header(_OF, view, "Installs"),
            html.Div("", id=ids.INSTALLS_PROBLEM, className="quiet gone"),
            html.Div(states.no_installs(slug), id=ids.INSTALLS_EMPTY, className="gone"),
            html.Div(
                [
                    html.Div(
                        [
                            html.Div("", id=ids.INSTALLS_PERIOD, className="period"),
                            html.A("CSV", id=ids.INSTALLS_CSV, href="", className="button"),
                        ],
                        className="title-row",
                    ),
                    strip.strip(_OF, rows.PLACES),
                    _funnel(),
                    _lost(),
                    html.Div([_chart(), _times()], className="columns"),
                    html.Div([_cohorts(), _reasons()], className="columns"),
                ],
                id=part(_OF, "full"),
                className="stack",
            ),
            dcc.Store(id=ids.INSTALLS_CHARTS),
        ],
        id=part(_OF, "body"),
        className="page loading",
    )


def register(app: Dash) -> None:
    """The one callback of the page, and the browser's painting."""

    @app.callback(
        {
            "body": Output(part(_OF, "body"), "className"),
            "sentence": Output(part(_OF, "sentence"), "children"),
            "as_of": Output(part(_OF, "as-of"), "children"),
            "as_of_at": Output(part(_OF, "as-of"), "dateTime"),
            "problem": Output(ids.INSTALLS_PROBLEM, "children"),
            "problem_class": Output(ids.INSTALLS_PROBLEM, "className"),
            "period": Output(ids.INSTALLS_PERIOD, "children"),
            "csv": Output(ids.INSTALLS_CSV, "href"),
            "full": Output(part(_OF, "full"), "className"),
            "empty": Output(ids.INSTALLS_EMPTY, "className"),
            "strip": [Output(*pair) for pair in strip.outputs(_OF, rows.PLACES)],
            "funnel": Output(ids.INSTALLS_FUNNEL, "rowData"),
            "lost": Output(ids.INSTALLS_LOSSES, "rowData"),
            "times": Output(ids.INSTALLS_TIMES, "rowData"),
            "cohorts": Output(ids.INSTALLS_COHORTS, "rowData"),
            "reasons": Output(ids.INSTALLS_REASONS, "rowData"),
            "charts": Output(ids.INSTALLS_CHARTS, "data"),
        },
        Input(ids.LOCATION, "search"),
        Input(ids.PULSE, "data"),
        State(ids.LOCATION, "pathname"),
    )
    @asking.main
    def refresh(search: str | None, _pulse: Any, pathname: str | None) -> asking.Props:
        ask, slug = asking.asked(search), asking.slug_of(pathname, "installs")
        by = router.query(search).get("by", "")
        return content(ask, slug, By(by) if by in {By.PLAN, By.SOURCE} else By.DAY)

    painted = [Output(ids.CHART_INSTALLS, "figure")]
    clientside(app, "paint", painted, Input(ids.INSTALLS_CHARTS, "data"), Input(ids.SCHEME, "data"))


def content(ask: asking.Asked, slug: str, by: By) -> asking.Props:
    """The props of the page."""
    window = ask.range.window
    days = funnel(ask.reading, ask.scope, slug, window, Asked(by=By.DAY))
    split = days if by is By.DAY else funnel(ask.reading, ask.scope, slug, window, Asked(by=by))
    losses = lost_reasons(ask.reading, ask.scope, slug, window)
    before = asking.shared(ask, (slug, "installs"), lambda: _before(ask, slug, days))
    empty = not (days.count.entered or days.uninstalled or before.count.entered)
    return {
        "body": "page",
        "sentence": rows.sentence(days, losses),
        "as_of": f"as of {show.clock(ask.now_us)}",
        "as_of_at": urlstate.iso(ask.now_us),
        "problem": ask.range.problem or "",
        "problem_class": shown(bool(ask.range.problem), "quiet"),
        "period": compared(ask),
        "csv": _csv(ask, slug, by),
        "full": shown(not empty, "stack"),
        "empty": shown(empty),
        "strip": strip.props(rows.figures(days, before)),
        "funnel": rows.step_rows(days),
        "lost": rows.lost_rows(losses),
        "times": rows.time_rows(days.count),
        "cohorts": rows.cohort_rows(split.cohorts, newest_first=by is By.DAY),
        "reasons": rows.reason_rows(days.reasons),
        "charts": [picture(rows.bars(days.cohorts), window)],
    }


def _before(ask: asking.Asked, slug: str, now: FunnelView) -> FunnelView:
    """The equal period before; an address may reach back further than there was time."""
    earlier = ask.range.window.previous()
    try:
        return funnel(ask.reading, ask.scope, slug, earlier)
    except BadQuery:
        return now


def _csv(ask: asking.Asked, slug: str, by: By) -> str:
    window = ask.range.window
    asked = {
        "from": urlstate.iso(window.start_us), "to": urlstate.iso(window.end_us), "by": by.value,
    }  # fmt: skip
    return f"/api/v1/integrations/{quote(slug)}/funnel.csv?{urlencode(asked)}"


def _funnel() -> html.Section:
    body = grid(
        ids.INSTALLS_FUNNEL,
        _FUNNEL,
        row_px=48,
        empty="No install began in this time.",
        label="The steps of an install, in order",
    )
    return panel("Funnel", body, wide=True)


def _lost() -> html.Section:
    body = grid(
        ids.INSTALLS_LOSSES,
        _LOST,
        row_px=48,
        page_size=20,
        empty="No install that began in this time was lost.",
        label="Why installs were lost, most first, each with an exchange",
    )
    return panel("Why they got lost", body, wide=True)


def _chart() -> html.Section:
    return chart(
        ids.CHART_INSTALLS,
        "Installs",
        "by the UTC day on which they began",
        "Installs by the day on which they began, stacked by activated, under way and lost.",
    )


def _times() -> html.Section:
    body = grid(
        ids.INSTALLS_TIMES,
        _TIMES,
        row_px=36,
        empty="Nobody was activated in this time.",
        label="How soon installs were activated",
    )
    return panel("Time to activate", body)


def _cohorts() -> html.Section:
    body = grid(
        ids.INSTALLS_COHORTS,
        _COHORTS,
        row_px=44,
        page_size=12,
        empty="No install began in this time.",
        label="Installs that have something in common",
    )
    return panel("Cohorts", body, aside=choices("by", "Cohorts by", _BY))


def _reasons() -> html.Section:
    body = grid(
        ids.INSTALLS_REASONS,
        _REASONS,
        row_px=40,
        empty="Nothing was uninstalled in this time.",
        label="Why installations were uninstalled",
    )
    return panel("Uninstalled, and why", body)
