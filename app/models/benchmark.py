"""What integrations are compared by, counted ahead: a page would count all of a category."""

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class BenchmarkFigure(Base):
    """One ratio of one integration over one calendar month. It follows from what is kept elsewhere
    (`app.queries.benchmark`) and can be made anew."""

    __tablename__ = "benchmark_figures"

    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id"), primary_key=True, comment="Of which integration"
    )
    first_day: Mapped[int] = mapped_column(
        primary_key=True,
        autoincrement=False,
        comment="The month, by its first day, whole days since 1970 UTC",
    )
    figure: Mapped[str] = mapped_column(
        String(32), primary_key=True, comment="One of app.domain.benchmark.FIGURES"
    )
    numerator: Mapped[int] = mapped_column(BigInteger, comment="Of the ratio")
    denominator: Mapped[int] = mapped_column(
        BigInteger, comment="Of the ratio; 0: there was nothing to count"
    )
