"""Keeping the figures that integrations are compared by, counted ahead."""

from collections.abc import Mapping
from typing import cast

from sqlalchemy import Engine, Table, delete, or_

from app.commands.bulk import insert_rows
from app.db import transaction
from app.domain.benchmark import FIGURES
from app.domain.retention import Ratio
from app.models import BenchmarkFigure

_COLUMNS = ("integration_id", "first_day", "figure", "numerator", "denominator")
_CLASH = (
    "ON CONFLICT (integration_id, first_day, figure) DO UPDATE"
    " SET numerator = excluded.numerator, denominator = excluded.denominator"
)
_NOTHING = (0, 0)


def keep_figures(
    engine: Engine, first_day: int, figures: Mapping[int, Mapping[str, Ratio]]
) -> None:
    """Keep the figures of the month that began with `first_day` (whole days since 1970 UTC), and
    none of other months. By the id of an integration; a figure that it lacks is kept as such, but
    of one that lacks all nothing is: its first is told at once."""
    told = {number: its for number, its in sorted(figures.items()) if its}
    rows = [
        (number, first_day, name, *((its[name].numerator, its[name].denominator)
                                    if name in its else _NOTHING))
        for number, its in told.items()
        for name in FIGURES
    ]  # fmt: skip
    with transaction(engine) as session:
        table = BenchmarkFigure
        past = or_(table.first_day != first_day, table.integration_id.not_in(list(told)))
        session.execute(delete(table).where(past))
        # Two schedulers may count at once: in the same order, the later one over the other's.
        insert_rows(session, cast(Table, BenchmarkFigure.__table__), _COLUMNS, rows, _CLASH)
