"""What is special about the store in a SQLite file."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from app.domain.outcome import judge
from app.domain.words import Direction, Outcome, Verdict
from app.errors import StoreUnavailable
from app.store import schema, sqlite
from app.store.open import open_store
from app.store.port import Batch, MetricsStore, Position, StoredCapture


@pytest.fixture
def url(tmp_path: Path) -> str:
    found = f"sqlite:///{tmp_path}/metrics.db"
    schema.migrate(found)
    return found


@pytest.fixture
def small(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[MetricsStore]:
    """A store whose disk is full soon."""
    pragmas = (*sqlite._PRAGMAS, "PRAGMA max_page_count = 60")
    monkeypatch.setattr(sqlite, "_PRAGMAS", pragmas)
    store = open_store(url)
    yield store
    store.close()


def capture(number: int) -> StoredCapture:
    noise = Random(number).randbytes(5000)
    return StoredCapture(number.to_bytes(16, "big"), (), noise, (), noise[::-1])


def append(store: MetricsStore, number: int) -> None:
    store.append(Batch(captures=[capture(number)], positions={"j": Position(1, number, number)}))


def append_all(store: MetricsStore) -> None:
    for number in range(100):
        append(store, number)


def test_a_full_disk_is_unavailable_leaves_nothing_and_can_still_be_read(
    small: MetricsStore,
) -> None:
    with pytest.raises(StoreUnavailable, match="full disk"):
        append_all(small)
    stored = small.positions()["j"].offset
    with pytest.raises(StoreUnavailable, match="full disk"):
        append(small, stored + 1)
    assert small.positions()["j"].offset == stored
    small.append(Batch(positions={"j": Position(2, 0, 0)}))
    assert small.positions()["j"] == Position(2, 0, 0)


def test_commits_are_on_the_disk_when_they_return(url: str) -> None:
    store = open_store(url)
    with store._backend.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    store.close()


def test_sqlite_joins_the_bytes_of_blobs_as_they_are() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (b BLOB)")
    blobs = [b"", b"\x00\x01", bytes(range(256)), b"\xff\xfe", b"\xc3"]
    connection.executemany("INSERT INTO t VALUES (?)", [(blob,) for blob in blobs])
    [(joined,)] = connection.execute(f"SELECT {sqlite.SqliteBackend.joined.format('b')} FROM t")
    assert joined == b"".join(blobs)
    [(nothing,)] = connection.execute(
        f"SELECT {sqlite.SqliteBackend.joined.format('b')} FROM t WHERE length(b) = 0"
    )
    assert not nothing
    connection.close()


def test_good_exchanges_are_exactly_the_ok_ones() -> None:
    """The index of failures rests on it: a question for bad ones looks there only."""
    for direction in Direction:
        for outcome in Outcome:
            verdict = judge(direction, outcome, 0, "").verdict
            assert (verdict == Verdict.GOOD) == (outcome == Outcome.OK)
