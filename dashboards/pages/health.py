"""The health of one integration: what is it, how is it, since when, whose, show me one."""

from typing import Any
from urllib.parse import quote

from dash import Dash, Input, Output, State, dcc, html

from app.auth import current_scope
from app.domain.words import Outcome
from app.queries import ExchangeFilter, get_integration, list_exchanges, operations, series
from app.queries import budgets as ask_budgets
from app.queries import health as ask_health
from app.queries.results import Health, ObjectiveView
from dashboards import asking, ids, urlstate, words
from dashboards import format as show
from dashboards.client import clientside
from dashboards.components import objective, strip
from dashboards.components.attributes import data
from dashboards.components.grid import column, grid
from dashboards.components.panel import chart, panel
from dashboards.components.texts import badge_class, shown
from dashboards.figures.errors import errors
from dashboards.figures.latency import latency
from dashboards.figures.traffic import traffic
from dashboards.ids import part
from dashboards.pages import header, tables
from dashboards.pages.health_figures import PLACES, budgets, figures
from dashboards.pages.overview import compared, prose

PATH = "/integrations/<slug>"
NAME = "Health"

FAILURES = 12
WORST = 5
OBJECTIVES = 4
_OF = "health"
_D = words.DEFINITIONS
_FAILING = tuple(outcome.value for outcome in Outcome if outcome != Outcome.OK)
_CHARTS = (ids.CHART_TRAFFIC, ids.CHART_LATENCY, ids.CHART_ERRORS)

_OPERATIONS = [
    column("operation", "Operation", "Code", keep=True, minWidth=170, flex=5,
           params={"sub": "sub"}),
    column("bad", "Bad", "Shown", right=True, tip=_D["error_ratio"], minWidth=110, flex=3),
    column("ratio", "Ratio", "Shown", right=True, tip=_D["error_ratio"], keep=True, minWidth=78,
           flex=2, params={"tone": "ratio_tone"}),
    column("p95", "p95", "Shown", right=True, tip=_D["p95"], keep=True, minWidth=80, flex=2),
    column("fault", "Fault", "Text", tip=_D["fault"], minWidth=80, flex=2),
]  # fmt: skip
_FAILURES = [
    column("started_us", "When", "When", keep=True, minWidth=96, maxWidth=130, flex=2,
           params={"href": "href"}),
    column("operation", "Operation", "Code", keep=True, minWidth=150, flex=4,
           params={"sub": "sub", "plain": True}),
    column("outcome", "Result", "Toned", keep=True, minWidth=88, flex=2, params={"tone": "tone"}),
    column("error", "Error", "Text", minWidth=160, flex=5),
    column("fault", "Fault", "Text", tip=_D["fault"], minWidth=84, flex=2),
    column("total", "Duration", "Shown", right=True, tip=_D["total_ms"], minWidth=92, flex=2),
    column("installation", "Installation", "Text", minWidth=110, flex=2),
]  # fmt: skip


def layout(slug: str, **_query: str) -> html.Div:
    """The page of one integration; `NotFound` for one that the caller may not see."""
    view = get_integration(asking.reading(), current_scope(), slug)
    return html.Div(
        [
            *header.header(_OF, view, "Health"),
            html.Div("", id=ids.HEALTH_QUIET, className="quiet gone"),
            html.Div(
                [
                    html.Div("", id=ids.HEALTH_PERIOD, className="period"),
                    strip.strip(_OF, PLACES),
                    _objectives(),
                    html.Div(_charts(), className="columns"),
                    html.Div([_error_chart(), _operations()], className="columns"),
                    _failures(slug),
                ],
                id=part(_OF, "full"),
                className="stack",
            ),
            html.Div(header.empty(slug), id=ids.HEALTH_EMPTY, className="gone"),
            dcc.Store(id=ids.HEALTH_CHARTS),
        ],
        id=ids.HEALTH_BODY,
        className="page loading",
    )


def register(app: Dash) -> None:
    """Four callbacks, so that a slow list does not hold the figures back."""
    _register_summary(app)
    _register_charts(app)
    _register_lists(app)


def _register_summary(app: Dash) -> None:
    @app.callback(
        {
            "body": Output(ids.HEALTH_BODY, "className"),
            "status": Output(part(_OF, "status"), "children"),
            "status_class": Output(part(_OF, "status"), "className"),
            "sentence": Output(part(_OF, "sentence"), "children"),
            "as_of": Output(part(_OF, "as-of"), "children"),
            "as_of_at": Output(part(_OF, "as-of"), "dateTime"),
            "period": Output(ids.HEALTH_PERIOD, "children"),
            "quiet": Output(ids.HEALTH_QUIET, "children"),
            "quiet_class": Output(ids.HEALTH_QUIET, "className"),
            "full": Output(part(_OF, "full"), "className"),
            "empty": Output(ids.HEALTH_EMPTY, "className"),
            "strip": [Output(*pair) for pair in strip.outputs(_OF, PLACES)],
        },
        Input(ids.LOCATION, "search"),
        Input(ids.PULSE, "data"),
        State(ids.LOCATION, "pathname"),
    )
    @asking.main
    def summary(search: str | None, _pulse: Any, pathname: str | None) -> asking.Props:
        ask, slug = asking.asked(search), asking.slug_of(pathname, "")
        window = ask.range.window
        now = ask_health(ask.reading, ask.scope, slug, window)
        before = ask_health(ask.reading, ask.scope, slug, window.previous())
        newest = list_exchanges(
            ask.reading, ask.scope, ExchangeFilter(integrations=(slug,)), limit=1
        )
        newest_us = newest.items[0].started_us if newest.items else None
        return content(now, before, newest_us, ask)


