"""Saving a rule: into a file of its own beside those that people write by hand."""

import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from textwrap import indent
from typing import Any

import yaml
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.commands import audit
from app.commands.rule_file import parse, read_folder
from app.commands.rule_text import rule_text
from app.db import transaction
from app.domain.rule import Rule
from app.domain.scope import Scope
from app.errors import NotFound, Refused

#: How the files of saved rules begin, so that none written by hand is overwritten.
_SAVED = "saved-"


def rules_folder(home: Path) -> Path:
    """Where rule files lie."""
    return home / "rules"


def save_rule(
    session: Session, home: Path, given: Mapping[str, Any], *, now_us: int, actor: str
) -> Rule:
    """Save the rule that `given` describes, as a rule file would; it stands from the next
    evaluation on, in place of an earlier one that was saved under its name.

    `Refused` for what is no rule, for a name that a file written by hand has, and when the folder
    cannot be written.
    """
    rule, content = _given(given)
    folder = rules_folder(home)
    path = folder / f"{_SAVED}{rule.name}.yaml"
    _refuse_taken(folder, path, rule)
    _swap(path, content)
    audit.record(session, now_us=now_us, actor=actor, action="rule.saved", subject=rule.name)
    return rule


def rule_given(given: Mapping[str, Any]) -> Rule:
    """The rule that `given` describes, as a rule file would; `Refused` for what is none."""
    return _given(given)[0]


def _given(given: Mapping[str, Any]) -> tuple[Rule, str]:
    content = yaml.safe_dump({"rules": [dict(given)]}, allow_unicode=True, sort_keys=False)
    found = parse(content.encode(), "rule")
    if found.problems:
        raise Refused("; ".join(problem.partition(": ")[2] for problem in found.problems))
    [rule] = found.rules
    return rule, content


def rule_of(text: str) -> Rule:
    """The one rule that `text` holds, as a rule file, as a list of one, or by itself; `Refused`
    with every problem and its line."""
    whole = re.search(r"^rules:", text, re.MULTILINE) is not None
    item = text if text.lstrip().startswith("-") else f"- {indent(text, '  ').lstrip(' ')}"
    content = text if whole else f"rules:\n{indent(item, '  ')}"
    found = parse(content.encode(), "line")
    if found.problems:
        raise Refused("; ".join(_line(problem, 0 if whole else 1) for problem in found.problems))
    if len(found.rules) != 1:
        raise Refused(f"one rule at a time: there are {len(found.rules)}")
    return found.rules[0]


def save_text(
    engine: Engine, scope: Scope, home: Path, text: str, *, now_us: int, actor: str
) -> Rule:
    """`save_rule` of what `rule_of` finds, in a transaction of its own; for those who see every
    integration."""
    if not scope.covers(None):
        raise NotFound("there are no rules for you to write")
    rule = rule_of(text)
    given = yaml.safe_load(rule_text(rule))["rules"][0]
    with transaction(engine) as session:
        return save_rule(session, home, given, now_us=now_us, actor=actor)


def origins(home: Path) -> dict[str, str]:
    """Where each rule of the files comes from, by name: the name of its file."""
    found: dict[str, str] = {}
    for path in sorted(rules_folder(home).glob("*.yaml")):
        with suppress(OSError):
            found |= dict.fromkeys(
                (rule.name for rule in parse(path.read_bytes(), path.name).rules), path.name
            )
    return found


def _line(problem: str, shift: int) -> str:
    """`line 3: what is wrong`, of a text that stands one line further down than it was written."""
    _, number, message = problem.split(":", 2)
    return f"line {int(number) - shift}:{message}"


def _refuse_taken(folder: Path, path: Path, rule: Rule) -> None:
    by_hand = [each for each in folder.glob("*.yaml") if each != path]
    for each in by_hand:
        with suppress(OSError):
            if any(known.name == rule.name for known in parse(each.read_bytes(), "x").rules):
                raise Refused(f"rule {rule.name!r} stands in {each.name}, written by hand")


def _swap(path: Path, content: str) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(prefix=".", suffix=".draft", dir=path.parent)
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
        Path(draft).replace(path)
    except OSError as error:
        raise Refused(f"cannot write {path}: {error.strerror}") from error


def standing_rules(
    home: Path, defaults: tuple[Rule, ...]
) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """The rules of the files with the default ones that none replaces by name, and the problems of
    the files."""
    files = read_folder(rules_folder(home))
    named = {rule.name for rule in files.rules}
    kept = tuple(rule for rule in defaults if rule.name not in named)
    return (*files.rules, *kept), files.problems
