"""How long the rules take, and how soon somebody knows.

25 rules over 200 integrations, every kind of them, are evaluated on the store of `bench.queries`:
30 days of ten million exchanges. Measured is a whole round of the scheduler, from reading rules to
the last row written: in a storm in which hundreds of incidents begin at once, when a new minute is
over, within the same minute, and in a process that just began.

Then a real Midspan on loopback: traffic crosses the proxy, its target begins to fail, and a real
SMTP server takes the mail. Counted from the first failed answer that makes the rule true.

    python -m bench.alerts [exchanges]
"""

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from alerts.engine import Engine, Report
from app.domain.window import SECOND_US
from bench.alerts_mail import breach_to_mail
from bench.common import report, table
from bench.queries import EXCHANGES, FOLDER, forgetful, reading_of
from bench.store_fill import END_US, fill

REPEATS = 11
TARGET_MS = 2_000

#: 18 rules beside the eight default ones that are by integration; every kind is among them.
RULES = (
    *(f"kind: burn_rate, objective: {name}" for name in ("availability", "latency")),
    *(f"kind: silence, window: {window}" for window in ("30m", "6h")),
    *(f"kind: threshold, measure: error_ratio, above: 0.9, window: {window}"
      for window in ("5m", "1h", "1d")),
    *(f"kind: threshold, measure: p95, above: 900000, window: {window}"
      for window in ("15m", "6h")),
    "kind: threshold, measure: p50, above: 900000, window: 15m",
    "kind: threshold, measure: p99, above: 900000, window: 1h",
    "kind: threshold, measure: bad, above: 900000, window: 5m",
    "kind: threshold, measure: excluded, above: 900000, window: 15m",
    "kind: anomaly, measure: proxied, deviations: 100",
    "kind: error_group, standings: [new], minimum: 900000",
    "kind: funnel_drop",
    "kind: reconciliation",
    "kind: revenue_at_risk, above: 900000, currency: USD",
)  # fmt: skip


class Took(NamedTuple):
    """How long a round took, and how much of that was work of this process."""

    wall_ms: float
    cpu_ms: float


class Clock:
    """Stands where the store ends, and is moved by hand."""

    def __init__(self) -> None:
        self.now_us = END_US

    def __call__(self) -> int:
        return self.now_us


class Alerting:
    """The rules over the filled store, with a registry and a home of their own."""

    def __init__(self, folder: Path, store: Path) -> None:
        self.home = folder
        self.clock = Clock()
        self.reading = replace(reading_of(store, folder), clock=self.clock)
        (folder / "rules").mkdir()
        (folder / "status").mkdir()
        rules = "".join(f"  - {{name: rule-{n:02d}, {rule}}}\n" for n, rule in enumerate(RULES))
        (folder / "rules" / "bench.yaml").write_text(f"rules:\n{rules}")
        self.engine = self.started()

    def started(self) -> Engine:
        """A scheduler that just began."""
        return Engine(self.reading, self.home, "bench.example")

    def pass_s(self, seconds: float) -> None:
        """Let time go by, the loader being well."""
        self.clock.now_us += int(seconds * SECOND_US)
        status = {"updated_us": self.clock.now_us, "lag_bytes": 0}
        (self.home / "status" / "loader.json").write_text(json.dumps(status))


def evaluated(exchanges: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A row for each kind of round, and what was evaluated."""
    path = FOLDER / f"metrics-{exchanges}.db"
    FOLDER.mkdir(exist_ok=True)
    fill(path, exchanges)
    with tempfile.TemporaryDirectory() as folder:
        world = Alerting(Path(folder), path)
        world.pass_s(0)
        storm, first = _timed(world.engine)
        rows = [_row("a storm: every incident begins at once", [storm], None)]
        owed = [_later(world, 15) for _ in range(3)]
        rows.append(_row("15 s after it, evidence still owed", owed, None))
        for _ in range(5):
            _later(world, 15)
        rows.append(_row("a new minute is over", [_later(world, 60) for _ in range(REPEATS)]))
        rows.append(_row("15 s later", [_later(world, 0) for _ in range(REPEATS)]))
        fresh = []
        for _ in range(REPEATS):
            world.engine = Engine(forgetful(world.reading), world.home, "bench.example")
            fresh.append(_later(world, 60))
        rows.append(_row("in a process that just began", fresh))
        facts = {"instances": first.instances, "began in the storm": first.planned}
        world.reading.store.close()
        world.reading.engine.dispose()
    return rows, facts


def _later(world: Alerting, seconds: float) -> Took:
    world.pass_s(seconds)
    return _timed(world.engine)[0]


def _timed(engine: Engine) -> tuple[Took, Report]:
    cpu_s, begun_s = time.process_time(), time.perf_counter()
    found = engine.round()
    assert not found.broken, found.broken
    took = Took((time.perf_counter() - begun_s) * 1000, (time.process_time() - cpu_s) * 1000)
    return took, found


def _row(what: str, times: Sequence[Took], target_ms: int | None = TARGET_MS) -> dict[str, Any]:
    walls = [each.wall_ms for each in times]
    met = "-" if target_ms is None else "yes" if max(walls) <= target_ms else "NO"
    return {
        "round": what,
        "median ms": round(float(np.median(walls)), 1),
        "worst ms": round(max(walls), 1),
        "of it on the core ms": round(float(np.median([each.cpu_ms for each in times])), 1),
        "target ms": target_ms or "-",
        "met": met,
    }


def main() -> None:
    exchanges = int(sys.argv[1]) if len(sys.argv) > 1 else EXCHANGES
    rows, facts = evaluated(exchanges)
    told = breach_to_mail()
    print(table(told))
    report("alerts", rows, {**facts, "told": told})
    if any(row["met"] == "NO" for row in [*rows, *told]):
        sys.exit(1)


if __name__ == "__main__":
    main()
