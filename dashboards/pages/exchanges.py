"""The exchanges of one integration, newest first, a page at a time."""

from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import quote, urlencode

from dash import Dash, Input, Output, State, dcc, html

from app.auth import current_scope
from app.domain.words import Direction, Fault, Kind, Outcome, Verdict, Word
from app.errors import BadQuery
from app.queries import ExchangeFilter, get_integration, list_exchanges
from dashboards import asking, ids, router, urlstate, words
from dashboards import format as show
from dashboards.client import clientside
from dashboards.components.attributes import aria, data
from dashboards.components.grid import column, grid
from dashboards.components.texts import shown
from dashboards.ids import part
from dashboards.pages import exchange_filters, header, tables
from dashboards.pages.overview import period

PATH = "/integrations/<slug>/exchanges"
NAME = "Exchanges"

ROWS = 50
#: How often a list that is followed is read; it rests while its reader has scrolled down.
TAIL_MS = 2_000
_OF = "exchanges"
_D = words.DEFINITIONS
_COLUMNS = [
    column("started_us", "When", "When", keep=True, minWidth=96, maxWidth=130, flex=2,
           params={"href": "href"}),
    column("operation", "Operation", "Code", keep=True, minWidth=150, flex=4,
           params={"sub": "sub", "plain": True}),
    column("outcome", "Result", "Toned", keep=True, minWidth=88, flex=2, params={"tone": "tone"}),
    column("error", "Error", "Text", minWidth=140, flex=4),
    column("fault", "Fault", "Text", tip=_D["fault"], minWidth=84, flex=2),
    column("verdict", "Counts as", "Text", minWidth=92, flex=2),
    column("total", "Duration", "Shown", right=True, tip=_D["total_ms"], minWidth=92, flex=2),
    column("installation", "Installation", "Text", minWidth=110, flex=2),
]  # fmt: skip
_VOCABULARIES: tuple[tuple[str, type[Word]], ...] = (
    ("verdict", Verdict), ("outcome", Outcome), ("fault", Fault), ("direction", Direction),
    ("kind", Kind),
)  # fmt: skip
#: Names in the address that are texts, and the fields of the filter that they fill.
_FIELDS = {
    "operation": "operation", "installation": "installation", "customer": "customer",
    "topic": "topic", "method": "method", "error": "error", "delivery": "delivery",
    "trace": "trace_id", "q": "text",
}  # fmt: skip
_NUMBERS = {"status": "status", "min_ms": "least_us"}
_PACE = [
    html.A("Live", href="?live=1", className="choice", **data(param="live", value="1")),
    html.A("Calm", href="?", className="choice", **data(param="live", value="")),
]
_CHOICES: tuple[tuple[str, dict[str, str]], ...] = (
    ("All", {}),
    ("Bad", {"verdict": "bad"}),
    ("Excluded", {"verdict": "excluded"}),
    ("Good", {"verdict": "good"}),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for: a filter, a place in the list, and it in words."""

    where: ExchangeFilter
    cursor: str | None
    said: str
    problem: str | None = None


def layout(slug: str, **query: str) -> html.Div:
    """The skeleton; `NotFound` for an integration that the caller may not see."""
    view = get_integration(asking.reading(), current_scope(), slug)
    return html.Div(
        [
            *header.header(_OF, view, "Exchanges"),
            html.Div(
                [
                    html.Div("", id=ids.EXCHANGES_TITLE, className="period"),
                    html.Nav(_PACE, className="choices", **aria(label="How often it is read")),
                    html.Nav(_choices(slug), className="choices", **aria(label="Counts as")),
                ],
                className="title-row",
            ),
            exchange_filters.bar(query),
            html.Div("", id=ids.EXCHANGES_PROBLEM, className="quiet gone"),
            html.Section(
                grid(
                    ids.EXCHANGES_GRID,
                    _COLUMNS,
                    row_px=44,
                    empty="No exchange matches in this time.",
                    label="Exchanges, newest first",
                ),
                className="panel",
            ),
            html.Div(
                [
                    html.A("CSV", id=ids.EXCHANGES_CSV, href="", className="button"),
                    html.A("Newest", id=ids.EXCHANGES_NEWEST, href="", className="button gone"),
                    html.A("Older", id=ids.EXCHANGES_OLDER, href="", className="button gone"),
                ],
                className="pager",
            ),
            dcc.Interval(id=ids.EXCHANGES_TICK, interval=TAIL_MS),
            dcc.Store(id=ids.EXCHANGES_TAIL),
        ],
        id=part(_OF, "body"),
        className="page loading",
    )


def register(app: Dash) -> None:
    """The one callback of the page, and its filters."""
    exchange_filters.register(app)

    @app.callback(
        {
            "body": Output(part(_OF, "body"), "className"),
            "rows": Output(ids.EXCHANGES_GRID, "rowData"),
            "title": Output(ids.EXCHANGES_TITLE, "children"),
            "as_of": Output(part(_OF, "as-of"), "children"),
            "as_of_at": Output(part(_OF, "as-of"), "dateTime"),
            "problem": Output(ids.EXCHANGES_PROBLEM, "children"),
            "problem_class": Output(ids.EXCHANGES_PROBLEM, "className"),
            "csv": Output(ids.EXCHANGES_CSV, "href"),
            "older": Output(ids.EXCHANGES_OLDER, "href"),
            "older_class": Output(ids.EXCHANGES_OLDER, "className"),
            "newest": Output(ids.EXCHANGES_NEWEST, "href"),
            "newest_class": Output(ids.EXCHANGES_NEWEST, "className"),
        },
        Input(ids.LOCATION, "search"),
        Input(ids.PULSE, "data"),
        Input(ids.EXCHANGES_TAIL, "data"),
        State(ids.LOCATION, "pathname"),
    )
    @asking.main
    def refresh(search: str | None, _pulse: Any, _tail: Any, pathname: str | None) -> asking.Props:
        ask, slug = asking.asked(search), asking.slug_of(pathname, "exchanges")
        query = router.query(search)
        want = wanted(slug, query, ask.range)
        try:
            page = list_exchanges(ask.reading, ask.scope, want.where, want.cursor, ROWS)
        except BadQuery as error:
            return content([], None, ask, query, replace(want, problem=str(error)))
        if page.next and len(page.items) < ROWS:
            looked = "Only about 50,000 exchanges were looked through; Older goes on from there."
            want = replace(want, problem=" ".join(filter(None, (want.problem, looked))))
        return content([tables.exchange_row(v) for v in page.items], page.next, ask, query, want)

    tail, tick = Output(ids.EXCHANGES_TAIL, "data"), Input(ids.EXCHANGES_TICK, "n_intervals")
    clientside(app, "tail", tail, tick, first=False)


def wanted(slug: str, query: dict[str, str], asked: urlstate.Range) -> Wanted:
    """The filter of an address. A word that is none of ours is named and left out."""
    problems = [asked.problem] if asked.problem else []
    codes: dict[str, int] = {}
    for name, kind in _VOCABULARIES:
        if name in query:
            try:
                codes[name] = kind.of(query[name]).value
            except ValueError as error:
                problems.append(show.plain(f"{error}; shown without it", 200))
    numbers = _numbers(query, problems)
    where = ExchangeFilter(
        integrations=(slug,),
        window=asked.window,
        outcomes=(codes["outcome"],) if "outcome" in codes else None,
        verdict=codes.get("verdict"),
        fault=codes.get("fault"),
        direction=codes.get("direction"),
        kind=codes.get("kind"),
    )
    texts = {_FIELDS[name]: query[name] for name in _FIELDS if name in query}
    where = replace(where, **cast(Any, numbers | texts))
    named = [query[name] for name, _ in _VOCABULARIES if name in codes]
    named += [f"{name} {show.plain(query[name], 120)}" for name in _FIELDS if name in query]
    named += [f"{name} {query[name]}" for name in ("status", "min_ms") if _NUMBERS[name] in numbers]
    return Wanted(where, query.get("cursor"), " · ".join(named), " ".join(problems) or None)


def _numbers(query: dict[str, str], problems: list[str]) -> dict[str, int]:
    """Status and shortest duration; what is no number is named and left out."""
    found: dict[str, int] = {}
    for name, factor in (("status", 1), ("min_ms", 1000)):
        text = query.get(name, "")
        if text.isascii() and text.isdigit() and len(text) <= 9:
            found[_NUMBERS[name]] = int(text) * factor
        elif text:
            problems.append(f"{name} is a whole number; shown without it")
    return found


def content(
    rows: list[tables.Row],
    older: str | None,
    ask: asking.Asked,
    query: dict[str, str],
    want: Wanted,
) -> asking.Props:
    """The props of the whole page. The links keep what is asked for."""
    kept = {name: value for name, value in query.items() if name != "cursor"}
    title = f"{period(ask)}, newest first"
    return {
        "body": "page",
        "rows": rows,
        "title": f"{want.said} · {title}" if want.said else title,
        "as_of": f"as of {show.clock(ask.now_us)}",
        "as_of_at": urlstate.iso(ask.now_us),
        "problem": want.problem or "",
        "problem_class": shown(bool(want.problem), "quiet"),
        "csv": _csv(ask, query, want),
        "older": "?" + urlencode(kept | {"cursor": older}) if older else "",
        "older_class": shown(bool(older), "button"),
        "newest": "?" + urlencode(kept),
        "newest_class": shown(bool(want.cursor), "button"),
    }


def _csv(ask: asking.Asked, query: dict[str, str], want: Wanted) -> str:
    """The same exchanges as a table, from the API, whose names the page's are."""
    window = ask.range.window
    asked = {"from": urlstate.iso(window.start_us), "to": urlstate.iso(window.end_us)}
    asked["integration"] = next(iter(want.where.integrations or ()), "")
    names = [*(name for name, _ in _VOCABULARIES), *_FIELDS, *_NUMBERS]
    asked |= {name: query[name] for name in names if name in query}
    return f"/api/v1/exchanges.csv?{urlencode(asked)}"


def _choices(slug: str) -> list[html.A]:
    base = f"/integrations/{quote(slug)}/exchanges"
    return [
        html.A(
            name,
            href=base + ("?" + urlencode(more) if more else ""),
            className="choice",
            **data(keep="range", verdict=more.get("verdict", "")),
        )
        for name, more in _CHOICES
    ]
