"""The rules that stand, and one to write: tried on the past before it is saved.

Whoever sees every integration finds the rules of the house; a partner those of its own
(`own_rules`).
"""

from collections.abc import Callable
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html
from dash.exceptions import PreventUpdate

from app.auth import current_actor
from app.commands.rule_text import rule_text
from app.commands.rules import origins, rule_of, save_text, standing_rules
from app.domain.default_rules import DEFAULT_RULES
from app.domain.rule import Rule
from app.domain.trial import Tried
from app.domain.window import DAY_US
from app.errors import MidspanError
from dashboards import asking, ids
from dashboards.components import forms
from dashboards.components.attributes import aria
from dashboards.components.grid import column, grid
from dashboards.components.panel import panel
from dashboards.components.texts import shown
from dashboards.ids import part
from dashboards.pages import own_rules
from dashboards.pages import rule_rows as rows

PATH = "/alerts/rules"
NAME = "Rules"
OVER_US = 30 * DAY_US
_MOST_CHARS = 20_000
_EXAMPLE = """\
name: slow-issues
kind: threshold
measure: p95
above: 2000
window: 15m
for: 5m
severity: P3
"""

_COLUMNS = [
    column("name", "Rule", "Text", keep=True, minWidth=150, flex=3),
    column("when", "Fires when", "Text", minWidth=200, flex=6),
    column("severity", "Severity", "Text", keep=True, minWidth=84, flex=1),
    column("about", "For", "Text", minWidth=120, flex=3),
    column("origin", "From", "Text", minWidth=110, flex=2),
]  # fmt: skip
_TOLD = [
    column("at", "When", "Text", keep=True, minWidth=140, flex=2),
    column("event", "", "Text", keep=True, minWidth=84, flex=1),
    column("about", "About", "Text", minWidth=120, flex=3),
    column("summary", "What", "Text", minWidth=200, flex=6),
]  # fmt: skip


def layout(**_query: str) -> html.Div:
    """The skeleton; the same for everybody."""
    return html.Div(
        [
            html.Nav(html.A("Alerts", href="/alerts"), className="crumbs",
                     **aria(label="Breadcrumb")),
            html.H1("Rules"),
            html.P("", id=ids.RULES_SENTENCE, className="opening"),
            html.P("", id=ids.RULES_PROBLEMS, className="quiet late gone", role="status"),
            panel(
                "Standing",
                grid(ids.RULES_GRID, _COLUMNS, choose=True, label="Rules", empty="No rule."),
                aside=html.Span("choose one to change it"),
            ),
            panel("Write one", [_text(), _buttons(), forms.said(ids.RULES_SAID)]),
            html.Div(
                panel(
                    "What it would have told",
                    grid(ids.RULES_TOLD, _TOLD, label="What the rule would have told",
                         empty="Nothing.", page_size=20),
                ),
                id=part(ids.RULES_TOLD, "panel"),
                className="gone",
            ),
        ],
        className="page rules",
    )  # fmt: skip


def _text() -> dmc.Textarea:
    return dmc.Textarea(
        id=ids.RULES_TEXT, label="As in a rule file (docs/alerts.md)", value=_EXAMPLE,
        autosize=True, minRows=8, maxRows=24, spellCheck=False, className="code-area",
    )  # fmt: skip


def _buttons() -> html.Div:
    return forms.row(
        [
            forms.button(ids.RULES_TEXT, "try", "Try it on 30 days"),
            forms.button(ids.RULES_TEXT, "save", "Save it"),
            forms.button(ids.RULES_TEXT, "remove", "Remove it"),
        ]
    )


