"""The panel of one incident: its frozen evidence, who was told, and what may be done about it."""

import json
from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from app.auth import current_actor
from app.commands.alerting import silence_integration, take_incident
from app.domain.window import HOUR_US
from app.errors import NotFound, Refused, Unavailable
from app.queries import alerts as queries
from app.queries.results import IncidentView
from dashboards import asking, ids, router, words
from dashboards import format as show
from dashboards.components.attributes import aria, data
from dashboards.components.grid import column, grid
from dashboards.components.texts import shown
from dashboards.ids import part
from dashboards.pages import alert_rows
from dashboards.pages.tables import CELL, Row

_OF = ids.INCIDENT
_LONGEST_NUMBER = 18
_MOST_AT_ONCE = 50
_SILENCE_US = HOUR_US
_FIGURES = [
    column("name", "", "Text", keep=True, minWidth=90, flex=2, sortable=False),
    column("now", "When it began", "Text", right=True, keep=True, minWidth=90, flex=2,
           sortable=False),
    column("before", "The time before", "Text", right=True, keep=True, minWidth=90, flex=2,
           sortable=False),
]  # fmt: skip
_OPERATIONS = [
    column("operation", "Worst operations", "Text", keep=True, minWidth=150, flex=5),
    column("bad", "Bad", "Shown", right=True, keep=True, minWidth=100, flex=2),
    column("ratio", "Errors", "Shown", right=True, minWidth=84, flex=2),
    column("fault", "Fault", "Text", minWidth=84, flex=2),
]
_SAMPLES = [
    column("operation", "Exchanges that failed", "Code", keep=True, minWidth=150, flex=5,
           params={"sub": "sub"}),
    column("answer", "Answer", "Text", keep=True, minWidth=90, flex=3),
]  # fmt: skip
_TOLD = [
    column("at_us", "When", "When", minWidth=96, maxWidth=130, flex=2),
    column("status", "", "Status", keep=True, minWidth=104, maxWidth=130, flex=2),
    column("who", "Whom", "Linked", keep=True, minWidth=130, flex=4, params={"sub": "as"}),
    column("event", "Of what", "Text", minWidth=110, flex=2),
    column("why", "Why, or why not", "Text", keep=True, minWidth=130, flex=6),
]

_LISTS = {
    "figures": (_FIGURES, "Numbers were not kept of this one."),
    "operations": (_OPERATIONS, "No operation stood out."),
    "samples": (_SAMPLES, "No exchange was kept."),
    "told": (_TOLD, "Nobody of yours was told."),
}


def layout() -> html.Section:
    """The panel, hidden until an incident is chosen."""
    return html.Section(
        [
            html.Div(
                [
                    html.H2("", id=part(_OF, "title")),
                    html.A("Close", href="/alerts", className="aside"),
                ],
                className="panel-head",
            ),
            html.P("", id=part(_OF, "lead"), className="lead"),
            _actions(),
            html.Div(
                [
                    _list("figures", "Numbers when it began and in the time before"),
                    _list("operations", "Worst operations"),
                    _list("samples", "Exchanges that failed", 52),
                    _list("told", "Who was told, and why or why not", 52),
                ],
                id=part(_OF, "evidence"),
            ),
        ],
        id=_OF,
        className="panel gone",
        **aria(label="One incident"),
    )  # fmt: skip


def _list(name: str, label: str, row_px: int = 36) -> html.Div:
    columns, empty = _LISTS[name]
    return grid(part(_OF, name), columns, row_px=row_px, empty=empty, label=label)


def _actions() -> html.Div:
    return html.Div(
        [
            html.Button(
                "Acknowledge", id=ids.INCIDENT_TAKE, type="button", className="button main"
            ),
            html.Button(
                "Silence 1 h", id=ids.INCIDENT_SILENCE, type="button", className="button",
                title="Tell nobody of anything about this integration for an hour",
            ),
            html.A("", id=part(_OF, "of"), href="/alerts", className="gone", **data(keep="range")),
            html.Span("", id=ids.INCIDENT_SAID, className="detail", role="status"),
            dcc.Store(id=ids.INCIDENT_DONE),
        ],
        className="incident-actions",
    )  # fmt: skip


