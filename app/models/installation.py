"""Customers of the platform, and which integrations they use."""

from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, words_type
from app.models.integration import Integration


class InstallationState(StrEnum):
    """Where an installation stands in its life."""

    INSTALLING = "installing"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    UNINSTALLED = "uninstalled"


class Customer(Base):
    """An account of the platform."""

    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True, comment="Internal; never shown")
    external_id: Mapped[str] = mapped_column(
        String(200), unique=True, comment="What the platform calls it"
    )
    name: Mapped[str | None] = mapped_column(String(200), comment="Its name, for people")
    created_us: Mapped[int] = mapped_column(
        BigInteger, comment="First seen, microseconds since 1970 UTC"
    )


class Installation(Base):
    """One customer's use of one integration."""

    __tablename__ = "installations"
    __table_args__ = (UniqueConstraint("integration_id", "external_id"),)

    id: Mapped[int] = mapped_column(primary_key=True, comment="Internal; never shown")
    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id"), comment="Which integration is used"
    )
    customer_id: Mapped[int | None] = mapped_column(
        ForeignKey("customers.id"), index=True, comment="Who uses it; NULL: not told yet"
    )
    external_id: Mapped[str] = mapped_column(
        String(200), comment="What the platform calls it; unique within the integration"
    )
    state: Mapped[InstallationState] = mapped_column(
        words_type(InstallationState, "state"),
        comment="installing, active, suspended or uninstalled",
    )
    created_us: Mapped[int] = mapped_column(
        BigInteger, comment="First seen, microseconds since 1970 UTC"
    )
    updated_us: Mapped[int] = mapped_column(
        BigInteger, comment="State last changed, microseconds since 1970 UTC"
    )

    integration: Mapped[Integration] = relationship()
    customer: Mapped[Customer | None] = relationship()
