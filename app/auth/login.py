"""Deciding a log-in, and doing what was decided."""

from dataclasses import dataclass

from sqlalchemy import Engine, select

from app.auth import passwords, sessions
from app.auth.throttle import PER_ADDRESS, PER_EMAIL, Throttle
from app.db import reading
from app.domain.window import SECOND_US
from app.logs import get as get_logger
from app.models import User

_MAX_EMAIL = 254
_log = get_logger("auth")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody typed, and from where. `replaces`: the session id they came with."""

    email: str
    password: str
    address: str
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """`session_id` when they are in; else `wait_s`, how long to wait (0: just wrong)."""

    session_id: str | None = None
    wait_s: int = 0


class Door:
    """The log-in of one web process: it owns the counts of failures."""

    def __init__(self) -> None:
        self._by_email = Throttle(PER_EMAIL)
        self._by_address = Throttle(PER_ADDRESS)

    def knock(self, engine: Engine, attempt: Attempt, now_us: int) -> Result:
        """Let in or not. `RegistryUnavailable` when nobody can be looked up."""
        # A NUL is in no address, and PostgreSQL refuses to look for one.
        email = attempt.email.replace("\x00", "\ufffd").strip().lower()[:_MAX_EMAIL]
        wait_us = self._wait_us(email, attempt.address, now_us)
        if wait_us:
            _log.warning("login_throttled", email=email, address=attempt.address)
            return Result(wait_s=-(-wait_us // SECOND_US))
        user_id = _check(engine, email, attempt.password)
        if user_id is None:
            self._by_email.failed(email, now_us)
            self._by_address.failed(attempt.address, now_us)
            _log.warning("login_failed", email=email, address=attempt.address)
            return Result()
        self._by_email.forgive(email)
        _log.info("login", email=email, address=attempt.address)
        return Result(sessions.begin(engine, user_id, now_us, attempt.replaces))

    def _wait_us(self, email: str, address: str, now_us: int) -> int:
        return max(self._by_email.wait_us(email, now_us), self._by_address.wait_us(address, now_us))


def _check(engine: Engine, email: str, password: str) -> int | None:
    """The id of the user these belong to. Whatever is wrong, the same work is done."""
    with reading(engine) as session:
        user = session.scalar(select(User).where(User.email == email))
    known = passwords.matches(user.password_hash if user else None, password)
    return user.id if user is not None and known and user.disabled_us is None else None
