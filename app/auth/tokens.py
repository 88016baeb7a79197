"""API tokens: shown as `Authorization: Bearer`, known by their digest."""

from sqlalchemy import Engine, or_, select, update
from sqlalchemy.orm import joinedload

from app.auth.caller import Caller, scope_of
from app.auth.sessions import digest
from app.db import reading, transaction
from app.domain.window import MINUTE_US
from app.errors import RegistryUnavailable
from app.logs import get as get_logger
from app.models import ApiToken

#: `last_used_us` is written no more often than this.
TOUCH_US = MINUTE_US
_log = get_logger("auth")


def bearer(authorization: str | None) -> str | None:
    """The token in an `Authorization` header; None when there is no such header or scheme."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def find(engine: Engine, token: str, now_us: int) -> Caller | None:
    """The caller a valid token stands for, else None."""
    with reading(engine) as session:
        row = session.scalar(
            select(ApiToken)
            .where(ApiToken.sha256 == digest(token), ApiToken.revoked_us.is_(None))
            .options(joinedload(ApiToken.partner), joinedload(ApiToken.integration))
        )
    if row is None:
        return None
    if row.last_used_us is None or now_us - row.last_used_us >= TOUCH_US:
        _touch(engine, row.id, now_us)
    partners = (row.partner,) if row.partner is not None else ()
    integrations = (row.integration,) if row.integration is not None else ()
    return Caller(f"token:{row.name}", scope_of(row.role, partners, integrations))


def _touch(engine: Engine, token_id: int, now_us: int) -> None:
    """Note the use; a registry that takes no writes does not stop a token from being read."""
    older = or_(ApiToken.last_used_us.is_(None), ApiToken.last_used_us <= now_us - TOUCH_US)
    statement = update(ApiToken).where(ApiToken.id == token_id, older).values(last_used_us=now_us)
    try:
        with transaction(engine) as session:
            session.execute(statement)
    except RegistryUnavailable as error:
        _log.warning("token_use_not_noted", reason=str(error))
