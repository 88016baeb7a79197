"""What a number means, as docs/numbers.md has it: the one source of the hover texts."""

import re
from functools import cache
from pathlib import Path

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "numbers.md"
_NAME = re.compile(r"`([^`]+)`")


def definition(name: str) -> str:
    """The definition of a number and its unit; "" for one that is not in the reference."""
    return _table().get(name, "")


def parse(text: str) -> dict[str, str]:
    """The rows `| `name` | definition | unit | … |` of Markdown tables. A first cell without
    back-quotes is the name itself."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|") or len(cells) < 3 or set(cells[0]) <= set("-: "):
            continue
        says = cells[1].replace("`", "")
        sentence = f"{says[:1].upper()}{says[1:]}. Unit: {cells[2]}."
        for name in _NAME.findall(cells[0]) or [cells[0]]:
            found.setdefault(name, sentence)
    return found


@cache
def _table() -> dict[str, str]:
    return parse(REFERENCE.read_text()) if REFERENCE.is_file() else {}
