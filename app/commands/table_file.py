"""Reading a CSV file from outside, row by row, with the line that each began on."""

import csv
from collections.abc import Iterator
from pathlib import Path

from app.errors import TableFileError

Row = dict[str, str]
#: As many problems as are named one by one.
NAMED = 20


def rows(path: Path, needed: frozenset[str], known: frozenset[str]) -> Iterator[tuple[int, Row]]:
    """The rows of a file with a head: line and values by column, empty ones left out.
    `TableFileError` for a file that is none; a row of another width has the key "" with why."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            head = next(reader, [])
            _check_head(head, needed, known)
            line = reader.line_num + 1
            for values in reader:
                if values:
                    yield line, _row(head, values)
                line = reader.line_num + 1
    except UnicodeDecodeError:
        raise TableFileError(f"{path} is not UTF-8 text: save it as such") from None
    except csv.Error as error:
        raise TableFileError(f"{path}:{reader.line_num}: {error}") from None


def refuse(path: Path, problems: list[str], advice: str) -> TableFileError:
    """What to raise for a file some of whose rows are broken."""
    named = tuple(problems[:NAMED])
    more = len(problems) - len(named)
    return TableFileError(
        f"{path}: {len(problems):,} broken row{'s' if len(problems) > 1 else ''}"
        f"{f', {more:,} more than named' if more else ''}; nothing was imported{advice}",
        named,
    )


def _check_head(head: list[str], needed: frozenset[str], known: frozenset[str]) -> None:
    unknown = [name for name in head if name not in known]
    missing = sorted(needed - set(head))
    if unknown or missing or len(set(head)) < len(head):
        said = (
            f"unknown column {unknown[0][:63]!r}" if unknown
            else f"no column {missing[0]!r}" if missing
            else "a column twice"
        )  # fmt: skip
        raise TableFileError(
            f"the head of the file has {said}: known are {', '.join(sorted(known))}"
        )


def _row(head: list[str], values: list[str]) -> Row:
    if len(values) != len(head):
        return {"": f"it has {len(values)} values, the head has {len(head)}"}
    return {name: value.strip() for name, value in zip(head, values, strict=True) if value.strip()}
