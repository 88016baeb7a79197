"""Tokens that programs show instead of a log-in: known here by their SHA-256 only."""

import hashlib
import secrets

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from app.commands import audit, registry_checks
from app.commands.users import find_internal, find_partner
from app.domain.scope import Role
from app.errors import NotFound, Refused
from app.models import ApiToken

#: What every token begins with, so that one that leaks is recognised for what it is.
PREFIX = "mst_"
_RANDOM_BYTES = 32


def add_token(
    session: Session,
    *,
    name: str,
    role: Role,
    partner: str | None = None,
    integration: str | None = None,
    now_us: int,
    actor: str,
) -> str:
    """Make a token and return it: the only time that it can be read.

    Role `partner` needs a partner slug, role `internal` the slug of an internal integration, the
    others none. Raises `Refused` for a name in use, `NotFound` for a slug that is not in the
    registry.
    """
    name = _name(name)
    _check_place(role, Role.PARTNER, partner)
    _check_place(role, Role.INTERNAL, integration)
    owner = find_partner(session, partner) if partner is not None else None
    built = find_internal(session, integration) if integration is not None else None
    if _valid(session, name) is not None:
        raise _taken(name)
    token = PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    session.add(
        ApiToken(
            name=name,
            sha256=digest(token),
            role=role,
            partner=owner,
            integration=built,
            created_us=now_us,
        )
    )
    try:
        session.flush()
    except IntegrityError:
        raise _taken(name) from None
    detail = ", ".join([f"role {role}", *(each.slug for each in (owner, built) if each)])
    audit.record(
        session, now_us=now_us, actor=actor, action="token.added", subject=name, detail=detail
    )
    return token


def revoke_token(session: Session, *, name: str, now_us: int, actor: str) -> None:
    """Make a token worthless from now on; its name is free again."""
    token = _valid(session, name)
    if token is None:
        raise NotFound(f"no valid token is called {name!r}: python -m app token list shows them")
    token.revoked_us = now_us
    audit.record(session, now_us=now_us, actor=actor, action="token.revoked", subject=name)


def list_tokens(session: Session) -> list[ApiToken]:
    """All, revoked ones too, by name and age."""
    statement = select(ApiToken).options(
        joinedload(ApiToken.partner), joinedload(ApiToken.integration)
    )
    return list(session.scalars(statement.order_by(ApiToken.name, ApiToken.id)))


def digest(token: str) -> str:
    """What the registry keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _valid(session: Session, name: str) -> ApiToken | None:
    return session.scalar(
        select(ApiToken).where(ApiToken.name == name, ApiToken.revoked_us.is_(None))
    )


def _check_place(role: Role, placed: Role, slug: str | None) -> None:
    """A role that sees one place needs its slug; another role goes without."""
    option = "--partner" if placed is Role.PARTNER else "--integration"
    if (role is placed) != (slug is not None):
        needs = f"needs {option} SLUG" if role is placed else f"goes without {option}"
        raise Refused(f"a token of role {role} {needs}")


def _name(name: str) -> str:
    try:
        return registry_checks.name(name)
    except ValueError as error:
        raise Refused(f"the name of a token {error}") from None


def _taken(name: str) -> Refused:
    return Refused(f"there is a token {name!r} already: revoke it or choose another name")
