"""Partners and whom to write to there."""

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base

if TYPE_CHECKING:
    from app.models.integration import Integration


class Partner(Base):
    """An organisation that builds integrations."""

    __tablename__ = "partners"

    id: Mapped[int] = mapped_column(primary_key=True, comment="Internal; never shown")
    slug: Mapped[str] = mapped_column(
        String(63), unique=True, comment="Its name in addresses and files; never reused"
    )
    name: Mapped[str] = mapped_column(String(200), comment="Its name, for people")
    created_us: Mapped[int] = mapped_column(
        BigInteger, comment="First imported, microseconds since 1970 UTC"
    )
    updated_us: Mapped[int] = mapped_column(
        BigInteger, comment="Last changed, microseconds since 1970 UTC"
    )
    removed_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Left the registry file then, microseconds; NULL: it is current"
    )

    contacts: Mapped[list["PartnerContact"]] = relationship(
        order_by="PartnerContact.position", viewonly=True
    )
    integrations: Mapped[list["Integration"]] = relationship(
        back_populates="partner", order_by="Integration.slug"
    )


class PartnerContact(Base):
    """A mail address that a partner's alerts and reports go to."""

    __tablename__ = "partner_contacts"
    __table_args__ = (UniqueConstraint("partner_id", "email"),)

    partner_id: Mapped[int] = mapped_column(
        ForeignKey("partners.id", ondelete="CASCADE"), primary_key=True, comment="Whose contact"
    )
    position: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="Order in the registry file, from 0"
    )
    email: Mapped[str] = mapped_column(String(254), comment="The address")
