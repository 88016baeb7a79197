"""How fast revenue is folded and answered at three years of billing, and whether it is right.

200 integrations, 100,000 installations, about two million events. Everything is folded from
nothing and again from what is there; a page's data is asked for over a month, a quarter, a year and
all three; and 10,000 random histories are compared with the brute force of the tests.

    python -m bench.revenue [folder]
"""

import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from app.auth.caller import own_scope
from app.commands.recompute import forget, recompute
from app.db import registry_engine, transaction
from app.domain.window import DAY_US, Window
from app.queries import Reading, plans, revenue, unmatched
from app.store.open import open_store
from app.store.schema import migrate
from bench.common import report
from bench.revenue_fill import DAYS, END_DAY, fill
from tests.app.domain.revenue_checks import check_portfolio

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
    store_url = f"sqlite:///{path.with_suffix('.metrics')}"
    migrate(store_url)
    reading = Reading(engine, open_store(store_url), lambda: NOW_US)
    for days in (30, 90, 365, DAYS):
        for slug, which in (("int-000", "largest"), ("int-050", "middle")):
            window = Window((END_DAY - days) * DAY_US, NOW_US)
            times = [
                _timed(lambda w=window, s=slug: _page(reading, s, w))[0] for _ in range(REPEATS)
            ]
            rows.append(_row(f"page of the {which}, {days} d", 150, sorted(times)[-1]))
    engine.dispose()
    begun = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        histories = sum(pool.map(_portfolio, range(HISTORIES // TOGETHER)))
    facts = {
        "events": events,
        "random histories that close": histories,
        "seconds for them": round(time.perf_counter() - begun, 1),
    }
    report("revenue", rows, facts)
    if folder == Path(tempfile.gettempdir()):
        path.unlink()
    sys.exit(0 if all(row["met"] for row in rows) else 1)


def _portfolio(number: int) -> int:
    return check_portfolio(1_000 + number, TOGETHER)


def _page(reading: Reading, slug: str, window: Window) -> None:
    """What the revenue page asks."""
    scope = own_scope()
    revenue(reading, scope, slug, window)
    plans(reading, scope, slug)
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
