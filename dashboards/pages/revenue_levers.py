"""The part of the revenue page that says what a partner can work on."""

from typing import Any

from dash import Output, html

from app.queries import LeversView, levers
from dashboards import asking, ids, words
from dashboards.components.grid import column, grid
from dashboards.components.panel import panel
from dashboards.components.texts import shown
from dashboards.ids import part
from dashboards.pages import lever_rows

_D = words.DEFINITIONS
_CONVERSION = [
    column("name", "Source or plan", "Linked", keep=True, minWidth=120, flex=4,
           params={"sub": "sub"}),
    column("entered", "Came", "Shown", right=True, keep=True, minWidth=76, flex=2,
           tip=_D["entered"]),
    column("activated", "Reached the goal", "Shown", right=True, keep=True, minWidth=90, flex=2,
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
            ("lower", "Lower quarter"), ("median", "Median"), ("upper", "Upper quarter")
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
                    html.Div([html.P("", id=ids.LEVERS_SENTENCE, className="detail"), conversion]),
                ),
                id=part(ids.LEVERS_CONVERSION, "panel"),
                className="gone",
            ),
            html.Div(
                panel("Against others of the category", html.Div(benchmark)),
                id=part(ids.LEVERS_BENCHMARK, "panel"),
                className="gone",
            ),
        ],
        className="columns",
    )


def outputs() -> dict[str, Output]:
    """What `props` fills."""
    return {
        "sentence": Output(ids.LEVERS_SENTENCE, "children"),
        "conversion": Output(ids.LEVERS_CONVERSION, "rowData"),
        "conversion_class": Output(part(ids.LEVERS_CONVERSION, "panel"), "className"),
        "month": Output(ids.LEVERS_MONTH, "children"),
        "benchmark": Output(ids.LEVERS_BENCHMARK, "rowData"),
        "note": Output(ids.LEVERS_NOTE, "children"),
        "benchmark_class": Output(part(ids.LEVERS_BENCHMARK, "panel"), "className"),
    }


def props(ask: asking.Asked, slug: str) -> dict[str, Any]:
    """Hardly changes within a minute."""
    view: LeversView = asking.shared(
        ask, ("levers", slug), lambda: levers(ask.reading, ask.scope, slug, ask.range.window)
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
