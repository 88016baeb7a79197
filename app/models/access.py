"""Who may look: users, what they belong to, their sessions and links, and tokens for programs.

No secret stands here: passwords as argon2id hashes; session ids, the secrets of links, and tokens
as SHA-256 digests (all are 256 random bits, so a fast digest is enough).
"""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.scope import Role
from app.models.base import Base, words_type
from app.models.integration import Integration
from app.models.partner import Partner


class Membership(Base):
    """That a user of role `partner` belongs to a partner."""

    __tablename__ = "memberships"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, comment="Who"
    )
    partner_id: Mapped[int] = mapped_column(
        ForeignKey("partners.id", ondelete="CASCADE"),
        primary_key=True,
        index=True,
        comment="Belongs to which partner",
    )


class IntegrationMembership(Base):
    """That a user of role `internal` builds an integration."""

    __tablename__ = "integration_memberships"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, comment="Who"
    )
    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id", ondelete="CASCADE"),
        primary_key=True,
        index=True,
        comment="Builds which integration",
    )


class User(Base):
    """A person who can log in."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("email = lower(email)", name="email_is_lower_case"),)

    id: Mapped[int] = mapped_column(primary_key=True, comment="Internal; never shown")
    email: Mapped[str] = mapped_column(
        String(254), unique=True, comment="The log-in name, in lower case"
    )
    password_hash: Mapped[str | None] = mapped_column(
        String(300), comment="argon2id, in its own encoded form; NULL: has none and logs in without"
    )
    role: Mapped[Role] = mapped_column(
        words_type(Role, "role"), comment="admin, ecosystem, partner or internal"
    )
    created_us: Mapped[int] = mapped_column(
        BigInteger, comment="Added, microseconds since 1970 UTC"
    )
    disabled_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Cannot log in since, microseconds; NULL: can"
    )

    partners: Mapped[list[Partner]] = relationship(secondary="memberships", order_by="Partner.slug")
    integrations: Mapped[list[Integration]] = relationship(
        secondary="integration_memberships", order_by="Integration.slug"
    )


class LoginSession(Base):
    """One log-in of one user, ended by log-out, age or silence."""

    __tablename__ = "sessions"
    __table_args__ = (CheckConstraint("length(id_sha256) = 64", name="id_is_64_hex"),)

    id_sha256: Mapped[str] = mapped_column(
        String(64), primary_key=True, comment="SHA-256 of the id in the cookie, lower-case hex"
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True, comment="Who is logged in"
    )
    method: Mapped[str] = mapped_column(
        String(20), comment="How they came in: password, link, oidc"
    )
    address: Mapped[str] = mapped_column(String(45), comment="Where from: an IP address")
    agent: Mapped[str] = mapped_column(String(300), comment="With what: the browser's User-Agent")
    created_us: Mapped[int] = mapped_column(
        BigInteger, comment="Logged in, microseconds since 1970 UTC"
    )
    last_seen_us: Mapped[int] = mapped_column(
        BigInteger, comment="Last request, microseconds since 1970 UTC"
    )
    expires_us: Mapped[int] = mapped_column(
        BigInteger, index=True, comment="Ends then at the latest, microseconds since 1970 UTC"
    )
    revoked_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Ended early, microseconds since 1970 UTC; NULL: not"
    )

    user: Mapped[User] = relationship()


class LoginLink(Base):
    """A mailed link that lets one user in once, in the browser that asked for it."""

    __tablename__ = "login_links"

    secret_sha256: Mapped[str] = mapped_column(
        String(64),
        primary_key=True,
        comment="SHA-256 of the secret in the mailed address, lower-case hex",
    )
    browser_sha256: Mapped[str] = mapped_column(
        String(64), comment="SHA-256 of the cookie of the browser that asked, lower-case hex"
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True, comment="Whom it lets in"
    )
    created_us: Mapped[int] = mapped_column(
        BigInteger, comment="Asked for, microseconds since 1970 UTC"
    )
    expires_us: Mapped[int] = mapped_column(
        BigInteger, index=True, comment="Worthless from then on, microseconds since 1970 UTC"
    )
    used_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Used, microseconds since 1970 UTC; NULL: not yet"
    )

    user: Mapped[User] = relationship()


class ApiToken(Base):
    """A token that a program shows instead of a log-in."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        CheckConstraint("length(sha256) = 64", name="sha256_is_64_hex"),
        CheckConstraint(
            "(role = 'partner') = (partner_id IS NOT NULL)", name="partner_goes_with_role"
        ),
        CheckConstraint(
            "(role = 'internal') = (integration_id IS NOT NULL)", name="integration_goes_with_role"
        ),
        # A name is free again once its token is revoked.
        Index(
            "uq_api_tokens_name_in_use",
            "name",
            unique=True,
            sqlite_where=text("revoked_us IS NULL"),
            postgresql_where=text("revoked_us IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Internal; never shown")
    name: Mapped[str] = mapped_column(String(200), comment="What it is for")
    sha256: Mapped[str] = mapped_column(
        String(64), unique=True, comment="SHA-256 of the token, lower-case hex"
    )
    role: Mapped[Role] = mapped_column(
        words_type(Role, "role"), comment="admin, ecosystem, partner or internal"
    )
    partner_id: Mapped[int | None] = mapped_column(
        ForeignKey("partners.id"), index=True, comment="Whose data it shows, for role partner"
    )
    integration_id: Mapped[int | None] = mapped_column(
        ForeignKey("integrations.id"),
        index=True,
        comment="The one whose data it shows, for role internal",
    )
    created_us: Mapped[int] = mapped_column(
        BigInteger, comment="Added, microseconds since 1970 UTC"
    )
    last_used_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Last shown, to the minute or so, microseconds since 1970 UTC"
    )
    revoked_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Worthless since, microseconds since 1970 UTC; NULL: valid"
    )

    partner: Mapped[Partner | None] = relationship()
    integration: Mapped[Integration | None] = relationship()
