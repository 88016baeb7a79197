"""How fast lifecycle events are taken in, and how fast a funnel is answered, on one core.

A million events of 200 integrations over 90 days go to the command that the API calls, a thousand
at a time, about in the order in which they happened: one in twenty comes late by up to half a day,
one in fifty twice. Then `app.queries` is asked for the funnel of one integration and of all, and a
recount of the raw events has to agree. The embedded registry, on disk, in a throw-away folder,
in a process that collects garbage as the web server does.

    python -m bench.funnel [events]
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine

from app.auth.caller import own_scope
from app.commands import funnel_days, registry_file, registry_import
from app.commands.lifecycle import record
from app.db import registry_engine, transaction
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Window
from app.factory import settle
from app.migrations import migrate_registry
from app.queries import Reading, funnel, funnels
from app.queries.funnels import Asked, By
from app.store.open import open_store
from app.store.schema import migrate as migrate_metrics
from bench.common import report

INTEGRATIONS, DAYS, BATCH, REPEATS = 200, 90, 1_000, 9
END_US = 1_795_348_800_000_000
STEPS = ("started", "redirected", "authorized", "verified", "activated")
EVENTS_PER_S, ONE_MS, ALL_MS = 20_000, 50, 300
_QUARTER = Window(END_US - DAYS * DAY_US, END_US + MINUTE_US)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(prefix="midspan-funnel-") as folder:
        reading = reading_of(Path(folder))
        told, times = drawn(events)
        settle()
        rate = taken_in(reading.engine, told, times)
        refreshed_s = refresh(reading.engine)
        rows = [
            rate,
            _ask("one integration, 90 d", ONE_MS, lambda: one(reading)),
            _ask("one by day", None, lambda: one(reading, By.DAY)),
            _ask("one by plan", None, lambda: one(reading, By.PLAN)),
            _ask("all 200, 90 d", ALL_MS, lambda: funnels(reading, own_scope(), _QUARTER)),
        ]  # fmt: skip
        agrees = recounted(told) == counted(reading)
        size = (Path(folder) / "registry.db").stat().st_size
        reading.store.close()
        reading.engine.dispose()
    report("funnel", rows, {
        "seconds to count all days": round(refreshed_s, 1), "agrees with a recount": agrees,
        "bytes of the file": size,
    })  # fmt: skip
    if not agrees or any(row["met"] == "NO" for row in rows):
        sys.exit(1)


def one(reading: Reading, by: By | None = None) -> Any:
    return funnel(reading, own_scope(), slug(0), _QUARTER, Asked(by=by))


def slug(number: int) -> str:
    return f"integration-{number:03d}"


def reading_of(folder: Path) -> Reading:
    url = f"sqlite:///{folder}/registry.db"
    migrate_registry(url)
    migrate_metrics(f"sqlite:///{folder}/metrics.db")
    engine = registry_engine(url)
    lines = ["platform: {name: Bench}", "partners:", "  - {slug: bench, name: B, integrations: ["]
    lines += [f"      {{slug: {slug(at)}, name: N}}," for at in range(INTEGRATIONS)]
    wanted = registry_file.parse("\n".join([*lines, "    ]}"]).encode(), "bench")
    with transaction(engine) as session:
        registry_import.apply(session, wanted, now_us=END_US, actor="bench")
    return Reading(engine, open_store(f"sqlite:///{folder}/metrics.db"), lambda: END_US)


def drawn(number: int) -> tuple[list[tuple[int, int, int, int]], np.ndarray]:
    """(integration, installation, step, event) in the order of arrival, and when each happened."""
    chance = np.random.default_rng(7)
    per_install = chance.choice([1, 2, 3, 4, 5], number // 3, p=[0.06, 0.06, 0.08, 0.1, 0.7])
    installs = int(np.searchsorted(np.cumsum(per_install), number)) + 1
    counts = per_install[:installs]
    owner = chance.integers(0, INTEGRATIONS, installs)
    begun = END_US - DAY_US - chance.integers(0, (DAYS - 1) * DAY_US, installs)
    which = np.repeat(np.arange(installs), counts)
    steps = np.concatenate([np.arange(each) for each in counts])
    at_us = begun[which] + steps * chance.integers(SECOND_US, 10 * MINUTE_US, len(which))
    arrival = at_us + (chance.random(len(which)) < 0.05) * chance.integers(
        0, 12 * HOUR_US, len(which)
    )
    order = np.argsort(arrival, kind="stable")[:number]
    columns = (owner[which], which, steps, np.arange(len(which)))
    told = list(zip(*(column[order].tolist() for column in columns), strict=True))
    return told, at_us


def posted(
    told: list[tuple[int, int, int, int]], times: np.ndarray
) -> Iterator[list[dict[str, Any]]]:
    """Arrays as the API gets them; every fiftieth event is there again."""
    plans, sources = ("free", "pro", "team"), ("directory", "ad", None)
    for start in range(0, len(told), BATCH - BATCH // 50):
        part = told[start : start + BATCH - BATCH // 50]
        part = part + part[::50]
        yield [
            {
                "id": f"evt-{number:09d}", "integration": slug(owner), "step": STEPS[step],
                "installation": f"inst-{install:07d}", "customer": f"cust-{install % 9_973}",
                "occurred_at": (_EPOCH + timedelta(microseconds=int(times[number]))).isoformat(),
                "plan": plans[install % 3], "source": sources[install % 7 % 3], "reason": None,
            }
            for owner, install, step, number in part
        ]  # fmt: skip


def taken_in(
    engine: Engine, told: list[tuple[int, int, int, int]], times: np.ndarray
) -> dict[str, Any]:
    spent_s, taken, slowest_s = 0.0, 0, 0.0
    for batch in posted(told, times):
        begun_s = time.perf_counter()
        with transaction(engine) as session:
            receipt = record(session, batch, now_us=END_US)
        once_s = time.perf_counter() - begun_s
        spent_s, slowest_s = spent_s + once_s, max(slowest_s, once_s)
        taken += receipt.accepted + receipt.duplicates
        if receipt.rejected:
            sys.exit(f"rejected: {receipt.rejected[0]}")
    rate = taken / spent_s
    return {
        "what": f"{taken:,} events taken in", "target": f"{EVENTS_PER_S:,} events/s",
        "median": f"{rate:,.0f} events/s", "slowest": f"{slowest_s * 1000:.0f} ms a thousand",
        "met": "yes" if rate >= EVENTS_PER_S else "NO",
    }  # fmt: skip


def refresh(engine: Engine) -> float:
    begun_s, made = time.perf_counter(), 1
    while made:
        with transaction(engine) as session:
            made = funnel_days.refresh(session, now_us=END_US)
    return time.perf_counter() - begun_s


def recounted(told: list[tuple[int, int, int, int]]) -> Counter:
    return Counter((slug(owner), STEPS[step]) for owner, _, step, _ in told)


def counted(reading: Reading) -> Counter:
    found = funnels(reading, own_scope(), _QUARTER)
    return Counter({
        (name, step.name): step.reached for name, count in found.items() for step in count.steps
    })  # fmt: skip


def _ask(what: str, target_ms: int | None, ask: Callable[[], Any]) -> dict[str, Any]:
    times = []
    for _ in range(REPEATS):
        begun_s = time.perf_counter()
        ask()
        times.append((time.perf_counter() - begun_s) * 1000)
    median = float(np.median(times))
    return {
        "what": what, "target": f"{target_ms} ms" if target_ms else "-",
        "median": f"{median:.1f} ms", "slowest": f"{max(times):.1f} ms",
        "met": "-" if target_ms is None else "yes" if median <= target_ms else "NO",
    }  # fmt: skip


if __name__ == "__main__":
    main()
