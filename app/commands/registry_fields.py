"""Typed access to the nodes of a registry file: every problem is noted, none stops the reading.

After a problem a value of the right type is returned in its place, so that the rest of the file
is still judged; a file with problems is never imported, so such a value goes nowhere.
"""

from collections.abc import Callable, Collection
from difflib import get_close_matches
from typing import TypeVar

from app.commands.yaml_tree import Mapping, Node, Scalar, Sequence

T = TypeVar("T")


class Problems:
    """What is wrong with a file, by line; and what must be unique in it."""

    def __init__(self) -> None:
        self._found: list[tuple[int, str]] = []
        self._claimed: dict[tuple[str, str], int] = {}

    def add(self, line: int, message: str) -> None:
        """Note a problem."""
        self._found.append((line, message))

    def claim(self, kind: str, value: str, line: int) -> None:
        """Note a problem, naming both lines, when `value` was claimed before as such a `kind`."""
        if (kind, value) in self._claimed:
            first = self._claimed[kind, value]
            self.add(line, f"{kind} {value!r} is there already, on line {first}")
        self._claimed.setdefault((kind, value), line)

    def sorted(self) -> list[tuple[int, str]]:
        """In the order of the file."""
        return sorted(set(self._found))


class Fields:
    """One mapping of the file.

    Messages call it `what`, with the value of its key `title` behind: `integration 'issues'`.
    """

    def __init__(
        self,
        node: Node,
        what: str,
        known: Collection[str],
        problems: Problems,
        title: str | None = None,
    ) -> None:
        self.line = node.line
        self.what = what
        self._problems = problems
        self._values: dict[str, Node] = {}
        self._is_read = isinstance(node, Mapping)
        if isinstance(node, Mapping):
            self.what += _titled(node, title)
            self._take(node, known)
        else:
            problems.add(node.line, f"{what} must be keys with values, not {_said(node)}")

    def line_of(self, key: str) -> int:
        """Where the value of `key` stands, or the mapping when it has none."""
        return self._values[key].line if key in self._values else self.line

    def has(self, key: str) -> bool:
        """Whether there is a value for `key`; an empty one is none."""
        return key in self._values

    def require(self, *keys: str) -> None:
        """Note a problem for each of `keys` that has no value."""
        for key in keys:
            if self._is_read and key not in self._values:
                self._problems.add(self.line, f"{self.what} lacks {key!r}")

    def value(self, key: str, check: Callable[[str], T], default: T) -> T:
        """A single value that passes `check`; `default` when there is none."""
        node = self._values.get(key)
        return default if node is None else self._checked(node, key, check, default)

    def needed(self, key: str, check: Callable[[str], T], instead: T) -> T:
        """A single value that must be there."""
        self.require(key)
        return self.value(key, check, instead)

    def says(self, key: str, word: str) -> bool:
        """Whether the value of `key` is that one word, instead of what else it may be."""
        node = self._values.get(key)
        return isinstance(node, Scalar) and node.text == word

    def nodes(self, key: str) -> list[Node]:
        """The entries of a list; none when it is not there."""
        node = self._values.get(key)
        if node is None:
            return []
        if not isinstance(node, Sequence):
            self._problems.add(node.line, f"{key!r} must be a list, not {_said(node)}")
            return []
        return node.items

    def lined(self, key: str, check: Callable[[str], str], most: int) -> dict[str, int]:
        """A list of at most `most` different texts, each with its line, in order."""
        nodes = self.nodes(key)
        if len(nodes) > most:
            self._problems.add(
                self.line_of(key), f"{key!r} has {len(nodes)} entries, at most {most} are allowed"
            )
        found: dict[str, int] = {}
        for node in nodes[:most]:
            text = self._checked(node, key, check, "")
            if text and text in found:
                self._problems.add(
                    node.line, f"{key!r} has {text!r} already, on line {found[text]}"
                )
            elif text:
                found[text] = node.line
        return found

    def texts(self, key: str, check: Callable[[str], str], most: int) -> tuple[str, ...]:
        """The same without lines."""
        return tuple(self.lined(key, check, most))

    def inner(self, key: str, known: Collection[str]) -> "Fields":
        """A mapping inside; an empty one when it is not there."""
        node = self._values.get(key, Mapping(self.line))
        return Fields(node, repr(key), known, self._problems)

    def _take(self, node: Mapping, known: Collection[str]) -> None:
        lines: dict[str, int] = {}
        for key, value in node.pairs:
            text = key.text if isinstance(key, Scalar) else "?"
            if text not in known:
                self._problems.add(key.line, f"{self.what} has no {text!r}{_hint(text, known)}")
            elif text in lines:
                self._problems.add(key.line, f"{text!r} is there already, on line {lines[text]}")
            else:
                lines[text] = key.line
                if not (isinstance(value, Scalar) and value.is_null):
                    self._values[text] = value

    def _checked(self, node: Node, key: str, check: Callable[[str], T], instead: T) -> T:
        if not isinstance(node, Scalar) or node.is_null:
            self._problems.add(node.line, f"{key!r} must be a single value, not {_said(node)}")
            return instead
        try:
            return check(node.text)
        except ValueError as error:
            self._problems.add(node.line, f"{key!r}: {error}")
            return instead


def _titled(node: Mapping, title: str | None) -> str:
    for key, value in node.pairs:
        if isinstance(key, Scalar) and key.text == title and isinstance(value, Scalar):
            return f" {value.text[:63]!r}"
    return ""


def _said(node: Node) -> str:
    if isinstance(node, Scalar):
        return "nothing" if node.is_null else repr(node.text[:40])
    return "a list" if isinstance(node, Sequence) else "keys with values"


def _hint(text: str, known: Collection[str]) -> str:
    close = get_close_matches(text, known, 1)
    if close:
        return f": did you mean {close[0]!r}?"
    return f"; it may have {', '.join(sorted(known))}"
