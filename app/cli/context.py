"""What the commands share: settings, the registry, the clock and the name of who asks."""

import os
import pwd
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.settings import Settings, load

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session


def settings() -> Settings:
    """The settings of this process; `SettingsError` naming what is wrong."""
    return load()


def now_us() -> int:
    """The wall clock, microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def actor() -> str:
    """Who runs the command, as the audit log says it."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return f"cli:{name}"


@contextmanager
def registry(given: Settings, *, create: bool = False) -> "Iterator[Engine]":
    """The registry's engine, its schema checked. `create`: make embedded databases if absent."""
    from app.migrations import open_or_create_registry, open_registry

    engine = open_or_create_registry(given) if create else open_registry(given)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def reading() -> "Iterator[Session]":
    """A session that reads the registry."""
    from app import db

    with registry(settings()) as engine, db.reading(engine) as session:
        yield session


@contextmanager
def changing() -> "Iterator[Session]":
    """A session whose changes are committed when the block ends."""
    from app import db

    with registry(settings(), create=True) as engine, db.transaction(engine) as session:
        yield session


def day(at_us: int | None) -> str:
    """A time for a table: minutes, UTC; `-` for never."""
    if at_us is None:
        return "-"
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(at_us // 1_000_000)) + "Z"


def table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Rows as lines, columns aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
