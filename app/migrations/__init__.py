"""Bringing the databases to the schema of this code, and saying when they are not.

`migrate` is the only part of Midspan that creates a database. It upgrades each database in one
transaction, under a lock, so two processes that migrate at once do it once. It never goes down:
a database newer than the code is an error that names both. `python -m app migrate` runs it.

A command that writes to the registry also creates it where there is none at all; one that exists
and is older is never touched without being asked.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from app.db import parse_url, reading, registry_engine, sqlite_path, translated
from app.errors import SchemaError, SettingsError
from app.settings import Settings
from app.store import schema

if TYPE_CHECKING:
    from alembic.config import Config

REGISTRY_SCRIPTS = Path(__file__).parent / "registry"
#: Not Alembic's default: both databases may be one PostgreSQL database.
REGISTRY_VERSION_TABLE = "registry_schema"
_LOCK_KEY = 0x4D69_6473_7061_6E01  # any fixed number; names our advisory lock in PostgreSQL


def migrate(settings: Settings) -> list[str]:
    """Upgrade both databases; a line for each of where it stands now.

    Raises `SchemaError` for a database newer than the code, `SettingsError` for a folder that
    cannot be written, `RegistryUnavailable` or `StoreUnavailable` for one that is away.
    """
    parse_url(settings.registry_url)
    private_folder(settings.home)
    registry = migrate_registry(settings.registry_url)
    metrics = schema.migrate(settings.metrics_url)
    return [f"registry: {registry}", f"metrics store: {metrics}"]


def migrate_registry(url: str) -> str:
    """Upgrade the registry at `url`, creating a SQLite file that is not there; what was done."""
    path = sqlite_path(url)
    if path is not None:
        private_folder(path.parent)
        _create_file(path)
    engine = registry_engine(url)
    try:
        with translated(engine), engine.begin() as connection:
            return _upgrade(engine, connection)
    finally:
        engine.dispose()


def check_schema(engine: Engine) -> None:
    """`SchemaError` unless the registry has exactly the schema of this code."""
    with reading(engine) as session:
        current = _current(session.connection())
    head = registry_head()
    if current is None:
        raise SchemaError("the registry has no tables yet: run python -m app migrate")
    if current != head:
        raise _mismatch(current, head)


def open_registry(settings: Settings) -> Engine:
    """The registry's engine, its schema checked."""
    _refuse_absent(settings.registry_url)
    engine = registry_engine(settings.registry_url)
    check_schema(engine)
    return engine


def open_or_create_registry(settings: Settings) -> Engine:
    """The same for a command that writes: embedded databases that are absent are made."""
    path = sqlite_path(settings.registry_url)
    if path is not None and (not path.exists() or path.stat().st_size == 0):
        migrate(settings)
    return open_registry(settings)


def registry_head() -> str:
    """The newest revision that this code knows."""
    return max(_revisions())


def private_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter, unless there is one."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _create_file(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> SettingsError:
    return SettingsError(
        f"cannot write {path}: {error.strerror}; set MIDSPAN_HOME to a folder that can be written"
    )


def _refuse_absent(url: str) -> None:
    path = sqlite_path(url)
    if path is not None and not path.exists():
        raise SchemaError(f"there is no registry at {path}: run python -m app migrate")


def _upgrade(engine: Engine, connection: Connection) -> str:
    if engine.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})")
    before, head = _current(connection), registry_head()
    if before == head:
        return f"up to date ({head})"
    if before is not None and before not in _revisions():
        raise _mismatch(before, head)
    from alembic import command

    command.upgrade(_config(connection), "head")
    return f"created ({head})" if before is None else f"upgraded from {before} to {head}"


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table(REGISTRY_VERSION_TABLE):
        return None
    statement = text(f"SELECT version_num FROM {REGISTRY_VERSION_TABLE}")  # noqa: S608
    found: str | None = connection.execute(statement).scalar_one_or_none()
    return found


def _revisions() -> set[str]:
    # A revision has the name of its file; a test compares. So only an upgrade loads Alembic.
    return {path.stem for path in (REGISTRY_SCRIPTS / "versions").glob("[0-9]*.py")}


def _mismatch(current: str, head: str) -> SchemaError:
    if current in _revisions():
        return SchemaError(
            f"the registry has schema {current}, this code needs {head}: run python -m app migrate"
        )
    return SchemaError(
        f"the registry has schema {current}, newer than this code, which knows {head}: "
        "update Midspan"
    )


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(REGISTRY_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = REGISTRY_VERSION_TABLE
    return config
