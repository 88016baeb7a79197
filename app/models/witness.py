"""What follows from comparing witnesses: findings, how far they are compared, partners' lists."""

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base

_Id = BigInteger().with_variant(Integer, "sqlite")
_OPEN = "closed_us IS NULL"


class InstallationFinding(Base):
    """One contradiction about one installation, as long as it lasts. `app.commands.reconcile` is
    the only writer."""

    __tablename__ = "installation_findings"
    __table_args__ = (
        Index(
            "uq_installation_findings_open",
            "integration_id",
            "kind",
            "installation",
            unique=True,
            sqlite_where=text(_OPEN),
            postgresql_where=text(_OPEN),
        ),
        Index(
            "ix_installation_findings_integration_id_installation",
            "integration_id",
            "installation",
        ),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True, comment="In the order of finding")
    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id", ondelete="CASCADE"), comment="Of which integration"
    )
    installation: Mapped[str] = mapped_column(
        String(200), comment="What the platform or the partner calls it; maybe nobody told of it"
    )
    kind: Mapped[str] = mapped_column(String(40), comment="Word of app.domain.reconcile")
    since_us: Mapped[int] = mapped_column(
        BigInteger, comment="It is so since then, microseconds since 1970 UTC"
    )
    opened_us: Mapped[int] = mapped_column(
        BigInteger, comment="Found first, microseconds since 1970 UTC"
    )
    seen_us: Mapped[int] = mapped_column(
        BigInteger, comment="Found again last, microseconds since 1970 UTC"
    )
    closed_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Found to be over, microseconds since 1970 UTC; NULL: it lasts"
    )
    evidence: Mapped[str] = mapped_column(
        Text, comment="JSON: the numbers it follows from; times are microseconds, named _us"
    )


class Reconciliation(Base):
    """How far the witnesses of one integration are compared."""

    __tablename__ = "reconciliations"

    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id", ondelete="CASCADE"), primary_key=True, comment="Whose"
    )
    whole_us: Mapped[int] = mapped_column(
        BigInteger, comment="All installations were compared then, microseconds since 1970 UTC"
    )
    until_us: Mapped[int] = mapped_column(
        BigInteger, comment="What changed before it is compared, microseconds since 1970 UTC"
    )
    installations: Mapped[int] = mapped_column(comment="How many were compared the last whole time")
    told_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="The platform tells of its installs since then; NULL: it never did"
    )
    seen_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Its traffic names installations since then; NULL: it never did"
    )
    calls: Mapped[bool] = mapped_column(comment="Whether any installation of it calls")


class InstallFailure(Base):
    """The exchange at which a lost install failed."""

    __tablename__ = "install_failures"

    installation_id: Mapped[int] = mapped_column(
        ForeignKey("installations.id", ondelete="CASCADE"),
        primary_key=True,
        comment="Whose install",
    )
    step: Mapped[str] = mapped_column(String(63), comment="The step that it was lost at")
    exchange: Mapped[bytes] = mapped_column(LargeBinary(16), comment="exchanges.id; may be gone")
    started_us: Mapped[int] = mapped_column(
        BigInteger, comment="When it crossed, microseconds since 1970 UTC"
    )
    what: Mapped[str] = mapped_column(
        String(300), comment="Its operation, or the topic of the webhook"
    )
    webhook: Mapped[bool] = mapped_column(comment="Whether it was a webhook")
    ended: Mapped[str] = mapped_column(
        String(80), comment="Its status, or its outcome where there was no answer"
    )
    fault: Mapped[str] = mapped_column(String(20), comment="Who has to act, app.domain.words.Fault")


class PartnerList(Base):
    """The newest list that a partner gave of its own installations of one integration."""

    __tablename__ = "partner_lists"

    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id", ondelete="CASCADE"), primary_key=True, comment="Of which"
    )
    taken_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Taken whole then, microseconds since 1970 UTC; NULL: none yet"
    )
    tried_us: Mapped[int] = mapped_column(
        BigInteger, comment="Posted or pulled last, microseconds since 1970 UTC"
    )
    failure: Mapped[str | None] = mapped_column(
        String(500), comment="Why the last one was not taken; NULL: it was"
    )


class PartnerListItem(Base):
    """One installation on a partner's own list."""

    __tablename__ = "partner_list_items"

    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id", ondelete="CASCADE"), primary_key=True, comment="Of which"
    )
    installation: Mapped[str] = mapped_column(
        String(200), primary_key=True, comment="installations.external_id, as the partner has it"
    )
    state: Mapped[str] = mapped_column(
        String(20), comment="active, suspended or uninstalled, as the partner has it"
    )
