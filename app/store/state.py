"""The one row of state, and how many names there are: read first in every transaction, at once."""

from typing import NamedTuple

from sqlalchemy import Connection

from app.store.cover import Marks
from app.store.tables import FIRST_OPERATION_SERIES, metrics_state

_READ = (
    "SELECT minutes_from_us, hours_from_us, hours_until_us, days_until_us, weeks_until_us, "  # noqa: S608
    "(SELECT max(id) FROM integration_names), (SELECT max(id) FROM operation_names), "
    f"(SELECT max(id) FROM series WHERE id < {FIRST_OPERATION_SERIES}), "
    f"(SELECT max(id) FROM series WHERE id >= {FIRST_OPERATION_SERIES}) FROM metrics_state"
)


class Last(NamedTuple):
    """The greatest number given out in each dictionary; None: none yet."""

    integration: int | None
    operation: int | None
    whole_series: int | None
    operation_series: int | None


def read(connection: Connection) -> tuple[Marks, Last]:
    """The marks, and how far the dictionaries go, in one statement."""
    row = connection.exec_driver_sql(_READ).one()
    return Marks(*row[:5]), Last(*row[5:])


def write(connection: Connection, marks: Marks) -> None:
    """Move the marks; within a transaction that read them under the write lock."""
    connection.execute(
        metrics_state.update().values(
            minutes_from_us=marks.minutes_from_us,
            hours_from_us=marks.hours_from_us,
            hours_until_us=marks.hours_until_us,
            days_until_us=marks.days_until_us,
            weeks_until_us=marks.weeks_until_us,
        )
    )
