"""Usage as a table for spreadsheets: one line per installation, as `app.queries.spreadsheet`."""

from collections.abc import Iterator

import numpy as np

from app.domain.scope import Scope
from app.domain.window import Window
from app.queries import usage_days
from app.queries.reading import Reading
from app.queries.registry import integration_within
from app.queries.spreadsheet import MAX_ROWS, line, safe
from app.queries.usage import days_of
from app.telemetry import timed_query

HEAD = ("integration", "installation", "customer", "exchanges", "exchanges before", "good", "bad")


@timed_query("export_usage")
def export_usage(reading: Reading, scope: Scope, slug: str, window: Window) -> Iterator[str]:
    """Every installation active in the window, most exchanges first; `NotFound` outside the scope.
    All of it is read before the first line is given."""
    integration_within(reading, scope, slug)
    days = days_of(window)
    both = Window(days.before.window.start_us, days.window.end_us)
    counts = reading.store.day_counts(
        both, integrations=[slug], columns=("exchanges", "good", "bad")
    )
    inside, earlier = (counts.within(*each) for each in (days, days.before))
    now, good, bad = (
        usage_days.by_installation(inside, name) for name in ("exchanges", "good", "bad")
    )
    before = usage_days.by_installation(earlier, "exchanges")
    chosen = np.argsort(-now, kind="stable")[: int((now > 0).sum())]

    def lines() -> Iterator[str]:
        yield line(HEAD)
        for it in chosen[:MAX_ROWS].tolist():
            names = (slug, counts.installations[it], counts.customers[it])
            numbers = (now[it], before[it], good[it], bad[it])
            yield line((*map(safe, names), *map(str, numbers)))
        if len(chosen) > MAX_ROWS:
            yield line((f"# cut after {MAX_ROWS:,} installations",))

    return lines()
