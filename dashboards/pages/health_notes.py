"""Notes of the health page: the list of them, and the form that writes one."""

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update

from app.auth import current_actor
from app.commands.notes import KINDS, write_note
from app.errors import NotFound, Refused, Unavailable
from dashboards import asking, ids
from dashboards.components.attributes import aria
from dashboards.components.grid import column, grid
from dashboards.components.panel import panel
from dashboards.ids import part

_OF = ids.HEALTH_NOTES
_COLUMNS = [
    column("at_us", "When", "When", keep=True, minWidth=84, maxWidth=140, flex=3),
    column("kind", "Kind", "Text", minWidth=60, maxWidth=120, flex=2),
    column("text", "Note", "Text", keep=True, minWidth=100, flex=8),
    column("author", "By", "Text", minWidth=60, flex=3),
]  # fmt: skip
_KINDS = [{"value": kind, "label": kind} for kind in KINDS]


def notes() -> html.Section:
    """What was written about this time, and a line to write more."""
    body = grid(
        _OF,
        _COLUMNS,
        row_px=40,
        empty="No note about this time. A deploy is worth one: it shows on every chart.",
        label="Notes about this time",
    )
    return panel("Notes", [body, _form(), dcc.Store(id=part(_OF, "written"))], wide=True)


def _form() -> html.Div:
    return html.Div(
        [
            dmc.Select(
                id=part(_OF, "kind"), data=_KINDS, value="deploy", allowDeselect=False, size="sm",
                className="note-kind", **aria(label="Kind of the note"),
            ),
            dmc.TextInput(
                id=part(_OF, "text"), placeholder="Add a note, such as “Release 4.2”", size="sm",
                className="note-text", **aria(label="Text of the note"),
            ),
            dmc.DateTimePicker(
                id=part(_OF, "at"), placeholder="now", size="sm", clearable=True,
                valueFormat="D MMM HH:mm", className="note-at",
                popoverProps={"withinPortal": True, "zIndex": 400},
                **aria(label="The moment it is about; now unless chosen"),
            ),
            html.Button("Add", id=part(_OF, "add"), type="button", className="button"),
            html.Span("", id=part(_OF, "problem"), className="problem", role="status"),
        ],
        className="note-form",
    )  # fmt: skip


def register(app: Dash) -> None:
    """The one callback that writes."""

    @app.callback(
        Output(part(_OF, "written"), "data"),
        Output(part(_OF, "text"), "value"),
        Output(part(_OF, "problem"), "children"),
        Input(part(_OF, "add"), "n_clicks"),
        State(part(_OF, "text"), "value"),
        State(part(_OF, "kind"), "value"),
        State(part(_OF, "at"), "value"),
        State(ids.LOCATION, "pathname"),
        prevent_initial_call=True,
    )
    def write(clicks: Any, text: Any, kind: Any, at: Any, pathname: str | None) -> tuple[Any, ...]:
        if not clicks:
            return no_update, no_update, no_update
        ask, slug = asking.asked(""), asking.slug_of(pathname, "")
        try:
            _write(ask, slug, text, kind, at)
        except NotFound:
            return no_update, no_update, "There is no such integration."
        except Refused as error:
            return no_update, no_update, f"{str(error)[:1].upper()}{str(error)[1:]}."
        except Unavailable:
            return no_update, no_update, "The registry cannot be written right now."
        return ask.now_us, "", ""


def _write(ask: asking.Asked, slug: str, text: Any, kind: Any, at: Any) -> None:
    write_note(
        ask.reading.engine,
        ask.scope,
        slug=slug,
        kind=kind if isinstance(kind, str) else "",
        text=text if isinstance(text, str) else "",
        at_us=asking.moment_of(at, ask.now_us),
        now_us=ask.now_us,
        actor=current_actor(),
    )
