"""The drawn past: equal records for an equal seed, and a shape one recognises."""

from collections import Counter
from itertools import pairwise

import msgspec
import pytest

from app.domain.window import DAY_US, HOUR_US, MINUTE_US, Window
from app.domain.words import Kind, Outcome
from collectors.record import NOT_REACHED, Exchange
from demo.draw import Block
from demo.model import RETRY_AFTER_S, Model
from demo.past import RAW_US, blocks, records

MONDAY_US = 20_780 * DAY_US
ANCHOR_US = MONDAY_US + 12 * HOUR_US
MODEL = Model(7, ANCHOR_US)


@pytest.fixture(scope="module")
def last_hour() -> list[Exchange]:
    return records(MODEL, blocks(ANCHOR_US, 90)[0])


SHORT = Block(Window(ANCHOR_US - 5 * MINUTE_US, ANCHOR_US), 1)


def test_two_runs_with_one_seed_and_one_clock_draw_equal_records() -> None:
    first, again = (records(Model(7, ANCHOR_US), SHORT) for _ in range(2))
    assert msgspec.msgpack.encode(first) == msgspec.msgpack.encode(again)
    assert len(first) > 3_000


def test_another_seed_draws_others() -> None:
    ids = [{record.id for record in records(Model(seed, ANCHOR_US), SHORT)} for seed in (7, 8)]
    assert not ids[0] & ids[1]


@pytest.mark.parametrize("days", [1, 2, 8, 9, 90])
def test_blocks_cover_the_past_once_newest_first(days: int) -> None:
    cut = blocks(ANCHOR_US, days)
    assert cut[0].window.end_us == ANCHOR_US
    assert cut[-1].window.start_us == ANCHOR_US - days * DAY_US
    for newer, older in pairwise(cut):
        assert older.window.end_us == newer.window.start_us
    whole = [block for block in cut if block.one_in == 1]
    assert sum(block.window.length_us for block in whole) == RAW_US


def test_ids_are_unique_over_blocks_and_ordered_like_time() -> None:
    drawn = [record for block in blocks(ANCHOR_US, 8)[24:] for record in records(MODEL, block)]
    assert len({record.id for record in drawn}) == len(drawn)
    by_id = sorted(drawn, key=lambda record: record.id)
    assert [record.started_us for record in by_id] == sorted(r.started_us for r in drawn)


def test_nothing_lies_after_the_start_of_the_demo(last_hour: list[Exchange]) -> None:
    assert max(record.started_us for record in last_hour) < ANCHOR_US


def test_the_drawn_past_has_days_and_weeks() -> None:
    def count(start_us: int) -> int:
        return len(records(MODEL, Block(Window(start_us, start_us + 2 * HOUR_US), 20)))

    monday = MONDAY_US - 7 * DAY_US
    noon, night = count(monday + 12 * HOUR_US), count(monday + 2 * HOUR_US)
    sunday = count(monday + 6 * DAY_US + 12 * HOUR_US)
    assert night < 0.6 * noon
    assert sunday < 0.6 * noon


def test_a_sample_is_as_much_smaller_as_it_says() -> None:
    window = Window(ANCHOR_US - 20 * MINUTE_US, ANCHOR_US)
    whole, sample = (len(records(MODEL, Block(window, one_in))) for one_in in (1, 10))
    assert whole / sample == pytest.approx(10, rel=0.15)


WORST = [
    ("globex-issues", Outcome.OK, 0.98, 1.0),
    ("hooli-sync", Outcome.OK, 0.9, 1.0),
    ("umbrella-ci", Outcome.SERVER_ERROR, 0.005, 0.08),
    ("stark-board", Outcome.CONNECT_ERROR, 0.1, 0.6),
    ("wayne-alerts", Outcome.TIMEOUT, 1.0, 1.0),
    ("tyrell-forms", Outcome.TLS_ERROR, 0.6, 0.95),
    ("soylent-crm", Outcome.CLIENT_ERROR, 0.05, 0.25),
]


@pytest.mark.parametrize(("slug", "outcome", "low", "high"), WORST)
def test_each_partner_is_recognised_by_its_last_hour(
    last_hour: list[Exchange], slug: str, outcome: Outcome, low: float, high: float
) -> None:
    own = Counter(Outcome(r.outcome) for r in last_hour if r.integration == slug)
    assert low <= own[outcome] / own.total() <= high


def test_a_failed_delivery_is_attempted_again_under_its_own_id(last_hour: list[Exchange]) -> None:
    hooks = [r for r in last_hour if r.kind == Kind.WEBHOOK and r.integration == "wayne-alerts"]
    tries = Counter(r.delivery for r in hooks)
    assert max(tries.values()) == 1 + len(RETRY_AFTER_S)
    longest = tries.most_common(1)[0][0]
    attempts = [r.attempt for r in hooks if r.delivery == longest]
    assert attempts == [1, 2, 3, 4]


def test_what_never_answered_has_no_first_byte_and_no_status(last_hour: list[Exchange]) -> None:
    for record in last_hour:
        answered = record.status > 0
        assert answered == (record.first_byte_us != NOT_REACHED)
        assert record.total_us > 0
        assert (record.error != "") >= (not answered)


def test_every_failure_and_a_few_successes_carry_evidence(last_hour: list[Exchange]) -> None:
    failed = [r for r in last_hour if r.outcome != Outcome.OK]
    fine = [r for r in last_hour if r.outcome == Outcome.OK]
    assert all(record.capture for record in failed)
    assert 0 < sum(r.capture is not None for r in fine) < 0.03 * len(fine)
