"""What people write beside the numbers of an integration: a deploy, a change, an incident."""

from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, words_type


class NoteKind(StrEnum):
    """What a note is about."""

    DEPLOY = "deploy"
    CHANGE = "change"
    INCIDENT = "incident"
    OTHER = "other"


class Note(Base):
    """One note at one moment, drawn on every chart of its integration."""

    __tablename__ = "notes"
    __table_args__ = (Index("ix_notes_integration_id_at_us", "integration_id", "at_us"),)

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, comment="Order of writing"
    )
    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id", ondelete="CASCADE"), comment="Beside whose numbers"
    )
    at_us: Mapped[int] = mapped_column(
        BigInteger, comment="The moment it is about, microseconds since 1970 UTC"
    )
    kind: Mapped[NoteKind] = mapped_column(
        words_type(NoteKind, "note_kind"), comment="deploy, change, incident or other"
    )
    text: Mapped[str] = mapped_column(String(500), comment="What happened, in words")
    author: Mapped[str] = mapped_column(
        String(300), comment="Who wrote it: an e-mail address, or a token's name"
    )
    created_us: Mapped[int] = mapped_column(
        BigInteger, comment="When it was written, microseconds since 1970 UTC"
    )