def content(now: Health, before: Health, newest_us: int | None, ask: asking.Asked) -> asking.Props:
    """The props of everything above the charts."""
    status = words.status(now.status)
    nothing = now.proxied == 0
    never = nothing and newest_us is None and ask.range.live
    return {
        "body": "page",
        "status": status.text,
        "status_class": badge_class(now.status),
        "sentence": prose(now.sentence),
        "as_of": _as_of(newest_us, ask),
        "as_of_at": urlstate.iso(ask.now_us),
        "period": compared(ask),
        "quiet": _quiet(newest_us, ask) if nothing else (ask.range.problem or ""),
        "quiet_class": shown((nothing and not never) or bool(ask.range.problem), "quiet"),
        "full": shown(not never, "stack"),
        "empty": shown(never),
        "strip": strip.props(figures(now, before)),
    }


def _as_of(newest_us: int | None, ask: asking.Asked) -> str:
    text = f"as of {show.clock(ask.now_us)}"
    if newest_us is None:
        return text
    return f"{text} · newest exchange {show.ago(newest_us, ask.now_us)}"


def _quiet(newest_us: int | None, ask: asking.Asked) -> str:
    if newest_us is None:
        return f"No exchange in this time. {ask.range.problem or ''}".strip()
    newest = f"The newest one was {show.ago(newest_us, ask.now_us)}, {show.stamp(newest_us)}."
    return f"No exchange in this time. {newest}"


def _register_charts(app: Dash) -> None:
    @app.callback(
        {
            "charts": Output(ids.HEALTH_CHARTS, "data"),
            "objectives": [
                Output(*pair)
                for slot in range(OBJECTIVES)
                for pair in objective.outputs(_slot(slot))
            ],
        },
        Input(ids.LOCATION, "search"),
        Input(ids.PULSE, "data"),
        State(ids.LOCATION, "pathname"),
    )
    @asking.quiet
    def charts(search: str | None, _pulse: Any, pathname: str | None) -> asking.Props:
        ask, slug = asking.asked(search), asking.slug_of(pathname, "")
        found = ask_budgets(ask.reading, ask.scope, slug)
        limits = tuple(each.objective for each in found)
        filled = [prop for props in budgets(found, OBJECTIVES) for prop in props]
        return {"charts": pictures(ask, slug, limits), "objectives": filled}

    painted = [Output(chart_id, "figure") for chart_id in _CHARTS]
    clientside(app, "paint", painted, Input(ids.HEALTH_CHARTS, "data"), Input(ids.SCHEME, "data"))
    dragged = [Input(chart_id, "relayoutData") for chart_id in _CHARTS]
    clientside(app, "zoom", Output(ids.ZOOM, "data"), *dragged, first=False)


def pictures(
    ask: asking.Asked, slug: str, limits: tuple[ObjectiveView, ...]
) -> list[dict[str, Any]]:
    """The three charts, in the order of `_CHARTS`."""
    window = ask.range.window
    step = urlstate.step_us(window, ask.now_us)
    now = series(ask.reading, ask.scope, slug, window, step)
    earlier = urlstate.previous(window, step)
    before = series(ask.reading, ask.scope, slug, earlier, step)
    return [traffic(now, before, window), latency(now, limits, window), errors(now, window)]


def _register_lists(app: Dash) -> None:
    @app.callback(
        Output(ids.HEALTH_OPERATIONS, "rowData"),
        Output(ids.HEALTH_FAILURES, "rowData"),
        Input(ids.LOCATION, "search"),
        Input(ids.PULSE, "data"),
        State(ids.LOCATION, "pathname"),
    )
    @asking.quiet
    def lists(
        search: str | None, _pulse: Any, pathname: str | None
    ) -> tuple[list[tables.Row], list[tables.Row]]:
        ask, slug = asking.asked(search), asking.slug_of(pathname, "")
        window = ask.range.window
        worst = operations(ask.reading, ask.scope, slug, window)[:WORST]
        wanted = ExchangeFilter(integrations=(slug,), window=window, outcomes=_FAILING)
        failed = list_exchanges(ask.reading, ask.scope, wanted, limit=FAILURES)
        return (
            [tables.operation_row(view, slug, search or "") for view in worst],
            [tables.exchange_row(view) for view in failed.items],
        )


def _slot(number: int) -> str:
    return part("objective", str(number))


def _objectives() -> html.Div:
    return html.Div(
        [objective.objective(_slot(n)) for n in range(OBJECTIVES)], className="objectives"
    )


def _charts() -> list[Any]:
    return [
        chart(
            ids.CHART_TRAFFIC,
            "Exchanges",
            "dotted: the period before",
            "Exchanges over time, stacked by good, excluded and bad, with the period before.",
        ),
        chart(
            ids.CHART_LATENCY,
            "Latency",
            "drag to look closer",
            "Latency over time: 50th, 95th and 99th percentile, with the objective.",
        ),
    ]


def _error_chart() -> Any:
    return chart(
        ids.CHART_ERRORS,
        "Failures by outcome",
        "with their number",
        "Failed exchanges over time as a share of all, by outcome.",
    )


def _operations() -> html.Section:
    body = grid(
        ids.HEALTH_OPERATIONS,
        _OPERATIONS,
        row_px=44,
        empty="No operation in this time.",
        label="Worst operations",
    )
    return panel("Worst operations", body)


def _failures(slug: str) -> html.Section:
    every = html.A(
        "all exchanges", href=f"/integrations/{quote(slug)}/exchanges", **data(keep="range")
    )
    body = grid(
        ids.HEALTH_FAILURES,
        _FAILURES,
        row_px=44,
        empty="Nothing failed in this time.",
        label="Newest failures",
    )
    return panel("Newest failures", body, aside=every, wide=True)
