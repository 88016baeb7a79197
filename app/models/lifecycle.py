"""What was told of installations, how far it is read off the wire, and what is counted of it."""

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, one_row

_Id = BigInteger().with_variant(Integer, "sqlite")
_DUE = "due_us IS NOT NULL"
_UNINSTALLS = "step = 'uninstalled'"


class LifecycleEvent(Base):
    """One event as it was received. The first one of an id is kept, whatever later ones say."""

    __tablename__ = "lifecycle_events"
    __table_args__ = (
        UniqueConstraint("event_id", "integration_id"),
        Index("ix_lifecycle_events_integration_id_installation", "integration_id", "installation"),
        Index(
            "ix_lifecycle_events_uninstalls",
            "integration_id",
            "occurred_us",
            sqlite_where=text(_UNINSTALLS),
            postgresql_where=text(_UNINSTALLS),
        ),
    )

    number: Mapped[int] = mapped_column(_Id, primary_key=True, comment="In the order of arrival")
    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id"), comment="Which integration it is about"
    )
    event_id: Mapped[str] = mapped_column(
        String(200), comment="The sender's id, or wire: and the id of the exchange that means it"
    )
    installation: Mapped[str] = mapped_column(String(200), comment="installations.external_id")
    customer: Mapped[str | None] = mapped_column(String(200), comment="Who; NULL: not told")
    step: Mapped[str] = mapped_column(String(63), comment="What happened")
    occurred_us: Mapped[int] = mapped_column(
        BigInteger, comment="When it happened, microseconds since 1970 UTC"
    )
    plan: Mapped[str | None] = mapped_column(String(100), comment="On which plan; NULL: not told")
    source: Mapped[str | None] = mapped_column(
        String(100), comment="Where the customer came from; NULL: not told"
    )
    reason: Mapped[str | None] = mapped_column(String(500), comment="Why; NULL: not told")
    received_us: Mapped[int] = mapped_column(
        BigInteger, comment="When it came, microseconds since 1970 UTC"
    )


class LifecycleCursor(Base):
    """How far exchanges have been read for the steps they mean. One row."""

    __tablename__ = "lifecycle_cursor"
    __table_args__ = (one_row(),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="Always 1")
    exchange: Mapped[bytes] = mapped_column(
        LargeBinary(16), comment="exchanges.id of the newest one read"
    )
    folded_us: Mapped[int] = mapped_column(
        BigInteger, comment="Installations folded before it were looked up in older exchanges"
    )


class FunnelDay(Base):
    """Counts of the installations of one integration that entered on one UTC day.

    Made anew from the installations, whole, when `stale`, and once `due_us` has passed.
    """

    __tablename__ = "funnel_days"
    __table_args__ = (
        Index(
            "ix_funnel_days_stale",
            "integration_id",
            "day",
            sqlite_where=text("stale"),
            postgresql_where=text("stale"),
        ),
        Index("ix_funnel_days_due", "due_us", sqlite_where=text(_DUE), postgresql_where=text(_DUE)),
    )

    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id", ondelete="CASCADE"), primary_key=True, comment="Whose"
    )
    day: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="Whole days since 1970 UTC"
    )
    stale: Mapped[bool] = mapped_column(comment="Whether an installation changed since")
    due_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Then the next of them is late, microseconds; NULL: none will be"
    )
    counts: Mapped[bytes] = mapped_column(
        LargeBinary, comment="Sparse counts, app.domain.funnel_counts"
    )
    parts: Mapped[bytes] = mapped_column(
        LargeBinary, comment="The same by plan and by source, MessagePack"
    )
