"""From a URL to the backend of its database, not yet connected."""

import os
from pathlib import Path

from sqlalchemy import URL, exc, make_url

from app.errors import SchemaError, SettingsError
from app.store.backend import Backend
from app.store.sqlite import SqliteBackend, sqlite_engine, sqlite_path


def backend_of(url: str, *, create: bool = False, read_only: bool = False) -> Backend:
    """The backend for `url`, not yet connected; `create` makes a SQLite file that is absent."""
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, create=create, read_only=read_only)
    from app.store.postgres import PostgresBackend, postgres_engine

    shown = parsed.render_as_string(hide_password=True)
    engine = postgres_engine(parsed, read_only=read_only)
    return PostgresBackend(engine, f"the metrics store {shown}")


def _sqlite(url: URL, *, create: bool, read_only: bool) -> Backend:
    path = sqlite_path(url)
    name = f"the metrics store {path}"
    if create:
        _create_file(path)
    elif not path.exists():
        raise SchemaError(f"there is no metrics store at {path}: run python -m app migrate")
    return SqliteBackend(sqlite_engine(url, read_only=read_only), name)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError) as error:
        raise SettingsError(f"not a database URL: {error}; docs/settings.md") from None
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise SettingsError("MIDSPAN_METRICS_URL: metrics are kept in SQLite or PostgreSQL")
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise SettingsError("MIDSPAN_METRICS_URL needs a file: sqlite:///path/to/metrics.db")
    return parsed


def _create_file(path: Path) -> None:
    """An empty file and its folder, for their owner only, unless they are there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise SettingsError(
            f"cannot write {path}: {error.strerror}; set MIDSPAN_HOME to a folder that can be"
        ) from error
