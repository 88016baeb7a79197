"""One installation's whole story on one time line."""

from typing import Any
from urllib.parse import quote, unquote

from dash import Dash, Input, Output, State, html
from dash.exceptions import PreventUpdate

from app.auth import current_scope
from app.queries import get_installation, story
from dashboards import asking, ids
from dashboards import format as show
from dashboards.components.attributes import aria
from dashboards.components.grid import column, grid
from dashboards.components.panel import panel
from dashboards.pages import witness_rows as rows

PATH = "/installations/<address>"
NAME = "Installation"

_MOMENTS = [
    column("at", "When", "When", keep=True, minWidth=96, flex=2, params={"href": "href"}),
    column("sort", "What it was", "Text", minWidth=130, flex=3, keep=True),
    column("what", "What happened", "Linked", keep=True, minWidth=150, flex=6),
    column("detail", "How it went", "Toned", minWidth=100, flex=3, params={"tone": "tone"}),
]


def layout(address: str, **_query: str) -> html.Div:
    """The skeleton; `NotFound` for an installation that the caller may not see."""
    view = get_installation(asking.reading(), current_scope(), address)
    base = f"/integrations/{quote(view.integration)}"
    crumbs = [html.A(view.integration, href=base), html.Span(" / ", className="slash"),
              html.A("installs", href=f"{base}/installs")]  # fmt: skip
    return html.Div(
        [
            html.Nav(crumbs, className="crumbs", **aria(label="Breadcrumb")),
            html.H1(show.plain(view.installation, 200)),
            html.P("", id=ids.STORY_SENTENCE, className="opening"),
            panel(
                "Its story",
                grid(
                    ids.STORY_GRID,
                    _MOMENTS,
                    page_size=100,
                    empty="Nothing was told of it and nothing crossed yet.",
                    label="All that happened, newest first",
                ),
            ),
        ],
        id=ids.STORY,
        className="page stack loading",
    )


def register(app: Dash) -> None:
    """The one callback of the page."""

    @app.callback(
        {
            "body": Output(ids.STORY, "className"),
            "sentence": Output(ids.STORY_SENTENCE, "children"),
            "rows": Output(ids.STORY_GRID, "rowData"),
        },
        Input(ids.LOCATION, "search"),
        Input(ids.PULSE, "data"),
        State(ids.LOCATION, "pathname"),
    )
    @asking.main
    def refresh(search: str | None, _pulse: Any, pathname: str | None) -> asking.Props:
        return content(asking.asked(search), _address(pathname))


def content(ask: asking.Asked, address: str) -> asking.Props:
    """The props of the page."""
    found = story(ask.reading, ask.scope, address)
    return {
        "body": "page stack",
        "sentence": rows.standing(found.view, ask.now_us),
        "rows": [rows.moment_row(each, number) for number, each in enumerate(found.moments)],
    }


def _address(pathname: str | None) -> str:
    parts = (pathname or "").split("/")
    if parts[:2] != ["", "installations"] or len(parts) != 3:
        raise PreventUpdate
    return unquote(parts[2])
