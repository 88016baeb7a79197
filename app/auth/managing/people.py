"""Everybody, for administrators."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select

from app import mail
from app.auth.caller import current_actor
from app.auth.context import clock_us, engine, settings
from app.auth.managing.allowed import administrator
from app.commands import audit, users
from app.db import reading, transaction
from app.domain.scope import Role
from app.models import LoginSession

_INVITATION = """{inviter} invites you to Midspan.

Log in here, with your mail address and no password:

{address}

Press "Mail me a link": the link comes to this address and works once.
"""


@dataclass(frozen=True, slots=True)
class PersonView:
    """One user; `places` are slugs of partners or integrations, `last_seen_us` of their sessions
    that are still known."""

    email: str
    role: str
    places: tuple[str, ...]
    created_us: int
    last_seen_us: int | None
    disabled: bool


def people() -> list[PersonView]:
    """Everybody, by address."""
    administrator()
    seen = select(LoginSession.user_id, func.max(LoginSession.last_seen_us))
    with reading(engine()) as session:
        last = {row[0]: row[1] for row in session.execute(seen.group_by(LoginSession.user_id))}
        return [
            PersonView(
                email=user.email,
                role=user.role.value,
                places=tuple(users.belongs_to(user)),
                created_us=user.created_us,
                last_seen_us=last.get(user.id),
                disabled=user.disabled_us is not None,
            )
            for user in users.list_users(session)
        ]


def invite(email: str, role: Role, places: Collection[str]) -> str:
    """Add a user without a password and write to them; their address. The user is there even
    when the mail could not be sent (`MailUnavailable`, `MailRefused`)."""
    inviter = administrator()
    with transaction(engine()) as session:
        added = users.add_user(
            session,
            email=email,
            role=role,
            password=None,
            **_by_role(role, places),
            now_us=clock_us(),
            actor=current_actor(),
        ).email
    address = f"{settings().base_url}/login?email={added}"
    text = _INVITATION.format(inviter=inviter.name, address=address)
    mail.send(settings(), mail.Mail(added, "You are invited to Midspan", text), clock_us())
    return added


def move(email: str, role: Role, places: Collection[str]) -> bool:
    """Give somebody another role or other places; False when it was so already."""
    administrator()
    with transaction(engine()) as session:
        return users.move_user(
            session,
            email=email,
            role=role,
            **_by_role(role, places),
            now_us=clock_us(),
            actor=current_actor(),
        )


def set_enabled(email: str, *, enabled: bool) -> bool:
    """Let somebody log in again, or not any more; False when it was so already."""
    administrator()
    change = users.enable_user if enabled else users.disable_user
    with transaction(engine()) as session:
        return change(session, email=email, now_us=clock_us(), actor=current_actor())


def end_sessions_of(email: str) -> None:
    """Log somebody out everywhere."""
    administrator()
    with transaction(engine()) as session:
        user, now_us = users.find_user(session, email), clock_us()
        users.end_sessions(session, user, now_us)
        audit.record(
            session,
            now_us=now_us,
            actor=current_actor(),
            action="user.sessions_ended",
            subject=user.email,
        )


def _by_role(role: Role, places: Collection[str]) -> dict[str, Collection[str]]:
    if role is Role.INTERNAL:
        return {"integrations": places}
    return {"partners": places}