def outputs() -> dict[str, Output]:
    """What `props` gives values for."""
    return {
        "class": Output(_OF, "className"),
        "title": Output(part(_OF, "title"), "children"),
        "lead": Output(part(_OF, "lead"), "children"),
        "take": Output(ids.INCIDENT_TAKE, "className"),
        "silence": Output(ids.INCIDENT_SILENCE, "className"),
        "of": Output(part(_OF, "of"), "children"),
        "of_href": Output(part(_OF, "of"), "href"),
        "of_class": Output(part(_OF, "of"), "className"),
        "evidence": Output(part(_OF, "evidence"), "className"),
        **{name: Output(part(_OF, name), "rowData") for name in _LISTS},
    }


def content(ask: asking.Asked, search: str | None) -> asking.Props:
    """The panel of the incident that the address names."""
    given = router.query(search).get("incident")
    if given is None:
        return _props("panel gone", "", "")
    try:
        view = queries.incident(ask.reading, ask.scope, number(given))
    except NotFound:
        return _props(
            "panel", "There is no such incident", "It does not exist, or is not one of yours."
        )
    return props(view, ask.now_us)


def props(view: IncidentView, now_us: int) -> asking.Props:
    """Values for `outputs`."""
    found = _evidence(view.evidence)
    slug = view.integration
    return _props(
        "panel", f"{view.severity} · {alert_rows.about(view)}: {alert_rows.said(view.summary)}",
        lead(view, found, now_us),
    ) | {
        "take": shown(view.acked_us is None, "button main"),
        "silence": shown(slug is not None, "button"),
        "of": f"Health of {slug}" if slug else "",
        "of_href": f"/integrations/{slug}" if slug else "/alerts",
        "of_class": shown(slug is not None, "button"),
        "evidence": "incident-evidence",
        "figures": figures(found),
        "operations": [_operation(each) for each in found.get("operations", ())],
        "samples": [_sample(each) for each in found.get("samples", ())],
        "told": [alert_rows.told_row(*each) for each in enumerate(view.notifications)],
    }  # fmt: skip


def lead(view: IncidentView, found: dict[str, Any], now_us: int) -> str:
    """Since when, by which rule, whose it is, and what the numbers said."""
    if view.resolved_us is None:
        when = show.since(view.fired_us, now_us).capitalize()
    else:
        lasted = show.span(view.resolved_us - view.fired_us)
        when = f"{show.window(view.fired_us, view.resolved_us)}, {lasted}"
    whose = "nobody has it yet"
    if view.acked_us is not None:
        whose = f"{alert_rows.taken(view)} took it {show.ago(view.acked_us, now_us)}"
    whose += alert_rows.closed(view)
    found_then = alert_rows.said(found.get("now", {}).get("sentence", "").replace("`", ""))
    return f"{when}, rule {show.plain(view.rule, CELL)}; {whose}. {found_then}".strip()


def figures(found: dict[str, Any]) -> list[Row]:
    """The frozen numbers and those of the equal time before; none when they were not kept."""
    now, before = found.get("now"), found.get("before")
    if not now or not before:
        return []
    pairs = (
        ("Exchanges", show.count(now["proxied"]), show.count(before["proxied"])),
        ("Errors", show.ratio(now["error_ratio"]), show.ratio(before["error_ratio"])),
        ("p95", show.ms(now["latency_ms"]["p95"]), show.ms(before["latency_ms"]["p95"])),
        ("Excluded", show.count(now["excluded"]), show.count(before["excluded"])),
    )
    money = found.get("at_risk")
    at_risk = [("MRR at risk, that day", show.money(money["amount_minor"], money["currency"]),
                show.NONE)] if money else []  # fmt: skip
    return [
        {"id": name, "name": name, "now": one, "before": two}
        for name, one, two in (*pairs, *at_risk)
    ]


def number(text: str) -> int:
    """The number of an incident; `NotFound` for what is none."""
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST_NUMBER:
        raise NotFound("no such incident")
    return int(text)


