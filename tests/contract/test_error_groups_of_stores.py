"""Error groups in every metrics store. Each test runs on SQLite and on PostgreSQL."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain import distinct
from app.domain.error_group import (
    MAX_GROUPS,
    MAX_MESSAGES,
    ErrorGroup,
    group_id,
    is_overflow,
    without_message,
)
from app.domain.ids import exchange_id
from app.domain.window import DAY_US, HOUR_US, SECOND_US, Window, floor
from app.errors import StoreRefused
from app.store.groups import KEPT_US, Room, admit
from app.store.port import Batch, ErrorSum, MetricsStore, Position, Retention
from tests.contract.worlds import NOW_US, batch_of, exchange

WEEK = Window(floor(NOW_US, HOUR_US) - 7 * DAY_US, floor(NOW_US, HOUR_US) + HOUR_US)
GROUP = ErrorGroup("globex", 0, 1, "POST /v1/issues", 2, 500, "", "null value")


def error(at_us: int = NOW_US, number: int = 1, installations=("inst-1",), **of) -> ErrorSum:
    """`number` failures of one group in the second up to `at_us`."""
    return ErrorSum(
        GROUP._replace(**of), 1, floor(at_us, HOUR_US), number, at_us - SECOND_US, at_us,
        exchange_id(at_us, 1, 1), f"said at {at_us}", distinct.sketch(installations),
    )  # fmt: skip


def groups(store: MetricsStore, window: Window = WEEK, integration: str = "globex"):
    found = store.error_groups(integration, window, HOUR_US)
    return {each.group: each for each in found}


def test_a_group_grows_with_every_batch(store: MetricsStore) -> None:
    store.append(Batch(errors=[error(NOW_US - HOUR_US, 3, ["a", "b"])]))
    store.append(
        Batch(errors=[error(NOW_US, 4, ["b", "c"]), error(NOW_US - 2 * HOUR_US, 5, ["d"])])
    )
    [found] = groups(store).values()
    hour = floor(NOW_US, HOUR_US)
    assert found.group == GROUP
    assert (found.exchanges, found.fault) == (12, 1)
    assert found.hours == ((hour - 2 * HOUR_US, 5), (hour - HOUR_US, 3), (hour, 4))
    assert (found.first_us, found.last_us) == (NOW_US - 2 * HOUR_US - SECOND_US, NOW_US)
    assert (found.sample, found.example) == (None, f"said at {NOW_US}")
    assert distinct.estimate(found.installations) == 4


def test_what_comes_late_changes_neither_the_newest_nor_its_sample(store: MetricsStore) -> None:
    rows = [exchange(at_us, id=exchange_id(at_us, 1, 1)) for at_us in (NOW_US, NOW_US - DAY_US)]
    store.append(batch_of([rows[0]], errors=[error(NOW_US)]))
    store.append(batch_of([rows[1]], errors=[error(NOW_US - DAY_US)]))
    [found] = groups(store).values()
    assert found.last_us == NOW_US
    assert found.sample == exchange_id(NOW_US, 1, 1)
    assert found.first_us == NOW_US - DAY_US - SECOND_US


def test_a_window_counts_its_hours_in_steps(store: MetricsStore) -> None:
    start = floor(NOW_US, DAY_US)
    store.append(
        Batch(errors=[error(start + hour * HOUR_US, 1, [f"i{hour}"]) for hour in range(9)])
    )
    window = Window(start, start + 8 * HOUR_US)
    [found] = store.error_groups("globex", window, 4 * HOUR_US)
    assert found.hours == ((start, 4), (start + 4 * HOUR_US, 4))
    assert distinct.estimate(found.installations) == 8
    [before] = store.error_groups("globex", Window(0, start), HOUR_US)
    assert (before.hours, before.installations, before.exchanges) == ((), b"", 9)


def test_another_integration_is_another_group(store: MetricsStore) -> None:
    store.append(Batch(errors=[error(), error(integration="initech")]))
    assert [each.integration for each in groups(store)] == ["globex"]
    assert [each.integration for each in groups(store, integration="initech")] == ["initech"]
    assert store.error_groups("hooli", WEEK, HOUR_US) == []


def test_groups_that_go_on_are_found_for_several_integrations_at_once(store: MetricsStore) -> None:
    hour = floor(NOW_US, HOUR_US)
    store.append(
        Batch(
            errors=[
                error(NOW_US, 4), error(NOW_US - HOUR_US, 3), error(NOW_US - 9 * HOUR_US, 5),
                error(NOW_US, 2, integration="initech"),
                error(hour - HOUR_US, 7, integration="initech", message="over"),
                error(NOW_US, 9, integration="hooli"),
            ]
        )
    )  # fmt: skip
    hours = Window(hour - HOUR_US, hour + HOUR_US)
    asked = ["globex", "initech", "unknown"]
    found = store.failing_groups(asked, hours, NOW_US - 60 * SECOND_US)
    numbers = {each.group.integration: (each.hours, each.exchanges) for each in found}
    assert numbers == {
        "globex": (((hours.start_us, 7),), 12),
        "initech": (((hours.start_us, 2),), 2),
    }
    assert store.failing_groups([], hours, 0) == []


def test_a_batch_that_fails_adds_to_no_group(store: MetricsStore) -> None:
    row = exchange()
    store.append(batch_of([row], errors=[error()], positions={"j": Position(1, 1, 1)}))
    with pytest.raises(StoreRefused):
        store.append(batch_of([row], errors=[error(number=7)], positions={"j": Position(1, 2, 2)}))
    [found] = groups(store).values()
    assert found.exchanges == 1
    assert found.hours[-1][1] == 1


def test_messages_of_one_failure_beyond_the_limit_are_one_group(store: MetricsStore) -> None:
    for first in (0, 10):
        errors = [error(message=f"message {i} {'x' * first}") for i in range(MAX_MESSAGES)]
        store.append(Batch(errors=errors))
    found = groups(store)
    assert len(found) == MAX_MESSAGES + 1
    assert found[without_message(GROUP)].exchanges == MAX_MESSAGES


def test_groups_beyond_the_limit_are_counted_together(store: MetricsStore) -> None:
    many = [error(operation=f"GET /{i}", message="") for i in range(MAX_GROUPS + 30)]
    store.append(Batch(errors=many))
    store.append(Batch(errors=many))
    found = groups(store)
    [rest] = [each for group, each in found.items() if is_overflow(group)]
    assert len(found) == MAX_GROUPS + 1
    assert rest.exchanges == 60
    assert sum(each.exchanges for each in found.values()) == 2 * len(many)


def test_text_with_nul_does_not_block_a_journal(store: MetricsStore) -> None:
    bad = error(operation="GET /\0", error="\0")._replace(example="\0")
    store.append(Batch(errors=[bad], positions={"j": Position(1, 1, 1)}))
    assert len(groups(store)) == 1


def test_old_hours_go_and_groups_unseen_for_a_month_after_them(store: MetricsStore) -> None:
    store.append(Batch(errors=[error(NOW_US - 40 * DAY_US, message="old"), error()]))
    keeping = Retention(DAY_US, DAY_US, hours_us=90 * DAY_US)
    store.fold(NOW_US)
    store.expire(NOW_US, keeping)
    assert len(groups(store)) == 2
    later = NOW_US + KEPT_US
    store.fold(later)
    store.expire(later, Retention(DAY_US, DAY_US, hours_us=40 * DAY_US))
    assert [each.message for each in groups(store)] == ["null value"]
    [left] = groups(store, Window(0, later)).values()
    assert [number for _, number in left.hours] == [1]


names = st.integers(0, 3).map(lambda number: f"m{number}")
parts = st.lists(
    st.tuples(names, st.integers(0, 60), st.integers(1, 9), st.sets(st.integers(0, 9))), max_size=12
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(parts, st.integers(0, 12))
def test_however_it_is_cut_into_batches_the_groups_are_the_same(database, found, cut) -> None:
    url = database.new_url()
    store = database.open(url)
    errors = [
        error(NOW_US - hours * HOUR_US, number, [str(each) for each in who], message=message)
        for message, hours, number, who in found
    ]
    for part in (errors[:cut], errors[cut:]):
        store.append(Batch(errors=part))
    expected: Counter[str] = Counter()
    for each in errors:
        expected[each.group.message] += each.exchanges
    kept = groups(store, Window(0, WEEK.end_us))
    assert {group.message: each.exchanges for group, each in kept.items()} == expected
    for group, each in kept.items():
        whole = [one for one in errors if one.group == group]
        assert sum(number for _, number in each.hours) == each.exchanges
        assert each.installations == distinct.merged(*(one.installations for one in whole))
        assert each.last_us == max(one.last_us for one in whole)
    database.close()
    database.drop(url)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)), max_size=400))
def test_admitting_keeps_what_is_known_and_is_bounded(found) -> None:
    errors = [error(operation=f"GET /{o}", message=f"m{m}") for o, m in found]
    known = {group_id(each.group) for each in errors[:3]}
    before, room = set(known), Room(Counter({"globex": MAX_GROUPS - 10}), Counter())
    placed = list(admit(errors, known, room))
    assert len(placed) == len(errors)
    assert all(one.group == each.group for one, each in zip(placed, errors, strict=True)
               if group_id(each.group) in before)  # fmt: skip
    assert len({one.group for one in placed} - {each.group for each in errors[:3]}) <= 10 + 1
