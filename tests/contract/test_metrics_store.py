"""What every metrics store must do. Each test runs on SQLite and on PostgreSQL."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from threading import Event, Thread

import pytest

from app.domain.ids import exchange_id, id_floor
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Window, floor, window_ending
from app.domain.words import Outcome, Verdict
from app.errors import SchemaError, StoreRefused, StoreUnavailable
from app.store import schema
from app.store.port import (
    Batch,
    ExchangeFilter,
    MetricsStore,
    Position,
    Retention,
    Series,
    StoredCapture,
    StoredExchange,
)
from tests.contract.conftest import Database
from tests.contract.worlds import (
    NOW_US,
    assert_agrees,
    batch_of,
    everything,
    exchange,
    failure,
    shed,
    sums_of,
)

LONG = Retention(exchanges_us=400 * DAY_US, captures_us=400 * DAY_US)
HOUR = window_ending(NOW_US, HOUR_US)


def some(number: int = 60, every_us: int = MINUTE_US) -> list[StoredExchange]:
    """Good and bad exchanges of two integrations back from now, oldest first."""
    back = range(number - 1, -1, -1)
    return [
        (failure if place % 7 == 0 else exchange)(
            NOW_US - place * every_us,
            integration=("globex", "initech")[place % 2],
            operation=("GET /a", "POST /b", "PUT /c")[place % 3],
            direction=place % 5 == 0,
            total_us=1000 + 977 * place,
        )
        for place in back
    ]


# -- taking batches --------------------------------------------------------------------------------


def test_what_was_appended_is_there_and_rollups_agree(store: MetricsStore) -> None:
    rows = some()
    store.append(batch_of(rows[:20]))
    store.append(batch_of(rows[20:]))
    assert everything(store) == rows
    assert_agrees(store, rows, HOUR)
    assert store.newest_us() == rows[-1].started_us


def test_every_field_of_an_exchange_comes_back_as_it_was(store: MetricsStore) -> None:
    row = failure(
        topic="issue.created",
        path="/v1/è/%2e",
        error_detail="l'été \u202e 'quoted' \\ %",
        queue_us=2**40,
        captured=True,
        attempt=3,
        delivery="d-1",
    )
    store.append(batch_of([row]))
    assert store.get(row.id) == (row, None)


def test_a_capture_comes_back_with_its_exchange(store: MetricsStore) -> None:
    row = exchange(captured=True)
    capture = StoredCapture(
        row.id,
        (("accept", "*/*"), ("accept", "a/b")),
        bytes(range(256)),
        (),
        b"",
        "page=2&q=%C3%BC",
    )
    store.append(Batch([row], [capture], sums_of([row])))
    assert store.get(row.id) == (row, capture)
    assert store.get(exchange_id(NOW_US, 1, 1)) is None


def test_text_with_nul_does_not_block_a_journal(store: MetricsStore) -> None:
    row = exchange(path="/a\0b", operation="GET /\0")
    store.append(batch_of([row], positions={"j": Position(1, 1, 1)}))
    [(found, _)] = [store.get(row.id)]
    assert found.path in {"/a\0b", "/a\ufffdb"}
    assert store.rollups(HOUR, operations=True).exchanges.sum() == 1


def test_an_id_that_is_already_stored_makes_the_batch_fail_whole(store: MetricsStore) -> None:
    first, second = exchange(), exchange()
    store.append(batch_of([first], positions={"j": Position(1, 10, 1)}))
    capture = StoredCapture(second.id, (), b"", (), b"")
    with pytest.raises(StoreRefused):
        store.append(
            Batch([second, first], [capture], sums_of([second, first]), {"j": Position(1, 20, 3)})
        )
    assert everything(store) == [first]
    assert store.get(second.id) is None
    assert store.positions() == {"j": Position(1, 10, 1)}
    assert_agrees(store, [first], HOUR)


def test_names_of_a_batch_that_failed_are_given_again(store: MetricsStore) -> None:
    row = exchange()
    store.append(batch_of([row]))
    with pytest.raises(StoreRefused):
        store.append(batch_of([exchange(integration="hooli", operation="GET /new"), row]))
    other = exchange(integration="pied-piper", operation="GET /other")
    store.append(batch_of([other]))
    assert_agrees(store, [row, other], HOUR)
    assert store.get(other.id) == (other, None)
    assert {key[0] for key in store.operations()} == {"globex", "pied-piper"}


def test_positions_move_with_their_batch(store: MetricsStore) -> None:
    assert store.positions() == {}
    store.append(Batch(positions={"a": Position(1, 100, 5), "b": Position(2, 0, 1)}))
    store.append(batch_of([exchange()], positions={"a": Position(2, 7, 2**40)}))
    assert store.positions() == {"a": Position(2, 7, 2**40), "b": Position(2, 0, 1)}


def test_replaying_from_the_positions_loads_each_record_once(store: MetricsStore) -> None:
    """A loader that is killed anywhere and starts again from `positions` changes nothing."""
    rows = some(50)
    for _ in range(3):
        offset = store.positions().get("j", Position(1, 0, 0)).offset
        for start in range(offset, min(offset + 20, 50), 10):
            part = rows[start : start + 10]
            store.append(batch_of(part, positions={"j": Position(1, start + 10, start + 10)}))
    assert everything(store) == rows
    assert_agrees(store, rows, HOUR)


def test_an_empty_batch_changes_nothing(store: MetricsStore) -> None:
    store.append(Batch())
    assert everything(store) == []
    assert store.newest_us() is None
    assert len(store.rollups(HOUR)) == 0


def test_shed_exchanges_are_counted_beside_the_recorded_ones(store: MetricsStore) -> None:
    minute_us = floor(NOW_US, MINUTE_US)
    store.append(Batch(sums=[shed(minute_us, 3), shed(minute_us - HOUR_US, 4)]))
    store.append(batch_of([exchange()]))
    store.append(Batch(sums=[shed(minute_us, 2)]))
    store.fold(NOW_US)
    rollups = store.rollups(window_ending(NOW_US, DAY_US))
    assert rollups.shed.sum() == 9
    assert rollups.exchanges.sum() == 1


def test_operations_in_use_are_known_by_integration_direction_and_kind(
    store: MetricsStore,
) -> None:
    store.append(
        batch_of(
            [
                exchange(operation="GET /a"),
                exchange(operation="GET /b"),
                exchange(operation="POST /hook", kind=1, topic="x"),
                exchange(integration="initech", operation="GET /a", direction=1),
            ]
        )
    )
    assert store.operations() == {
        ("globex", 0, 0): frozenset({"GET /a", "GET /b"}),
        ("globex", 0, 1): frozenset({"POST /hook"}),
        ("initech", 1, 0): frozenset({"GET /a"}),
    }


# -- folding, late arrivals, retention -------------------------------------------------------------


def test_folding_changes_no_answer(store: MetricsStore) -> None:
    rows = some(400, 11 * MINUTE_US)
    store.append(batch_of(rows))
    windows = [window_ending(NOW_US, length) for length in (MINUTE_US, HOUR_US, DAY_US, 4 * DAY_US)]
    for window in windows:
        assert_agrees(store, rows, window)
    assert store.fold(NOW_US) > 0
    for window in windows:
        assert_agrees(store, rows, window)
        assert_agrees(store, rows, window.previous())
    assert store.fold(NOW_US) == 0


def test_a_long_window_is_answered_from_few_rows(store: MetricsStore) -> None:
    rows = [exchange(NOW_US - place * 3 * HOUR_US) for place in range(30 * 8)]
    store.append(batch_of(rows))
    store.fold(NOW_US)
    window = window_ending(NOW_US, 30 * DAY_US)
    assert len(store.rollups(window)) <= 7
    assert len(store.rollups(window, step_us=DAY_US)) <= 30 + 4
    assert_agrees(store, rows, window)


def test_what_arrives_late_is_added_to_hours_and_days_already_folded(store: MetricsStore) -> None:
    early = some(100, 31 * MINUTE_US)
    late = some(90, 37 * MINUTE_US)
    store.append(batch_of(early))
    store.fold(NOW_US)
    store.append(batch_of(late))
    for length_us in (HOUR_US, 7 * HOUR_US, DAY_US, 3 * DAY_US):
        assert_agrees(store, early + late, window_ending(NOW_US, length_us))
        assert_agrees(store, early + late, window_ending(NOW_US, length_us).previous())


def test_a_window_whose_minutes_are_gone_starts_on_the_hour(store: MetricsStore) -> None:
    rows = some(300, 20 * MINUTE_US)
    store.append(batch_of(rows))
    store.fold(NOW_US)
    store.expire(NOW_US, replace(LONG, minutes_us=DAY_US, hours_us=2 * DAY_US))
    at_us = floor(NOW_US, MINUTE_US)
    minutes = store.rollups(Window(at_us - 20 * HOUR_US, at_us)).window
    hours = store.rollups(Window(at_us - 30 * HOUR_US, at_us - 25 * HOUR_US)).window
    days = store.rollups(Window(at_us - 80 * HOUR_US, at_us)).window
    assert minutes == Window(at_us - 20 * HOUR_US, at_us)
    hour_us = floor(at_us, HOUR_US)
    assert hours == Window(hour_us - 30 * HOUR_US, hour_us - 24 * HOUR_US)
    assert days == Window(floor(at_us - 80 * HOUR_US, DAY_US), at_us)
    for window in (minutes, hours, days):
        assert_agrees(store, rows, window)


def test_history_goes_straight_into_hours_and_days(
    store: MetricsStore, database: Database, url: str
) -> None:
    """Ninety days in time order on a new store: nothing is written that would expire at once."""
    store.fold(NOW_US)
    store.expire(NOW_US, LONG)
    rows = [exchange(NOW_US - place * 3 * HOUR_US) for place in range(100 * 8, -1, -1)]
    for start in range(0, len(rows), 100):
        store.append(batch_of(rows[start : start + 100]))
    assert store.fold(NOW_US) == 0
    assert store.expire(NOW_US, LONG) == 0
    assert_agrees(store, rows, window_ending(NOW_US, HOUR_US))
    assert_agrees(store, rows, window_ending(NOW_US, 30 * DAY_US))
    assert_agrees(store, rows, window_ending(NOW_US, 120 * DAY_US))


def test_exchanges_captures_minutes_and_hours_expire_and_days_stay(store: MetricsStore) -> None:
    rows = some(200, 3 * HOUR_US)
    captures = [StoredCapture(each.id, (), b"x", (), b"y") for each in rows]
    store.append(Batch(rows, captures, sums_of(rows)))
    store.fold(NOW_US)
    retention = Retention(7 * DAY_US, 3 * DAY_US, minutes_us=2 * DAY_US, hours_us=5 * DAY_US)
    window = window_ending(NOW_US, 30 * DAY_US)
    before = store.rollups(window).exchanges.sum()
    while store.expire(NOW_US, retention, limit=40):
        pass
    kept = [each for each in rows if each.started_us >= NOW_US - 7 * DAY_US]
    assert everything(store) == kept
    assert {each.id for each in rows if _capture(store, each.id)} == {
        each.id for each in rows if each.started_us >= NOW_US - 3 * DAY_US
    }
    assert store.rollups(window).exchanges.sum() == before == 200
    assert_agrees(store, rows, window)


def _capture(store: MetricsStore, exchange_id: bytes) -> StoredCapture | None:
    found = store.get(exchange_id)
    return found[1] if found else None


def test_expiry_deletes_in_bounded_portions(store: MetricsStore) -> None:
    store.append(batch_of(some(100)))
    retention = Retention(MINUTE_US, MINUTE_US)
    portions = []
    while portions[-1:] != [0]:
        portions.append(store.expire(NOW_US + DAY_US, retention, limit=30))
    assert portions == [30, 30, 30, 10, 0]


def test_minutes_that_are_not_folded_are_never_cut_off(store: MetricsStore) -> None:
    rows = some(50)
    store.append(batch_of(rows))
    store.expire(NOW_US + 30 * DAY_US, LONG)
    assert_agrees(store, rows, HOUR)


def test_a_clock_that_jumps_ahead_and_back_loses_nothing(store: MetricsStore) -> None:
    rows = some(50)
    store.append(batch_of(rows[:25]))
    store.fold(NOW_US + 3 * DAY_US)
    store.append(batch_of(rows[25:]))
    store.fold(NOW_US)
    assert_agrees(store, rows, HOUR)
    assert_agrees(store, rows, window_ending(NOW_US, 3 * DAY_US))


# -- answering -------------------------------------------------------------------------------------


@pytest.mark.parametrize("step_us", [MINUTE_US, 5 * MINUTE_US, 90 * MINUTE_US, HOUR_US, DAY_US])
def test_no_row_crosses_the_grid_of_a_charts_step(store: MetricsStore, step_us: int) -> None:
    rows = some(300, 13 * MINUTE_US)
    store.append(batch_of(rows))
    store.fold(NOW_US)
    window = window_ending(NOW_US, 2 * DAY_US)
    answer = store.rollups(window, step_us=step_us)
    assert (answer.steps_us <= step_us).all()
    assert (answer.t_us // step_us == (answer.t_us + answer.steps_us - 1) // step_us).all()
    assert (answer.t_us >= window.start_us).all()
    assert (answer.t_us + answer.steps_us <= window.end_us).all()
    assert_agrees(store, rows, window, step_us)


def test_longer_rows_than_the_step_stand_where_shorter_ones_are_gone(store: MetricsStore) -> None:
    rows = some(300, 20 * MINUTE_US)
    store.append(batch_of(rows))
    store.fold(NOW_US)
    store.expire(NOW_US, replace(LONG, minutes_us=DAY_US, hours_us=2 * DAY_US))
    answer = store.rollups(window_ending(NOW_US, 4 * DAY_US), step_us=5 * MINUTE_US)
    assert {5 * MINUTE_US, HOUR_US, DAY_US} <= set(answer.steps_us.tolist())
    assert_agrees(store, rows, window_ending(NOW_US, 4 * DAY_US), DAY_US)


def test_a_question_about_some_integrations_answers_for_those_only(store: MetricsStore) -> None:
    rows = some(200, 13 * MINUTE_US)
    store.append(batch_of(rows))
    store.fold(NOW_US)
    window = window_ending(NOW_US, 2 * DAY_US)
    for operations in (False, True):
        for chosen in (["globex"], ["initech", "globex"], ["nobody"], []):
            answer = store.rollups(window, integrations=chosen, operations=operations)
            expected = sum(
                each.integration in chosen and each.started_us >= window.start_us for each in rows
            )
            assert answer.exchanges.sum() == expected
            assert {each.integration for each in answer.series} <= set(chosen)
            assert all(bool(each.operation) == operations for each in answer.series)


def test_series_without_rows_in_the_window_are_left_out(store: MetricsStore) -> None:
    store.append(batch_of([exchange(), exchange(NOW_US - DAY_US, integration="old")]))
    assert store.rollups(HOUR).series == (Series("globex", 0, 0),)


def test_a_window_as_long_as_time_is_answered(store: MetricsStore) -> None:
    rows = some(20)
    store.append(batch_of(rows))
    for step_us in (None, MINUTE_US):
        answer = store.rollups(Window(0, 7_258_118_400_000_000), step_us=step_us)
        assert answer.exchanges.sum() == 20
        assert len(store.rollups(Window(0, MINUTE_US), step_us=step_us)) == 0


# -- raw exchanges ---------------------------------------------------------------------------------

FAILED = replace(ExchangeFilter(), outcomes=tuple(o for o in Outcome if o != Outcome.OK))
FILTERS = [
    (ExchangeFilter(), lambda row: True),
    (ExchangeFilter(integrations=("globex",)), lambda row: row.integration == "globex"),
    (ExchangeFilter(integrations=("globex", "initech")), lambda row: True),
    (ExchangeFilter(integrations=("globex", "nobody")), lambda row: row.integration == "globex"),
    (ExchangeFilter(integrations=("nobody",)), lambda row: False),
    (ExchangeFilter(integrations=()), lambda row: False),
    (ExchangeFilter(window=Window(NOW_US - 9 * MINUTE_US, NOW_US)),
     lambda row: NOW_US - 9 * MINUTE_US <= row.started_us < NOW_US),
    (ExchangeFilter(direction=1), lambda row: row.direction == 1),
    (ExchangeFilter(kind=1), lambda row: row.kind == 1),
    (FAILED, lambda row: row.outcome != 0),
    (replace(FAILED, integrations=("initech",)),
     lambda row: row.outcome != 0 and row.integration == "initech"),
    (ExchangeFilter(outcomes=()), lambda row: False),
    (ExchangeFilter(outcomes=(0,)), lambda row: row.outcome == 0),
    (ExchangeFilter(verdict=int(Verdict.BAD)), lambda row: row.verdict == Verdict.BAD),
    (ExchangeFilter(verdict=int(Verdict.GOOD)), lambda row: row.verdict == Verdict.GOOD),
    (ExchangeFilter(fault=1), lambda row: row.fault == 1),
    (ExchangeFilter(operation="GET /a"), lambda row: row.operation == "GET /a"),
    (ExchangeFilter(operation="GET /unknown"), lambda row: False),
    (ExchangeFilter(installation="i-3"), lambda row: row.installation == "i-3"),
    (ExchangeFilter(customer="c-2"), lambda row: row.customer == "c-2"),
    (ExchangeFilter(topic="t-1"), lambda row: row.topic == "t-1"),
    (ExchangeFilter(status=503), lambda row: row.status == 503),
    (ExchangeFilter(text="503"), lambda row: "503" in row.error_detail),
    (ExchangeFilter(text="REFUSED"), lambda row: row.error == "connect_refused"),
    (ExchangeFilter(text="50%_"), lambda row: "50%_" in row.path),
    (ExchangeFilter(text="nothing"), lambda row: False),
]  # fmt: skip


def _varied() -> list[StoredExchange]:
    rows = []
    for place in range(119, -1, -1):
        fields = {
            "integration": ("globex", "initech")[place % 2],
            "direction": place % 3 == 0,
            "kind": int(place % 4 == 0),
            "topic": f"t-{place % 3}" if place % 4 == 0 else "",
            "operation": ("GET /a", "POST /b")[place % 5 == 0],
            "installation": f"i-{place % 7}",
            "customer": f"c-{place % 5}",
            "path": "/50%_off" if place % 11 == 0 else "/50x",
            "error": "connect_refused" if place % 13 == 0 else "",
        }
        make = failure if place % 6 == 0 else exchange
        rows.append(make(NOW_US - place * 20 * SECOND_US, **fields))
    return rows


def test_find_answers_every_filter_newest_first_page_by_page(store: MetricsStore) -> None:
    rows = _varied()
    store.append(batch_of(rows))
    for where, matches in FILTERS:
        expected = [row for row in reversed(rows) if matches(row)]
        assert store.find(where, limit=1000) == expected, where
        paged, before = [], None
        while found := store.find(where, before=before, limit=7):
            paged += found
            before = found[-1].id
        assert paged == expected, where


def test_find_among_very_many_integrations(store: MetricsStore) -> None:
    rows = [exchange(NOW_US + place, integration=f"i-{place}") for place in range(100)]
    store.append(batch_of(rows))
    chosen = tuple(f"i-{place}" for place in range(0, 100, 2))
    found = store.find(ExchangeFilter(integrations=chosen), limit=20)
    assert found == rows[98::-2][:20]


def test_iterate_gives_a_window_oldest_first_in_lists_of_the_size_asked(
    store: MetricsStore,
) -> None:
    rows = some(25)
    store.append(batch_of(rows))
    window = Window(rows[3].started_us, rows[23].started_us)
    lists = list(store.iterate(window, 8))
    assert [len(each) for each in lists] == [8, 8, 4]
    assert [row for each in lists for row in each] == rows[3:23]


def test_ids_order_exchanges_by_their_start(store: MetricsStore) -> None:
    rows = [exchange(NOW_US + place) for place in range(50)]
    store.append(batch_of(list(reversed(rows))))
    assert everything(store) == rows
    assert id_floor(NOW_US) <= rows[0].id


# -- sharing, locking, schemas ---------------------------------------------------------------------


def test_two_store_objects_on_one_database_see_each_others_names(
    database: Database, url: str
) -> None:
    one, two = database.open(url), database.open(url)
    rows: list[StoredExchange] = []
    for place in range(12):
        writer, reader = (one, two) if place % 2 else (two, one)
        row = exchange(integration=f"i-{place % 5}", operation=f"GET /{place % 7}")
        writer.append(batch_of([row]))
        rows.append(row)
        assert reader.get(row.id) == (row, None)
        assert_agrees(reader, rows, HOUR)
    assert one.operations() == two.operations()


def test_loaders_that_write_at_once_take_turns(database: Database, url: str) -> None:
    parts = [
        [exchange(NOW_US + place, integration=f"i-{place % 9}") for place in range(30)]
        for _ in range(4)
    ]
    stores = [database.open(url) for _ in parts]
    problems: list[BaseException] = []

    def load(store: MetricsStore, rows: Sequence[StoredExchange], name: str) -> None:
        try:
            for place, row in enumerate(rows):
                store.append(batch_of([row], positions={name: Position(1, place, place)}))
                store.fold(NOW_US + 2 * HOUR_US)
        except BaseException as error:
            problems.append(error)

    threads = [
        Thread(target=load, args=(store, rows, f"j{place}"))
        for place, (store, rows) in enumerate(zip(stores, parts, strict=True))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    rows = sorted((row for part in parts for row in part), key=lambda row: row.id)
    assert everything(stores[0]) == rows
    assert_agrees(stores[0], rows, window_ending(NOW_US, HOUR_US))
    assert len(stores[0].positions()) == 4


def test_an_answer_that_was_remembered_is_forgotten_when_another_process_adds_to_it(
    database: Database, url: str
) -> None:
    writer, reader = database.open(url), database.open(url, read_only=True)
    rows = some(60, 5 * HOUR_US)
    window = window_ending(NOW_US, 20 * DAY_US)
    writer.append(batch_of(rows[::2]))
    writer.fold(NOW_US)
    for _ in range(2):
        assert_agrees(reader, rows[::2], window)
    for place, late in enumerate(rows[1::2], 1):
        writer.append(batch_of([late]))
        if place % 6 == 0:
            known = rows[::2] + rows[1 : 2 * place : 2]
            assert_agrees(reader, known, window)
            assert_agrees(reader, known, window, DAY_US)


def test_a_reader_sees_whole_batches_while_a_writer_writes_and_folds(
    database: Database, url: str
) -> None:
    """Ten exchanges a batch, a fold in between: no answer ever shows part of one, or one twice."""
    writer, reader = database.open(url), database.open(url, read_only=True)
    done = Event()
    problems: list[BaseException] = []

    def write() -> None:
        try:
            for place in range(30):
                at_us = NOW_US - (30 - place) * 20 * MINUTE_US
                writer.append(batch_of([exchange(at_us + second) for second in range(10)]))
                writer.fold(at_us)
        except BaseException as error:
            problems.append(error)
        finally:
            done.set()

    thread = Thread(target=write)
    thread.start()
    seen = []
    while not done.is_set():
        for operations in (False, True):
            window = window_ending(NOW_US, DAY_US)
            seen.append(int(reader.rollups(window, operations=operations).exchanges.sum()))
    thread.join()
    assert problems == []
    assert seen == sorted(seen)
    assert all(number % 10 == 0 for number in seen)
    assert reader.rollups(window_ending(NOW_US, DAY_US)).exchanges.sum() == 300


def test_a_locked_database_is_unavailable_and_then_works_again(
    database: Database, url: str
) -> None:
    separator = "&" if "?" in url else "?"
    store = database.open(f"{url}{separator}timeout=0.2")
    first, second = exchange(), exchange()
    store.append(batch_of([first]))
    with database.locked(url):
        with pytest.raises(StoreUnavailable) as caught:
            store.append(batch_of([second]))
        assert everything(store) == [first]
    assert "\n" not in str(caught.value)
    assert not caught.value.permanent
    store.append(batch_of([second]))
    assert_agrees(store, [first, second], HOUR)


def test_a_store_opened_for_reading_writes_nothing(
    database: Database, url: str, store: MetricsStore
) -> None:
    reader = database.open(url, read_only=True)
    with pytest.raises(StoreRefused):
        reader.append(batch_of([exchange()]))
    with pytest.raises(StoreRefused):
        reader.expire(NOW_US, LONG)
    store.append(batch_of([exchange()]))
    assert len(everything(reader)) == 1


def test_a_database_without_tables_is_refused_with_what_to_do(database: Database) -> None:
    url = database.empty_url()
    with pytest.raises(SchemaError, match="run python -m app migrate"):
        database.open(url)
    with pytest.raises(SchemaError, match="run python -m app migrate"):
        schema.check(url)


def test_migrating_creates_a_store_once_and_keeps_what_is_in_it(database: Database) -> None:
    url = database.empty_url()
    assert schema.migrate(url).startswith("created")
    row = exchange()
    database.open(url).append(batch_of([row]))
    assert schema.migrate(url).startswith("up to date")
    schema.check(url)
    assert everything(database.open(url)) == [row]


def test_a_database_newer_than_the_code_is_refused_naming_both(
    database: Database, url: str
) -> None:
    database.execute(url, "UPDATE metrics_schema SET version_num = '0999'")
    for attempt in (database.open, schema.check, schema.migrate):
        with pytest.raises(SchemaError, match=rf"0999.*{schema.HEAD}.*update Midspan"):
            attempt(url)


def test_a_database_older_than_the_code_is_refused_with_what_to_do(
    database: Database, url: str
) -> None:
    database.execute(url, "UPDATE metrics_schema SET version_num = '0000'")
    with pytest.raises(SchemaError, match=rf"0000.*{schema.HEAD}.*run python -m app migrate"):
        database.open(url)


@pytest.mark.parametrize("step_us", [5 * MINUTE_US, HOUR_US, DAY_US])
def test_traffic_is_the_rollups_without_their_details(store: MetricsStore, step_us: int) -> None:
    rows = some(300, 13 * MINUTE_US)
    lost = Batch(sums=[shed(floor(NOW_US, MINUTE_US), 7, "globex")])
    store.append(batch_of(rows))
    store.append(lost)
    store.fold(NOW_US)
    window = window_ending(NOW_US, 2 * DAY_US)
    first_us = floor(window.start_us, step_us)
    for chosen in (None, ["globex"], ["globex", "initech"], ["nobody"], []):
        for _ in range(2):  # the second answer is remembered
            found = store.traffic(window, step_us, integrations=chosen)
            answer = store.rollups(window, integrations=chosen, step_us=step_us)
            expected: Counter[tuple[str, int]] = Counter()
            failed: Counter[tuple[str, int]] = Counter()
            for i in range(len(answer)):
                slug = answer.series[answer.series_index[i]].integration
                place = slug, (int(answer.t_us[i]) - first_us) // step_us
                expected[place] += int(answer.exchanges[i] + answer.shed[i])
                failed[place] += int(answer.bad[i])
            assert found.window == answer.window
            for row, slug in enumerate(found.slugs):
                for step in range(found.exchanges.shape[1]):
                    assert found.exchanges[row, step] == expected.pop((slug, step), 0)
                    assert found.bad[row, step] == failed.pop((slug, step), 0)
            assert not +expected
            assert not +failed


# -- searching in steps ----------------------------------------------------------------------------


@pytest.mark.parametrize("integrations", [None, ("globex",), ("globex", "initech"), ("nobody",)])
@pytest.mark.parametrize("rows", [0, 3, 10, 100])
def test_beyond_the_horizon_lie_the_exchanges_that_were_not_looked_at(
    store: MetricsStore, integrations: tuple[str, ...] | None, rows: int
) -> None:
    stored = some()
    store.append(batch_of(stored))
    where = ExchangeFilter(integrations=integrations)
    horizon = store.horizon(where, rows=rows)
    near = store.find(where, after=horizon, limit=1000)
    assert len(near) <= max(rows, 2) or horizon is None
    far = store.find(where, before=horizon, limit=1000) if horizon else []
    between = [] if horizon is None else [horizon]
    assert [each.id for each in [*near]] + between + [each.id for each in far] == [
        each.id
        for each in reversed(stored)
        if integrations is None or each.integration in integrations or each.id in between
    ]


def test_the_oldest_behind_an_exchange_come_first_when_asked_so(store: MetricsStore) -> None:
    stored = some()
    store.append(batch_of(stored))
    for where in (ExchangeFilter(), ExchangeFilter(integrations=("globex", "initech"))):
        found = store.find(where, after=stored[9].id, limit=3, oldest_first=True)
        assert found == stored[10:13]
