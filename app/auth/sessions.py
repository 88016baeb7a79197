"""Sessions in the registry: begun at log-in, found by cookie, ended by log-out, silence or age."""

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, CursorResult, Engine, bindparam, delete, or_, select, update
from sqlalchemy.orm import Session

from app.auth.caller import CURRENT, INTERNAL, Caller, scope_of
from app.auth.context import settings
from app.commands import audit
from app.db import looking_up, transaction
from app.domain.scope import Role, Scope
from app.domain.window import DAY_US, HOUR_US, MINUTE_US
from app.errors import RegistryUnavailable
from app.logs import get as get_logger
from app.models import (
    Integration,
    IntegrationMembership,
    LoginLink,
    LoginSession,
    Membership,
    Partner,
    User,
)

IDLE_US = 12 * HOUR_US
ABSOLUTE_US = 7 * DAY_US
#: `last_seen_us` is written no more often than this.
TOUCH_US = MINUTE_US
_ID_BYTES = 32
_MAX_ADDRESS, _MAX_AGENT = 45, 300
_log = get_logger("auth")
# Made once: every request asks.
_FIND = (
    select(User.id, User.email, User.role, LoginSession.last_seen_us)
    .join(LoginSession.user)
    .where(
        LoginSession.id_sha256 == bindparam("key"),
        LoginSession.revoked_us.is_(None),
        LoginSession.expires_us > bindparam("now_us"),
        LoginSession.last_seen_us > bindparam("now_us") - IDLE_US,
        User.disabled_us.is_(None),
    )
)
#: The slugs that give a user of a role its reach; other roles see everything.
_GIVES = {
    Role.PARTNER: select(Partner.slug)
    .join(Membership, Membership.partner_id == Partner.id)
    .where(Membership.user_id == bindparam("user_id"), CURRENT),
    Role.INTERNAL: select(Integration.slug)
    .join(IntegrationMembership, IntegrationMembership.integration_id == Integration.id)
    .where(IntegrationMembership.user_id == bindparam("user_id"), INTERNAL),
}


def digest(secret: str) -> str:
    """What the registry keeps of a session id or a token: SHA-256, lower-case hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Arrival:
    """How somebody comes in: by what `method`, from which address, with which browser.
    `replaces`: the session id they came with, which ends."""

    method: str
    address: str
    agent: str
    replaces: str | None = None


def begin(session: Session, user: User, arrival: Arrival, now_us: int) -> str:
    """A new session of a user, in the transaction of `session`; its id, for the cookie."""
    session_id = secrets.token_urlsafe(_ID_BYTES)
    if arrival.replaces:
        _revoke(session, digest(arrival.replaces), now_us)
    sweep(session, now_us)
    audit.forget(session, now_us - settings().audit_retention_us)
    session.add(
        LoginSession(
            id_sha256=digest(session_id),
            user_id=user.id,
            method=arrival.method,
            address=arrival.address[:_MAX_ADDRESS],
            agent=arrival.agent[:_MAX_AGENT],
            created_us=now_us,
            last_seen_us=now_us,
            expires_us=now_us + ABSOLUTE_US,
        )
    )
    audit.record(
        session,
        now_us=now_us,
        actor=f"user:{user.email}",
        action="user.logged_in",
        subject=user.email,
        detail=f"by {arrival.method} from {arrival.address}",
    )
    return session_id


def sweep(session: Session, now_us: int) -> None:
    """Forget sessions and links that ended a day ago or longer."""
    over = now_us - DAY_US
    session.execute(
        delete(LoginSession).where(
            or_(LoginSession.expires_us < over, LoginSession.revoked_us < over)
        )
    )
    session.execute(delete(LoginLink).where(LoginLink.expires_us < over))


def find(engine: Engine, session_id: str, now_us: int) -> Caller | None:
    """The caller of a session that is still good, else None."""
    key = digest(session_id)
    with looking_up(engine) as connection:
        row = connection.execute(_FIND, {"key": key, "now_us": now_us}).one_or_none()
        if row is None:
            return None
        scope = _scope(connection, row.id, row.role)
    if now_us - row.last_seen_us >= TOUCH_US:
        _touch(engine, key, now_us)
    return Caller(row.email, scope, key)


def _scope(connection: Connection, user_id: int, role: Role) -> Scope:
    """The reach of a user; only what gives it is read."""
    gives = _GIVES.get(role)
    slugs = [] if gives is None else connection.scalars(gives, {"user_id": user_id}).all()
    return scope_of(role, slugs)


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
