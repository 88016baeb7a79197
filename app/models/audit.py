"""Who changed what, when. The database itself refuses to change or delete a row of it."""

from sqlalchemy import BigInteger, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class AuditEntry(Base):
    """One change, written in the transaction that made it."""

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, comment="Order of writing"
    )
    at_us: Mapped[int] = mapped_column(
        BigInteger, index=True, comment="When, microseconds since 1970 UTC"
    )
    actor: Mapped[str] = mapped_column(
        String(300), comment="Who: cli:<system user>, user:<email>, token:<name>"
    )
    action: Mapped[str] = mapped_column(String(63), comment="What was done: integration.changed")
    subject: Mapped[str] = mapped_column(String(300), comment="To what: a slug, an address, a name")
    detail: Mapped[str] = mapped_column(Text, default="", comment="What of it; never a secret")
