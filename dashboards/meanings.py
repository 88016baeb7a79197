"""What an error code means and what to do about it, as docs/errors.md has it.

The reference is the one table people read; the pages show its words rather than a second set.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "errors.md"


class Meaning(NamedTuple):
    """One row of the reference."""

    means: str
    do: str


def meaning(code: str | None) -> Meaning | None:
    """The row of a code; None for a code that is not in the reference, or without it."""
    return _table().get(code) if code else None


def parse(text: str) -> dict[str, Meaning]:
    """The rows `| `code` | … | means | do |` of a Markdown table."""
    found: dict[str, Meaning] = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) >= 3 and cells[0].startswith("`") and cells[0].endswith("`"):
            found[cells[0].strip("`")] = Meaning(cells[-2], cells[-1])
    return found


@cache
def _table() -> dict[str, Meaning]:
    return parse(REFERENCE.read_text()) if REFERENCE.is_file() else {}
