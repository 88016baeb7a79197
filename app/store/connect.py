"""From a URL to the backend of its database, not yet connected.

`?timeout=SECONDS` in the URL says how long a locked database is waited for; 5 s if it is not there.
"""

import os
from pathlib import Path

from sqlalchemy import URL, exc, make_url

from app.errors import SchemaError, SettingsError
from app.store.backend import PATIENCE_S, Backend
from app.store.sqlite import SqliteBackend, sqlite_engine


def backend_of(url: str, *, create: bool = False, read_only: bool = False) -> Backend:
    """The backend for `url`, not yet connected; `create` makes a SQLite file that is absent."""
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, create=create, read_only=read_only)
    from app.store.postgres import PostgresBackend, postgres_engine

    shown = parsed.render_as_string(hide_password=True)
    patience_ms = _patience_ms(parsed)
    bare = parsed.difference_update_query(["timeout"])
    engine = postgres_engine(bare, patience_ms=patience_ms, read_only=read_only)
    return PostgresBackend(engine, f"the metrics store {shown}")


def _sqlite(url: URL, *, create: bool, read_only: bool) -> Backend:
    path = Path(url.database or "").absolute()
    name = f"the metrics store {path}"
    if create:
        _create_file(path)
    elif not path.exists():
        raise SchemaError(f"there is no metrics store at {path}: run python -m app migrate")
    engine = sqlite_engine(path, patience_ms=_patience_ms(url), read_only=read_only)
    return SqliteBackend(engine, name)


def _patience_ms(url: URL) -> int:
    try:
        return int(float(str(url.query.get("timeout", PATIENCE_S))) * 1000)
    except ValueError:
        raise SettingsError("MIDSPAN_METRICS_URL: timeout is a number of seconds") from None


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
