"""The overview: every integration of the caller, trouble first."""

from typing import Any

from dash import Dash, Input, Output, html

from app.queries import league
from app.queries.results import Health, IntegrationView
from dashboards import asking, ids, urlstate, words
from dashboards import format as show
from dashboards.components import strip
from dashboards.components.attributes import aria
from dashboards.components.grid import column, grid
from dashboards.components.strip import Figure, Place
from dashboards.components.texts import badge_class
from dashboards.ids import part
from dashboards.pages import tables

PATH = "/"
NAME = "Overview"

CARDS = 6
_OF = "overview"
_PLACES = (
    Place("exchanges", "Exchanges", "exchanges"),
    Place("ratio", "Errors", "error_ratio"),
    Place("trouble", "In trouble", "needs_person"),
    Place("excluded", "Excluded", "excluded"),
    Place("shed", "Not recorded", "shed"),
)
_D = words.DEFINITIONS
_COLUMNS = [
    column("name", "Integration", "Linked", keep=True, minWidth=112, flex=3,
           params={"sub": "partner"}),
    column("rank", "Status", "Status", keep=True, minWidth=136, flex=4),
    column("exchanges", "Exchanges", "Shown", right=True, tip=_D["exchanges"], minWidth=96, flex=2),
    column("ratio", "Errors", "Shown", right=True, tip=_D["error_ratio"], keep=True, minWidth=92,
           flex=2, params={"note": "ratio_note", "tone": "ratio_tone", "tip": "ratio_tip"}),
    column("p95", "p95", "Shown", right=True, tip=_D["p95"], minWidth=84, flex=2,
           params={"tone": "p95_tone"}),
    column("excluded", "Excluded", "Shown", right=True, tip=_D["excluded"], minWidth=84, flex=2),
    column("fault", "Fault", "Faults", tip=_D["fault"], minWidth=104, flex=2),
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
            html.Div([_card(place) for place in range(CARDS)], className="cards"),
            html.Div("", id=ids.OVERVIEW_PERIOD, className="period"),
            strip.strip(_OF, _PLACES),
            html.H2("", id=ids.OVERVIEW_COUNT, className="list-title"),
            html.Section(
                grid(
                    ids.OVERVIEW_GRID,
                    _COLUMNS,
                    row_px=54,
                    page_size=50,
                    empty="No integration yet: `python -m app import FILE` brings them in.",
                    label="Integrations, trouble first",
                ),
                className="panel",
            ),
            html.Div(_legend(), className="legend"),
        ],
        id=ids.OVERVIEW_BODY,
        className="page loading",
    )


def register(app: Dash) -> None:
    """The one callback of the page."""

    @app.callback(
        {
            "body": Output(ids.OVERVIEW_BODY, "className"),
            "title": Output(ids.OVERVIEW_TITLE, "children"),
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
        window = ask.range.window
        now = league(ask.reading, ask.scope, window)
        before = league(ask.reading, ask.scope, window.previous())
        return content(now, before, ask, search or "")


def content(
    now: list[tuple[IntegrationView, Health]],
    before: list[tuple[IntegrationView, Health]],
    ask: asking.Asked,
    search: str,
) -> asking.Props:
    """The props of the whole page."""
    rows = [tables.league_row(view, health, search) for view, health in now]
    troubled = [pair for pair in now if words.status(pair[1].status).needs_person]
    return {
        "body": "page",
        "title": words.opening(len(troubled), len(now)),
        "period": compared(ask),
        "count": f"{len(now):,} integration{'' if len(now) == 1 else 's'} by trouble",
        "rows": rows,
        "as_of": f"as of {show.clock(ask.now_us)}",
        "as_of_at": urlstate.iso(ask.now_us),
        "strip": strip.props(_figures([h for _, h in now], [h for _, h in before])),
        "cards": [
            prop
            for place in range(CARDS)
            for prop in _card_props(troubled[place] if place < len(troubled) else None, search)
        ],
    }


def period(ask: asking.Asked) -> str:
    """`Last 24 h` or `22 Nov 09:10 to 09:40 UTC`."""
    window = ask.range.window
    if ask.range.preset:
        return f"Last {show.duration(ask.range.preset)}"
    return f"{show.minute(window.start_us)} to {show.minute(window.end_us)} UTC"


def compared(ask: asking.Asked) -> str:
    """The period, and the one it is compared with."""
    length = ask.range.window.length_us
    before = show.duration(ask.range.preset) if ask.range.preset else show.span(length)
    return f"{period(ask)}, compared with the {before} before"


def _figures(now: list[Health], before: list[Health]) -> list[Figure]:
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
        Figure(show.count(shed), "", "passed, not counted", tone="warn", shown=shed > 0),
    ]


def _total(healths: list[Health], field: str) -> int:
    return sum(getattr(health, field) for health in healths)


def _ratio(healths: list[Health]) -> float | None:
    good, bad = _total(healths, "good"), _total(healths, "bad")
    return bad / (good + bad) if good + bad else None


def _in_trouble(healths: list[Health]) -> int:
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


def _card_props(pair: tuple[IntegrationView, Health] | None, search: str) -> list[str]:
    if pair is None:
        return ["card gone", "/", "", "", "badge", "", ""]
    view, health = pair
    row = tables.league_row(view, health, search)
    note = f"{view.partner_name} · {row['exchanges_text']} exchanges · p95 {row['p95_text']}"
    return [
        f"card tone-{row['tone']}",
        row["href"],
        view.name,
        row["status"],
        badge_class(health.status),
        prose(health.sentence),
        note,
    ]


def prose(sentence: str) -> str:
    """A sentence of `app.domain.sentence` as plain text: its back-quotes mark operations."""
    return sentence.replace("`", "")


def _legend() -> list[html.Span]:
    return [
        html.Span([html.I(className=f"swatch fault-{fault}", **aria(hidden="true")), fault])
        for fault in ("partner", "platform", "network", "customer")
    ]
