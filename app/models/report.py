"""Weekly reports: to whom one goes or went, and who wants none."""

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.alert import Delivery
from app.models.base import Base, words_type
from app.models.partner import Partner

_Id = BigInteger().with_variant(Integer, "sqlite")


class WeeklyReport(Base):
    """One week of one partner, as a mail to one of its contacts. A mail that is sent again is the
    same row and carries the same `message_id`."""

    __tablename__ = "weekly_reports"
    __table_args__ = (
        UniqueConstraint("partner_id", "week_us", "address"),
        Index(
            "ix_weekly_reports_due",
            "due_us",
            sqlite_where=text("delivery = 'queued'"),
            postgresql_where=text("delivery = 'queued'"),
        ),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True, comment="Order of planning")
    partner_id: Mapped[int] = mapped_column(
        ForeignKey("partners.id", ondelete="CASCADE"), comment="Whose integrations it is about"
    )
    week_us: Mapped[int] = mapped_column(
        BigInteger, comment="The Monday that begins its week, microseconds since 1970 UTC"
    )
    address: Mapped[str] = mapped_column(String(254), comment="Where to")
    message_id: Mapped[str] = mapped_column(
        String(300), unique=True, comment="The same at every attempt"
    )
    delivery: Mapped[Delivery] = mapped_column(
        words_type(Delivery, "delivery"), comment="queued, sent, dropped or failed"
    )
    attempts: Mapped[int] = mapped_column(default=0, comment="How often it was tried")
    due_us: Mapped[int] = mapped_column(
        BigInteger, comment="Not before, microseconds since 1970 UTC"
    )
    leased_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Somebody has it in hand until then, microseconds; NULL: nobody has"
    )
    done_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Sent or given up, microseconds since 1970 UTC; NULL: neither"
    )
    error: Mapped[str] = mapped_column(
        String(1000), default="", comment="Why the newest attempt failed; empty: it did not"
    )

    partner: Mapped[Partner] = relationship()


class ReportRefusal(Base):
    """That an address wants no more reports about a partner."""

    __tablename__ = "report_refusals"

    partner_id: Mapped[int] = mapped_column(
        ForeignKey("partners.id", ondelete="CASCADE"), primary_key=True, comment="About whom"
    )
    address: Mapped[str] = mapped_column(String(254), primary_key=True, comment="Who wants none")
    since_us: Mapped[int] = mapped_column(BigInteger, comment="Said then, microseconds since 1970")
