"""Installations: which customers use which integrations, and where each stands."""

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.funnel import InstallationState, LostCause
from app.models.base import Base, words_type
from app.models.integration import Integration

_AWAITED = "due_us IS NOT NULL"


class Installation(Base):
    """One customer's use of one integration.

    Everything but `lost_cause` is folded from its lifecycle events (`app.domain.funnel`); the
    columns say what `facts` says by the steps of the integration's funnel. What is lost is lost at
    `next_step`.
    """

    __tablename__ = "installations"
    __table_args__ = (
        UniqueConstraint("external_id", "integration_id"),
        Index("ix_installations_integration_id_entered_us", "integration_id", "entered_us"),
        Index("ix_installations_integration_id_customer", "integration_id", "customer"),
        Index(
            "ix_installations_due",
            "due_us",
            sqlite_where=text(_AWAITED),
            postgresql_where=text(_AWAITED),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Internal; never shown")
    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id"), comment="Which integration is used"
    )
    external_id: Mapped[str] = mapped_column(
        String(200), comment="What the platform calls it; unique within the integration"
    )
    customer: Mapped[str | None] = mapped_column(
        String(200), comment="Who uses it, as the platform calls them; NULL: not told yet"
    )
    state: Mapped[InstallationState] = mapped_column(
        words_type(InstallationState, "state"),
        comment="installing, active, suspended, declined or uninstalled",
    )
    plan: Mapped[str | None] = mapped_column(String(100), comment="Newest plan told; NULL: none")
    source: Mapped[str | None] = mapped_column(
        String(100), comment="Where the customer came from, as first told; NULL: not told"
    )
    reason: Mapped[str | None] = mapped_column(
        String(500), comment="Why it is uninstalled or declined; NULL: neither, or not told"
    )
    entered_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="First step of all, microseconds since 1970 UTC; NULL: none yet"
    )
    activated_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Reached the goal of the funnel, microseconds; NULL: not yet"
    )
    uninstalled_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Removed then and not brought back, microseconds; NULL: it is there"
    )
    next_step: Mapped[str | None] = mapped_column(
        String(63), comment="The step that it awaits, or was lost at; NULL: neither"
    )
    due_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="From then on that step is late, microseconds; NULL: none is awaited"
    )
    lost_cause: Mapped[LostCause | None] = mapped_column(
        words_type(LostCause, "lost_cause"),
        comment="failed, stuck, declined or timed_out; NULL: not lost, or late and not judged yet",
    )
    last_us: Mapped[int] = mapped_column(
        BigInteger, comment="Its newest event happened then, microseconds since 1970 UTC"
    )
    created_us: Mapped[int] = mapped_column(
        BigInteger, comment="Its first event came then, microseconds since 1970 UTC"
    )
    updated_us: Mapped[int] = mapped_column(
        BigInteger, comment="Last folded, microseconds since 1970 UTC"
    )
    facts: Mapped[bytes] = mapped_column(
        LargeBinary, comment="app.domain.funnel.Facts, as app.models.facts packs them"
    )

    integration: Mapped[Integration] = relationship()
