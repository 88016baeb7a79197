"""The metrics store in PostgreSQL 12 or newer, through psycopg 3.

Exchanges go in through binary COPY, rollup rows through arrays: one statement each, whatever the
size of the batch. Any number of loaders may write: each holds the one row of `metrics_state` from
its first statement to its commit, so they take turns. Reads see one snapshot.

PostgreSQL cannot hold the character NUL in text; it is stored as U+FFFD. What else a batch may
hold, this can hold, so no batch blocks a journal.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import psycopg
from sqlalchemy import URL, Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql

from app.errors import MidspanError, SchemaError, StoreRefused, StoreUnavailable
from app.store.backend import WRITING, Backend, Row, first_line
from app.store.port import Batch, ErrorSum, Series
from app.store.sums import COLUMNS, NUMBERS

_LOCK_KEY = 0x4D69_6473_7061_6E02  # any fixed number; names our advisory lock
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
_VALUES = (*NUMBERS, "tally", "latency")
_ARRAYS = ("int[]", "int[]", *["bigint[]"] * len(NUMBERS), "bytea[]", "bytea[]")
#: Classes of SQLSTATE that pass: connection, transaction rollback, resources, intervention, system.
_PASSING = ("08", "40", "53", "55", "57", "58")
_UNDEFINED = frozenset({"42P01", "42703", "3F000"})
_FORBIDDEN = frozenset({"25006", "28000", "28P01", "3D000", "42501"})


class PostgresBackend(Backend):
    """PostgreSQL through psycopg."""

    joined = "string_agg({0}, CAST('' AS bytea))"
    among = "(SELECT unnest(CAST(:ids AS integer[])))"
    driver_errors = (psycopg.Error,)

    def lock(self, connection: Connection) -> None:
        """The row of the marks."""
        connection.exec_driver_sql("SELECT id FROM metrics_state FOR UPDATE")

    def lock_schema(self, connection: Connection) -> None:
        """An advisory lock, until the transaction ends."""
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})")

    def numbers(self, values: Sequence[int]) -> list[int]:
        """An array."""
        return list(values)

    def prepare(self, batch: Batch) -> Batch:
        """Without NUL in any text."""
        return _without_nul(batch)

    def insert(self, connection: Connection, table: Table, rows: Sequence[Row]) -> None:
        """Binary COPY."""
        if not rows:
            return
        types = [column.type.compile(_DIALECT).split("(")[0].lower() for column in table.columns]
        driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
        statement = f"COPY {table.name} FROM STDIN (FORMAT BINARY)"
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    def touched(self, connection: Connection, table: Table, keys: Sequence[int]) -> list[Row]:
        """A join with the keys, which come as two arrays."""
        columns = ",".join(f"r.{name}" for name in COLUMNS)
        statement = (
            f"SELECT {columns} FROM unnest(%s::int[], %s::int[]) AS k(series_id, start_minute) "  # noqa: S608
            f"JOIN {table.name} r USING (series_id, start_minute)"
        )
        pairs = ([key >> 32 for key in keys], [key & 0xFFFF_FFFF for key in keys])
        return list(connection.exec_driver_sql(statement, pairs).all())

    def put(self, connection: Connection, table: Table, rows: Sequence[Row]) -> None:
        """An upsert from one array per column."""
        arrays = ", ".join(f"%s::{kind}" for kind in _ARRAYS)
        updates = ", ".join(f"{name} = excluded.{name}" for name in _VALUES)
        statement = (
            f"INSERT INTO {table.name} ({', '.join(COLUMNS)}) SELECT * FROM unnest({arrays}) "  # noqa: S608
            f"ON CONFLICT (series_id, start_minute) DO UPDATE SET {updates}"
        )
        columns = tuple(list(column) for column in zip(*rows, strict=True))
        connection.exec_driver_sql(statement, columns)

    def translate(self, error: Exception) -> MidspanError:
        """By SQLSTATE; a lost connection has none."""
        cause = getattr(error, "orig", None) or error
        reason, state = first_line(error), getattr(cause, "sqlstate", None) or ""
        if state in _UNDEFINED:
            return SchemaError(f"{self.name} has other tables: run python -m app migrate")
        lost = not state and isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
        if lost or state[:2] in _PASSING or state in _FORBIDDEN:
            return StoreUnavailable(f"{self.name} is away: {reason}")
        return StoreRefused(f"{self.name} refused a statement: {reason}")


def postgres_engine(url: URL, *, patience_ms: int, read_only: bool = False) -> Engine:
    """An engine whose connections give up on a silent server instead of waiting for ever."""
    options = f"-c lock_timeout={patience_ms}"
    if read_only:
        options += " -c default_transaction_read_only=on"
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_timeout=patience_ms / 1000,
        connect_args={
            "connect_timeout": max(patience_ms // 1000, 2),
            "tcp_user_timeout": 3 * patience_ms,
            "application_name": "midspan",
            "options": options,
        },
    )
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    if not connection.get_execution_options().get(WRITING):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


def _without_nul(batch: Batch) -> Batch:
    return Batch(
        [each if _clean(each) else type(each)._make(map(_strip, each)) for each in batch.exchanges],
        batch.captures,
        [
            each
            if _clean(each.series)
            else each._replace(series=Series._make(map(_strip, each.series)))
            for each in batch.sums
        ],
        {_strip(journal): position for journal, position in batch.positions.items()},
        [_error_without_nul(each) for each in batch.errors],
        replace(batch.activity, integrations=tuple(map(_strip, batch.activity.integrations))),
    )


def _error_without_nul(each: ErrorSum) -> ErrorSum:
    if _clean(each.group) and _clean((each.example,)):
        return each
    group = type(each.group)._make(map(_strip, each.group))
    return each._replace(group=group, example=_strip(each.example))


def _clean(values: Sequence[Any]) -> bool:
    return not any(type(value) is str and "\0" in value for value in values)


def _strip(value: Any) -> Any:
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value
