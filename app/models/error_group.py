"""What people decided about an error group of the metrics store."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.error_group import Handling
from app.models.access import User
from app.models.base import Base, words_type


class ErrorGroupState(Base):
    """The state of one group; a group without a row is unresolved and nobody's."""

    __tablename__ = "error_group_states"
    __table_args__ = (
        CheckConstraint("more IS NULL OR more > 0", name="more_positive"),
        CheckConstraint(
            "handling = 'ignored' OR (until_us IS NULL AND more IS NULL)", name="only_ignored_ends"
        ),
    )

    group_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="error_group.group_id"
    )
    integration: Mapped[str] = mapped_column(
        String(63), index=True, comment="Slug of the integration; numbers follow slugs"
    )
    handling: Mapped[Handling] = mapped_column(
        words_type(Handling, "handling"), comment="unresolved, resolved or ignored"
    )
    decided_us: Mapped[int] = mapped_column(
        BigInteger, comment="When that was decided, microseconds since 1970 UTC"
    )
    decided_by: Mapped[str] = mapped_column(
        String(300), comment="Who decided it: user:<email>, token:<name>"
    )
    exchanges: Mapped[int] = mapped_column(BigInteger, comment="Exchanges of the group until then")
    until_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Ignored until then, microseconds since 1970 UTC; NULL: no time"
    )
    more: Mapped[int | None] = mapped_column(
        BigInteger, comment="Ignored until so many more exchanges; NULL: no number"
    )
    assignee_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True, comment="Whose it is to mend"
    )
    version: Mapped[int] = mapped_column(comment="Grows by one with every change")

    assignee: Mapped[User | None] = relationship()
