"""Making password hashes; `app.auth.passwords` checks them."""

import secrets

from argon2 import PasswordHasher

from app.errors import Refused

MIN_LENGTH = 8
MAX_LENGTH = 1_000
#: argon2id at the cost that RFC 9106 asks for where memory is scarce: 64 MiB, three passes.
HASHER = PasswordHasher()
_GENERATED_BYTES = 15  # 120 bits, 20 characters


def hash_password(password: str) -> str:
    """The argon2id hash; `Refused` for a password too short to protect anything."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise Refused(f"a password must have {MIN_LENGTH} to {MAX_LENGTH:,} characters")
    return HASHER.hash(password)


def generate() -> str:
    """A random password that can be copied by hand."""
    return secrets.token_urlsafe(_GENERATED_BYTES)
