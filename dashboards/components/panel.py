"""A framed part of a page with a heading, and the charts and lists that stand in one."""

from typing import Any, cast

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components.attributes import aria, data
from dashboards.figures.base import HEIGHT_PX
from dashboards.ids import part
from dashboards.theme import GRAPH

_BLANK: dict[str, Any] = {
    "data": [],
    "layout": {
        "height": HEIGHT_PX,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "xaxis": {"visible": False},
        "yaxis": {"visible": False},
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
    },
}


def panel(
    title: str, body: Component | list[Component], *, aside: Any = None, wide: bool = False
) -> html.Section:
    """A panel; `aside` stands at the right end of its heading."""
    head: list[Any] = [html.H2(title)]
    if aside is not None:
        head.append(html.Div(aside, className="aside"))
    parts = body if isinstance(body, list) else [body]
    return html.Section(
        [html.Div(head, className="panel-head"), *parts],
        className="panel wide" if wide else "panel",
    )


def chart(id: str, title: str, aside: Any, description: str) -> html.Section:  # noqa: A002
    """A panel with one chart, which the browser can turn into a table of the same numbers.
    `description` is read out in place of the picture."""
    graph = dcc.Graph(id=id, figure=_BLANK, config=cast(Any, GRAPH), className="chart")
    figure = html.Figure(graph, role="img", **aria(label=description))
    table = html.Div(id=part(id, "table"), className="chart-table gone", tabIndex="0", role="group")
    switch = html.Button(
        "table",
        type="button",
        className="link-button",
        title="Show the numbers of this chart as a table",
        **data(table=id) | aria(pressed="false", label=f"{title} as a table"),
    )
    return panel(title, [figure, table], aside=[aside, switch])


def choices(param: str, label: str, words: dict[str, str]) -> html.Nav:
    """Links that set one parameter of the address; "" takes it away."""
    links = [
        html.A(text, href="?", className="choice", **data(param=param, value=value))
        for value, text in words.items()
    ]
    return html.Nav(links, className="choices", **aria(label=label))
