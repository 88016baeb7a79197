"""The loader's turn over real journals and a store in memory that can go away."""

import random
from pathlib import Path

import pytest

from app.domain.route import Route, RouteTable, encode_table
from app.errors import StoreRefused
from app.store.port import Position
from collectors.journal.segments import segment_path, segment_sizes
from collectors.loader import load
from collectors.loader.batch import Preparer
from collectors.loader.load import Loader
from collectors.loader.routing import RoutesFile
from collectors.loader.status import Status
from collectors.loader.tail import Tail
from collectors.record import Capture, Loss
from tests.collectors.loader.loader_fakes import (
    NOW_US,
    MemoryStore,
    exchange,
    open_journal,
    recount,
    summed,
    write,
)


class Bench:
    """One home with a store, and loaders that come and go."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.store = MemoryStore()
        self.start()

    def start(self) -> None:
        """A new loader, as after a kill: nothing survives but the store and the journals."""
        self.status = Status(1, 0)
        self.tail = Tail(self.home / "journal", "here")
        self.tail.resume(self.store.positions())
        preparer = Preparer("a secret of at least thirty-two letters", self.store.operations())
        routes = RoutesFile(self.home / "routes.json", self.status)
        self.loader = Loader(self.store, self.tail, preparer, routes, self.status)

    def drain(self) -> None:
        while True:
            loaded = self.status.frames
            self.loader.turn()
            if self.status.frames == loaded and not self.status.store_away:
                return


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_everything_written_is_stored_once_with_its_sums_and_evidence(bench: Bench):
    evidence = Capture([("a", "b")], b'{"password":"cana"}', [], b"")
    written = [exchange(NOW_US + i * 1_000_000) for i in range(300)]
    written[7].capture = evidence
    lost = Loss(NOW_US, "globex", 0, 0, 5)
    with open_journal(bench.home) as writer:
        write(writer, *written, lost)
        bench.drain()
    stored = list(bench.store.rows.values())
    assert [row.id for row in stored] == [each.id for each in written]
    assert summed(bench.store.sums) == recount(stored, [lost])
    assert list(bench.store.captures) == [written[7].id]
    assert b"cana" not in bench.store.captures[written[7].id].request_body
    assert (bench.status.exchanges, bench.status.losses, bench.status.frames) == (300, 1, 301)
    assert bench.status.newest_us == written[-1].started_us
    assert bench.tail.lag_bytes() == 0


def test_what_was_loaded_leaves_the_disk_also_when_nothing_follows(bench: Bench, monkeypatch):
    secret = Capture([("Authorization", "Bearer cana")], b"", [], b"")
    with open_journal(bench.home) as writer:
        write(writer, exchange(capture=secret))
        bench.drain()
        monkeypatch.setattr("collectors.journal.writer.REST_S", 0.0)
        writer.rest()
        bench.drain()
        (left,) = bench.home.rglob("*.seg")
        assert b"cana" not in left.read_bytes()
        assert len(bench.store.rows) == 1


def test_a_turn_without_news_costs_the_store_nothing(bench: Bench):
    assert bench.loader.turn() == load.INTERVAL_S
    open_journal(bench.home).close()
    assert bench.loader.turn() == load.INTERVAL_S
    assert bench.store.attempts == 0


def test_a_small_batch_waits_for_company_and_a_full_one_does_not(bench: Bench, monkeypatch):
    monkeypatch.setattr(load, "MAX_FRAMES", 100)
    with open_journal(bench.home) as writer:
        write(writer, *(exchange() for _ in range(150)))
    assert bench.loader.turn() == 0.0
    assert 0.0 < bench.loader.turn() <= load.INTERVAL_S
    assert [len(batch.exchanges) for batch in bench.store.batches] == [100, 50]


def test_journals_take_turns_and_each_has_its_position(bench: Bench, monkeypatch):
    monkeypatch.setattr(load, "MAX_FRAMES", 10)
    for name in ("worker-0", "worker-1"):
        with open_journal(bench.home, name) as writer:
            write(writer, *(exchange() for _ in range(25)))
    bench.loader.turn()
    bench.loader.turn()
    assert set(bench.store.positions()) == {"here/worker-0", "here/worker-1"}
    bench.drain()
    assert len(bench.store.rows) == 50


def test_a_journal_that_appears_later_is_taken_up(bench: Bench):
    bench.loader.turn()
    with open_journal(bench.home, "worker-9") as writer:
        write(writer, exchange())
        bench.loader.turn()
    assert len(bench.store.rows) == 1


def test_while_the_store_is_away_the_batch_is_kept_and_tried_again_at_least_once_a_second(
    bench: Bench,
):
    with open_journal(bench.home) as writer:
        write(writer, *(exchange() for _ in range(5)))
        bench.store.away = True
        waits = [bench.loader.turn() for _ in range(8)]
        assert waits == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0]
        assert bench.status.store_away
        assert bench.status.outages == 1
        assert bench.tail.lag_bytes() > 0
        write(writer, *(exchange() for _ in range(5)))
        bench.store.away = False
        bench.drain()
    assert len(bench.store.rows) == 10
    assert not bench.status.store_away
    assert [len(batch.exchanges) for batch in bench.store.batches] == [5, 5]
    bench.store.away = True
    with open_journal(bench.home) as writer:
        write(writer, exchange())
    assert bench.loader.turn() == 0.05
    assert bench.status.outages == 2


def test_a_batch_the_store_will_never_take_is_not_skipped(bench: Bench):
    twice = exchange()
    with open_journal(bench.home) as writer:
        write(writer, twice)
        bench.drain()
        position = bench.store.positions()
        write(writer, twice)
    for _ in range(2):
        with pytest.raises(StoreRefused):
            bench.loader.turn()
    assert bench.store.positions() == position


def test_segments_are_deleted_once_what_they_hold_is_committed(bench: Bench):
    folder = bench.home / "journal" / "worker-0"
    with open_journal(bench.home, segment_bytes=65_536) as writer:
        write(writer, *(exchange(path="/" + "a" * 900) for _ in range(400)))
        assert len(segment_sizes(folder)) > 3
        bench.store.away = True
        bench.loader.turn()
        assert len(segment_sizes(folder)) > 3
        bench.store.away = False
        bench.drain()
        assert len(segment_sizes(folder)) == 1
    assert len(bench.store.rows) == 400


@pytest.mark.parametrize("seed", range(8))
def test_a_loader_killed_at_any_moment_loses_nothing_and_counts_nothing_twice(
    bench: Bench, monkeypatch, seed: int
):
    dice = random.Random(seed)
    monkeypatch.setattr(load, "MAX_FRAMES", 40)
    writers = [open_journal(bench.home, f"worker-{n}", 65_536) for n in range(2)]
    written = [exchange(path="/" + "a" * 300) for _ in range(1500)]
    for number, each in enumerate(written):
        write(dice.choice(writers), each)
        if number % 10 == 0:
            bench.store.away = dice.random() < 0.3
            bench.loader.turn()
        if dice.random() < 0.02:
            bench.store.away = False
            bench.start()
    bench.store.away = False
    bench.drain()
    assert sorted(bench.store.rows) == sorted(each.id for each in written)
    whole = recount(bench.store.rows.values())
    for key, counts in whole.items():
        mine = [each for each in bench.store.sums if (each.series, each.minute_us) == key]
        assert sum(each.exchanges for each in mine) == counts["exchanges"]
    for writer in writers:
        writer.close()


def test_damage_is_skipped_and_counted_by_reason(bench: Bench):
    with open_journal(bench.home) as writer:
        write(writer, *(exchange() for _ in range(10)))
        assert writer.append(9, b"from the future")
        assert writer.append(1, b"\xc1")
        write(writer, exchange(outcome=99))
    [name] = segment_sizes(bench.home / "journal" / "worker-0")
    path = segment_path(bench.home / "journal" / "worker-0", name)
    raw = bytearray(path.read_bytes())
    raw[300] ^= 0xFF
    path.write_bytes(raw)
    bench.drain()
    assert len(bench.store.rows) == 9
    failures = bench.status.failures
    assert failures["damaged"] == 1
    assert failures["damaged_bytes"] > 0
    assert failures["unknown_frame"] == failures["undecodable_exchange"] == 1
    assert failures["unknown_word"] == 1


def test_a_journal_the_disk_cannot_read_holds_up_no_other(bench: Bench):
    with open_journal(bench.home, "worker-1") as writer:
        write(writer, exchange())
    broken = bench.home / "journal" / "worker-0"
    broken.mkdir()
    segment_path(broken, 1).mkdir()
    bench.loader.turn()
    bench.loader.turn()
    assert len(bench.store.rows) == 1
    assert bench.status.failures["journal_unreadable"] == 2


def test_operations_follow_the_routing_file_as_it_changes(bench: Bench):
    def publish(*operations: str) -> None:
        table = RouteTable(3, "Acme", None, (Route("globex", "globex", operations=operations),))
        fresh = bench.home / "routes.new"
        fresh.write_bytes(encode_table(table))
        fresh.replace(bench.home / "routes.json")

    with open_journal(bench.home) as writer:
        for operations in ((), ("GET /v1/{what}/{id}",), ("GET /v1/issues/{issue}",)):
            publish(*operations)
            write(writer, exchange())
            bench.drain()
    assert [row.operation for row in bench.store.rows.values()] == [
        "GET /v1/issues/{id}", "GET /v1/{what}/{id}", "GET /v1/issues/{issue}",
    ]  # fmt: skip
    assert bench.status.routes_revision == 3


def test_a_routing_file_that_cannot_be_read_changes_nothing_and_is_counted_once(bench: Bench):
    (bench.home / "routes.json").write_text("{")
    with open_journal(bench.home) as writer:
        for _ in range(3):
            write(writer, exchange())
            bench.drain()
    assert len(bench.store.rows) == 3
    assert bench.status.failures["routes_unreadable"] == 1


def test_operations_beyond_the_cap_are_counted(bench: Bench):
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = [f"/{a}{b}" for a in letters for b in letters][:250]
    with open_journal(bench.home) as writer:
        write(writer, *(exchange(path=name) for name in names))
        bench.drain()
        assert bench.status.unnamed == 50
        bench.start()
        write(writer, exchange(path="/zzz"), exchange(path=names[0]))
        bench.drain()
    assert bench.status.unnamed == 1
    assert len({row.operation for row in bench.store.rows.values()}) == 201


def test_a_store_that_is_ahead_of_a_lost_journal_goes_on_with_the_next_one(bench: Bench):
    bench.store.journals["here/worker-0"] = Position(5, 100, 7)
    bench.start()
    with open_journal(bench.home) as writer:
        write(writer, exchange())
        bench.drain()
    assert len(bench.store.rows) == 1
