"""How fast pages and the API get their numbers, beside the same questions asked of the raw rows.

Fills a SQLite store with ten million exchanges of thirty days once, in a throw-away folder where
later runs find it again, and asks through `app.queries` what a page asks. The raw rows are asked
for the same counts and percentiles in the fastest way their indexes allow. Both have to agree.

    python -m bench.queries [exchanges]
"""

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.auth.caller import scope_of
from app.commands import registry_file, registry_import
from app.db import registry_engine, transaction
from app.domain import histogram
from app.domain.ids import id_floor
from app.domain.outcome import TIMED_OUTCOMES
from app.domain.scope import Role
from app.domain.tally import CELLS, by_outcome, cell
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, Window, window_ending
from app.migrations import migrate_registry
from app.queries.health import health, league, operations, series
from app.queries.reading import Reading
from app.store.memory import Memory
from app.store.open import open_store
from bench.common import report
from bench.store_fill import END_US, INTEGRATIONS, SLUGS, fill

EXCHANGES = 10_000_000
FOLDER = Path(tempfile.gettempdir()) / "midspan-bench-queries"
REPEATS = 21
LARGEST = SLUGS[0]
_SCOPE = scope_of(Role.ADMIN, ())
_TIMED = sorted(int(outcome) for outcome in TIMED_OUTCOMES)

Counts = NDArray[np.int64]


def main() -> None:
    exchanges = int(sys.argv[1]) if len(sys.argv) > 1 else EXCHANGES
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"metrics-{exchanges}.db"
    filled_s = fill(path, exchanges)
    reading = reading_of(path)
    month, quarter = window_ending(END_US, 30 * DAY_US), window_ending(END_US, 15 * MINUTE_US)
    day = window_ending(END_US, DAY_US)
    rows = [
        _ask("health of the largest integration, 30 d", 50,
             lambda: health(reading, _SCOPE, LARGEST, month), _raw(path, month, LARGEST)),
        _ask("league of 200, 30 d", 150,
             lambda: league(reading, _SCOPE, month), _raw(path, month)),
        _ask("the same, nothing remembered", None,
             lambda: league(forgetful(reading), _SCOPE, month), None),
        _ask("league of 200, 15 min", 60,
             lambda: league(reading, _SCOPE, quarter), _raw(path, quarter)),
        _ask("its operations, 30 d", None,
             lambda: operations(reading, _SCOPE, LARGEST, month), None),
        _ask("its chart, 24 h by 5 min", None,
             lambda: series(reading, _SCOPE, LARGEST, day, 5 * MINUTE_US), None),
        _ask("its chart, 30 d by the hour", None,
             lambda: series(reading, _SCOPE, LARGEST, month, HOUR_US), None),
    ]  # fmt: skip
    agreed = _agreement(reading, path, month)
    report("queries", rows, {**agreed, **_facts(path, filled_s)})
    if not all(row["met"] in ("yes", "-") for row in rows) or not agreed["agrees"]:
        sys.exit(1)


def reading_of(path: Path, folder: Path | None = None) -> Reading:
    """The filled store and a registry in `folder`, by default beside it, that names all of its
    integrations."""
    url = f"sqlite:///{(folder or path.parent) / 'registry.db'}"
    migrate_registry(url)
    engine = registry_engine(url)
    lines = ["platform: {name: Bench, api_base_url: 'http://127.0.0.1:9000'}", "partners:"]
    for slug in SLUGS:
        partner = slug.replace("integration", "partner")
        lines += [
            f"  - slug: {partner}",
            f"    name: {partner}",
            "    integrations:",
            f"      - slug: {slug}",
            f"        name: {slug}",
            f"        api_base_url: https://{slug}.example",
            "        objectives:",
            "          - {name: availability, target: 0.995, window: 28d}",
            "          - {name: latency, target: 0.95, threshold_ms: 800, window: 28d}",
        ]
    wanted = registry_file.parse("\n".join(lines).encode(), "bench")
    with transaction(engine) as session:
        registry_import.apply(session, wanted, now_us=END_US, actor="bench")
    store = open_store(f"sqlite:///{path}", read_only=True)
    return Reading(engine, store, lambda: END_US)


