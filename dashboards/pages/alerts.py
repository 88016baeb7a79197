"""What fires and what fired, one incident with its evidence, and what is silenced."""

from typing import Any
from urllib.parse import urlencode

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.exceptions import PreventUpdate

from app.auth import current_actor
from app.commands.alerting import end_silences
from app.queries import alerts as queries
from app.queries.results import IncidentView
from dashboards import asking, ids, router, urlstate
from dashboards import format as show
from dashboards.components.grid import column, grid
from dashboards.components.panel import panel
from dashboards.components.texts import shown
from dashboards.pages import alert_rows, incident, receivers

PATH = "/alerts"
NAME = "Alerts"

_HISTORY = 50


def _columns(*last: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        column("severity", "", "Status", keep=True, minWidth=64, maxWidth=76, flex=1),
        column("summary", "What", "Linked", keep=True, minWidth=170, flex=6,
               params={"sub": "rule"}),
        column("about", "About", "Text", minWidth=110, flex=3),
        column("fired_us", "Began", "When", keep=True, minWidth=96, maxWidth=130, flex=2),
        column("lasted", "Lasted", "Shown", minWidth=104, flex=2),
        *last,
        column("taken", "Taken by", "Text", minWidth=120, flex=3),
    ]  # fmt: skip


_SILENCES = [
    column("what", "About", "Text", keep=True, minWidth=120, flex=3),
    column("rule", "Rule", "Text", minWidth=100, flex=2),
    column("ends", "In force", "Shown", keep=True, minWidth=110, flex=2,
           params={"tip": "stamp"}),
    column("by", "By", "Text", minWidth=120, flex=3),
    column("comment", "Why", "Text", minWidth=120, flex=4),
]  # fmt: skip


def layout(**_query: str) -> html.Div:
    """The skeleton; the same for everybody."""
    return html.Div(
        [
            html.Div(
                [
                    html.H1("Alerts"),
                    html.A("Rules", href="/alerts/rules", className="button"),
                    html.Time("", id=ids.ALERTS_AS_OF, className="as-of"),
                ],
                className="title-row",
            ),
            html.P("", id=ids.ALERTS_SENTENCE, className="opening"),
            html.Div("", id=ids.ALERTS_LATE, className="quiet late gone", role="status"),
            incident.layout(),
            panel("Firing now", _list(ids.ALERTS_FIRING, _columns(), "Nothing fires.")),
            panel(
                "History",
                [
                    _list(
                        ids.ALERTS_HISTORY,
                        _columns(column("state", "State", "Text", minWidth=84, flex=2)),
                        "There was no incident yet.",
                    ),
                    html.Div(
                        html.A("Older", href="/alerts", id=ids.ALERTS_OLDER, className="gone"),
                        className="pager",
                    ),
                ],
            ),
            panel("Silences", [_silences(), _end()]),
            *receivers.layout(),
        ],
        id=ids.ALERTS_BODY,
        className="page loading",
    )


def _list(of: str, columns: list[dict[str, Any]], empty: str) -> html.Div:
    label = "Incidents that are not over" if of == ids.ALERTS_FIRING else "Incidents, newest first"
    return grid(of, columns, row_px=52, empty=empty, label=label)


def _silences() -> html.Div:
    return grid(
        ids.ALERTS_SILENCES, _SILENCES, choose=True, empty="Nothing is silenced.",
        label="Silences in force or to come",
    )  # fmt: skip


def _end() -> html.Div:
    return html.Div(
        [
            html.Button("End the chosen", id=ids.ALERTS_END, type="button", className="button"),
            html.Span("", id=ids.part(ids.ALERTS_END, "said"), className="detail", role="status"),
            dcc.Store(id=ids.ALERTS_ENDED),
        ],
        id=ids.part(ids.ALERTS_END, "row"),
        className="incident-actions gone",
    )


