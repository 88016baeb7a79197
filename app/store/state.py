"""The one row of state, and how many names there are: read first in every transaction, at once."""

from typing import NamedTuple

from sqlalchemy import Connection

from app.store.cover import Marks
from app.store.tables import FIRST_OPERATION_SERIES, metrics_state

_READ = (
    "SELECT minutes_from_us, hours_from_us, hours_until_us, days_until_us, weeks_until_us, "  # noqa: S608
    "folded_version, "
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


class State(NamedTuple):
    """What a transaction has to know before it does anything."""

    marks: Marks
    #: Grows with every transaction that changes hours, days or weeks.
    version: int
    last: Last


def read(connection: Connection) -> State:
    """All of it, in one statement."""
    row = connection.exec_driver_sql(_READ).one()
    return State(Marks(*row[:5]), row[5], Last(*row[6:]))


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


def count_change(connection: Connection) -> None:
    """Say that hours, days or weeks were changed."""
    version = metrics_state.c.folded_version
    connection.execute(metrics_state.update().values(folded_version=version + 1))
