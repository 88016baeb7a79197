"""What the running app gave this package: see `app.factory.Midspan`."""

from pathlib import Path
from typing import Any

from flask import current_app

from app.domain.scope import Scope
from app.queries import Reading
from app.settings import Settings


def _midspan() -> Any:
    return current_app.extensions["midspan"]


def reading() -> Reading:
    """Where to look."""
    found: Reading = _midspan().reading
    return found


def scope() -> Scope:
    """The reach of the caller; 401 when there is none."""
    found: Scope = _midspan().current_scope()
    return found


def actor() -> str:
    """Who the caller is, as the audit log names it; 401 when there is none."""
    found: str = _midspan().current_actor()
    return found


def own_scope() -> Scope:
    """The reach of Midspan itself, for what was proven otherwise than by a caller."""
    found: Scope = _midspan().own_scope()
    return found


def settings() -> Settings:
    """The settings of the running app."""
    found: Settings = _midspan().settings
    return found


def home() -> Path:
    """Where Midspan keeps its files."""
    found: Path = _midspan().settings.home
    return found


def now_us() -> int:
    """Now, microseconds since 1970 UTC."""
    return reading().clock()
