"""The back-fill into a real store: the same twice, once only, and at the height of the whole."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.domain.histogram import BUCKETS, decode_into, encode_dense
from app.domain.tally import CELLS
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, Window
from app.errors import StoreUnavailable
from app.store import schema
from app.store.open import open_store
from app.store.port import Batch, MetricsStore, Position, Rollups, Series, Sum
from collectors.loader.batch import Preparer
from demo.draw import Block
from demo.history import JOURNAL, load_history, scaled
from demo.model import Model
from demo.past import records

ANCHOR_US = 20_780 * DAY_US + 12 * HOUR_US
MODEL = Model(7, ANCHOR_US)
PAST = [  # two batches, one, and one
    Block(Window(ANCHOR_US - 4 * MINUTE_US, ANCHOR_US), 1),
    Block(Window(ANCHOR_US - 5 * MINUTE_US, ANCHOR_US - 4 * MINUTE_US), 1),
    Block(Window(ANCHOR_US - 30 * HOUR_US, ANCHOR_US - 5 * MINUTE_US), 400),
]
ALL = Window(ANCHOR_US - 3 * DAY_US, ANCHOR_US + DAY_US)


class Fails:
    """A store whose appends fail as told, and are otherwise those of the store behind it."""

    def __init__(self, store: MetricsStore, failures: list[Exception | None]) -> None:
        self._store, self._failures = store, failures
        self.appended = 0

    def append(self, batch: Batch) -> None:
        failure = self._failures.pop(0) if self._failures else None
        if failure is not None:
            raise failure
        self._store.append(batch)
        self.appended += 1

    def positions(self) -> dict[str, Position]:
        return self._store.positions()


def fresh(path: Path) -> MetricsStore:
    url = f"sqlite:///{path}"
    schema.migrate(url)
    return open_store(url)


def load(store: MetricsStore | Fails) -> list[str]:
    return list(load_history(store, Preparer("x" * 40), MODEL, PAST))  # type: ignore[arg-type]


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with sqlite3.connect(path) as connection:
        tables = ("exchanges", "captures", "rollup_minutes", "series", "operation_names")
        found = {
            name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in tables
        }
    connection.close()
    return found


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, MetricsStore]]:
    path = tmp_path_factory.mktemp("history") / "metrics.db"
    store = fresh(path)
    load(store)
    yield path, store
    store.close()


def test_two_back_fills_with_one_seed_and_clock_are_equal_to_the_last_row(
    loaded: tuple[Path, MetricsStore], tmp_path: Path
) -> None:
    path, _ = loaded
    again = fresh(tmp_path / "metrics.db")
    load(again)
    again.close()
    assert contents(path) == contents(tmp_path / "metrics.db")
    assert len(contents(path)["exchanges"]) > 3_000


def test_loading_it_again_changes_nothing(loaded: tuple[Path, MetricsStore]) -> None:
    path, store = loaded
    before = contents(path)
    assert load(store) == []
    assert contents(path) == before


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_interrupted_anywhere_and_started_again_it_loads_nothing_twice(
    loaded: tuple[Path, MetricsStore], tmp_path: Path, after: int
) -> None:
    path, _ = loaded
    store = fresh(tmp_path / "metrics.db")
    with pytest.raises(KeyboardInterrupt):
        load(Fails(store, [*[None] * after, KeyboardInterrupt()]))  # type: ignore[list-item]
    load(store)
    store.close()
    assert contents(path) == contents(tmp_path / "metrics.db")


def test_a_store_that_is_away_is_waited_for(tmp_path: Path) -> None:
    store = fresh(tmp_path / "metrics.db")
    failing = Fails(store, [StoreUnavailable("locked"), None, StoreUnavailable("locked")])
    assert load(failing)[-1].startswith("history: ")
    assert failing.appended >= len(PAST)
    assert store.positions()[JOURNAL] == Position(len(PAST), 0, 0)
    store.close()


def test_raw_rows_and_rollups_of_the_whole_blocks_agree(
    loaded: tuple[Path, MetricsStore],
) -> None:
    _, store = loaded
    window = Window(ANCHOR_US - 5 * MINUTE_US, ANCHOR_US)
    rolled = store.rollups(window, step_us=MINUTE_US)
    rows = [row for part in store.iterate(window) for row in part]
    assert int(rolled.exchanges.sum()) == len(rows)


def test_of_a_sample_only_sums_are_kept_at_the_height_of_the_whole(
    loaded: tuple[Path, MetricsStore],
) -> None:
    _, store = loaded
    old = PAST[2].window
    drawn = len(records(MODEL, PAST[2]))
    rolled: Rollups = store.rollups(ALL, step_us=MINUTE_US)
    inside = (rolled.t_us >= old.start_us) & (rolled.t_us < old.end_us)
    assert int(rolled.exchanges[inside].sum()) == pytest.approx(400 * drawn, rel=0.01)
    assert not [row for part in store.iterate(old) for row in part if row.started_us < old.end_us]


def test_scaling_multiplies_every_count_and_nothing_else() -> None:
    latency = np.zeros(BUCKETS, dtype=np.int64)
    latency[[5, 300]] = 2, 7
    tally = np.zeros(CELLS, dtype=np.int64)
    tally[3] = 9
    series = Series("globex-issues", 0, 0)
    one = Sum(series, 0, 9, 6, 2, 1, 0, 90, 10, 20, encode_dense(tally), encode_dense(latency))
    empty = Sum(series, MINUTE_US, 1, 0, 1, 0, 0, 0, 0, 0, encode_dense(tally), b"")
    big, other = scaled([one, empty], 400)
    assert big[2:10] == tuple(400 * value for value in one[2:10])
    groups = np.zeros(1, dtype=np.int64)
    assert (decode_into([big.latency], groups, (1, BUCKETS))[0] == 400 * latency).all()
    assert (decode_into([big.tally], groups, (1, CELLS))[0] == 400 * tally).all()
    assert (other.series, other.minute_us, other.latency) == (series, MINUTE_US, b"")
