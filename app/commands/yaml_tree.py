"""YAML as a tree that knows its lines, read without trust.

The library's own composer recurses (deep nesting ends the process), keeps the last of two equal
keys without a word, and turns `no` into False. So the tree is built here from the library's
events: nesting and expanded size are bounded, tags are refused, an alias is the node it names,
and a scalar stays the text it was, with a mark when it was written without quotes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

MAX_DEPTH = 20
#: Nodes after every alias is followed: some ten times the largest registry we can imagine.
MAX_NODES = 2_000_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # five times as fast where it was built
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


class YamlProblem(Exception):
    """What is wrong, and on which line (from 1)."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


@dataclass(slots=True)
class Scalar:
    """A text; `plain` when it stood without quotes."""

    line: int
    text: str
    plain: bool
    size: int = 1

    @property
    def is_null(self) -> bool:
        """Whether YAML reads it as nothing."""
        return self.plain and self.text in _NULLS


@dataclass(slots=True)
class Sequence:
    """A list."""

    line: int
    items: list["Node"] = field(default_factory=list)
    size: int = 1


@dataclass(slots=True)
class Mapping:
    """Keys with values, in the order of the file, repeats included."""

    line: int
    pairs: list[tuple["Node", "Node"]] = field(default_factory=list)
    size: int = 1


Node = Scalar | Sequence | Mapping


def read_tree(text: str) -> Node | None:
    """The tree of the only document in `text`; None when there is none. Raises `YamlProblem`."""
    _refuse_unreadable(text)
    try:
        return _build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        raise _explained(error, text) from None
    except yaml.YAMLError as error:
        raise YamlProblem(1, f"not YAML: {error}") from None


class _Builder:
    """The nodes that are open while events come in."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.open: list[Sequence | Mapping] = []
        self.keys: list[Node | None] = []
        self.anchors: dict[str, Node] = {}

    def begin(self, node: Sequence | Mapping) -> None:
        if len(self.open) >= MAX_DEPTH:
            raise YamlProblem(node.line, f"nested more than {MAX_DEPTH} deep")
        self.open.append(node)
        self.keys.append(None)

    def end(self) -> None:
        self.keys.pop()
        self.add(self.open.pop())

    def add(self, node: Node) -> None:
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        parent.size += node.size
        if parent.size > MAX_NODES:
            raise YamlProblem(parent.line, f"more than {MAX_NODES:,} values once aliases are read")
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif (key := self.keys[-1]) is None:
            self.keys[-1] = node
        else:
            parent.pairs.append((key, node))
            self.keys[-1] = None

    def alias(self, name: str, line: int) -> None:
        node = self.anchors.get(name)
        if node is None:
            raise YamlProblem(line, f"nothing is anchored as &{name} above")
        if any(node is parent for parent in self.open):
            raise YamlProblem(line, f"*{name} contains itself")
        self.add(node)


def _build(events: Iterator[yaml.Event]) -> Node | None:
    builder = _Builder()
    documents = 0
    for event in events:
        line = _line(event)
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise YamlProblem(line, "a second document begins here; a file holds one")
        elif isinstance(event, yaml.AliasEvent):
            builder.alias(event.anchor or "", line)
        elif isinstance(event, yaml.NodeEvent):
            _node(builder, event, line)
        elif isinstance(event, yaml.CollectionEndEvent):
            builder.end()
    return builder.root


def _node(builder: _Builder, event: yaml.NodeEvent, line: int) -> None:
    tag = getattr(event, "tag", None)
    if tag not in {None, "!"}:
        raise YamlProblem(line, f"the tag {tag} is not read: write the value alone")
    node: Node
    if isinstance(event, yaml.ScalarEvent):
        node = Scalar(line, event.value, plain=bool(event.implicit[0]))
    else:
        node = (Sequence if isinstance(event, yaml.SequenceStartEvent) else Mapping)(line)
    if event.anchor:
        builder.anchors[event.anchor] = node
    if isinstance(node, Scalar):
        builder.add(node)
    else:
        builder.begin(node)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _refuse_unreadable(text: str) -> None:
    found = _UNREADABLE.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        raise YamlProblem(line, f"the character U+{ord(found[0]):04X} is not allowed in YAML")


def _explained(error: yaml.MarkedYAMLError, text: str) -> YamlProblem:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    lines = text.splitlines()
    content = lines[line - 1] if line <= len(lines) else ""
    if "\t" in content[: len(content) - len(content.lstrip())]:
        return YamlProblem(line, "indented with a tab: use spaces")
    return YamlProblem(line, f"not YAML: {error.problem or error.context}")