def register(app: Dash) -> None:
    """The one callback that writes."""

    @app.callback(
        Output(ids.INCIDENT_DONE, "data"),
        Output(ids.INCIDENT_SAID, "children"),
        Input(ids.INCIDENT_TAKE, "n_clicks"),
        Input(ids.INCIDENT_SILENCE, "n_clicks"),
        State(ids.LOCATION, "search"),
        prevent_initial_call=True,
    )
    def act(take: Any, silence: Any, search: str | None) -> tuple[Any, Any]:
        if not take and not silence:
            return no_update, no_update
        ask = asking.asked("")
        doing = take_it if ctx.triggered_id == ids.INCIDENT_TAKE else silence_it
        return written(ask, lambda: doing(ask, router.query(search).get("incident", "")))


def chosen_ids(chosen: Any) -> list[str]:
    """The ids of the rows that a browser says are chosen."""
    rows = chosen[:_MOST_AT_ONCE] if isinstance(chosen, list) else []
    return [str(row["id"])[:99] for row in rows if isinstance(row, dict) and "id" in row]


def written(ask: asking.Asked, write: Any) -> tuple[Any, str]:
    """What a button that writes answers: a new moment when it did, and what to say."""
    try:
        return ask.now_us, write()
    except NotFound:
        return no_update, "There is no such thing of yours."
    except Refused as error:
        return no_update, f"{str(error)[:1].upper()}{str(error)[1:]}."
    except Unavailable:
        return no_update, "The registry cannot be written right now."


def take_it(ask: asking.Asked, given: str) -> str:
    """Acknowledge, unless somebody did."""
    mine = take_incident(
        ask.reading.engine, ask.scope, number=number(given), now_us=ask.now_us,
        actor=current_actor(),
    )  # fmt: skip
    return "It is yours now." if mine else "Somebody has it already."


def silence_it(ask: asking.Asked, given: str) -> str:
    """Silence everything about its integration for an hour from now."""
    view = queries.incident(ask.reading, ask.scope, number(given))
    if view.integration is None:
        raise Refused("only what is about an integration can be silenced here")
    silence_integration(
        ask.reading.engine, ask.scope, slug=view.integration, for_us=_SILENCE_US,
        comment=f"from incident {view.id}", now_us=ask.now_us, actor=current_actor(),
    )  # fmt: skip
    whom = "Nobody" if ask.scope.covers(None) else "Nobody of yours"
    return f"{whom} is told of anything about {view.integration} for an hour."


def _props(panel: str, title: str, said: str) -> asking.Props:
    """The panel without an incident in it."""
    hidden = dict.fromkeys(("take", "silence", "of_class", "evidence"), "gone")
    empty: dict[str, list[Row]] = {name: [] for name in _LISTS}
    return hidden | empty | {
        "class": panel, "title": title, "lead": said, "of": "", "of_href": "/alerts",
    }  # fmt: skip


def _evidence(text: str) -> dict[str, Any]:
    found = json.loads(text)
    return found if isinstance(found, dict) else {}


def _operation(found: dict[str, Any]) -> Row:
    return {
        "id": f"{found['operation']}",
        "operation": show.plain(found["operation"], CELL),
        "bad": found["bad"],
        "bad_text": f"{show.count(found['bad'])} of {show.count(found['exchanges'])}",
        "ratio": found["error_ratio"],
        "ratio_text": show.ratio(found["error_ratio"]),
        "fault": words.FAULTS.get(found["fault"] or "", show.NONE),
    }


def _sample(found: dict[str, Any]) -> Row:
    answer = found["status"] or found["error"] or words.OUTCOMES.get(found["outcome"], "")
    took = "" if found["total_ms"] is None else f" in {show.ms(found['total_ms'])}"
    return {
        "id": found["id"],
        "href": f"/exchanges/{found['id']}",
        "operation": show.plain(found["operation"], CELL),
        "sub": show.stamp(found["started_us"]),
        "answer": f"{show.plain(str(answer), CELL)}{took}",
    }
