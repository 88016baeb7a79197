"""What is stuck at one integration, and where platform, wire and billing disagree about it."""

from typing import Any
from urllib.parse import quote

from dash import Dash, Input, Output, State, html

from app.auth import current_scope
from app.queries import get_integration, partner_list, reconciliation, stuck
from dashboards import asking, ids, urlstate
from dashboards import format as show
from dashboards.components.grid import column, grid
from dashboards.components.panel import panel
from dashboards.components.texts import shown
from dashboards.ids import part
from dashboards.pages import header
from dashboards.pages import list_rows as lists
from dashboards.pages import witness_rows as rows

PATH = "/integrations/<slug>/witnesses"
NAME = "Witnesses"

_OF = "witnesses"
_STUCK = [
    column("installation", "Installation", "Linked", keep=True, minWidth=130, flex=4,
           params={"sub": "customer"}),
    column("step", "Waits for", "Text", keep=True, minWidth=96, flex=3),
    column("late", "Late by", "Shown", right=True, keep=True, minWidth=100, flex=2,
           tip="How long ago the deadline of its next step passed"),
    column("failed", "What failed", "Text", long=True, minWidth=150, flex=5),
    column("advice", "What to do", "Text", long=True, minWidth=180, flex=7),
]  # fmt: skip
_FOUND = [
    column("kind", "What does not fit", "Text", keep=True, long=True, minWidth=136, flex=5),
    column("installation", "Installation", "Linked", keep=True, minWidth=120, flex=4),
    column("since", "For", "Shown", right=True, keep=True, minWidth=100, flex=2,
           tip="How long it has been so"),
    column("evidence", "Evidence", "Text", long=True, minWidth=200, flex=8),
]  # fmt: skip

_LIST = [
    column("kind", "How it differs", "Text", keep=True, minWidth=130, flex=4),
    column("installation", "Installation", "Linked", keep=True, minWidth=120, flex=4),
    column("here", "Here", "Text", minWidth=90, flex=2, tip="As the platform tells"),
    column("there", "There", "Text", minWidth=90, flex=2, tip="As the partner's list has it"),
]  # fmt: skip


def layout(slug: str, **_query: str) -> html.Div:
    """The skeleton; `NotFound` for an integration that the caller may not see."""
    view = get_integration(asking.reading(), current_scope(), slug)
    return html.Div(
        [
            *header.header(_OF, view, "Witnesses"),
            panel(
                "Stuck now",
                grid(
                    ids.WITNESSES_STUCK,
                    _STUCK,
                    row_px=48,
                    empty="No install is past the deadline of its next step.",
                    label="Installs past a deadline, those that are late longest first",
                ),
                aside=_csv(slug, "stuck-installs"),
            ),
            panel(
                "What does not fit",
                grid(
                    ids.WITNESSES_FOUND,
                    _FOUND,
                    empty="What the platform says, what crosses and what is paid tell one story.",
                    label="Contradictions, the oldest first",
                ),
                aside=_csv(slug, "reconciliation"),
            ),
            panel(
                "The partner's own list",
                [
                    html.P("", id=ids.WITNESSES_LIST_SAID, className="lead"),
                    html.Div(
                        grid(
                            ids.WITNESSES_LIST,
                            _LIST,
                            label="How the partner's own list differs, by name",
                        ),
                        id=part(ids.WITNESSES_LIST, "all"),
                        className="gone",
                    ),
                ],
            ),
        ],
        id=part(_OF, "body"),
        className="page stack loading",
    )


def _csv(slug: str, what: str) -> html.A:
    return html.A("CSV", href=f"/api/v1/integrations/{quote(slug)}/{what}.csv", className="button")


def register(app: Dash) -> None:
    """The one callback of the page."""

    @app.callback(
        {
            "body": Output(part(_OF, "body"), "className"),
            "sentence": Output(part(_OF, "sentence"), "children"),
            "as_of": Output(part(_OF, "as-of"), "children"),
            "as_of_at": Output(part(_OF, "as-of"), "dateTime"),
            "stuck": Output(ids.WITNESSES_STUCK, "rowData"),
            "found": Output(ids.WITNESSES_FOUND, "rowData"),
            "listed": Output(ids.WITNESSES_LIST_SAID, "children"),
            "list": Output(ids.WITNESSES_LIST, "rowData"),
            "list_class": Output(part(ids.WITNESSES_LIST, "all"), "className"),
        },
        Input(ids.LOCATION, "search"),
        Input(ids.PULSE, "data"),
        State(ids.LOCATION, "pathname"),
    )
    @asking.main
    def refresh(search: str | None, _pulse: Any, pathname: str | None) -> asking.Props:
        return content(asking.asked(search), asking.slug_of(pathname, "witnesses"))


def content(ask: asking.Asked, slug: str) -> asking.Props:
    """The props of the page."""
    late, number = stuck(ask.reading, ask.scope, slug)
    found = reconciliation(ask.reading, ask.scope, slug)
    listed = partner_list(ask.reading, ask.scope, slug)
    return {
        "body": "page stack",
        "sentence": rows.sentence(number, found),
        "as_of": f"as of {show.clock(ask.now_us)}",
        "as_of_at": urlstate.iso(ask.now_us),
        "stuck": [rows.stuck_row(each, ask.now_us) for each in late],
        "found": [rows.finding_row(each, ask.now_us) for each in found.items],
        "listed": lists.said(listed, ask.now_us),
        "list": [lists.row(slug, each) for each in listed.items],
        "list_class": shown(bool(listed.items)),
    }
