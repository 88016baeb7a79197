"""Settings: one's own sessions and password; for administrators people, tokens and the audit log.

The page shows what the caller may do. Whether they may is decided where it is done
(`app.auth.managing`): a callback of the page refuses whoever is no administrator.
"""

from collections.abc import Callable
from typing import Any

from dash import Dash, Input, Output, State, html
from flask import has_request_context

from app.auth import current_caller, managing
from app.domain.scope import Role
from app.errors import MidspanError
from dashboards import ids
from dashboards.components import forms
from dashboards.components.grid import column, grid
from dashboards.components.panel import panel
from dashboards.ids import part
from dashboards.pages import settings_rows as rows

PATH = "/settings"
NAME = "Settings"
_SAID = "said"
_CHOOSE_ROLE = "Choose a role first."


def layout(**_query: str) -> html.Div:
    """The skeleton, as far as the caller may use it."""
    caller = current_caller() if has_request_context() else None
    scope = caller.scope if caller else None
    parts: list[Any] = [
        html.H1(rows.opening(caller.name, scope) if caller and scope else NAME),
        _sessions(),
        _password(),
    ]
    if scope is not None and scope.role is Role.ADMIN:
        parts += [_people(), _tokens(), _audit()]
    return html.Div(parts, className="page settings")


def register(app: Dash) -> None:
    """The callbacks that fill the lists and do what the forms ask."""
    _register_own(app)
    _register_people(app)
    _register_tokens(app)


def _sessions() -> html.Section:
    columns = [
        column("agent", "With", keep=True, minWidth=150, flex=4),
        column("method", "By", minWidth=80, flex=1),
        column("address", "From", minWidth=110, flex=2),
        column("seen", "Last used", keep=True, minWidth=188, flex=2),
        column("created", "Since", minWidth=188, flex=2),
    ]
    body = [
        grid(ids.SETTINGS_SESSIONS, columns, label="Your sessions", empty="None."),
        forms.row([forms.button(ids.SETTINGS_SESSIONS, "end", "Log out everywhere else")]),
        forms.said(part(ids.SETTINGS_SESSIONS, _SAID)),
    ]
    return panel("Your sessions", body, aside=html.Span("12 hours of silence end one"))


def _password() -> html.Section:
    of = ids.SETTINGS_SECRET
    body = [
        forms.row(
            [
                forms.secret(part(of, "old"), "Old password", "current-password"),
                forms.secret(part(of, "new"), "New password", "new-password"),
                forms.button(of, "set", "Change it"),
            ]
        ),
        forms.said(part(of, _SAID)),
    ]
    return panel("Your password", body, aside=html.Span("8 characters or more"))


def _people() -> html.Section:
    columns = [
        column("email", "E-mail", keep=True, minWidth=136, flex=4),
        column("role", "Role", keep=True, minWidth=126, flex=2),
        column("places", "Belongs to", minWidth=120, flex=3),
        column("seen", "Last seen", minWidth=188, flex=2),
        column("state", "State", keep=True, minWidth=100, flex=1),
    ]
    invite, change = ids.SETTINGS_INVITE, ids.SETTINGS_CHANGE
    body = [
        grid(ids.SETTINGS_PEOPLE, columns, label="People", page_size=20),
        forms.row(
            [
                forms.text(part(invite, "email"), "E-mail"),
                forms.choice(part(invite, "role"), "Role", rows.ROLES),
                forms.text(part(invite, "places"), "Partners or integrations", "globex, initech"),
                forms.button(invite, "send", "Invite"),
            ],
            "Invite somebody",
        ),
        forms.said(part(invite, _SAID)),
        forms.row(
            [
                forms.text(part(change, "email"), "E-mail"),
                forms.choice(part(change, "role"), "Role", rows.ROLES),
                forms.text(part(change, "places"), "Partners or integrations", "globex, initech"),
                forms.choice(part(change, "what"), "Do", rows.CHANGES),
                forms.button(change, "do", "Do it"),
            ],
            "Change somebody",
        ),
        forms.said(part(change, _SAID)),
    ]
    return panel("People", body)


def _tokens() -> html.Section:
    columns = [
        column("name", "Name", keep=True, minWidth=120, flex=3),
        column("role", "Role", keep=True, minWidth=126, flex=2),
        column("place", "Belongs to", minWidth=110, flex=2),
        column("used", "Last used", minWidth=188, flex=2),
        column("created", "Added", minWidth=188, flex=2),
    ]
    of = ids.SETTINGS_MAKE
    body = [
        grid(ids.SETTINGS_TOKENS, columns, label="Tokens", empty="No token yet.", page_size=20),
        forms.row(
            [
                forms.text(part(of, "name"), "Name"),
                forms.choice(part(of, "role"), "Role", rows.ROLES),
                forms.text(part(of, "place"), "Partner or integration", "globex"),
                forms.button(of, "make", "Make a token"),
                forms.button(of, "revoke", "Revoke the one of this name"),
            ]
        ),
        forms.said(part(of, _SAID)),
        html.Pre("", id=part(of, "token"), className="command gone", tabIndex="0"),
    ]
    return panel("Tokens for programs", body)


def _audit() -> html.Section:
    columns = [
        column("at", "When", keep=True, minWidth=188, flex=2),
        column("actor", "Who", minWidth=120, flex=3),
        column("action", "Did", keep=True, minWidth=120, flex=2),
        column("subject", "To", minWidth=120, flex=3),
        column("detail", "Detail", minWidth=140, flex=4),
    ]
    body = grid(ids.SETTINGS_AUDIT, columns, label="Audit log", page_size=20)
    return panel("Audit log", body, aside=html.Span("the newest 500"))


