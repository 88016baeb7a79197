"""Which page an address opens. Pure: text in, page and its arguments out."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl, unquote


class Page(Protocol):
    """A module of `dashboards.pages`."""

    PATH: str
    NAME: str
    layout: Callable[..., Any]
    register: Callable[..., None]


class Match(NamedTuple):
    """A page and what its `layout` is called with."""

    page: Any
    arguments: dict[str, str]


def match(pages: Sequence[Any], pathname: str | None) -> Match | None:
    """The page whose PATH (with `<name>` for one part) fits; None when none does."""
    given = _parts(pathname or "/")
    for page in pages:
        wanted = _parts(page.PATH)
        if len(wanted) == len(given):
            arguments = _bind(wanted, given)
            if arguments is not None:
                return Match(page, arguments)
    return None


def query(search: str | None) -> dict[str, str]:
    """The first value of every name in a query string."""
    found: dict[str, str] = {}
    for name, value in parse_qsl((search or "").lstrip("?"), keep_blank_values=False):
        found.setdefault(name, value)
    return found


def _parts(path: str) -> list[str]:
    return [part for part in path.strip("/").split("/") if part]


def _bind(wanted: list[str], given: list[str]) -> dict[str, str] | None:
    arguments: dict[str, str] = {}
    for pattern, part in zip(wanted, given, strict=True):
        if pattern.startswith("<"):
            arguments[pattern.strip("<>")] = unquote(part)
        elif pattern != part:
            return None
    return arguments
