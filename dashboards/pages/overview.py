"""The overview: every integration of the caller, trouble first."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, html
from flask import current_app

from app.auth import current_scope
from app.domain.scope import Scope
from app.queries import Overview, OverviewRow
from app.queries.results import Health
from dashboards import asking, ids, router, urlstate, words, zone
from dashboards import format as show
from dashboards.client import clientside
from dashboards.components import states, strip
from dashboards.components.attributes import aria
from dashboards.components.grid import column, grid
from dashboards.components.panel import choices
from dashboards.components.strip import Figure, Place
from dashboards.components.texts import badge_class, shown
from dashboards.ids import part
from dashboards.pages import overview_rows
from dashboards.pages.health_figures import refused
from dashboards.pages.overview_rows import GROUPS, ONLY

PATH = "/"
NAME = "Overview"

CARDS = 6
_OF = "overview"
_PLACES = (
    Place("exchanges", "Exchanges", "exchanges"),
    Place("ratio", "Errors", "error_ratio"),
    Place("trouble", "In trouble", "needs_person"),
    Place("excluded", "Excluded", "excluded"),
    Place("refused", "Refused", "refused"),
    Place("shed", "Not recorded", "shed"),
)
_D = words.DEFINITIONS
_COLUMNS = [
    column("name", "Integration", "Linked", keep=True, minWidth=112, flex=3,
           params={"sub": "partner"}),
    column("rank", "Status", "Status", tip=_D["status"], keep=True, minWidth=136, flex=5),
    column("traffic", "Traffic", "Spark", tip=_D["traffic"], minWidth=118, flex=2),
    column("ratio", "Errors", "Shown", right=True, tip=_D["error_ratio"], keep=True, minWidth=92,
           flex=2, params={"note": "ratio_note", "tone": "ratio_tone", "tip": "ratio_tip",
                           "sub": "ratio_sub"}),
    column("p95", "p95", "Shown", right=True, tip=_D["p95"], minWidth=84, flex=2,
           params={"tone": "p95_tone", "sub": "p95_sub"}),
    column("budget", "Budget left", "Budget", tip=_D["budget_left"], minWidth=132, flex=2),
    column("risk", "At risk", "Shown", right=True, tip=_D["at_risk"], minWidth=104, flex=2,
           params={"sub": "risk_sub"}, sortingOrder=["desc", "asc", None]),
    column("fault", "Whose fault", "Faults", tip=_D["fault"], minWidth=92, flex=2),
    {"field": "search", "hide": True, "context": {"keep": False, "never": True}},
]  # fmt: skip


def layout(**_query: str) -> html.Div:
    """The skeleton."""
    return html.Div(
        [
            html.Div(
                [
                    html.H1(" ", id=ids.OVERVIEW_TITLE),
                    html.Time("", id=part(_OF, "as-of"), className="as-of"),
                ],
                className="title-row",
            ),
            html.P("", id=part(_OF, "whose"), className="opening"),
            html.Div(_first_steps(current_scope()), id=part(_OF, "first"), className="gone"),
            html.Div(
                [
                    html.Div([_card(place) for place in range(CARDS)], className="cards"),
                    html.Div("", id=ids.OVERVIEW_PERIOD, className="period"),
                    strip.strip(_OF, _PLACES),
                    _toolbar(),
                    html.Section(_grid(), className="panel"),
                    html.Div(_legend(), className="legend"),
                ],
                id=part(_OF, "full"),
                className="stack",
            ),
        ],
        id=ids.OVERVIEW_BODY,
        className="page loading",
    )


def register(app: Dash) -> None:
    """The one callback of the page, and what the browser does by itself."""

    @app.callback(
        {
            "body": Output(ids.OVERVIEW_BODY, "className"),
            "title": Output(ids.OVERVIEW_TITLE, "children"),
            "whose": Output(part(_OF, "whose"), "children"),
            "first": Output(part(_OF, "first"), "className"),
            "full": Output(part(_OF, "full"), "className"),
            "period": Output(ids.OVERVIEW_PERIOD, "children"),
            "count": Output(ids.OVERVIEW_COUNT, "children"),
            "rows": Output(ids.OVERVIEW_GRID, "rowData"),
            "as_of": Output(part(_OF, "as-of"), "children"),
            "as_of_at": Output(part(_OF, "as-of"), "dateTime"),
            "strip": [Output(*pair) for pair in strip.outputs(_OF, _PLACES)],
            "cards": [Output(*pair) for place in range(CARDS) for pair in _card_outputs(place)],
        },
        Input(ids.LOCATION, "search"),
        Input(ids.PULSE, "data"),
    )
    @asking.main
    def refresh(search: str | None, _pulse: Any) -> asking.Props:
        ask = asking.asked(search)
        query = router.query(search)
        shape = (bool(search), query.get("only") in ONLY and query["only"],
                 query.get("group") in GROUPS and query["group"], zone.current())  # fmt: skip
        props: asking.Props = asking.shared(
            ask, ("overview page", ask.range, shape),
            lambda: content(asking.shared_overview(ask), ask, search or ""),
        )  # fmt: skip
        return props

    typed = Input(part(_OF, "find"), "value")
    clientside(app, "narrow", Output(part(_OF, "find"), "title"), typed, first=False)


def content(found: Overview, ask: asking.Asked, search: str) -> asking.Props:
    """The props of the whole page. Links keep the range, and nothing else of the address."""
    query = router.query(search)
    keep = urlstate.build(ask.range) if search else ""
    rows = overview_rows.rows(
        found.rows, keep, ask.now_us, only=query.get("only", ""), group=query.get("group", "")
    )
    troubled = [each for each in found.rows if words.status(each.now.status).needs_person]
    empty = not found.rows
    return {
        "body": "page",
        "title": words.opening(len(troubled), len(found.rows)),
        "whose": words.whose([words.main_of(each.now.by_fault) for each in troubled]),
        "first": shown(empty),
        "full": shown(not empty, "stack"),
        "period": compared(ask),
        "count": _count(len(found.rows), sum("head" not in row for row in rows), query),
        "rows": rows,
        "as_of": f"as of {show.clock(found.as_of_us)}",
        "as_of_at": urlstate.iso(found.as_of_us),
        "strip": strip.props(_figures(found.rows)),
        "cards": [
            prop
            for place in range(CARDS)
            for prop in _card_props(troubled[place] if place < len(troubled) else None, keep, ask)
        ],
    }


def period(ask: asking.Asked) -> str:
    """`Last 24 h` or `22 Nov 09:10 to 09:40 UTC`."""
    window = ask.range.window
    if ask.range.preset:
        return f"Last {show.duration(ask.range.preset)}"
    return show.window(window.start_us, window.end_us)


def compared(ask: asking.Asked) -> str:
    """The period, and the one it is compared with."""
    length = ask.range.window.length_us
    before = show.duration(ask.range.preset) if ask.range.preset else show.span(length)
    return f"{period(ask)}, compared with the {before} before"


def prose(sentence: str) -> str:
    """A sentence of `app.domain.sentence` as plain text: its back-quotes mark operations."""
    return sentence.replace("`", "")


def _count(known: int, shown_rows: int, query: dict[str, str]) -> str:
    text = f"{known:,} integration{'' if known == 1 else 's'}"
    if query.get("only") in ONLY:
        text = f"{shown_rows:,} of {text}"
    by = GROUPS.get(query.get("group", ""), "").lower()
    return f"{text} by {by}, then trouble" if by else f"{text} by trouble"


def _figures(rows: Sequence[OverviewRow]) -> list[Figure]:
    now = [each.now for each in rows]
    before = [each.before for each in rows if each.before]
    exchanges, exchanges_before = _total(now, "proxied"), _total(before, "proxied")
    ratio, ratio_before = _ratio(now), _ratio(before)
    in_trouble, in_trouble_before = _in_trouble(now), _in_trouble(before)
    excluded, shed = _total(now, "excluded"), _total(now, "shed")
    return [
        Figure(show.count(exchanges), show.change(exchanges, exchanges_before)),
        Figure(show.ratio(ratio), show.points(ratio, ratio_before)),
        Figure(
            f"{in_trouble:,} of {len(now):,}",
            f"{in_trouble_before:,} before",
            tone="bad" if in_trouble else "",
        ),
        Figure(
            show.count(excluded),
            show.change(excluded, _total(before, "excluded")),
            f"{show.ratio(excluded / exchanges)} of all" if exchanges else "",
        ),
        refused(now, before),
        Figure(show.count(shed), "", "passed, not counted", tone="warn", shown=shed > 0),
    ]


def _total(healths: Sequence[Health], field: str) -> int:
    return sum(getattr(health, field) for health in healths)


def _ratio(healths: Sequence[Health]) -> float | None:
    good, bad = _total(healths, "good"), _total(healths, "bad")
    return bad / (good + bad) if good + bad else None


def _in_trouble(healths: Sequence[Health]) -> int:
    return sum(words.status(health.status).needs_person for health in healths)


def _card(place: int) -> html.A:
    of = part("card", str(place))
    return html.A(
        [
            html.Div(
                [
                    html.Strong("", id=part(of, "name")),
                    html.Span("", id=part(of, "badge"), className="badge"),
                ],
                className="between",
            ),
            html.Div("", id=part(of, "sentence"), className="sentence"),
            html.Div("", id=part(of, "note"), className="note"),
        ],
        id=of,
        href="/",
        className="card gone",
    )


def _card_outputs(place: int) -> list[tuple[str, str]]:
    of = part("card", str(place))
    return [
        (of, "className"),
        (of, "href"),
        (part(of, "name"), "children"),
        (part(of, "badge"), "children"),
        (part(of, "badge"), "className"),
        (part(of, "sentence"), "children"),
        (part(of, "note"), "children"),
    ]


def _card_props(each: OverviewRow | None, keep: str, ask: asking.Asked) -> list[str]:
    if each is None:
        return ["card gone", "/", "", "", "badge", "", ""]
    row = overview_rows.row(each, keep, ask.now_us)
    since = ""
    if each.trouble is not None and each.trouble.whole:
        since = f"{show.since(each.trouble.window.start_us, ask.now_us)} · "
    note = f"{row['traffic_text']} exchanges · p95 {row['p95_text']}"
    return [
        f"card tone-{row['tone']}",
        row["href"],
        each.view.name,
        row["status"],
        badge_class(each.now.status),
        prose(each.now.sentence),
        f"{each.view.partner_name} · {since}{note}",
    ]


def _toolbar() -> html.Div:
    return html.Div(
        [
            html.H2("", id=ids.OVERVIEW_COUNT, className="list-title"),
            dmc.TextInput(
                id=part(_OF, "find"),
                placeholder="Search these integrations",
                size="sm",
                className="list-find",
                **aria(label="Search these integrations"),
            ),
            choices("only", "Which", {"": "All", **ONLY}),
            choices("group", "In groups by", {"": "No groups", **GROUPS}),
        ],
        className="toolbar",
    )


def _grid() -> html.Div:
    return grid(
        ids.OVERVIEW_GRID,
        _COLUMNS,
        row_px=54,
        page_size=25,
        empty="No integration is like that in this time.",
        label="Integrations, trouble first",
    )


def _first_steps(scope: Scope) -> html.Div:
    settings = current_app.extensions["midspan"].settings
    if not scope.covers(None):
        return states.nothing_yours()
    return states.first_steps(str(settings.outbound_bind), str(settings.inbound_bind))


def _legend() -> list[html.Span]:
    return [
        html.Span([html.I(className=f"swatch fault-{fault}", **aria(hidden="true")), fault])
        for fault in ("partner", "platform", "network", "customer")
    ]
