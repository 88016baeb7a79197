"""What the running app gave this package: see `app.factory.Midspan`."""

from typing import Any

from flask import current_app
from sqlalchemy import Engine

from app.queries import Reading
from app.settings import Settings


def _midspan() -> Any:
    return current_app.extensions["midspan"]


def engine() -> Engine:
    """The registry."""
    found: Engine = _midspan().reading.engine
    return found


def reading() -> Reading:
    """Registry and metrics store, with the clock."""
    found: Reading = _midspan().reading
    return found


def clock_us() -> int:
    """Now, microseconds since 1970 UTC."""
    now_us: int = _midspan().reading.clock()
    return now_us


def settings() -> Settings:
    """The settings the app was made with."""
    found: Settings = _midspan().settings
    return found
