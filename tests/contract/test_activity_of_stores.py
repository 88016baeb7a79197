"""What each installation did on each day, in every metrics store."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.window import DAY_US, HOUR_US, Window, floor
from app.errors import StoreRefused
from app.store.activity import COUNTS, Activity, ActivitySum, of_sums
from app.store.activity_parts import FAN_IN, PERIOD_DAYS, Part, due
from app.store.port import Batch, MetricsStore, Position, Retention
from tests.contract.worlds import NOW_US, batch_of, exchange

TODAY = floor(NOW_US, DAY_US)
EVER = Window(0, NOW_US + DAY_US)


def seen(age_days: int = 0, number: int = 1, **of) -> ActivitySum:
    """`number` exchanges of one installation on one day, the last of them bad."""
    day_us = TODAY - age_days * DAY_US
    plain = ActivitySum(
        "globex", "inst-1", "cust-1", 0, 1, day_us, number, number - 1, 1, 1, 0, 0, 0,
        day_us + HOUR_US, day_us + 2 * HOUR_US,
        *((day_us + HOUR_US,) * 2 if number > 1 else (0, 0)),
    )  # fmt: skip
    return plain._replace(**of)


def added(store: MetricsStore, *sums: ActivitySum) -> None:
    store.append(Batch(activity=of_sums(sums)))


def found(store: MetricsStore, window: Window = EVER, **of) -> list[ActivitySum]:
    return sorted(store.activity(window, **of).rows())


def test_a_day_of_an_installation_grows_with_every_batch(store: MetricsStore) -> None:
    first, later = seen(number=1), seen(number=5)._replace(last_us=TODAY + 3 * HOUR_US)
    added(store, later)
    added(store, first)
    assert found(store) == [
        later._replace(exchanges=6, bad=2, partner_faults=2, good=4, last_us=TODAY + 3 * HOUR_US)
    ]


def test_directions_kinds_days_and_integrations_are_told_apart(store: MetricsStore) -> None:
    rows = [
        seen(), seen(direction=1), seen(kind=0), seen(age_days=1), seen(integration="initech"),
        seen(installation="inst-2", customer=""),
    ]  # fmt: skip
    added(store, *rows)
    assert found(store) == sorted(rows)
    assert found(store, integrations=["initech", "hooli"]) == [rows[4]]
    assert found(store, integrations=[]) == []
    assert found(store, installations=["inst-2"]) == [rows[5]]
    assert found(store, installations=[]) == []


def test_a_window_takes_the_days_it_touches(store: MetricsStore) -> None:
    rows = [seen(age) for age in range(4)]
    added(store, *rows)
    assert found(store, Window(TODAY - DAY_US, TODAY)) == [rows[1]]
    part = Window(TODAY - DAY_US - 1, TODAY + 1)
    assert found(store, part) == sorted(rows[:3])
    assert len(store.activity(Window(TODAY - 9 * DAY_US, TODAY - 8 * DAY_US))) == 0


def test_a_batch_that_fails_adds_no_activity(store: MetricsStore) -> None:
    row = exchange()
    activity = of_sums([seen()])
    store.append(batch_of([row], activity=activity, positions={"j": Position(1, 1, 1)}))
    with pytest.raises(StoreRefused):
        store.append(batch_of([row], activity=activity, positions={"j": Position(1, 2, 2)}))
    assert found(store) == [seen()]


def test_merging_parts_changes_no_answer(store: MetricsStore) -> None:
    for number in range(FAN_IN * FAN_IN):
        added(store, seen(number % 3, installation=f"inst-{number % 5}"), seen(40))
    before = found(store)
    store.fold(NOW_US)
    assert found(store) == before
    store.fold(NOW_US + 2 * PERIOD_DAYS * DAY_US)
    assert found(store) == before
    assert sum(row.exchanges for row in before) == 2 * FAN_IN * FAN_IN


def test_activity_is_kept_when_exchanges_and_hours_go(store: MetricsStore) -> None:
    added(store, seen(200))
    store.fold(NOW_US)
    store.expire(NOW_US, Retention(HOUR_US, HOUR_US, hours_us=DAY_US))
    assert found(store) == [seen(200)]


def test_any_text_names_an_installation(store: MetricsStore) -> None:
    odd = seen(installation="a\0b '%\u2603", customer="\0")
    added(store, odd)
    assert found(store) == [odd]
    assert found(store, installations=[odd.installation]) == [odd]


def test_a_customer_told_once_is_known_from_then_on(store: MetricsStore) -> None:
    for customer in ("", "a", ""):
        added(store, seen(customer=customer))
    [row] = found(store)
    assert (row.customer, row.exchanges) == ("a", 3)


def test_a_count_beyond_32_bits_stands_at_the_most_they_hold() -> None:
    [row] = of_sums([seen(number=2**31 - 1), seen(number=2**31 - 1)]).rows()
    assert row.exchanges == 2**31 - 1


def test_columns_have_the_names_of_the_rows() -> None:
    activity = of_sums([seen(number=3), seen(age_days=1, number=2)])
    for name in (*COUNTS, "first_us", "last_us", "first_good_us", "last_good_us", "day_us"):
        expected = [getattr(row, name) for row in activity.rows()]
        assert getattr(activity, name).tolist() == expected
    assert activity.where(activity.exchanges > 2).rows() == [seen(number=3)]


ages = st.one_of(st.integers(0, 3), st.integers(0, 70))
sums = st.builds(
    seen,
    ages,
    st.integers(1, 9),
    integration=st.sampled_from(["globex", "initech"]),
    installation=st.sampled_from(["a", "b", "c"]),
    customer=st.sampled_from(["", "x"]),
    direction=st.integers(0, 1),
    kind=st.integers(0, 1),
)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(sums, min_size=1, max_size=6), max_size=20), st.integers(0, 20))
def test_however_batches_come_and_merge_the_days_are_the_same(database, batches, fold_after):
    url = database.new_url()
    store = database.open(url)
    for number, batch in enumerate(batches):
        added(store, *batch)
        if number == fold_after:
            store.fold(NOW_US)
    store.fold(NOW_US)
    expected = counted([each for batch in batches for each in batch])
    assert {row[:2] + row[3:6]: row[6:] for row in found(store)} == expected
    for window in (EVER, Window(TODAY - 40 * DAY_US, TODAY - DAY_US)):
        for failing in (False, True):
            one_by_one = added_up_one_by_one(store, window, failing=failing)
            assert added_up(store, window, failing=failing) == one_by_one
    told = store.day_counts(EVER)
    slugs = [told.integrations[owner] for owner in told.owner.tolist()]
    named = sorted(zip(slugs, told.installations, told.customers, strict=True))
    assert named == sorted({row[:3] for row in found(store)})
    database.close()
    database.drop(url)


def added_up(store: MetricsStore, window: Window, *, failing: bool) -> dict[tuple, tuple]:
    """What is told to be added up, by installation and day."""
    told = store.day_counts(window, columns=("good", "partner_faults"), failing=failing)
    sums: dict[tuple, tuple] = {}
    columns = (told.who, told.day, told.counts["good"], told.counts["partner_faults"])
    for who, day, good, faults in zip(*(each.tolist() for each in columns), strict=True):
        slug = told.integrations[told.owner[who]]
        key = (slug, told.installations[who], day * DAY_US)
        known = sums.get(key, (0, 0))
        sums[key] = (known[0] + good, known[1] + faults)
    return sums


def added_up_one_by_one(
    store: MetricsStore, window: Window, *, failing: bool
) -> dict[tuple, tuple]:
    sums: dict[tuple, tuple] = {}
    rows = found(store, window)
    failed = {row[:2] for row in rows if row.bad}
    for row in rows:
        if failing and row[:2] not in failed:
            continue
        key = (row.integration, row.installation, row.day_us)
        known = sums.get(key, (0, 0))
        sums[key] = (known[0] + row.good, known[1] + row.partner_faults)
    return sums


def test_columns_are_counted_only_of_the_integrations_asked_for(store: MetricsStore) -> None:
    added(store, seen(number=3), seen(integration="initech", number=7))
    told = store.day_counts(EVER, integrations=["initech", "hooli"], columns=("bad", "exchanges"))
    assert (told.integrations, told.installations) == (("initech",), ("inst-1",))
    assert {name: column.tolist() for name, column in told.counts.items()} == {
        "bad": [1], "exchanges": [7],
    }  # fmt: skip
    assert store.day_counts(EVER, integrations=[]).integrations == ()


def counted(rows: list[ActivitySum]) -> dict[tuple, tuple]:
    """Rows added up one by one."""
    groups: dict[tuple, list[ActivitySum]] = {}
    for row in rows:
        groups.setdefault(row[:2] + row[3:6], []).append(row)
    return {
        key: (
            *(sum(getattr(row, name) for row in group) for name in COUNTS),
            min(row.first_us for row in group),
            max(row.last_us for row in group),
            min((row.first_good_us for row in group if row.first_good_us), default=0),
            max(row.last_good_us for row in group),
        )
        for key, group in groups.items()
    }


parts = st.lists(
    st.builds(Part, st.integers(1, 10**6), st.just(1), st.just(700), st.integers(0, 4),
              st.integers(1, 10**6)),
    unique_by=lambda part: part.part, max_size=60,
)  # fmt: skip


@given(parts, st.booleans())
def test_merging_ends_with_few_parts_and_all_rows(parts: list[Part], over: bool) -> None:
    rows, next_part, rewritten = sum(part.rows for part in parts), 10**7, 0
    while chosen := due(parts, over=over):
        mine = [part for part in parts if part.part in set(chosen)]
        assert len(mine) == len(chosen) > 1
        level = 1 + max(part.level for part in mine)
        whole = Part(next_part, 1, 700, level, sum(part.rows for part in mine))
        parts = [*(part for part in parts if part not in mine), whole]
        next_part, rewritten = next_part + 1, rewritten + 1
    assert sum(part.rows for part in parts) == rows
    assert max(np.bincount([part.level for part in parts] or [0])) < FAN_IN
    if over and len(parts) > 1:
        largest = max(part.rows for part in parts)
        assert (rows - largest) * 4 < largest


def test_nothing_is_an_answer() -> None:
    assert Activity().rows() == []
    assert len(Activity().merged()) == 0
    assert replace(Activity(), integrations=("a",)).rows() == []
