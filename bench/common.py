"""How a benchmark says what it found: a table for people, a JSON file for comparisons."""

import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def report(name: str, rows: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> None:
    """Print `rows` as a table and `facts` below it; write both to `bench/results/<name>.json`."""
    print(table(rows))
    for fact, value in facts.items():
        print(f"{fact}: {value}")
    RESULTS.mkdir(exist_ok=True)
    document = {"name": name, "rows": list(rows), "facts": dict(facts), "machine": machine()}
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=1, default=str) + "\n")


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Aligned columns under the keys of the first row; numbers to the right."""
    heads = list(rows[0]) if rows else []
    lines = [heads, *([_shown(row.get(head, "")) for head in heads] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    numeric = [any(isinstance(row.get(head), int | float) for row in rows) for head in heads]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in lines
    )


def machine() -> dict[str, Any]:
    """What a figure depends on."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": os.cpu_count(),
        "measured": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
