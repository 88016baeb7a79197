"""Deciding a log-in, and doing what was decided."""

from dataclasses import dataclass

from sqlalchemy import Engine, select

from app.auth import passwords, sessions
from app.auth.throttle import PER_ADDRESS, PER_EMAIL, Pair
from app.db import reading, transaction
from app.logs import get as get_logger
from app.models import User
from app.telemetry import count_login

_MAX_EMAIL = 254
_log = get_logger("auth")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody typed, and how they come."""

    email: str
    password: str
    arrival: sessions.Arrival


@dataclass(frozen=True, slots=True)
class Result:
    """`session_id` when they are in; else `wait_s`, how long to wait (0: just wrong)."""

    session_id: str | None = None
    wait_s: int = 0


class Door:
    """The log-in by password of one web process: it owns the counts of failures."""

    def __init__(self) -> None:
        self._failures = Pair(PER_EMAIL, PER_ADDRESS)

    def knock(self, engine: Engine, attempt: Attempt, now_us: int) -> Result:
        """Let in or not. `RegistryUnavailable` when nobody can be looked up."""
        email, address = typed_email(attempt.email), attempt.arrival.address
        wait_s = self._failures.wait_s(email, address, now_us)
        if wait_s:
            _log.warning("login_throttled", email=email, address=address)
            count_login("password", "throttled")
            return Result(wait_s=wait_s)
        user = _check(engine, email, attempt.password)
        if user is None:
            self._failures.count(email, address, now_us)
            _log.warning("login_failed", email=email, address=address)
            count_login("password", "wrong")
            return Result()
        self._failures.forgive(email)
        _log.info("login", email=email, address=address)
        count_login("password", "in")
        with transaction(engine) as session:
            return Result(sessions.begin(session, user, attempt.arrival, now_us))


def typed_email(text: str) -> str:
    """An address as it is looked up. A NUL is in none, and PostgreSQL refuses to look for one."""
    return text.replace("\x00", "\ufffd").strip().lower()[:_MAX_EMAIL]


def _check(engine: Engine, email: str, password: str) -> User | None:
    """The user these belong to. Whatever is wrong, the same work is done."""
    with reading(engine) as session:
        user = session.scalar(select(User).where(User.email == email))
    known = passwords.matches(user.password_hash if user else None, password)
    return user if user is not None and known and user.disabled_us is None else None
