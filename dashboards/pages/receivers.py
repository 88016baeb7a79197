"""Two panels of the page of alerts: who can be told, and who is on call now and in two weeks.

They are for whoever sees everything; nobody else finds a word of them.
"""

from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update

from app.auth import current_actor
from app.commands.receivers import ReceiversView, ask_for_test, receivers_view
from dashboards import asking, ids
from dashboards.components.grid import column, grid
from dashboards.components.panel import panel
from dashboards.components.texts import shown
from dashboards.ids import part
from dashboards.pages import incident, receiver_rows

_RECEIVERS = [
    column("name", "Receiver", "Text", keep=True, minWidth=110, flex=2),
    column("kind", "By", "Text", minWidth=90, flex=1),
    column("where", "Where", "Text", minWidth=150, flex=4),
    column("tested", "Newest test", "Status", keep=True, minWidth=130, flex=4),
]  # fmt: skip
_SHIFTS = [
    column("schedule", "Schedule", "Text", minWidth=100, flex=2),
    column("who", "On call", "Text", keep=True, minWidth=150, flex=4),
    column("starts", "From", "Shown", keep=True, minWidth=110, flex=2),
    column("ends", "Until", "Shown", minWidth=110, flex=2),
    column("note", "", "Status", minWidth=104, flex=2),
]  # fmt: skip


def layout() -> list[Any]:
    """Both panels, hidden until somebody who may see them asks."""
    receivers = panel(
        "Receivers",
        [
            html.P("", id=part(ids.RECEIVERS, "problem"), className="detail", role="status"),
            grid(
                ids.RECEIVERS, _RECEIVERS, choose=True, label="Receivers",
                empty="receivers.yaml names none: the ecosystem team is told by mail.",
            ),
            html.Div(
                [
                    html.Button(
                        "Send a test", id=ids.RECEIVERS_TEST, type="button", className="button"
                    ),
                    html.Span("", id=ids.RECEIVERS_SAID, className="detail", role="status"),
                    dcc.Store(id=ids.RECEIVERS_DONE),
                ],
                className="incident-actions",
            ),
        ],
    )  # fmt: skip
    on_call = panel(
        "On call",
        [
            html.P("", id=part(ids.ON_CALL, "now"), className="lead"),
            grid(ids.ON_CALL, _SHIFTS, label="Who is on call, two weeks ahead",
                 empty="There is no schedule."),
        ],
    )  # fmt: skip
    return [
        html.Div(receivers, id=part(ids.RECEIVERS, "panel"), className="gone"),
        html.Div(on_call, id=part(ids.ON_CALL, "panel"), className="gone"),
    ]


def outputs() -> dict[str, Output]:
    """What `content` gives values for."""
    return {
        "class": Output(part(ids.RECEIVERS, "panel"), "className"),
        "rows": Output(ids.RECEIVERS, "rowData"),
        "problem": Output(part(ids.RECEIVERS, "problem"), "children"),
        "on_call_class": Output(part(ids.ON_CALL, "panel"), "className"),
        "now": Output(part(ids.ON_CALL, "now"), "children"),
        "shifts": Output(ids.ON_CALL, "rowData"),
    }


def content(ask: asking.Asked) -> asking.Props:
    """The panels within the scope of whoever asks."""
    view = receivers_view(ask.reading.engine, asking.home(), ask.scope, ask.now_us)
    if view is None:
        return _props(ReceiversView((), (), ()), ask.now_us) | {
            "class": "gone", "on_call_class": "gone",
        }  # fmt: skip
    return _props(view, ask.now_us)


def _props(view: ReceiversView, now_us: int) -> asking.Props:
    return {
        "class": "",
        "rows": [receiver_rows.receiver_row(each) for each in view.receivers],
        "problem": receiver_rows.problem(view.problems),
        "on_call_class": shown(bool(view.shifts), ""),
        "now": receiver_rows.on_call_now(view.shifts, now_us),
        "shifts": [
            receiver_rows.shift_row(place, each, now_us) for place, each in enumerate(view.shifts)
        ],
    }


def register(app: Dash, path: str) -> None:
    """The callback that writes, on the page at `path`."""

    @app.callback(
        Output(ids.RECEIVERS_DONE, "data"),
        Output(ids.RECEIVERS_SAID, "children"),
        Input(ids.RECEIVERS_TEST, "n_clicks"),
        State(ids.RECEIVERS, "selectedRows"),
        State(ids.LOCATION, "pathname"),
        prevent_initial_call=True,
    )
    def test(clicks: Any, chosen: Any, pathname: str | None) -> tuple[Any, Any]:
        if not clicks or pathname != path:
            return no_update, no_update
        names = incident.chosen_ids(chosen)
        if not names:
            return no_update, "Choose a receiver first."
        ask = asking.asked("")
        return incident.written(ask, lambda: _test_all(ask, names))


def _test_all(ask: asking.Asked, names: list[str]) -> str:
    for name in names:
        ask_for_test(
            ask.reading.engine, asking.home(), ask.scope, name=name, now_us=ask.now_us,
            actor=current_actor(),
        )  # fmt: skip
    return "On its way: what becomes of it stands in the list within seconds."
