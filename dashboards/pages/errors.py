"""What fails at one integration: each failure once, with what was decided about it.

The page only reads. A decision goes to the API with the session of the viewer, as any program's
does (assets/midspan_evidence.js), and the page reads again.
"""

from typing import Any
from urllib.parse import quote, urlencode

from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component

from app.auth import current_scope
from app.domain.error_group import OPEN, Standing
from app.errors import BadQuery
from app.queries import assignees, error_groups, get_integration
from dashboards import asking, ids, router, urlstate, words
from dashboards import format as show
from dashboards.client import clientside
from dashboards.components.attributes import aria, data
from dashboards.components.grid import column, grid
from dashboards.components.texts import shown
from dashboards.ids import part
from dashboards.pages import error_rows, header
from dashboards.pages.overview import period

PATH = "/integrations/<slug>/errors"
NAME = "Errors"

_OF = "errors"
_D = words.DEFINITIONS
COLUMNS = [
    column("standing", "State", "Status", keep=True, minWidth=118, flex=2),
    column("failure", "What fails", "Failure", keep=True, minWidth=150, flex=6),
    column("exchanges", "Exchanges", "Shown", right=True, minWidth=100, flex=2),
    column("points", "Over time", "Bars", minWidth=120, flex=3, sortable=False,
           cellDataType=False),
    column("installations", "Installations", "Shown", right=True, minWidth=98, flex=2),
    column("fault", "Fault", "Text", tip=_D["fault"], minWidth=94, flex=2),
    column("last_us", "Newest", "When", minWidth=106, flex=2),
    column("first_us", "First", "When", minWidth=106, flex=2),
    column("assignee", "Assigned to", "Text", minWidth=110, flex=3),
]  # fmt: skip
_CHOICES = (
    ("Open", ""), ("Regressed", "regressed"), ("Resolved", "resolved"), ("Ignored", "ignored"),
    ("All", "all"),
)  # fmt: skip
_PATIENCE = (
    ("", "Ignore …"), ("more:100", "until 100 more"), ("more:1000", "until 1,000 more"),
    ("days:1", "for a day"), ("days:7", "for a week"), ("days:30", "for 30 days"),
    ("good", "for good"),
)  # fmt: skip


def layout(slug: str, **_query: str) -> html.Div:
    """The skeleton; `NotFound` for an integration that the caller may not see."""
    reading, scope = asking.reading(), current_scope()
    view = get_integration(reading, scope, slug)
    return html.Div(
        [
            *header.header(_OF, view, "Errors"),
            html.Div(
                [
                    html.Div("", id=ids.ERRORS_TITLE, className="period"),
                    _actions(assignees(reading, scope, slug)),
                    html.Nav(_choices(slug), className="choices", **aria(label="State")),
                ],
                className="title-row",
            ),
            html.Div("", id=ids.ERRORS_PROBLEM, className="quiet gone"),
            html.Section(
                grid(
                    ids.ERRORS_GRID,
                    COLUMNS,
                    row_px=54,
                    empty="Nothing of this kind failed in this time.",
                    label="Failures, those that want somebody first",
                    choose=True,
                ),
                className="panel",
            ),
        ],
        id=part(_OF, "body"),
        className="page loading",
    )


def register(app: Dash) -> None:
    """The one callback of the page, and the bar that follows what is chosen."""

    @app.callback(
        {
            "body": Output(part(_OF, "body"), "className"),
            "rows": Output(ids.ERRORS_GRID, "rowData"),
            "sentence": Output(part(_OF, "sentence"), "children"),
            "title": Output(ids.ERRORS_TITLE, "children"),
            "as_of": Output(part(_OF, "as-of"), "children"),
            "as_of_at": Output(part(_OF, "as-of"), "dateTime"),
            "problem": Output(ids.ERRORS_PROBLEM, "children"),
            "problem_class": Output(ids.ERRORS_PROBLEM, "className"),
        },
        Input(ids.LOCATION, "search"),
        Input(ids.PULSE, "data"),
        State(ids.LOCATION, "pathname"),
    )
    @asking.main
    def refresh(search: str | None, _pulse: Any, pathname: str | None) -> asking.Props:
        ask, slug = asking.asked(search), asking.slug_of(pathname, "errors")
        return content(ask, slug, router.query(search).get("standing", ""))

    bar = [Output(ids.ERRORS_ACTIONS, "className"), Output(ids.ERRORS_CHOSEN, "children")]
    clientside(app, "chosen", bar, Input(ids.ERRORS_GRID, "selectedRows"))


def content(ask: asking.Asked, slug: str, wanted: str) -> asking.Props:
    """The props of the page."""
    problem = ask.range.problem or ""
    try:
        found = error_groups(ask.reading, ask.scope, slug, ask.range.window)
    except BadQuery as error:
        return _props([], "", ask, str(error))
    among = _standings(wanted)
    rows = [
        error_rows.row(view, urlstate.build(ask.range), ask.now_us)
        for view in found.items
        if view.standing in among
    ]
    return _props(rows, error_rows.sentence(found.counts, found.items), ask, problem)


def _props(
    rows: list[dict[str, Any]], sentence: str, ask: asking.Asked, problem: str
) -> asking.Props:
    return {
        "body": "page",
        "rows": rows,
        "sentence": sentence,
        "title": f"{period(ask)}, counted by the hour",
        "as_of": f"as of {show.clock(ask.now_us)}",
        "as_of_at": urlstate.iso(ask.now_us),
        "problem": problem,
        "problem_class": shown(bool(problem), "quiet"),
    }


def _standings(wanted: str) -> frozenset[str]:
    if wanted == "all":
        return frozenset(standing.value for standing in Standing)
    if wanted in {standing.value for standing in Standing}:
        return frozenset({wanted})
    return frozenset(standing.value for standing in OPEN)


def _choices(slug: str) -> list[html.A]:
    base = f"/integrations/{quote(slug)}/errors"
    return [
        html.A(
            name,
            href=base + ("?" + urlencode({"standing": word}) if word else ""),
            className="choice",
            **data(keep="range", param="standing", value=word),
        )
        for name, word in _CHOICES
    ]


def _actions(people: tuple[str, ...]) -> html.Div:
    """What may be done with the chosen rows; shown while there are any."""
    return html.Div(
        [
            html.Span("", id=ids.ERRORS_CHOSEN, className="chosen"),
            html.Button("Resolve", type="button", className="button", **data(decide="resolved")),
            html.Button("Reopen", type="button", className="button", **data(decide="unresolved")),
            _select(ids.ERRORS_IGNORE, _PATIENCE, "Ignore the chosen failures"),
            _select(
                ids.ERRORS_ASSIGN,
                (("", "Assign to …"), ("-", "nobody"), *((who, who) for who in people)),
                "Assign the chosen failures",
            ),
            html.Span("", id=ids.ERRORS_SAID, className="detail", role="status"),
        ],
        id=ids.ERRORS_ACTIONS,
        className="actions idle",
    )


def _select(of: str, choices: tuple[tuple[str, str], ...], label: str) -> Component:
    options = [html.Option(show.plain(text, 120), value=value) for value, text in choices]
    return html.Select(options, id=of, className="button", **aria(label=label))
