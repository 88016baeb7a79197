"""Sessions in the registry: begun at log-in, found by cookie, ended by log-out, silence or age."""

import hashlib
import secrets

from sqlalchemy import CursorResult, Engine, delete, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from app.auth.caller import Caller, scope_of
from app.db import reading, transaction
from app.domain.window import DAY_US, HOUR_US, MINUTE_US
from app.errors import RegistryUnavailable
from app.logs import get as get_logger
from app.models import LoginSession, User

IDLE_US = 12 * HOUR_US
ABSOLUTE_US = 7 * DAY_US
#: `last_seen_us` is written no more often than this.
TOUCH_US = MINUTE_US
_ID_BYTES = 32
_log = get_logger("auth")


def digest(secret: str) -> str:
    """What the registry keeps of a session id or a token: SHA-256, lower-case hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def begin(engine: Engine, user_id: int, now_us: int, replaces: str | None = None) -> str:
    """A new session of a user; its id, for the cookie. `replaces`: an id that ends now."""
    session_id = secrets.token_urlsafe(_ID_BYTES)
    with transaction(engine) as session:
        if replaces:
            _revoke(session, digest(replaces), now_us)
        session.execute(delete(LoginSession).where(LoginSession.expires_us < now_us - DAY_US))
        session.add(
            LoginSession(
                id_sha256=digest(session_id),
                user_id=user_id,
                created_us=now_us,
                last_seen_us=now_us,
                expires_us=now_us + ABSOLUTE_US,
            )
        )
    return session_id


def find(engine: Engine, session_id: str, now_us: int) -> Caller | None:
    """The caller of a session that is still good, else None."""
    key = digest(session_id)
    with reading(engine) as session:
        row = session.scalar(
            select(LoginSession)
            .where(LoginSession.id_sha256 == key, LoginSession.revoked_us.is_(None))
            .options(joinedload(LoginSession.user).options(selectinload(User.partners)))
        )
    if row is None or row.user.disabled_us is not None:
        return None
    if now_us >= row.expires_us or now_us - row.last_seen_us >= IDLE_US:
        return None
    if now_us - row.last_seen_us >= TOUCH_US:
        _touch(engine, key, now_us)
    current = (partner.slug for partner in row.user.partners if partner.removed_us is None)
    return Caller(row.user.email, scope_of(row.user.role, current), key)


def end(engine: Engine, key: str, now_us: int) -> bool:
    """Revoke the session with that digest; whether there was one to revoke."""
    with transaction(engine) as session:
        return _revoke(session, key, now_us)


def _revoke(session: Session, key: str, now_us: int) -> bool:
    result = session.execute(
        update(LoginSession)
        .where(LoginSession.id_sha256 == key, LoginSession.revoked_us.is_(None))
        .values(revoked_us=now_us)
    )
    return isinstance(result, CursorResult) and result.rowcount == 1


def _touch(engine: Engine, key: str, now_us: int) -> None:
    """Note that the session is in use. Somebody who can be recognised is let in even while the
    registry takes no writes; the session then only ends its silence later."""
    statement = (
        update(LoginSession)
        .where(LoginSession.id_sha256 == key, LoginSession.last_seen_us < now_us)
        .values(last_seen_us=now_us)
    )
    try:
        with transaction(engine) as session:
            session.execute(statement)
    except RegistryUnavailable as error:
        _log.warning("session_not_touched", reason=str(error))
