"""What the settings page shows and reads: views as rows, and what people typed as values."""

from typing import Any

from dash import ctx

from app.auth.managing import AuditView, PersonView, SessionView, TokenView
from app.domain.scope import Role, Scope
from dashboards import urlstate

Row = dict[str, Any]
ROLES = {
    "admin": "Administrator",
    "ecosystem": "Ecosystem team",
    "partner": "Partner",
    "internal": "Builder",
}
CHANGES = {
    "move": "Give this role",
    "end": "Log out everywhere",
    "disable": "Shut out",
    "enable": "Let in again",
}

#: The first sign that is found counts: browsers name the ones they want to be taken for.
_BROWSERS = (
    ("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
    ("Mac OS", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def opening(name: str, scope: Scope) -> str:
    """The sentence at the top: who one is, and what one sees."""
    if scope.partners is None:
        return f"You are {name} and see every integration."
    places = sorted(scope.partners | scope.integrations)
    if not places:
        return f"You are {name} and see no integration yet."
    which = "what belongs to " if scope.partners else ""
    return f"You are {name} and see {which}{', '.join(places)}."


def session(view: SessionView) -> Row:
    """One session; the one that asks says so."""
    return {
        "id": view.handle,
        "agent": browser(view.agent) + (", this one" if view.current else ""),
        "method": view.method,
        "address": view.address,
        "seen": moment(view.last_seen_us),
        "created": moment(view.created_us),
    }


def browser(agent: str) -> str:
    """A User-Agent as people know it; what is not known, as it was sent."""
    name = next((known for sign, known in _BROWSERS if sign in agent), None)
    if name is None:
        return agent or "no name given"
    system = next((known for sign, known in _SYSTEMS if sign in agent), None)
    return f"{name} on {system}" if system else name


def person(view: PersonView) -> Row:
    """One user."""
    return {
        "id": view.email,
        "email": view.email,
        "role": ROLES[view.role],
        "places": ", ".join(view.places),
        "seen": moment(view.last_seen_us),
        "state": "shut out" if view.disabled else "may log in",
    }


def token(view: TokenView) -> Row:
    """One token."""
    return {
        "id": view.name,
        "name": view.name,
        "role": ROLES[view.role],
        "place": view.place or "",
        "used": moment(view.last_used_us),
        "created": moment(view.created_us),
    }


def entry(view: AuditView) -> Row:
    """One row of the audit log."""
    return {
        "id": str(view.id),
        "at": moment(view.at_us),
        "actor": view.actor,
        "action": view.action,
        "subject": view.subject,
        "detail": view.detail,
    }


def moment(at_us: int | None) -> str:
    """A time in a list: to the minute, UTC; `never`."""
    return urlstate.iso(at_us)[:16].replace("T", " ") + " UTC" if at_us is not None else "never"


def text(value: Any) -> str:
    """What was typed; nothing for what is no text."""
    return value.strip() if isinstance(value, str) else ""


def slugs(value: Any) -> list[str]:
    """Slugs typed with commas or blanks between."""
    return text(value).replace(",", " ").split()


def role(value: Any) -> Role | None:
    """The role chosen; None for none."""
    return Role(value) if isinstance(value, str) and value in ROLES else None


def pressed() -> str | None:
    """The id of the button that was pressed."""
    found = ctx.triggered_id
    return found if isinstance(found, str) else None
