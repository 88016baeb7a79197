"""The charts of the health page: at most six, all on one span of time, all with the same marks."""

from collections.abc import Sequence
from typing import Any

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from app.domain.health import MIN_EVENTS
from app.domain.window import Window
from app.queries import Closeup, closeup, days, notes
from app.queries import budgets as ask_budgets
from app.queries.alerts import during
from app.queries.results import ObjectiveView, OperationView
from dashboards import asking, ids, router, urlstate
from dashboards import format as show
from dashboards.client import clientside
from dashboards.components import objective
from dashboards.components.panel import chart, choices
from dashboards.figures.base import Figure
from dashboards.figures.errors import errors
from dashboards.figures.heat import heat
from dashboards.figures.latency import latency
from dashboards.figures.marks import Marks, marked
from dashboards.figures.traffic import traffic
from dashboards.ids import part
from dashboards.pages.health_figures import budgets
from dashboards.pages.health_rows import day_summary, days_of, note_row, way_row
from dashboards.pages.tables import operation_row

OBJECTIVES = 4
WORST = 5
CHARTS = (ids.CHART_TRAFFIC, ids.CHART_LATENCY, ids.CHART_ERRORS, ids.CHART_HEAT)
SPLITS = {"": "outcome", "fault": "fault"}


def slot(number: int) -> str:
    """The id of one objective."""
    return part("objective", str(number))


def objectives() -> html.Div:
    """Places for the objectives."""
    return html.Div(
        [objective.objective(slot(n)) for n in range(OBJECTIVES)], className="objectives"
    )


def stores() -> list[Component]:
    """Where the figures wait for the browser to paint them."""
    return [dcc.Store(id=ids.HEALTH_CHARTS), dcc.Store(id=ids.HEALTH_DAYS)]


def upper() -> list[Any]:
    """Traffic and latency."""
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
            "Latency over time: 50th, 95th and 99th percentile, with the objective and the p95 of "
            "the period before.",
        ),
    ]


def lower() -> list[Any]:
    """Failures and the heat map."""
    return [
        chart(
            ids.CHART_ERRORS,
            "Failures",
            choices("by", "Failures by", {key: f"by {word}" for key, word in SPLITS.items()}),
            "Failed exchanges over time as a share of all, by outcome or by fault.",
        ),
        chart(
            ids.CHART_HEAT,
            "How long they took",
            "each cell a length of time",
            "A map of durations over time: darker cells hold more exchanges.",
        ),
    ]


def register(app: Dash) -> None:
    """One callback for everything that is read step by step, one for the days."""
    _register_charts(app)
    _register_days(app)
    painted = [Output(chart_id, "figure") for chart_id in CHARTS]
    clientside(app, "paint", painted, Input(ids.HEALTH_CHARTS, "data"), Input(ids.SCHEME, "data"))
    dragged = [Input(chart_id, "relayoutData") for chart_id in CHARTS]
    clientside(app, "zoom", Output(ids.ZOOM, "data"), *dragged, first=False)
    clicked = [Input(chart_id, "clickData") for chart_id in CHARTS]
    clientside(app, "pick", Output(ids.HEALTH_CHARTS, "title"), *clicked, first=False)
    clientside(app, "days", Output(ids.HEALTH_DAYS, "title"), Input(ids.HEALTH_DAYS, "data"))


def _register_charts(app: Dash) -> None:
    @app.callback(
        {
            "charts": Output(ids.HEALTH_CHARTS, "data"),
            "objectives": [
                Output(*pair)
                for number in range(OBJECTIVES)
                for pair in objective.outputs(slot(number))
            ],
            "operations": Output(ids.HEALTH_OPERATIONS, "rowData"),
            "ways": Output(ids.HEALTH_WAYS, "rowData"),
            "notes": Output(ids.HEALTH_NOTES, "rowData"),
        },
        Input(ids.LOCATION, "search"),
        Input(ids.PULSE, "data"),
        Input(part(ids.HEALTH_NOTES, "written"), "data"),
        State(ids.LOCATION, "pathname"),
    )
    @asking.quiet
    def charts(
        search: str | None, _pulse: Any, _written: Any, pathname: str | None
    ) -> asking.Props:
        return content(asking.asked(search), asking.slug_of(pathname, ""), search or "")


def near(ask: asking.Asked, slug: str) -> Closeup:
    """What the figures and the charts of the page are made of, read once for both."""
    window = ask.range.window
    step = urlstate.step_us(window, ask.now_us)
    ghost = urlstate.previous(window, step)
    return asking.shared(
        ask,
        (slug, step, "near"),
        lambda: closeup(ask.reading, ask.scope, slug, window, step, ghost=ghost),
    )


def content(ask: asking.Asked, slug: str, search: str) -> asking.Props:
    """The props of the charts and of what stands beside them."""
    window, query = ask.range.window, router.query(search)
    found = near(ask, slug)
    objectives = asking.shared_slow(
        ask, ("budgets", slug), lambda: ask_budgets(ask.reading, ask.scope, slug)
    )
    written = notes(ask.reading, ask.scope, slug, window)
    incidents = during(ask.reading, ask.scope, slug, window)
    limits = tuple(each.objective for each in objectives)
    marks = Marks(found.timeline.episodes, incidents, written)
    worst = worst_of(found.operations, query.get("worst", ""))
    return {
        "charts": pictures(window, found, limits, marks, split=query.get("by", "")),
        "objectives": [prop for props in budgets(objectives, OBJECTIVES) for prop in props],
        "operations": [operation_row(view, slug, search) for view in worst],
        "ways": [way_row(way, slug, search) for way in found.timeline.ways],
        "notes": [note_row(each) for each in written],
    }


def pictures(
    window: Window,
    near: Closeup,
    limits: tuple[ObjectiveView, ...],
    marks: Marks,
    *,
    split: str,
) -> list[Figure]:
    """The charts, in the order of `CHARTS`."""
    now, step = near.timeline, near.timeline.series.step_us
    starts = [point.start_us for point in now.series.points]
    found = [
        traffic(now.series, near.ghost, window),
        latency(now.series, limits, window, near.ghost),
        errors(now.series, window, now.by_fault if split == "fault" else None),
        heat(now.heat, starts, step, limits, window),
    ]
    return [marked(each, window, marks, named=place == 0) for place, each in enumerate(found)]


def worst_of(found: Sequence[OperationView], by: str) -> Sequence[OperationView]:
    """The first few of what `operations` orders by bad ones; `by` "slow": the slowest, of those
    called often enough to say so."""
    if by != "slow":
        return found[:WORST]
    timed = [each for each in found if each.exchanges >= MIN_EVENTS and each.latency_ms.p95]
    return sorted(timed, key=lambda each: -(each.latency_ms.p95 or 0.0))[:WORST]


def _register_days(app: Dash) -> None:
    @app.callback(
        Output(ids.HEALTH_DAYS, "data"),
        Output(part(ids.HEALTH_DAYS, "said"), "children"),
        Output(part(ids.HEALTH_DAYS, "from"), "children"),
        Input(ids.LOCATION, "pathname"),
        Input(ids.PULSE, "data"),
    )
    @asking.quiet
    def strip(pathname: str | None, _pulse: Any) -> tuple[list[list[Any]], str, str]:
        ask, slug = asking.asked(""), asking.slug_of(pathname, "")
        found = asking.shared_slow(ask, ("days", slug), lambda: days(ask.reading, ask.scope, slug))
        return days_of(found), day_summary(found), show.utc_day(found[0].start_us)
