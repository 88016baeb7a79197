"""Billing events from a CSV file, with the columns of the API's events.

The whole file is judged first. If a row is broken nothing is imported, unless those rows are to be
left out. Ids make it safe to import a file again, also one whose import was interrupted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from app.commands import table_file
from app.commands.billing import judge, known_ids, take
from app.commands.bills import KEYS
from app.db import reading, transaction
from app.domain.scope import Scope

COLUMNS = frozenset(KEYS - {"amount"} | {"amount_minor", "currency"})
NEEDED = frozenset({"id", "integration", "installation", "type", "occurred_at"})
_WHOLE = ("quantity", "interval_count", "amount_minor")
_RATIOS = ("discount_ratio", "platform_share_ratio")
_TOGETHER = 1_000


@dataclass(frozen=True, slots=True)
class FileTaken:
    """What became of a file: rows that are new, known already, and `line N: why` of the others."""

    accepted: int
    duplicates: int
    problems: tuple[str, ...]


def import_file(
    engine: Engine,
    scope: Scope,
    path: Path,
    now_us: int,
    *,
    dry_run: bool = False,
    skip_bad: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> FileTaken:
    """Import a file; `TableFileError` naming the broken rows, with nothing imported, unless
    `skip_bad`. `dry_run`: say what would become of it. `progress`: rows done, of how many."""
    sound: list[dict[str, Any]] = []
    problems: list[str] = []
    duplicates = 0
    for part in _parts(list(table_file.rows(path, NEEDED, COLUMNS))):
        items = [_item(row) for _, row in part]
        with reading(engine) as session:
            good, rejected = judge(session, scope, items, now_us)
            for number, events in good.items():
                duplicates += len(known_ids(session, number, [event.id for event in events]))
        why = {each.index: each.reason for each in rejected}
        for index, ((line, row), item) in enumerate(zip(part, items, strict=True)):
            if index in why:
                problems.append(f"line {line}: {row.get('', why[index])}")
            else:
                sound.append(item)
    if problems and not skip_bad:
        raise table_file.refuse(path, problems, "; mend them, or leave them out with --skip-bad")
    if dry_run:
        return FileTaken(len(sound) - duplicates, duplicates, tuple(problems))
    accepted = 0
    for part in _parts(sound):
        with transaction(engine) as session:
            accepted += take(session, scope, part, now_us=now_us).accepted
        progress(accepted, len(sound))
    return FileTaken(accepted, len(sound) - accepted, tuple(problems))


def _parts(values: Sequence[Any]) -> list[Sequence[Any]]:
    return [values[start : start + _TOGETHER] for start in range(0, len(values), _TOGETHER)]


def _item(row: table_file.Row) -> dict[str, Any]:
    """A row as the API's JSON; what is no number stays a text, and is judged as one."""
    item: dict[str, Any] = {name: value for name, value in row.items() if name in KEYS}
    if "" in row:
        return {"": ""}
    amount: dict[str, Any] = {
        name: row[name] for name in ("amount_minor", "currency") if name in row
    }
    for holder in (item, amount):
        for name in _WHOLE:
            if holder.get(name, "x").removeprefix("-").isdecimal() and len(holder[name]) < 20:
                holder[name] = int(holder[name])
    for name in _RATIOS:
        item |= {name: _number(item[name])} if name in item else {}
    return item | ({"amount": amount} if "amount_minor" in amount else {})


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
