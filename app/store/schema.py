"""The schema of the metrics store: bringing it up to date, and saying when it is not.

Revisions are numbered, so that an older schema ("run migrate") can be told from a newer one
("update Midspan"). `migrate` is the only thing that creates a store; it upgrades in one
transaction under the store's write lock, never goes down, and loads Alembic only then.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from app.errors import SchemaError
from app.store.connect import backend_of

if TYPE_CHECKING:
    from alembic.config import Config

#: The newest revision in `SCRIPTS`; a test compares.
HEAD = "0006"
SCRIPTS = Path(__file__).parent.parent / "migrations" / "metrics"
#: Not Alembic's default: both databases may be one PostgreSQL database.
VERSION_TABLE = "metrics_schema"
_MIGRATE = "run python -m app migrate"


def migrate(url: str) -> str:
    """Create or upgrade the store at `url`; what was done, in a few words.

    Raises `SchemaError` for one newer than this code, `SettingsError` for a file that cannot be
    made, `StoreUnavailable` for one that is locked or away.
    """
    backend = backend_of(url, create=True)
    try:
        with backend.creating() as connection:
            return _upgrade(connection, backend.name)
    finally:
        backend.engine.dispose()


def check(url: str) -> None:
    """`SchemaError` unless the store at `url` has exactly the schema of this code."""
    backend = backend_of(url)
    try:
        with backend.reading() as connection:
            require(connection, backend.name)
    finally:
        backend.engine.dispose()


def require(connection: Connection, name: str) -> None:
    """The same within a transaction on it."""
    found = revision(connection)
    if found is None:
        raise SchemaError(f"{name} has no tables yet: {_MIGRATE}")
    if found > HEAD:
        raise _newer(name, found)
    if found < HEAD:
        raise SchemaError(f"{name} has schema {found}, this code needs {HEAD}: {_MIGRATE}")


def revision(connection: Connection) -> str | None:
    """The revision the database stands at; None: it holds no metrics store."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.execute(
        text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608
    ).scalar_one_or_none()
    return found


def _upgrade(connection: Connection, name: str) -> str:
    found = revision(connection)
    if found == HEAD:
        return f"up to date ({HEAD})"
    if found is not None and found > HEAD:
        raise _newer(name, found)
    from alembic import command

    command.upgrade(config(connection), "head")
    return f"created ({HEAD})" if found is None else f"upgraded from {found} to {HEAD}"


def config(connection: Connection | None = None) -> "Config":
    """Alembic's configuration, with the connection that its environment works on."""
    from alembic.config import Config

    found = Config()
    found.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    found.attributes["connection"] = connection
    found.attributes["version_table"] = VERSION_TABLE
    return found


def _newer(name: str, found: str) -> SchemaError:
    return SchemaError(
        f"{name} has schema {found}, newer than this code, which knows {HEAD}: update Midspan"
    )