def register(app: Dash) -> None:
    """The callbacks that list, try and save."""

    @app.callback(
        Output(ids.RULES_GRID, "rowData"),
        Output(ids.RULES_SENTENCE, "children"),
        Output(ids.RULES_PROBLEMS, "children"),
        Output(ids.RULES_PROBLEMS, "className"),
        Output(part(ids.RULES_TEXT, "remove"), "className"),
        Input(ids.LOCATION, "pathname"),
        Input(part(ids.RULES_TEXT, "save"), "children"),
        Input(ids.RULES_SAID, "children"),
    )
    def refresh(pathname: str | None, _label: Any, _said: Any) -> tuple[Any, str, str, str, str]:
        if pathname != PATH:
            raise PreventUpdate
        ask = asking.asked("")
        return *listed(ask), shown(not ask.scope.covers(None), "button")

    @app.callback(
        Output(ids.RULES_TEXT, "value"),
        Input(ids.RULES_GRID, "selectedRows"),
        State(ids.LOCATION, "pathname"),
        prevent_initial_call=True,
    )
    def choose(chosen: Any, pathname: str | None) -> str:
        if pathname != PATH:
            raise PreventUpdate
        return text_of(asking.asked(""), chosen)

    @app.callback(
        Output(ids.RULES_SAID, "children"),
        Output(ids.RULES_TOLD, "rowData"),
        Output(part(ids.RULES_TOLD, "panel"), "className"),
        Input(part(ids.RULES_TEXT, "try"), "n_clicks"),
        Input(part(ids.RULES_TEXT, "save"), "n_clicks"),
        Input(part(ids.RULES_TEXT, "remove"), "n_clicks"),
        State(ids.RULES_TEXT, "value"),
        State(ids.LOCATION, "pathname"),
        prevent_initial_call=True,
    )
    def do(
        tries: Any, saves: Any, removes: Any, text: Any, pathname: str | None
    ) -> tuple[str, Any, str]:
        if pathname != PATH or not (tries or saves or removes):
            raise PreventUpdate
        ask, written = asking.asked(""), str(text or "")[:_MOST_CHARS]
        if rows.pressed() == part(ids.RULES_TEXT, "save"):
            return saved(ask, written), [], "gone"
        if rows.pressed() == part(ids.RULES_TEXT, "remove"):
            return removed(ask, written), [], "gone"
        return tried(ask, written)


def listed(ask: asking.Asked) -> tuple[list[rows.Row], str, str, str]:
    """The rows, the opening sentence, and what is wrong with the files."""
    if not ask.scope.covers(None):
        found, opening = own_rules.listed(ask)
        return found, opening, "", "gone"
    standing, problems = standing_rules(asking.home(), DEFAULT_RULES)
    known = origins(asking.home())
    wrong = "; ".join(problems[:5])
    said = rows.opening(len(standing), len(known))
    return (
        [rows.rule_row(each, known.get(each.name)) for each in standing],
        said, wrong, "quiet late" if wrong else "gone",
    )  # fmt: skip


def text_of(ask: asking.Asked, chosen: Any) -> str:
    """The rule that a browser says is chosen, to be changed; `PreventUpdate` for none."""
    name = chosen[0].get("id") if isinstance(chosen, list) and chosen and isinstance(
        chosen[0], dict) else None  # fmt: skip
    if ask.scope.covers(None):
        standing = standing_rules(asking.home(), DEFAULT_RULES)[0]
        text = next((rule_text(rule) for rule in standing if rule.name == name), "")
    else:
        text = own_rules.text_of(ask, name)
    if not text:
        raise PreventUpdate
    return text


def tried(ask: asking.Asked, text: str) -> tuple[str, list[rows.Row], str]:
    """What came of trying a rule: the sentence, the rows, and whether they show."""
    found: list[Tried] = []

    def act() -> str:
        everything = ask.scope.covers(None)
        found.append(_try(ask, rule_of(text) if everything else own_rules.to_try(ask, text)))
        return rows.would_have(found[0])

    said = _said(act)
    told = [rows.told_row(each) for each in found[0].told[: rows.MOST]] if found else []
    return said, told, "" if told else "gone"


def _try(ask: asking.Asked, rule: Rule) -> Tried:
    trier = asking.try_rule()
    if trier is None:
        raise MidspanError("rules cannot be tried here: this process does not evaluate any")
    return trier(rule, ask.now_us, OVER_US)


def saved(ask: asking.Asked, text: str) -> str:
    """What came of saving a rule."""

    def act() -> str:
        if not ask.scope.covers(None):
            return own_rules.save(ask, text)
        rule = save_text(
            ask.reading.engine, ask.scope, asking.home(), text, now_us=ask.now_us,
            actor=current_actor(),
        )  # fmt: skip
        return f"Saved: {rule.name} stands from the next evaluation on."

    return _said(act)


def removed(ask: asking.Asked, text: str) -> str:
    """What came of taking a rule away."""
    if ask.scope.covers(None):
        return "A rule of the house goes with its file (docs/alerts.md)."
    return _said(lambda: own_rules.remove(ask, text))


def _said(act: Callable[[], str]) -> str:
    """What `act` says, or why not."""
    try:
        return act()
    except MidspanError as error:
        return str(error)
