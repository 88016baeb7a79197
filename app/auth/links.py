"""Links that let somebody in: made for one browser, good for ten minutes and one use.

The mail holds a secret, the browser that asked holds another one in a cookie; the registry knows
the digests of both. Whoever reads the mail elsewhere has half of it.
"""

import secrets
from dataclasses import dataclass

from sqlalchemy import CursorResult, Engine, select, update
from sqlalchemy.orm import Session, joinedload

from app.auth import sessions
from app.auth.sessions import Arrival, digest
from app.db import reading, transaction
from app.domain.window import MINUTE_US
from app.models import LoginLink, User

LIFE_US = 10 * MINUTE_US
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody asks for a link: for which address, in which browser (the secret of its cookie),
    to go where afterwards."""

    email: str
    browser: str
    target: str
    at_us: int


def new_secret() -> str:
    """256 random bits, as they stand in an address or a cookie."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def make(engine: Engine, request: Request) -> str | None:
    """The secret of a new link; None when nobody of that address may log in."""
    with transaction(engine) as session:
        user = session.scalar(select(User).where(User.email == request.email))
        if user is None or user.disabled_us is not None:
            return None
        secret = new_secret()
        session.add(
            LoginLink(
                secret_sha256=digest(secret),
                browser_sha256=digest(request.browser),
                user_id=user.id,
                created_us=request.at_us,
                expires_us=request.at_us + LIFE_US,
            )
        )
    return secret


def follow(engine: Engine, secret: str, browser: str, arrival: Arrival, now_us: int) -> str | None:
    """A new session's id when the link is good in this browser; else None, and it stays as it
    was. Looked up before it is used: what strangers invent must not cost a write."""
    if not _is_good(engine, secret, browser, now_us):
        return None
    with transaction(engine) as session:
        if not _use(session, secret, now_us):
            return None
        link = session.scalars(
            select(LoginLink)
            .where(LoginLink.secret_sha256 == digest(secret))
            .options(joinedload(LoginLink.user))
        ).one()
        return sessions.begin(session, link.user, arrival, now_us)


def _is_good(engine: Engine, secret: str, browser: str, now_us: int) -> bool:
    statement = (
        select(LoginLink)
        .join(LoginLink.user)
        .where(
            LoginLink.secret_sha256 == digest(secret),
            LoginLink.browser_sha256 == digest(browser),
            LoginLink.used_us.is_(None),
            LoginLink.expires_us > now_us,
            User.disabled_us.is_(None),
        )
    )
    with reading(engine) as session:
        return session.scalar(statement) is not None


def _use(session: Session, secret: str, now_us: int) -> bool:
    """Whether this call is the one that uses the link."""
    result = session.execute(
        update(LoginLink)
        .where(LoginLink.secret_sha256 == digest(secret), LoginLink.used_us.is_(None))
        .values(used_us=now_us)
    )
    return isinstance(result, CursorResult) and result.rowcount == 1
