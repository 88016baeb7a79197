"""Upkeep, publishing, status and back-fill: what goes on beside loading."""

import json
from collections import Counter
from pathlib import Path

import pytest

from app.domain.route import Route, RouteTable
from app.errors import RegistryUnavailable, SchemaError, StoreUnavailable
from app.store.port import Retention
from collectors.loader import backfill, routing
from collectors.loader.backfill import load_records
from collectors.loader.routing import Publisher
from collectors.loader.status import FILE, Status
from collectors.loader.upkeep import SLICE_ROWS, Upkeep
from tests.collectors.loader.loader_fakes import NOW_US, MemoryStore, exchange, recount, summed

RETENTION = Retention(1, 1)


class Rest:
    """Waits never, remembers how often it was asked to."""

    def __init__(self, stop_after: int = 99) -> None:
        self.rests = 0
        self.stop_after = stop_after

    def __call__(self, seconds: float) -> bool:
        self.rests += 1
        return self.rests >= self.stop_after


def test_upkeep_folds_and_expires_in_slices_with_a_rest_between():
    store, status, rest = MemoryStore(), Status(1, 0), Rest()
    store.expirable = 3 * SLICE_ROWS + 10
    Upkeep(store, RETENTION, status, rest).run(NOW_US)
    assert store.folds == [NOW_US]
    assert store.expirable == 0
    assert rest.rests == 3
    assert (status.folded, status.expired) == (3, 3 * SLICE_ROWS + 10)


def test_upkeep_ends_when_the_process_does():
    store, rest = MemoryStore(), Rest(stop_after=2)
    store.expirable = 10 * SLICE_ROWS
    Upkeep(store, RETENTION, Status(1, 0), rest).run(NOW_US)
    assert store.expirable == 8 * SLICE_ROWS


def test_upkeep_is_postponed_while_the_store_is_away():
    store, status = MemoryStore(), Status(1, 0)
    upkeep = Upkeep(store, RETENTION, status, Rest())
    store.away = True
    upkeep.run(NOW_US)
    store.away = False
    upkeep.run(NOW_US)
    assert status.failures == {"upkeep_postponed": 1}
    assert store.folds == [NOW_US]


class Registry:
    """A registry with a revision, in place of the one behind the publisher."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
        self.revision = 1
        self.error: Exception | None = None
        self.published: list[int] = []
        self.path = path
        monkeypatch.setattr(routing.revision, "current", lambda session: self.revision)
        monkeypatch.setattr(routing, "reading", self._reading)
        monkeypatch.setattr(routing.routing, "publish", self._publish)

    def _reading(self, engine: object):
        from contextlib import nullcontext

        if self.error:
            raise self.error
        return nullcontext()

    def _publish(self, engine: object, path: Path) -> bool:
        if isinstance(self.error, OSError):
            raise self.error
        self.published.append(self.revision)
        path.write_text("{}")
        return True


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Registry:
    return Registry(monkeypatch, tmp_path / "routes.json")


def test_the_routing_file_is_published_when_the_revision_changes_or_the_file_is_gone(registry):
    publisher = Publisher("sqlite:///nowhere.db", registry.path, Status(1, 0))
    for _ in range(3):
        publisher.publish()
    assert registry.published == [1]
    registry.revision = 2
    publisher.publish()
    registry.path.unlink()
    publisher.publish()
    publisher.publish()
    assert registry.published == [1, 2, 2]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RegistryUnavailable("away"), "registry_unavailable"),
        (SchemaError("older"), "registry_unavailable"),
    ],
)
def test_a_registry_that_is_away_is_counted_and_tried_again(registry, error, reason):
    status = Status(1, 0)
    publisher = Publisher("sqlite:///nowhere.db", registry.path, status)
    registry.error = error
    publisher.publish()
    publisher.publish()
    assert status.failures == {reason: 2}
    registry.error = None
    publisher.publish()
    assert registry.published == [1]


def test_a_home_that_cannot_be_written_is_counted_and_tried_again(registry, monkeypatch):
    status = Status(1, 0)
    publisher = Publisher("sqlite:///nowhere.db", registry.path, status)

    def full(engine: object, path: Path) -> bool:
        raise OSError(28, "No space left on device")

    inner = routing.routing.publish
    monkeypatch.setattr(routing.routing, "publish", full)
    publisher.publish()
    monkeypatch.setattr(routing.routing, "publish", inner)
    publisher.publish()
    assert status.failures == {"publish_failed": 1}
    assert registry.published == [1]


def test_the_status_file_is_whole_json_with_every_number(tmp_path: Path):
    status = Status(4711, NOW_US, exchanges=3)
    status.failures["damaged"] = 2
    status.write(tmp_path)
    status.exchanges = 4
    status.write(tmp_path)
    written = json.loads((tmp_path / FILE).read_text())
    assert written["version"] == 1
    assert written["exchanges"] == 4
    assert written["failures"] == {"damaged": 2}
    assert set(written) == {"version", *Status.__slots__}
    assert [path.name for path in (tmp_path / FILE).parent.iterdir()] == ["loader.json"]


def test_every_field_of_the_status_file_is_explained():
    from collectors.loader import status as module

    for name in Status.__slots__:
        assert name in (module.__doc__ or "")


def test_the_past_is_loaded_in_batches_like_live_traffic(monkeypatch):
    monkeypatch.setattr(backfill, "_BATCH", 40)
    store = MemoryStore()
    routes = RouteTable(1, "Acme", None, (Route("globex", "p", operations=("GET /v1/{a}/{b}",)),))
    past = [exchange(NOW_US - i * 7_000_000) for i in range(90)] + [exchange(outcome=55)]
    counts = load_records(
        store, iter(past), routes, secret="a secret of thirty-two letters or more"
    )
    assert counts == Counter(loaded=90, unknown_word=1)
    assert [len(batch.exchanges) for batch in store.batches] == [40, 40, 10]
    stored = list(store.rows.values())
    assert {row.operation for row in stored} == {"GET /v1/{a}/{b}"}
    expected = recount(stored)
    assert sum(each["exchanges"] for each in expected.values()) == sum(
        each.exchanges for each in store.sums
    )
    assert set(expected) == {(each.series, each.minute_us) for each in store.sums}


def test_the_past_stops_at_a_store_that_is_away_with_whole_batches_committed(monkeypatch):
    monkeypatch.setattr(backfill, "_BATCH", 10)
    store = MemoryStore()

    def records():
        for number in range(30):
            store.away = number >= 15
            yield exchange()

    with pytest.raises(StoreUnavailable):
        load_records(store, records(), RouteTable(0, "", None, ()), secret="x" * 32)
    assert len(store.rows) == 10
    assert summed(store.sums) == recount(store.rows.values())