def forgetful(reading: Reading) -> Reading:
    """The same store with nothing remembered: it reads every hour, day and week again."""
    reading.store._memory = Memory()  # type: ignore[attr-defined]
    return reading


def _ask(
    question: str, target_ms: int | None, ask: Callable[[], Any], raw: Callable[[], Any] | None
) -> dict[str, Any]:
    times = [_timed_ms(ask) for _ in range(REPEATS + 1)][1:]  # the first fills caches
    median, p95 = (float(np.quantile(times, q, method="higher")) for q in (0.5, 0.95))
    raw_ms = _timed_ms(raw) if raw else None
    return {
        "question": question,
        "target ms": target_ms or "-",
        "median ms": round(median, 1),
        "p95 ms": round(p95, 1),
        "met": "-" if target_ms is None else "yes" if median <= target_ms else "NO",
        "raw rows ms": round(raw_ms, 1) if raw_ms else "-",
        "times faster": round(raw_ms / median, 1) if raw_ms else "-",
    }


def _timed_ms(ask: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    ask()
    return (time.perf_counter() - begun) * 1000


def _raw(path: Path, window: Window, slug: str | None = None) -> Callable[[], Any]:
    return lambda: raw_counts(path, window, slug)


def raw_counts(path: Path, window: Window, slug: str | None = None) -> tuple[Counts, Counts]:
    """Tallies and histograms of every integration, shapes (n, CELLS) and (n, BUCKETS), from the
    raw rows alone, with all percentiles worked out."""
    tallies = np.zeros((INTEGRATIONS + 1, CELLS), dtype=np.int64)
    latencies = np.zeros((INTEGRATIONS + 1, histogram.BUCKETS), dtype=np.int64)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA mmap_size = 1073741824")
    where = "id >= ? AND id < ?"
    values: list[Any] = [id_floor(window.start_us), id_floor(window.end_us)]
    if slug:
        where += " AND integration_id = (SELECT id FROM integration_names WHERE slug = ?)"
        values.append(slug)
    rows = connection.execute(
        "SELECT integration_id, outcome, fault, verdict, total_us FROM exchanges WHERE " + where,
        values,
    )
    while part := rows.fetchmany(100_000):
        owner, outcome, fault, verdict, total_us = np.array(part, dtype=np.int64).T
        _count(tallies, owner, cell(outcome, fault, verdict))
        timed = np.isin(outcome, _TIMED)
        _count(latencies, owner[timed], histogram.position(total_us[timed]))
    connection.close()
    histogram.quantiles(latencies, (0.5, 0.95, 0.99))
    return tallies, latencies


def _count(into: Counts, owner: Counts, position: Any) -> None:
    flat = np.bincount(owner * into.shape[1] + position, minlength=into.size)
    into += flat.reshape(into.shape)


def _agreement(reading: Reading, path: Path, window: Window) -> dict[str, Any]:
    """Whether the page's numbers are those of the raw rows, for what the answer covers."""
    found = health(reading, _SCOPE, LARGEST, window)
    tallies, latencies = raw_counts(path, found.window, LARGEST)
    expected = histogram.quantile(latencies.sum(axis=0), 0.99) or 0.0
    same = by_outcome(tallies.sum(axis=0)) == found.by_outcome
    return {
        "exchanges of the largest integration": found.recorded,
        "agrees": same and abs((found.latency_ms.p99 or 0) - expected / 1000) < 0.01,
    }


def _facts(path: Path, filled_s: float) -> dict[str, Any]:
    connection = sqlite3.connect(path)
    facts: dict[str, Any] = {"seconds to fill in this run": round(filled_s, 1)}
    for table in (
        "exchanges",
        "rollup_minutes",
        "rollup_hours",
        "rollup_days",
        "rollup_weeks",
        "series",
    ):
        [(number,)] = connection.execute(f"SELECT count(*) FROM {table}")
        facts[f"rows of {table}"] = number
    connection.close()
    facts["bytes of the file"] = path.stat().st_size
    return facts


if __name__ == "__main__":
    main()
