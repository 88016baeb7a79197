"""The part of the revenue page that says what a partner can work on."""

from typing import Any

from dash import Dash, Input, Output, State, html

from app.queries import LeversView, levers
from app.queries.revenue import days_of
from dashboards import asking, ids, urlstate, words
from dashboards.components.grid import column, grid
from dashboards.components.panel import panel
from dashboards.components.texts import shown
from dashboards.ids import part
from dashboards.pages import lever_rows

_D = words.DEFINITIONS
_CONVERSION = [
    column("name", "Source or plan", "Linked", keep=True, minWidth=104, flex=4,
           params={"sub": "sub"}),
    column("entered", "Came", "Shown", right=True, keep=True, minWidth=76, flex=2,
           tip=_D["entered"]),
    column("activated", "Activated", "Shown", right=True, keep=True, minWidth=90, flex=2,
           tip=_D["activated"], params={"sub": "activated_sub"}),
    column("paid", "Paid for", "Shown", right=True, keep=True, minWidth=86, flex=2,
           tip=_D["paid_for"], params={"sub": "paid_sub"}),
]  # fmt: skip
_BENCHMARK = [
    column("figure", "Last month", "Text", keep=True, minWidth=120, flex=4),
    column("own", "Yours", "Shown", right=True, keep=True, minWidth=76, flex=2, tip=_D["own"]),
    *(
        column(name, title, "Shown", right=True, keep=name == "median", minWidth=86, flex=2,
               tip=_D["quartiles"])
        for name, title in (
            ("lower", "Lower"), ("median", "Median"), ("upper", "Upper")
        )
    ),
]  # fmt: skip


def panels() -> html.Div:
    """Their places."""
    conversion = grid(
        ids.LEVERS_CONVERSION,
        _CONVERSION,
        row_px=44,
        page_size=8,
        empty="Nobody came in this time.",
        label="Installations by source and plan",
    )
    benchmark = [
        html.P("", id=ids.LEVERS_MONTH, className="detail"),
        grid(ids.LEVERS_BENCHMARK, _BENCHMARK, label="Figures of last month against others"),
        html.P("", id=ids.LEVERS_NOTE, className="detail"),
    ]
    return html.Div(
        [
            html.Div(
                panel(
                    "Who comes, and who pays",
                    [html.P("", id=ids.LEVERS_SENTENCE, className="detail"), conversion],
                ),
                id=part(ids.LEVERS_CONVERSION, "panel"),
                className="gone",
            ),
            html.Div(
                panel("Against others of the category", benchmark),
                id=part(ids.LEVERS_BENCHMARK, "panel"),
                className="gone",
            ),
        ],
        className="columns",
    )


def register(app: Dash, usual: str) -> None:
    """A callback of their own: they hold nothing else back. `usual`: the page's usual time."""

    @app.callback(
        {
            "sentence": Output(ids.LEVERS_SENTENCE, "children"),
            "conversion": Output(ids.LEVERS_CONVERSION, "rowData"),
            "conversion_class": Output(part(ids.LEVERS_CONVERSION, "panel"), "className"),
            "month": Output(ids.LEVERS_MONTH, "children"),
            "benchmark": Output(ids.LEVERS_BENCHMARK, "rowData"),
            "note": Output(ids.LEVERS_NOTE, "children"),
            "benchmark_class": Output(part(ids.LEVERS_BENCHMARK, "panel"), "className"),
        },
        Input(ids.LOCATION, "search"),
        Input(ids.PULSE, "data"),
        State(ids.LOCATION, "pathname"),
    )
    @asking.quiet
    def refresh(search: str | None, _pulse: Any, pathname: str | None) -> asking.Props:
        ask = asking.asked(urlstate.timed(search, usual))
        return props(ask, asking.slug_of(pathname, "revenue"))


def props(ask: asking.Asked, slug: str) -> asking.Props:
    """The props of both panels. They are of whole days, and hardly change within a minute."""
    window = ask.range.window
    view: LeversView = asking.shared_slow(
        ask, ("levers", slug, days_of(window)), lambda: levers(ask.reading, ask.scope, slug, window)
    )
    rows = lever_rows.conversion_rows(view)
    sentence = lever_rows.sentence(view)
    return {
        "sentence": sentence,
        "conversion": rows,
        "conversion_class": shown(bool(rows or sentence)),
        "month": lever_rows.benchmark_title(view.benchmark),
        "benchmark": lever_rows.benchmark_rows(view.benchmark),
        "note": lever_rows.benchmark_note(view.benchmark),
        "benchmark_class": shown(bool(view.benchmark.figures)),
    }
