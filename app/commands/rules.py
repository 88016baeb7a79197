"""Saving a rule: into a file of its own beside those that people write by hand."""

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy.orm import Session

from app.commands import audit
from app.commands.rule_file import parse, read_folder
from app.domain.rule import Rule
from app.errors import Refused

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
    content = yaml.safe_dump({"rules": [dict(given)]}, allow_unicode=True, sort_keys=False)
    found = parse(content.encode(), "rule")
    if found.problems:
        raise Refused("; ".join(problem.partition(": ")[2] for problem in found.problems))
    [rule] = found.rules
    folder = rules_folder(home)
    path = folder / f"{_SAVED}{rule.name}.yaml"
    _refuse_taken(folder, path, rule)
    _swap(path, content)
    audit.record(session, now_us=now_us, actor=actor, action="rule.saved", subject=rule.name)
    return rule


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
