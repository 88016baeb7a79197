"""What the installations of `bench.revenue_fill` did in the last months, in a metrics store.

Three of five are active on a day, by requests in and webhooks out; one in twelve meets failures.
The last days come in small batches, as a loader brings them, the time before in large ones. The
integrations whose pages are asked for have rollups by operation, too.
"""

import sqlite3
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.domain import histogram
from app.domain.tally import cell
from app.domain.window import DAY_US, HOUR_US
from app.domain.words import Direction, Fault, Kind, Outcome, Verdict
from app.store import schema
from app.store.activity import Activity
from app.store.open import open_store
from app.store.port import Batch, MetricsStore, Retention, Series, Sum
from bench.revenue_fill import END_DAY, INTEGRATIONS

DAYS, LATELY_DAYS, OPERATIONS = 130, 4, 40
#: Batches into which a day of the last few is cut.
_PIECES = 12
_WAYS = ((1, 0), (0, 1))
Ints = NDArray[np.int64]


def fill(registry: Path, path: Path, pages: tuple[str, ...]) -> int:
    """Make the store at `path`; how many rows of activity it has."""
    url = f"sqlite:///{path}"
    if not path.exists():
        schema.migrate(url)
        store = open_store(url)
        store.fold(END_DAY * DAY_US)
        store.expire(END_DAY * DAY_US, Retention(DAY_US, DAY_US))
        _activity(store, registry)
        for slug in pages:
            _rollups(store, slug)
        store.fold(END_DAY * DAY_US)
        store.close()
    with sqlite3.connect(path) as database:
        return int(database.execute("SELECT sum(rows) FROM activity_parts").fetchone()[0])


def _activity(store: MetricsStore, registry: Path) -> None:
    with sqlite3.connect(registry) as database:
        rows = database.execute(
            "SELECT integration_id, installation, started_us, ended_us FROM subscriptions "
            "WHERE started_us IS NOT NULL ORDER BY integration_id, installation"
        ).fetchall()
    chance = np.random.default_rng(11)
    owner = np.array([row[0] - 1 for row in rows], np.int32)
    begun = np.array([row[2] // DAY_US for row in rows])
    ended = np.array([END_DAY if row[3] is None else row[3] // DAY_US for row in rows])
    failing = np.where(chance.random(len(rows)) < 1 / 12, 0.02, 0.0002)
    names = tuple(row[1] for row in rows)
    known = (tuple(f"int-{n:03d}" for n in range(INTEGRATIONS)), owner, names,
             tuple(name.replace("i-", "c-") for name in names))  # fmt: skip
    first = END_DAY - DAYS
    spans = [(day, min(day + 7, END_DAY - LATELY_DAYS), 1)
             for day in range(first, END_DAY - LATELY_DAYS, 7)]  # fmt: skip
    spans += [(day, day + 1, _PIECES) for day in range(END_DAY - LATELY_DAYS, END_DAY)]
    for start, end, pieces in spans:
        days = np.arange(start, end)
        there = (begun[:, None] <= days) & (ended[:, None] > days)
        who, column = np.nonzero(there & (chance.random(there.shape) < 0.6))
        who, day = np.repeat(who, len(_WAYS)), np.repeat(days[column], len(_WAYS))
        piece = chance.integers(0, pieces, len(who))
        for number in range(pieces):
            chosen = np.flatnonzero(piece == number)
            batch = _rows(known, who[chosen], day[chosen], failing, chance)
            store.append(Batch(activity=batch))
        store.fold(end * DAY_US)


def _rows(known, who: Ints, day: Ints, failing: NDArray[np.float64], chance) -> Activity:
    exchanges = chance.poisson(20, len(who)) + 1
    bad = chance.binomial(exchanges, failing[who])
    none = np.zeros_like(bad)
    first = day * DAY_US + chance.integers(0, 12, len(who)) * HOUR_US
    last = first + chance.integers(0, 11, len(who)) * HOUR_US
    ways = np.array([_WAYS[n % len(_WAYS)] for n in range(len(who))], np.int8).reshape(-1, 2)
    return Activity(
        *known,
        who.astype(np.int32),
        ways[:, 0],
        ways[:, 1],
        day.astype(np.int32),
        np.stack([exchanges, exchanges - bad, bad, bad, none, none, none]).astype(np.int32),
        np.stack([first, last, first, last]),
    ).narrowed()  # a loader's batch names whom it has rows of


def _rollups(store: MetricsStore, slug: str) -> None:
    """As many operations as an integration may be expected to have, on each day of a year."""
    good = cell(Outcome.OK, Fault.NONE, Verdict.GOOD)
    for day in range(END_DAY - 500, END_DAY):
        sums = []
        for number in range(OPERATIONS):
            series = Series(
                slug, Direction.INBOUND, Kind.REQUEST, f"GET /v1/things-{number}/{{id}}"
            )
            count = 200 + 7 * number
            tally, latency = (
                histogram.encode_sparse(np.array([at]), np.array([count])) for at in (good, 300)
            )
            numbers = (count, count, 0, 0, 0, count * 90_000, 0, 0, tally, latency)
            sums.append(Sum(series, day * DAY_US, *numbers))
        store.append(Batch(sums=sums))
