"""People who can log in: adding, changing the password, disabling."""

from collections.abc import Collection

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.commands import audit, registry_checks
from app.commands.passwords import hash_password
from app.domain.scope import Role
from app.errors import NotFound, Refused
from app.models import LoginSession, Partner, User


def add_user(
    session: Session,
    *,
    email: str,
    role: Role,
    password: str,
    partners: Collection[str] = (),
    now_us: int,
    actor: str,
) -> User:
    """Add a user. Role `partner` needs at least one partner slug, the others none.

    Raises `Refused` for an address that is in use or is none, `NotFound` for a partner that is
    not in the registry.
    """
    address = _address(email)
    if (role is Role.PARTNER) != bool(partners):
        raise Refused(_partners_wanted(role))
    members = [find_partner(session, slug) for slug in dict.fromkeys(partners)]
    if session.scalar(select(User.id).where(User.email == address)):
        raise _taken(address)
    user = User(email=address, role=role, password_hash=hash_password(password), created_us=now_us)
    user.partners = members
    session.add(user)
    try:
        session.flush()
    except IntegrityError:
        raise _taken(address) from None
    detail = ", ".join([f"role {role}", *(partner.slug for partner in members)])
    audit.record(
        session, now_us=now_us, actor=actor, action="user.added", subject=address, detail=detail
    )
    return user


def set_password(session: Session, *, email: str, password: str, now_us: int, actor: str) -> User:
    """Give a user a new password and end every session of theirs."""
    user = find_user(session, email)
    user.password_hash = hash_password(password)
    end_sessions(session, user, now_us)
    audit.record(
        session, now_us=now_us, actor=actor, action="user.password_set", subject=user.email
    )
    return user


def disable_user(session: Session, *, email: str, now_us: int, actor: str) -> bool:
    """Stop a user from logging in and end every session; False when it was so already."""
    user = find_user(session, email)
    if user.disabled_us is not None:
        return False
    user.disabled_us = now_us
    end_sessions(session, user, now_us)
    audit.record(session, now_us=now_us, actor=actor, action="user.disabled", subject=user.email)
    return True


def enable_user(session: Session, *, email: str, now_us: int, actor: str) -> bool:
    """Let a user log in again; False when it was so already."""
    user = find_user(session, email)
    if user.disabled_us is None:
        return False
    user.disabled_us = None
    audit.record(session, now_us=now_us, actor=actor, action="user.enabled", subject=user.email)
    return True


def end_sessions(session: Session, user: User, now_us: int) -> None:
    """End every session of a user."""
    session.execute(
        update(LoginSession)
        .where(LoginSession.user_id == user.id, LoginSession.revoked_us.is_(None))
        .values(revoked_us=now_us)
    )


def list_users(session: Session) -> list[User]:
    """Everybody, by address."""
    return list(session.scalars(select(User).order_by(User.email)))


def find_user(session: Session, email: str) -> User:
    """The user with that address; `NotFound`."""
    user = session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None:
        raise NotFound(f"there is no user {email!r}: python -m app user list shows who there is")
    return user


def find_partner(session: Session, slug: str) -> Partner:
    """The partner with that slug; `NotFound`."""
    partner = session.scalar(
        select(Partner).where(Partner.slug == slug, Partner.removed_us.is_(None))
    )
    if partner is None:
        raise NotFound(f"there is no partner {slug!r} in the registry: import it first")
    return partner


def _address(email: str) -> str:
    try:
        return registry_checks.mail(email.strip().lower())
    except ValueError as error:
        raise Refused(str(error)) from None


def _partners_wanted(role: Role) -> str:
    if role is Role.PARTNER:
        return "role partner sees the data of its partners: name at least one with --partner SLUG"
    return f"role {role} sees every partner: leave --partner out"


def _taken(address: str) -> Refused:
    return Refused(f"there is a user {address} already: python -m app user password changes theirs")
