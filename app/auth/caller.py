"""The caller of the request in progress."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import g, has_request_context
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from app.domain.scope import Role, Scope
from app.models import Integration, Partner, Visibility


@dataclass(frozen=True, slots=True)
class Caller:
    """A user (`name` is the e-mail) or a token, with its reach. `session` is the digest of the
    session's id, None for a token."""

    name: str
    scope: Scope
    session: str | None = None


def scope_of(role: Role, slugs: Iterable[str]) -> Scope:
    """The reach of a role: everything, or `slugs`: of the current partners it belongs to, or of
    the internal integrations it builds (one that is internal no more is its partner's alone).
    `CURRENT` and `INTERNAL` keep others out of a query."""
    if role in {Role.ADMIN, Role.ECOSYSTEM}:
        return Scope(role, None)
    if role is Role.PARTNER:
        return Scope(role, frozenset(slugs))
    return Scope(role, frozenset(), frozenset(slugs))


#: What a membership or a token must lead to, to give a reach.
CURRENT = Partner.removed_us.is_(None)
INTERNAL = Integration.visibility == Visibility.INTERNAL


def own_scope() -> Scope:
    """The reach of Midspan's own processes that ask for no caller: the evaluation of rules."""
    return Scope(Role.ECOSYSTEM, None)


def unauthorized(what: str = "log in, or send a token as `Authorization: Bearer`") -> Unauthorized:
    """The refusal of a caller that nobody knows."""
    return Unauthorized(what, www_authenticate=WWWAuthenticate("bearer", {"realm": "midspan"}))


def current_caller() -> Caller:
    """Who sent the request in progress; `Unauthorized` when there is no request or no caller."""
    caller: Caller | None = g.get("midspan_caller") if has_request_context() else None
    if caller is None:
        raise unauthorized()
    return caller


def current_actor() -> str:
    """Who sent the request in progress, as the audit log names it: `user:<email>` or
    `token:<name>`; `Unauthorized` when there is none."""
    caller = current_caller()
    return caller.name if caller.session is None else f"user:{caller.name}"


def current_scope() -> Scope:
    """The reach of the request in progress; `Unauthorized` when there is none."""
    return current_caller().scope