def _register_own(app: Dash) -> None:
    sessions, password = ids.SETTINGS_SESSIONS, ids.SETTINGS_SECRET
    ended, changed = part(sessions, _SAID), part(password, _SAID)

    @app.callback(
        Output(sessions, "rowData"),
        Input(ended, "children"),
        Input(changed, "children"),
        Input(ids.PULSE, "data"),
    )
    def show(_ended: Any, _changed: Any, _pulse: Any) -> list[rows.Row]:
        return [rows.session(each) for each in managing.my_sessions()]

    @app.callback(
        Output(ended, "children"), Input(part(sessions, "end"), "n_clicks"),
        prevent_initial_call=True,
    )  # fmt: skip
    def end(_clicks: Any) -> str:
        return _do(managing.end_other_sessions, "You are logged out everywhere else.")

    @app.callback(
        Output(changed, "children"),
        Input(part(password, "set"), "n_clicks"),
        State(part(password, "old"), "value"),
        State(part(password, "new"), "value"),
        prevent_initial_call=True,
    )
    def change(_clicks: Any, old: Any, new: Any) -> str:
        return _do(
            lambda: managing.change_password(rows.text(old), rows.text(new)),
            "Changed. You are logged out everywhere else.",
        )


def _register_people(app: Dash) -> None:
    invite, change = ids.SETTINGS_INVITE, ids.SETTINGS_CHANGE
    invited, changed = part(invite, _SAID), part(change, _SAID)
    made = part(ids.SETTINGS_MAKE, _SAID)

    @app.callback(
        Output(ids.SETTINGS_PEOPLE, "rowData"),
        Output(ids.SETTINGS_AUDIT, "rowData"),
        Input(invited, "children"),
        Input(changed, "children"),
        Input(made, "children"),
    )
    def show(_invited: Any, _changed: Any, _made: Any) -> tuple[list[rows.Row], list[rows.Row]]:
        people = [rows.person(each) for each in managing.people()]
        return people, [rows.entry(each) for each in managing.audit_log()]

    @app.callback(
        Output(invited, "children"),
        Input(part(invite, "send"), "n_clicks"),
        State(part(invite, "email"), "value"),
        State(part(invite, "role"), "value"),
        State(part(invite, "places"), "value"),
        prevent_initial_call=True,
    )
    def send(_clicks: Any, email: Any, role: Any, places: Any) -> str:
        known = rows.role(role)
        if known is None:
            return _CHOOSE_ROLE
        return _do(
            lambda: managing.invite(rows.text(email), known, rows.slugs(places)),
            f"{rows.text(email)} is invited.",
        )

    @app.callback(
        Output(changed, "children"),
        Input(part(change, "do"), "n_clicks"),
        State(part(change, "what"), "value"),
        State(part(change, "email"), "value"),
        State(part(change, "role"), "value"),
        State(part(change, "places"), "value"),
        prevent_initial_call=True,
    )
    def do(_clicks: Any, what: Any, email: Any, role: Any, places: Any) -> str:
        return _change(what, rows.text(email), rows.role(role), rows.slugs(places))


def _change(what: Any, email: str, role: Role | None, places: list[str]) -> str:
    if what == "move":
        if role is None:
            return _CHOOSE_ROLE
        return _do(lambda: managing.move(email, role, places), f"{email} has role {role}.")
    if what == "disable":
        return _do(lambda: managing.set_enabled(email, enabled=False), f"{email} is shut out.")
    if what == "enable":
        return _do(lambda: managing.set_enabled(email, enabled=True), f"{email} may log in.")
    if what == "end":
        return _do(lambda: managing.end_sessions_of(email), f"{email} is logged out everywhere.")
    return "Choose what to do first."


def _register_tokens(app: Dash) -> None:
    of = ids.SETTINGS_MAKE
    said, token = part(of, _SAID), part(of, "token")

    @app.callback(Output(ids.SETTINGS_TOKENS, "rowData"), Input(said, "children"))
    def show(_said: Any) -> list[rows.Row]:
        return [rows.token(each) for each in managing.tokens()]

    @app.callback(
        Output(said, "children"),
        Output(token, "children"),
        Output(token, "className"),
        Input(part(of, "make"), "n_clicks"),
        Input(part(of, "revoke"), "n_clicks"),
        State(part(of, "name"), "value"),
        State(part(of, "role"), "value"),
        State(part(of, "place"), "value"),
        prevent_initial_call=True,
    )
    def change(_make: Any, _revoke: Any, name: Any, role: Any, place: Any) -> tuple[str, str, str]:
        if rows.pressed() == part(of, "revoke"):
            told = _do(lambda: managing.revoke_token(rows.text(name)), "Revoked.")
            return told, "", "command gone"
        return _make_token(rows.text(name), rows.role(role), rows.text(place) or None)


def _make_token(name: str, role: Role | None, place: str | None) -> tuple[str, str, str]:
    if role is None:
        return _CHOOSE_ROLE, "", "command gone"
    made: list[str] = []
    told = _do(
        lambda: made.append(managing.add_token(name, role, place)),
        "Keep it: it is shown only now.",
    )
    return told, "".join(made), "command" if made else "command gone"


def _do(act: Callable[[], Any], done: str) -> str:
    """Do it and say so; or say why not."""
    try:
        act()
    except MidspanError as error:
        return str(error)
    return done
