"""Engines and short transactions of the registry database, SQLite or PostgreSQL.

`transaction` writes: on SQLite it begins IMMEDIATE, because a transaction that reads first and
writes later fails at once, without waiting, when another writer was faster. `reading` and
`looking_up` see one state of the database from its first statement to its last and cannot write.
An engine never creates a database: only `app.migrations` does.

When the database is locked (5 s of waiting are over), full or away, all raise
`RegistryUnavailable`; tables that are not there raise `SchemaError`. That happens at the border:
no caller needs to know the exceptions of a driver. Rows that break a constraint raise
SQLAlchemy's `IntegrityError`, which is the caller's to understand.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    Text,
    any_,
    bindparam,
    create_engine,
    event,
    exc,
    func,
    make_url,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from app.errors import MidspanError, RegistryUnavailable, SchemaError, SettingsError

V = TypeVar("V", str, int)
BUSY_TIMEOUT_MS = 5_000
CONNECT_TIMEOUT_S = 5
#: What SQLite's result codes mean to a person.
_SQLITE_SAYS = {
    "BUSY": "is locked by another process: try again",
    "LOCKED": "is locked by another process: try again",
    "FULL": "is on a full disk: make room",
    "CANTOPEN": "is not there or not ours to open: run python -m app migrate",
    "READONLY": "cannot be written: check who owns the file and its folder",
    "IOERR": "cannot be read or written: check the disk",
    "CORRUPT": "is damaged: restore it from a backup",
    "NOTADB": "is not a SQLite database: check MIDSPAN_REGISTRY_URL",
}
#: Execution option of connections that only read.
READING = "midspan_reading"

_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    "PRAGMA journal_mode = WAL",
    # FULL: the registry is small and must survive a power cut; NORMAL loses the newest commits.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # A thousand events touch some thousand pages, many of them again and again: 32 MiB of them are
    # kept at hand, and written home after as much instead of after each commit.
    "PRAGMA cache_size = -32768",
    "PRAGMA wal_autocheckpoint = 8192",
)
_UNDEFINED = frozenset({"42P01", "42703"})  # SQLSTATE of a missing table and a missing column


def registry_engine(url: str) -> Engine:
    """The engine of the registry at `url`; connects lazily. `SettingsError` for a bad URL."""
    parsed = parse_url(url)
    path = sqlite_path(url)
    if path is None:
        engine = create_engine(
            parsed,
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "midspan"},
        )
        event.listen(engine, "begin", _begin_postgresql)
        return engine
    existing = parsed.set(database=f"file:{quote(str(path))}", query={"uri": "true", "mode": "rw"})
    engine = create_engine(existing)
    event.listen(engine, "connect", _connect_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def parse_url(url: str) -> URL:
    """`url` as SQLAlchemy reads it; `SettingsError` for what it cannot read or we cannot use."""
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (exc.ArgumentError, exc.NoSuchModuleError, ImportError, ValueError) as error:
        raise SettingsError(f"not a usable database URL: {error}; docs/settings.md") from None
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise SettingsError("the registry is kept in SQLite or PostgreSQL; see docs/settings.md")
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise SettingsError("the registry needs a file: sqlite:///path/to/registry.db")
    return parsed


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL; None for another database."""
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database is None:
        return None
    return Path(parsed.database).absolute()


def shown(url: str) -> str:
    """`url` as it may be shown: a path, or the URL without its password."""
    path = sqlite_path(url)
    return str(path) if path else parse_url(url).render_as_string(hide_password=True)


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """A session whose work is committed whole when the block ends, or not at all."""
    with translated(engine), Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session that sees one state of the database and cannot change it."""
    with looking_up(engine) as connection, Session(connection, expire_on_commit=False) as session:
        yield session


@contextmanager
def looking_up(engine: Engine) -> Iterator[Connection]:
    """The same for statements without objects, which is what every request can afford."""
    with translated(engine), engine.connect() as connection:
        yield connection.execution_options(**{READING: True})


def one_of(dialect: str, column: ColumnElement[V], values: Iterable[V]) -> ColumnElement[bool]:
    """Whether `column` is one of many texts or numbers: one parameter, however many they are, so
    that the statement is made once."""
    wanted = sorted(set(values))
    if dialect == "postgresql":
        each_is = Text() if column.type.python_type is str else column.type
        return column == any_(bindparam(None, wanted, type_=ARRAY(each_is)))
    each = func.json_each(json.dumps(wanted)).table_valued("value")
    return column.in_(select(each.c.value))


@contextmanager
def translated(engine: Engine) -> Iterator[None]:
    """Turns a driver's exception into one of ours where the cause is not the statement itself."""
    try:
        yield
    except (exc.DBAPIError, exc.TimeoutError) as error:
        ours = _translate(engine, error)
        if ours is None:
            raise
        raise ours from error


def _translate(engine: Engine, error: exc.SQLAlchemyError) -> MidspanError | None:
    if isinstance(error, exc.IntegrityError | exc.DataError):
        return None
    cause = getattr(error, "orig", None) or error
    reason = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    name = _named(engine)
    if "no such " in reason or getattr(cause, "sqlstate", None) in _UNDEFINED:
        return SchemaError(f"{name} lacks tables of this version: run python -m app migrate")
    code = getattr(cause, "sqlite_errorname", "").removeprefix("SQLITE_").partition("_")[0]
    if code in _SQLITE_SAYS:
        return RegistryUnavailable(f"{name} {_SQLITE_SAYS[code]}")
    if isinstance(error, exc.OperationalError | exc.InterfaceError | exc.TimeoutError):
        return RegistryUnavailable(f"{name} is away: {reason}; check MIDSPAN_REGISTRY_URL")
    return None


def _named(engine: Engine) -> str:
    database = engine.url.database or ""
    if database.startswith("file:"):
        return f"the registry database {unquote(database.removeprefix('file:'))}"
    return f"the registry database {engine.url.render_as_string(hide_password=True)}"


def _connect_sqlite(connection: Any, _record: object) -> None:
    # Without this, Python's driver begins transactions by itself, and not before the first write.
    connection.isolation_level = None
    cursor: sqlite3.Cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    only_reads = bool(connection.get_execution_options().get(READING))
    connection.exec_driver_sql(f"PRAGMA query_only = {int(only_reads)}")
    connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get(READING):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
