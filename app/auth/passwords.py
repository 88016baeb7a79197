"""Checking a password, at the same cost whether or not there is somebody to check."""

from functools import cache

from argon2.exceptions import InvalidHashError, VerificationError

from app.commands import passwords


def matches(password_hash: str | None, password: str) -> bool:
    """Whether `password` is the one. A hash of None (no such user) takes as long and is False."""
    try:
        passwords.HASHER.verify(password_hash or _nobody(), password[: passwords.MAX_LENGTH + 1])
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


@cache
def _nobody() -> str:
    return passwords.HASHER.hash("nobody has this password, and nobody may")