def register(app: Dash) -> None:
    """The callback that reads, and those that write."""
    incident.register(app)
    receivers.register(app, PATH)
    _register_end(app)

    @app.callback(
        {
            "body": Output(ids.ALERTS_BODY, "className"),
            "sentence": Output(ids.ALERTS_SENTENCE, "children"),
            "as_of": Output(ids.ALERTS_AS_OF, "children"),
            "as_of_at": Output(ids.ALERTS_AS_OF, "dateTime"),
            "late": Output(ids.ALERTS_LATE, "children"),
            "late_class": Output(ids.ALERTS_LATE, "className"),
            "firing": Output(ids.ALERTS_FIRING, "rowData"),
            "history": Output(ids.ALERTS_HISTORY, "rowData"),
            "older": Output(ids.ALERTS_OLDER, "href"),
            "older_class": Output(ids.ALERTS_OLDER, "className"),
            "silences": Output(ids.ALERTS_SILENCES, "rowData"),
            "end_class": Output(ids.part(ids.ALERTS_END, "row"), "className"),
            "incident": incident.outputs(),
            "receivers": receivers.outputs(),
        },
        Input(ids.LOCATION, "search"),
        Input(ids.PULSE, "data"),
        Input(ids.INCIDENT_DONE, "data"),
        Input(ids.ALERTS_ENDED, "data"),
        Input(ids.RECEIVERS_DONE, "data"),
        State(ids.LOCATION, "pathname"),
    )
    @asking.main
    def refresh(
        search: str | None,
        _pulse: Any,
        _done: Any,
        _ended: Any,
        _asked: Any,
        pathname: str | None,
    ) -> asking.Props:
        if pathname != PATH:
            raise PreventUpdate
        return content(asking.asked(search), search)


def _register_end(app: Dash) -> None:
    @app.callback(
        Output(ids.ALERTS_ENDED, "data"),
        Output(ids.part(ids.ALERTS_END, "said"), "children"),
        Input(ids.ALERTS_END, "n_clicks"),
        State(ids.ALERTS_SILENCES, "selectedRows"),
        State(ids.LOCATION, "pathname"),
        prevent_initial_call=True,
    )
    def end(clicks: Any, chosen: Any, pathname: str | None) -> tuple[Any, Any]:
        if not clicks or pathname != PATH:
            return no_update, no_update
        numbers = incident.chosen_ids(chosen)
        if not numbers:
            return no_update, "Choose a silence first."
        ask = asking.asked("")
        return incident.written(ask, lambda: _end_all(ask, numbers))


def _end_all(ask: asking.Asked, given: list[str]) -> str:
    end_silences(
        ask.reading.engine, ask.scope, numbers=[incident.number(each) for each in given],
        now_us=ask.now_us, actor=current_actor(),
    )  # fmt: skip
    return "Ended."


def content(ask: asking.Asked, search: str | None) -> asking.Props:
    """The props of the page."""
    given = router.query(search).get("before", "")
    before = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None
    firing = queries.incidents(ask.reading, ask.scope, open_only=True, limit=queries.MOST)
    history = queries.incidents(ask.reading, ask.scope, before=before, limit=_HISTORY)
    silences = queries.silences(ask.reading, ask.scope)
    late = alert_rows.late(queries.evaluated_us(asking.home()), ask.now_us)
    return {
        "body": "page",
        "sentence": _sentence(ask, firing.items, history.items),
        "as_of": f"as of {show.clock(ask.now_us)}",
        "as_of_at": urlstate.iso(ask.now_us),
        "late": late,
        "late_class": shown(bool(late), "quiet late"),
        "firing": [alert_rows.incident_row(each, ask.now_us) for each in firing.items],
        "history": [alert_rows.incident_row(each, ask.now_us) for each in history.items],
        "older": "/alerts?" + urlencode({"before": history.next or ""}),
        "older_class": shown(history.next is not None, "button"),
        "silences": [alert_rows.silence_row(each, ask.now_us) for each in silences],
        "end_class": shown(bool(silences), "incident-actions"),
        "incident": incident.content(ask, search),
        "receivers": receivers.content(ask),
    }


def _sentence(
    ask: asking.Asked, firing: tuple[IncidentView, ...], history: tuple[IncidentView, ...]
) -> str:
    ended = [each.resolved_us for each in history if each.resolved_us is not None]
    number = len(firing)
    if number >= queries.MOST:
        number = queries.firing(ask.reading, ask.scope)
    untaken = number - sum(each.acked_us is not None for each in firing)
    return alert_rows.sentence(number, untaken, max(ended, default=None), ask.now_us)
