"""The operation of an exchange: `GET /v1/issues/{id}`, low in cardinality, from four sources.

1. The registry's templates for the integration: the caller knows best what it calls.
2. The `Midspan-Operation` header, a template the caller names; its segments pass through the
   guess below, so that a raw path sent by mistake does no harm.
3. A guess from the path: segments that carry data (numbers, UUIDs, long hex, tokens with digits,
   e-mail addresses, anything escaped) become `{id}`, the rest stands.
4. `webhook <topic>` for a webhook.

However it was found, an integration has at most `MAX_OPERATIONS` names; its templates have their
places for sure, the others as they come, and what comes too late is `other`.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from app.domain.words import Kind

MAX_OPERATIONS = 200
MAX_LENGTH = 160
OTHER = "other"

_WEBHOOK = int(Kind.WEBHOOK)  # looked up once: this is asked for every exchange
_ID = "{id}"
_REST = "*"
_MAX_SEGMENTS = 8
_MAX_WORD = 32
_MAX_TOPIC = 80
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_EXTENSIONS = frozenset({"json", "xml", "csv", "pdf", "html", "txt", "ics", "zip", "png", "jpg"})
# Anchored, without nested repeats, and only applied to short texts: linear.
_PLAIN = re.compile(r"[A-Za-z0-9_.~*:+,=-]+")
_PARAMETER = re.compile(r"\{[A-Za-z0-9_]{1,30}\}")
_HEX = re.compile(r"[0-9A-Fa-f-]+")
_VERSION = re.compile(r"[vV]\d{1,3}(?:\.\d{1,3}){0,2}")
_TOPIC = re.compile(r"[A-Za-z0-9_.:/-]+")


class _Node:
    """One place in the tree of templates."""

    __slots__ = ("literals", "names", "parameter")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.names: dict[str, str] = {}


class Templates:
    """The templates of one integration, compiled; a literal segment wins over a parameter."""

    def __init__(self, operations: Iterable[str]) -> None:
        self._root = _Node()
        names: dict[str, None] = {}
        for operation in operations:
            if len(names) < MAX_OPERATIONS and self._add(operation):
                names[operation] = None
        self.names = frozenset(names)

    def _add(self, operation: str) -> bool:
        method, space, path = operation.partition(" ")
        if not space or not path.startswith("/") or len(operation) > MAX_LENGTH:
            return False
        node = self._root
        for segment in _segments(path):
            if "{" in segment:
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        node.names.setdefault(method.upper(), operation)
        return True

    def match(self, method: str, path: str) -> str | None:
        """The template that the path is an instance of, if any."""
        return _walk(self._root, method, _segments(path))

    def propose(self, kind: int, method: str, path: str, hint: str, topic: str) -> str:
        """The name of an operation, however many there are already; at most `MAX_LENGTH` long."""
        if kind == _WEBHOOK:
            return _webhook(topic)
        segments = _segments(path)
        found = _walk(self._root, method, segments)
        if found is None and hint:
            found = _from_hint(method, hint)
        return found or _guess(method, segments)


def _walk(node: _Node, method: str, segments: list[str]) -> str | None:
    """Visits each node of the tree at most once, whatever the path."""
    for depth, segment in enumerate(segments, 1):
        literal = node.literals.get(segment)
        if literal is None:
            if node.parameter is None:
                return None
            node = node.parameter
        elif node.parameter is None:
            node = literal
        else:
            found = _walk(literal, method, segments[depth:])
            if found is not None:
                return found
            node = node.parameter
    return node.names.get(method)


class Vocabulary:
    """The operation names one integration has used so far. Grows, up to `MAX_OPERATIONS`."""

    def __init__(self, operations: Iterable[str] = (), known: Iterable[str] = ()) -> None:
        self.templates = Templates(operations)
        self._names = set(self.templates.names).union(known)
        #: Methods by path where the name is just these two, and needs no working out.
        self._plain: dict[str, set[str]] = {}

    def settle(self, kind: int, method: str, path: str, hint: str, topic: str) -> str:
        """The name under which an exchange is counted; `OTHER` when there are enough names."""
        by_path = kind != _WEBHOOK and not hint
        plain = self._plain.get(path) if by_path else None
        if plain is not None and method in plain:
            return f"{method} {path}"
        name = self.templates.propose(kind, method, path, hint, topic)
        if name in self._names:
            if by_path and name == f"{method} {path}":
                self._plain.setdefault(path, set()).add(method)
            return name
        if len(self._names) - (OTHER in self._names) >= MAX_OPERATIONS:
            return OTHER
        self._names.add(name)
        return name

    @property
    def names(self) -> frozenset[str]:
        """Every name in use and every template."""
        return frozenset(self._names)


def shape(operation: str) -> str:
    """What two operations have in common that match the same requests: `GET /v1/issues/{}`."""
    method, _space, path = operation.partition(" ")
    segments = ["{}" if "{" in part else part for part in path.split("/") if part]
    return f"{method} /{'/'.join(segments)}"


def guess(method: str, path: str) -> str:
    """Method and a route template made from a path alone. Guessing from a guess changes nothing."""
    return _guess(method, _segments(path))


def _guess(method: str, segments: list[str]) -> str:
    kept = [
        _ID if segment.isdigit() else _template(segment) for segment in segments[:_MAX_SEGMENTS]
    ]
    if len(segments) > _MAX_SEGMENTS:
        kept.append(_REST)
    verb = method if method in _METHODS else "OTHER"
    name = f"{verb} /{'/'.join(kept)}"
    while len(name) > MAX_LENGTH:
        kept = [*kept[: -2 if kept[-1] == _REST else -1], _REST]
        name = f"{verb} /{'/'.join(kept)}"
    return name


def _from_hint(method: str, hint: str) -> str | None:
    """A caller's own template, `METHOD /template` or `/template`; None when it is neither."""
    if len(hint) > MAX_LENGTH:
        return None
    verb, space, path = hint.partition(" ")
    if not space:
        verb, path = method, hint
    return guess(verb.upper(), path) if path.startswith("/") and " " not in path else None


