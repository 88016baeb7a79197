"""People who can log in: adding, inviting, moving, changing the password, disabling."""

from collections.abc import Collection

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from app.commands import audit, registry_checks
from app.commands.passwords import hash_password
from app.domain.scope import Role
from app.errors import NotFound, Refused
from app.models import Integration, LoginLink, LoginSession, Partner, User, Visibility


def add_user(
    session: Session,
    *,
    email: str,
    role: Role,
    password: str | None,
    partners: Collection[str] = (),
    integrations: Collection[str] = (),
    now_us: int,
    actor: str,
) -> User:
    """Add a user. Role `partner` needs at least one partner slug, role `internal` at least one
    slug of an internal integration, the others none. A `password` of None: they log in by link.

    Raises `Refused` for an address that is in use or is none, `NotFound` for a slug that is not
    in the registry.
    """
    address = _address(email)
    places = _places(session, role, partners, integrations)
    if session.scalar(select(User.id).where(User.email == address)):
        raise _taken(address)
    hashed = hash_password(password) if password is not None else None
    user = User(email=address, role=role, password_hash=hashed, created_us=now_us)
    user.partners, user.integrations = places
    session.add(user)
    try:
        session.flush()
    except IntegrityError:
        raise _taken(address) from None
    audit.record(
        session,
        now_us=now_us,
        actor=actor,
        action="user.added",
        subject=address,
        detail=_reach(user),
    )
    return user


def move_user(
    session: Session,
    *,
    email: str,
    role: Role,
    partners: Collection[str] = (),
    integrations: Collection[str] = (),
    now_us: int,
    actor: str,
) -> bool:
    """Give a user another role or other partners and end every session of theirs; False when
    it was so already. `Refused` when no administrator would be left."""
    user = find_user(session, email)
    places = _places(session, role, partners, integrations)
    if (user.role, user.partners, user.integrations) == (role, *places):
        return False
    if role is not Role.ADMIN:
        _keep_an_admin(session, user)
    user.role = role
    user.partners, user.integrations = places
    end_sessions(session, user, now_us)
    audit.record(
        session,
        now_us=now_us,
        actor=actor,
        action="user.moved",
        subject=user.email,
        detail=_reach(user),
    )
    return True


def set_password(
    session: Session,
    *,
    email: str,
    password: str,
    now_us: int,
    actor: str,
    besides: str | None = None,
) -> User:
    """Give a user a new password and end every session of theirs (`besides`: but that one)."""
    user = find_user(session, email)
    user.password_hash = hash_password(password)
    end_sessions(session, user, now_us, besides=besides)
    audit.record(
        session, now_us=now_us, actor=actor, action="user.password_set", subject=user.email
    )
    return user


def disable_user(session: Session, *, email: str, now_us: int, actor: str) -> bool:
    """Stop a user from logging in and end every session; False when it was so already.
    `Refused` when no administrator would be left."""
    user = find_user(session, email)
    if user.disabled_us is not None:
        return False
    _keep_an_admin(session, user)
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


def end_sessions(session: Session, user: User, now_us: int, *, besides: str | None = None) -> None:
    """End every session of a user, and every link on its way to them. `besides`: the digest of
    one session that goes on."""
    session.execute(
        update(LoginSession)
        .where(
            LoginSession.user_id == user.id,
            LoginSession.revoked_us.is_(None),
            LoginSession.id_sha256 != (besides or ""),
        )
        .values(revoked_us=now_us)
    )
    session.execute(delete(LoginLink).where(LoginLink.user_id == user.id))


def list_users(session: Session) -> list[User]:
    """Everybody, by address, with what they belong to."""
    places = (selectinload(User.partners), selectinload(User.integrations))
    return list(session.scalars(select(User).options(*places).order_by(User.email)))


def belongs_to(user: User) -> list[str]:
    """The slugs of a user's partners and integrations."""
    return [each.slug for each in user.partners] + [each.slug for each in user.integrations]


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


def find_internal(session: Session, slug: str) -> Integration:
    """The internal integration with that slug; `NotFound`, `Refused` when it is not internal."""
    found = session.scalar(
        select(Integration).where(Integration.slug == slug, Integration.removed_us.is_(None))
    )
    if found is None:
        raise NotFound(f"there is no integration {slug!r} in the registry: import it first")
    if found.visibility is not Visibility.INTERNAL:
        raise Refused(f"{slug} is {found.visibility}: role internal is for internal integrations")
    return found


def _places(
    session: Session, role: Role, partners: Collection[str], integrations: Collection[str]
) -> tuple[list[Partner], list[Integration]]:
    """What a user of that role belongs to, by slug."""
    if (role is Role.PARTNER) != bool(partners):
        raise Refused(_partners_wanted(role))
    if (role is Role.INTERNAL) != bool(integrations):
        raise Refused(_integrations_wanted(role))
    return (
        [find_partner(session, slug) for slug in sorted(set(partners))],
        [find_internal(session, slug) for slug in sorted(set(integrations))],
    )


def _reach(user: User) -> str:
    return ", ".join([f"role {user.role}", *belongs_to(user)])


def _keep_an_admin(session: Session, leaving: User) -> None:
    if leaving.role is not Role.ADMIN:
        return
    # Locked, so that two who leave at once do not each count on the other.
    admins = select(User.id).where(User.role == Role.ADMIN, User.disabled_us.is_(None))
    if not set(session.scalars(admins.with_for_update())) - {leaving.id}:
        raise Refused(f"{leaving.email} is the last administrator: make another one first")


def _address(email: str) -> str:
    try:
        return registry_checks.mail(email.strip().lower())
    except ValueError as error:
        raise Refused(str(error)) from None


def _partners_wanted(role: Role) -> str:
    if role is Role.PARTNER:
        return "role partner sees the data of its partners: name at least one with --partner SLUG"
    return f"role {role} does not go with a partner: leave --partner out"


def _integrations_wanted(role: Role) -> str:
    if role is Role.INTERNAL:
        return "role internal sees single integrations: name at least one with --integration SLUG"
    return f"role {role} does not go with single integrations: leave --integration out"


def _taken(address: str) -> Refused:
    return Refused(f"there is a user {address} already: python -m app user password changes theirs")
