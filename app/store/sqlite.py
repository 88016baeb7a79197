"""The metrics store in one SQLite file, in WAL mode: one writer, readers it does not disturb.

Commits are `synchronous=FULL`. NORMAL would be safe against a killed process but loses the newest
commits in a power cut, and the loader deletes journal segments once their batch is committed: a
commit has to mean "on the disk". The price is one fsync per batch, a few a second.

A write-ahead log that readers keep from being reset grows; every read here is one short
transaction. Deleting rows makes room in the file for new ones, it does not shrink the file.
"""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event

from app.errors import MidspanError, SchemaError, StoreRefused, StoreUnavailable
from app.store.backend import WRITING, Backend, Row, first_line
from app.store.port import Batch
from app.store.sums import COLUMNS

_PRAGMAS = (
    "PRAGMA page_size = 8192",  # of a new file; a fifth less time per inserted row than 4096
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 8192",  # pages: 64 MiB of log between checkpoints
    "PRAGMA cache_size = -32768",  # KiB
    # Each commit of the loader empties the page cache of every reader; mapped pages stay.
    "PRAGMA mmap_size = 2147418112",  # the most that SQLite maps
    "PRAGMA temp_store = MEMORY",
)
_VALUES = [name for name in COLUMNS if name not in {"series_id", "start_minute"}]
#: Causes that go away by themselves or by a person's hand, with what to say about each.
_PASSING = {
    "SQLITE_BUSY": "is locked by another process",
    "SQLITE_LOCKED": "is locked by another process",
    "SQLITE_FULL": "is on a full disk",
    "SQLITE_CANTOPEN": "cannot be opened",
    "SQLITE_READONLY": "cannot be written",
    "SQLITE_CORRUPT": "is damaged: restore it from a backup",
    "SQLITE_NOTADB": "is not a SQLite database: check MIDSPAN_METRICS_URL",
}


class SqliteBackend(Backend):
    """SQLite, as the standard library has it."""

    # Joined as text that is never looked at, and cast back; `_connect` proves that it keeps bytes.
    joined = "CAST(group_concat({0}, '') AS BLOB)"
    among = "(SELECT value FROM json_each(:ids))"
    driver_errors = (sqlite3.Error,)

    def lock(self, connection: Connection) -> None:
        """Nothing: the transaction began IMMEDIATE."""

    def lock_schema(self, connection: Connection) -> None:
        """Nothing, for the same reason."""

    def numbers(self, values: Sequence[int]) -> str:
        """A JSON array."""
        return json.dumps(values, separators=(",", ":"))

    def prepare(self, batch: Batch) -> Batch:
        """As it is."""
        return batch

    def insert(self, connection: Connection, table: Table, rows: Sequence[Row]) -> None:
        """One prepared statement over tuples, the fastest way in."""
        if rows:
            marks = ",".join("?" * len(table.columns))
            connection.exec_driver_sql(f"INSERT INTO {table.name} VALUES ({marks})", list(rows))  # noqa: S608

    def touched(self, connection: Connection, table: Table, keys: Sequence[int]) -> list[Row]:
        """One look-up by primary key for each."""
        columns = ",".join(f"r.{name}" for name in COLUMNS)
        statement = (
            f"SELECT {columns} FROM json_each(?) k CROSS JOIN {table.name} r "  # noqa: S608
            "ON r.series_id = k.value >> 32 AND r.start_minute = k.value & 4294967295"
        )
        return list(connection.exec_driver_sql(statement, (self.numbers(keys),)).all())

    def put(self, connection: Connection, table: Table, rows: Sequence[Row]) -> None:
        """An upsert over tuples."""
        marks = ",".join("?" * len(COLUMNS))
        updates = ",".join(f"{name}=excluded.{name}" for name in _VALUES)
        statement = (
            f"INSERT INTO {table.name} ({','.join(COLUMNS)}) VALUES ({marks}) "  # noqa: S608
            f"ON CONFLICT DO UPDATE SET {updates}"
        )
        connection.exec_driver_sql(statement, list(rows))

    def translate(self, error: Exception) -> MidspanError:
        """By SQLite's own error name."""
        cause = getattr(error, "orig", None) or error
        reason = first_line(error)
        if reason.startswith("no such "):
            return SchemaError(f"{self.name} has other tables: run python -m app migrate")
        name = getattr(cause, "sqlite_errorname", "")
        for prefix, words in _PASSING.items():
            if name.startswith(prefix):
                return StoreUnavailable(f"{self.name} {words}")
        if name.startswith(("SQLITE_IOERR", "SQLITE_NOMEM", "SQLITE_PROTOCOL")):
            return StoreUnavailable(f"{self.name} cannot be used: {reason}")
        return StoreRefused(f"{self.name} refused a statement: {reason}")


def sqlite_engine(path: Path, *, patience_ms: int, read_only: bool = False) -> Engine:
    """An engine on the file at `path`, which has to be there."""
    query = {"uri": "true", "mode": "rw", "timeout": str(patience_ms / 1000)}
    engine = create_engine(
        URL.create("sqlite", database=f"file:{quote(str(path))}", query=query),
        pool_timeout=patience_ms / 1000,
    )

    def connect(connection: Any, _record: object) -> None:
        _connect(connection, read_only=read_only)

    event.listen(engine, "connect", connect)
    event.listen(engine, "begin", _begin)
    return engine


def _connect(connection: sqlite3.Connection, *, read_only: bool) -> None:
    connection.isolation_level = None  # we begin transactions ourselves
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    joined = SqliteBackend.joined.format("b")
    [(proof,)] = connection.execute(
        f"SELECT {joined} FROM (SELECT x'00ff' AS b UNION ALL SELECT x'fe00')"  # noqa: S608
    )
    assert sorted(proof) == [0, 0, 0xFE, 0xFF], "this SQLite cannot join blobs"


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITING)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