@lru_cache(maxsize=4096)
def _webhook(topic: str) -> str:
    named = len(topic) <= _MAX_TOPIC and _TOPIC.fullmatch(topic)
    return f"webhook {topic}" if named else f"webhook {OTHER}"


def _segments(path: str) -> list[str]:
    segments = path.split("/")
    if not segments[0]:
        del segments[0]
    return [segment for segment in segments if segment] if "" in segments else segments


@lru_cache(maxsize=8192)
def _template(segment: str) -> str:
    if len(segment) <= _MAX_WORD and segment.isascii() and segment.isalpha():
        return _ID if _is_long_hex(segment) else segment
    stem, dot, extension = segment.rpartition(".")
    if dot and extension in _EXTENSIONS:
        return f"{_ID if _carries_data(stem) else stem}.{extension}"
    return _ID if _carries_data(segment) else segment


def _carries_data(word: str) -> bool:
    if len(word) > _MAX_WORD:
        return True
    if not _PLAIN.fullmatch(word):
        return not _PARAMETER.fullmatch(word)
    digits = sum(map(str.isdigit, word))
    if not digits:
        return _is_long_hex(word)
    return not _VERSION.fullmatch(word) and _is_token(word, digits)


def _is_token(word: str, digits: int) -> bool:
    """Whether a word with digits in it is an id: many digits, long, hex, or a number at its end
    (`PROJ-12`). `oauth2`, `s3` and `sha256` are words."""
    return (
        digits >= 4
        or digits * 2 > len(word)
        or len(word) >= 16
        or (len(word) >= 8 and _HEX.fullmatch(word) is not None)
        or word.rstrip("0123456789").endswith(("-", "_", ":", "."))
    )


def _is_long_hex(word: str) -> bool:
    return len(word) >= 16 and _HEX.fullmatch(word) is not None
