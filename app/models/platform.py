"""The platform itself, and the counter that says that the registry has changed."""

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, one_row


class Platform(Base):
    """The one platform whose traffic is recorded; no row before the first import."""

    __tablename__ = "platform"
    __table_args__ = (one_row(),)

    id: Mapped[int] = mapped_column(primary_key=True, default=1, comment="Always 1")
    name: Mapped[str] = mapped_column(String(200), comment="Its name, for people")
    api_base_url: Mapped[str | None] = mapped_column(
        String(2000), comment="Where inbound requests go; NULL: there is no inbound traffic"
    )


class RegistryState(Base):
    """One row: the revision, raised in the transaction of every change to what is routed."""

    __tablename__ = "registry_state"
    __table_args__ = (one_row(),)

    id: Mapped[int] = mapped_column(primary_key=True, default=1, comment="Always 1")
    revision: Mapped[int] = mapped_column(
        BigInteger, default=0, comment="Grows by one with every change"
    )
    changed_us: Mapped[int] = mapped_column(
        BigInteger, comment="When the revision last grew, microseconds since 1970 UTC"
    )
