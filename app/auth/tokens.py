"""API tokens: shown as `Authorization: Bearer`, known by their digest."""

from sqlalchemy import Engine, and_, bindparam, or_, select, update

from app.auth.caller import CURRENT, INTERNAL, Caller, scope_of
from app.auth.sessions import digest
from app.db import looking_up, transaction
from app.domain.window import MINUTE_US
from app.errors import RegistryUnavailable
from app.logs import get as get_logger
from app.models import ApiToken, Integration, Partner

#: `last_used_us` is written no more often than this.
TOUCH_US = MINUTE_US
_log = get_logger("auth")
_FIND = (
    select(
        ApiToken.id,
        ApiToken.name,
        ApiToken.role,
        ApiToken.last_used_us,
        Partner.slug.label("partner"),
        Integration.slug.label("integration"),
    )
    .outerjoin(Partner, and_(Partner.id == ApiToken.partner_id, CURRENT))
    .outerjoin(Integration, and_(Integration.id == ApiToken.integration_id, INTERNAL))
    .where(ApiToken.sha256 == bindparam("sha256"), ApiToken.revoked_us.is_(None))
)


def bearer(authorization: str | None) -> str | None:
    """The token in an `Authorization` header; None when there is no such header or scheme."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def find(engine: Engine, token: str, now_us: int) -> Caller | None:
    """The caller a valid token stands for, else None."""
    with looking_up(engine) as connection:
        row = connection.execute(_FIND, {"sha256": digest(token)}).one_or_none()
    if row is None:
        return None
    if row.last_used_us is None or now_us - row.last_used_us >= TOUCH_US:
        _touch(engine, row.id, now_us)
    slugs = [slug for slug in (row.partner, row.integration) if slug is not None]
    return Caller(f"token:{row.name}", scope_of(row.role, slugs))


def _touch(engine: Engine, token_id: int, now_us: int) -> None:
    """Note the use; a registry that takes no writes does not stop a token from being read."""
    older = or_(ApiToken.last_used_us.is_(None), ApiToken.last_used_us <= now_us - TOUCH_US)
    statement = update(ApiToken).where(ApiToken.id == token_id, older).values(last_used_us=now_us)
    try:
        with transaction(engine) as session:
            session.execute(statement)
    except RegistryUnavailable as error:
        _log.warning("token_use_not_noted", reason=str(error))
