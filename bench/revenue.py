"""How fast revenue and usage are folded and answered at three years of billing, and whether it is
right.

200 integrations, 100,000 installations, over a million events, and what those installations did in
the last 130 days. Everything is folded from nothing and again from what is there; a page's data is
asked for over a month, a quarter, a year and all three; what is at risk for all integrations at
once; and 10,000 random histories are compared with the brute force of the tests. A first answer is
told beside the worst of those that follow: nothing is remembered between them but what the
databases remember, in a process that collects garbage as the web server does.

    python -m bench.revenue [folder]
"""

import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from alerts.bookkeeping import compare
from app.auth.caller import own_scope
from app.commands.recompute import forget, recompute
from app.db import registry_engine, transaction
from app.domain.window import DAY_US, Window
from app.factory import settle
from app.queries import Reading, at_risk_of_all, levers, plans, revenue, unmatched, usage
from app.store.open import open_store
from bench import usage_fill
from bench.common import report
from bench.revenue_fill import DAYS, END_DAY, fill
from tests.app.domain.revenue_checks import check_portfolio

PAGES = (("int-000", "largest"), ("int-050", "middle"))
HISTORIES, TOGETHER = 10_000, 20
REPEATS = 9
NOW_US = END_DAY * DAY_US


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.gettempdir())
    path = folder / "midspan-bench-revenue.db"
    events = fill(path)
    engine = registry_engine(f"sqlite:///{path}")
    with transaction(engine) as session:
        forget(session)
    rows = [
        _row(
            "recompute of everything, from nothing",
            60_000,
            *_timed(lambda: recompute(engine, NOW_US)),
        ),
        _row(
            "recompute of everything, nightly", 60_000, *_timed(lambda: recompute(engine, NOW_US))
        ),
    ]
    metrics = path.with_suffix(".metrics")
    active = usage_fill.fill(path, metrics, tuple(slug for slug, _ in PAGES))
    reading = Reading(engine, open_store(f"sqlite:///{metrics}"), lambda: NOW_US)
    settle()
    compared_ms, _ = _timed(lambda: compare(reading))
    for days in (30, 90, 365, DAYS):
        rows += [
            _asked(f"revenue of the {which}, {days} d", 150, _page, reading, slug, days)
            for slug, which in PAGES
        ]
    for days in (28, 90, 366):
        rows += [
            _asked(f"usage of the {which}, {days} d", 150, _usage, reading, slug, days)
            for slug, which in PAGES
        ]
    rows.append(_asked("at risk, all integrations, 28 d", 300, _risk, reading, "", 28))
    engine.dispose()
    begun = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        histories = sum(pool.map(_portfolio, range(HISTORIES // TOGETHER)))
    facts = {
        "events": events,
        "seconds to count what all are compared by, four times an hour": round(
            compared_ms / 1000, 1
        ),
        "installations active on days, by way": active,
        "random histories that close": histories,
        "seconds for them": round(time.perf_counter() - begun, 1),
    }
    report("revenue", rows, facts)
    if folder == Path(tempfile.gettempdir()):
        path.unlink()
        metrics.unlink()
    sys.exit(0 if all(row["met"] for row in rows) else 1)


def _asked(
    what: str, target_ms: int, ask: Callable[..., Any], reading: Reading, slug: str, days: int
) -> dict[str, Any]:
    window = Window((END_DAY - days) * DAY_US, NOW_US)
    first, *later = (_timed(lambda: ask(reading, slug, window))[0] for _ in range(REPEATS))
    return _row(what, target_ms, max(later), f"first {first:.0f}, middle {median(later):.0f}")


def _usage(reading: Reading, slug: str, window: Window) -> None:
    """What the usage page asks, but for what it remembers for a minute."""
    usage(reading, own_scope(), slug, window)


def _risk(reading: Reading, _slug: str, window: Window) -> None:
    at_risk_of_all(reading, own_scope(), window)


def _portfolio(number: int) -> int:
    return check_portfolio(1_000 + number, TOGETHER)


def _page(reading: Reading, slug: str, window: Window) -> None:
    """What the revenue page asks."""
    scope = own_scope()
    revenue(reading, scope, slug, window)
    plans(reading, scope, slug)
    levers(reading, scope, slug, window)
    unmatched(reading, scope, slug)


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    result = work()
    return (time.perf_counter() - begun) * 1000, result


def _row(what: str, target_ms: int, took_ms: float, result: Any = "") -> dict[str, Any]:
    return {
        "what": what, "ms": round(took_ms, 1), "target_ms": target_ms, "met": took_ms <= target_ms,
        "result": str(result),
    }  # fmt: skip


if __name__ == "__main__":
    main()
