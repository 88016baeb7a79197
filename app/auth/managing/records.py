"""Tokens and the audit log, for administrators."""

from dataclasses import dataclass

from sqlalchemy import select

from app.auth.caller import current_actor
from app.auth.context import clock_us, engine
from app.auth.managing.allowed import administrator
from app.commands import tokens as commands
from app.db import reading, transaction
from app.domain.scope import Role
from app.models import ApiToken, AuditEntry

MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class TokenView:
    """One token that is valid; `place` is a slug, None for one that sees everything."""

    name: str
    role: str
    place: str | None
    created_us: int
    last_used_us: int | None


@dataclass(frozen=True, slots=True)
class AuditView:
    """One change: who did what to whom, when."""

    id: int
    at_us: int
    actor: str
    action: str
    subject: str
    detail: str


def tokens() -> list[TokenView]:
    """The valid ones, by name."""
    administrator()
    with reading(engine()) as session:
        return [
            TokenView(
                name=token.name,
                role=token.role.value,
                place=next(
                    (each.slug for each in (token.partner, token.integration) if each), None
                ),
                created_us=token.created_us,
                last_used_us=token.last_used_us,
            )
            for token in commands.list_tokens(session)
            if token.revoked_us is None
        ]


def add_token(name: str, role: Role, place: str | None) -> str:
    """Make a token and return it: the only time that it can be read."""
    administrator()
    by_role = {"integration" if role is Role.INTERNAL else "partner": place}
    with transaction(engine()) as session:
        return commands.add_token(
            session, name=name, role=role, **by_role, now_us=clock_us(), actor=current_actor()
        )


def revoke_token(name: str) -> None:
    """Make a token worthless."""
    administrator()
    with transaction(engine()) as session:
        commands.revoke_token(session, name=name, now_us=clock_us(), actor=current_actor())


def audit_log() -> list[AuditView]:
    """The newest rows, at most `MOST_ROWS`."""
    administrator()
    statement = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(MOST_ROWS)
    with reading(engine()) as session:
        return [
            AuditView(row.id, row.at_us, row.actor, row.action, row.subject, row.detail)
            for row in session.scalars(statement)
        ]


def _place(token: ApiToken) -> str | None:
    place = token.partner or token.integration
    return place.slug if place else None
