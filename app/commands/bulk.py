"""Many rows at once, past everything that makes a statement for each: tuples go to the driver as
they are. Both databases; columns and tables are named by code, never by what somebody sent."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.db import V, one_of

#: The same statement in both dialects, whose types know nothing of each other.
_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_MARKS = {"sqlite": "?", "postgresql": "%s"}


def upsert(session: Session, table: Table) -> Any:
    """An insert that can say what to do about rows that are there already."""
    return _INSERTS[session.get_bind().dialect.name](table)


def insert_rows(
    session: Session,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    clash: str = "",
) -> int:
    """Add rows, values in the order of `columns`; how many were added or changed. `clash` is an
    ON CONFLICT clause: what to do about rows that are there already."""
    mark = _mark(session)
    marks = ", ".join([mark] * len(columns))
    statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks}) {clash}"  # noqa: S608
    return _run(session, statement, rows)


def update_rows(
    session: Session, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Change `columns` of rows; the last value of each is the row's id."""
    mark = _mark(session)
    changes = ", ".join(f"{name} = {mark}" for name in columns)
    _run(session, f"UPDATE {table.name} SET {changes} WHERE id = {mark}", rows)  # noqa: S608


def among(session: Session, column: ColumnElement[V], values: Iterable[V]) -> ColumnElement[bool]:
    """Whether `column` is one of many texts or numbers, as `app.db.one_of` has it."""
    return one_of(session.get_bind().dialect.name, column, values)


def _mark(session: Session) -> str:
    return _MARKS[session.get_bind().dialect.name]


def _run(session: Session, statement: str, rows: Sequence[Sequence[Any]]) -> int:
    if not rows:
        return 0
    counting = {"preserve_rowcount": True}
    done = session.connection().exec_driver_sql(
        statement, [tuple(row) for row in rows], execution_options=counting
    )
    return done.rowcount
