"""One's own sessions and password."""

from dataclasses import dataclass

from sqlalchemy import select

from app.auth import passwords
from app.auth.caller import current_actor
from app.auth.context import clock_us, engine
from app.auth.managing.allowed import person
from app.auth.sessions import IDLE_US
from app.commands import audit, users
from app.db import reading, transaction
from app.errors import Refused
from app.models import LoginSession, User

#: So much of a digest names a session among somebody's own.
_HANDLE = 16


@dataclass(frozen=True, slots=True)
class SessionView:
    """One session that goes on. `handle` names it; `current`: it is the one that asks."""

    handle: str
    method: str
    address: str
    agent: str
    created_us: int
    last_seen_us: int
    current: bool


def my_sessions() -> list[SessionView]:
    """The caller's sessions that go on, the last used first."""
    email, here = person()
    now_us = clock_us()
    statement = (
        select(LoginSession)
        .join(LoginSession.user)
        .where(
            User.email == email,
            LoginSession.revoked_us.is_(None),
            LoginSession.expires_us > now_us,
            LoginSession.last_seen_us > now_us - IDLE_US,
        )
        .order_by(LoginSession.last_seen_us.desc())
    )
    with reading(engine()) as session:
        return [
            SessionView(
                handle=row.id_sha256[:_HANDLE],
                method=row.method,
                address=row.address,
                agent=row.agent,
                created_us=row.created_us,
                last_seen_us=row.last_seen_us,
                current=row.id_sha256 == here,
            )
            for row in session.scalars(statement)
        ]


def end_other_sessions() -> None:
    """End every session of the caller but the one that asks."""
    email, here = person()
    with transaction(engine()) as session:
        user, now_us = users.find_user(session, email), clock_us()
        users.end_sessions(session, user, now_us, besides=here)
        audit.record(
            session,
            now_us=now_us,
            actor=current_actor(),
            action="user.sessions_ended",
            subject=email,
            detail="all but one",
        )


def change_password(old: str, new: str) -> None:
    """Give the caller a new password and end their other sessions. `Refused` when the old one is
    wrong (nobody without one is asked for it) or the new one too short."""
    email, here = person()
    with reading(engine()) as session:
        kept = users.find_user(session, email).password_hash
    if kept is not None and not passwords.matches(kept, old):
        raise Refused("The old password is not that.")
    with transaction(engine()) as session:
        users.set_password(
            session,
            email=email,
            password=new,
            now_us=clock_us(),
            actor=current_actor(),
            besides=here,
        )
