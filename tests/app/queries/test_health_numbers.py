"""Health equals a recount of the exchanges, whatever they are and wherever the window ends."""

import random
from collections import Counter

import numpy as np
import pytest

from app import queries
from app.domain.histogram import RELATIVE_ERROR
from app.domain.ids import format_id
from app.domain.outcome import TIMED_OUTCOMES, judge
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, Window, window_ending
from app.domain.words import Direction, Fault, Kind, Outcome, Verdict
from app.errors import BadQuery
from app.store.port import Batch, Series, Sum
from tests.app.web_world import EVERYTHING, INSIDE, SLUGS
from tests.contract.worlds import NOW_US, exchange, failure

SLUG = SLUGS[0]


def random_exchanges(seed: int, count: int, reach_us: int):
    draw = random.Random(seed)
    for _ in range(count):
        direction, kind = draw.choice([(0, 0), (0, 1), (1, 0)])
        outcome = draw.choices(list(Outcome), weights=[80, 5, 5, 3, 2, 1, 1, 1, 1, 1])[0]
        status = {0: 200, 1: draw.choice([401, 404, 422]), 2: 503}.get(int(outcome), 0)
        verdict = judge(Direction(direction), outcome, status, "")
        yield exchange(
            NOW_US - draw.randrange(reach_us),
            integration=draw.choice(SLUGS),
            direction=direction,
            kind=kind,
            outcome=int(outcome),
            status=status,
            fault=int(verdict.fault),
            verdict=int(verdict.verdict),
            operation=draw.choice(["GET /a", "GET /b"]),
            total_us=int(draw.lognormvariate(11, 1)),
            request_bytes=draw.randrange(1000),
            response_bytes=draw.randrange(100_000),
        )


def recount(exchanges, slug, window):
    mine = [
        each
        for each in exchanges
        if each.integration == slug and window.start_us <= each.started_us < window.end_us
    ]
    timed = np.array([each.total_us for each in mine if each.outcome in TIMED_OUTCOMES])
    faults = Counter(Fault(each.fault).word for each in mine)
    del faults["none"]
    return {
        "recorded": len(mine),
        "good": sum(each.verdict == Verdict.GOOD for each in mine),
        "bad": sum(each.verdict == Verdict.BAD for each in mine),
        "excluded": sum(each.verdict == Verdict.EXCLUDED for each in mine),
        "by_outcome": dict(Counter(Outcome(each.outcome).word for each in mine)),
        "by_fault": dict(faults),
        "request_bytes": sum(each.request_bytes for each in mine),
        "response_bytes": sum(each.response_bytes for each in mine),
    }, timed


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("reach_us", "fold"), [(HOUR_US, False), (3 * DAY_US, True)])
def test_health_is_a_recount_of_the_exchanges(world, seed, reach_us, fold):
    exchanges = list(random_exchanges(seed, 1_500, reach_us))
    world.load(exchanges)
    if fold:
        while world.store.fold(NOW_US):
            pass
    window = window_ending(NOW_US, reach_us)
    for slug in SLUGS:
        found = queries.health(world.reading, EVERYTHING, slug, window)
        expected, timed = recount(exchanges, slug, found.window)
        assert {name: getattr(found, name) for name in expected} == expected
        assert found.error_ratio == pytest.approx(found.bad / (found.good + found.bad))
        for q, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99")):
            truth_ms = np.quantile(timed, q, method="lower") / 1000
            answer_ms = getattr(found.latency_ms, name)
            assert answer_ms == pytest.approx(truth_ms, rel=RELATIVE_ERROR * 1.001)


def test_a_window_counts_its_first_minute_and_not_the_one_before(world):
    window = window_ending(NOW_US, 15 * MINUTE_US)
    inside = [window.start_us, window.start_us + 1, NOW_US, window.end_us - 1]
    outside = [window.start_us - 1, window.end_us]
    world.load([exchange(at, integration=SLUG) for at in inside + outside])
    assert queries.health(world.reading, EVERYTHING, SLUG, window).recorded == len(inside)


def test_a_window_off_the_minute_is_widened_and_says_so(world):
    world.load([exchange(NOW_US, integration=SLUG)])
    found = queries.health(world.reading, EVERYTHING, SLUG, Window(NOW_US - 1, NOW_US + 1))
    assert (found.window.start_us % MINUTE_US, found.window.length_us) == (0, MINUTE_US)
    assert found.recorded == 1


def test_an_empty_window_is_a_bad_question(world):
    with pytest.raises(BadQuery):
        queries.health(world.reading, EVERYTHING, SLUG, Window(NOW_US, NOW_US))


def test_shed_exchanges_are_proxied_but_not_recorded(world):
    minute_us = NOW_US - NOW_US % MINUTE_US
    lost = Sum(Series(SLUG, 0, 0), minute_us, 0, 0, 0, 0, 7, 0, 0, 0, b"", b"")
    world.load([exchange(integration=SLUG)])
    world.store.append(Batch(sums=[lost]))
    found = queries.health(world.reading, EVERYTHING, SLUG, window_ending(NOW_US, HOUR_US))
    assert (found.proxied, found.recorded, found.shed) == (8, 1, 7)


def test_failures_of_one_operation_are_named_in_the_sentence(world):
    world.load([exchange(NOW_US - i, integration=SLUG, kind=1, operation="a") for i in range(50)])
    world.load([failure(NOW_US - i, integration=SLUG, kind=1, operation="b") for i in range(50)])
    found = queries.health(world.reading, EVERYTHING, SLUG, window_ending(NOW_US, HOUR_US))
    assert found.status == "failing"
    assert found.sentence.replace("\u202f", " ") == (
        "50 % of webhooks answered 5xx in the last hour."
        " It is on the partner's side: every failure is `b`."
    )


def test_a_window_that_is_over_is_not_called_the_last_hour(world):
    world.load([exchange(NOW_US - DAY_US - i, integration=SLUG) for i in range(30)])
    over = window_ending(NOW_US - DAY_US, HOUR_US)
    found = queries.health(world.reading, EVERYTHING, SLUG, over)
    assert found.sentence == "All 30 exchanges were good in that hour."


def test_a_series_has_every_step_and_adds_up_to_health(world):
    exchanges = list(random_exchanges(9, 2_000, 2 * HOUR_US))
    world.load(exchanges)
    window = window_ending(NOW_US, 3 * HOUR_US)
    whole = queries.health(world.reading, EVERYTHING, SLUG, window)
    for step_us in (MINUTE_US, 7 * MINUTE_US, HOUR_US, DAY_US):
        found = queries.series(world.reading, EVERYTHING, SLUG, window, step_us)
        starts = [point.start_us for point in found.points]
        assert starts == list(range(starts[0], starts[-1] + 1, step_us))
        assert starts[0] <= window.start_us < starts[0] + step_us
        assert starts[-1] < window.end_us <= starts[-1] + step_us
        assert sum(point.exchanges for point in found.points) == whole.recorded
        assert sum(point.bad for point in found.points) == whole.bad
        outcomes = sum((Counter(point.by_outcome) for point in found.points), Counter())
        assert outcomes == whole.by_outcome


def test_steps_without_traffic_are_there_with_zeros_and_no_latency(world):
    world.load([exchange(integration=SLUG)])
    window = window_ending(NOW_US, 5 * MINUTE_US)
    *before, last = queries.series(world.reading, EVERYTHING, SLUG, window, MINUTE_US).points
    assert [(point.exchanges, point.latency_ms.p50) for point in before] == [(0, None)] * 4
    assert last.exchanges == 1
    assert last.latency_ms.p50 == pytest.approx(23.456, rel=RELATIVE_ERROR)


@pytest.mark.parametrize("step_us", [0, -MINUTE_US, 1, MINUTE_US + 1])
def test_a_step_is_a_whole_number_of_minutes(world, step_us):
    with pytest.raises(BadQuery, match="minutes"):
        queries.series(world.reading, EVERYTHING, SLUG, window_ending(NOW_US, HOUR_US), step_us)


def test_a_chart_of_too_many_steps_is_refused(world):
    window = window_ending(NOW_US, 30 * DAY_US)
    with pytest.raises(BadQuery, match="longer step"):
        queries.series(world.reading, EVERYTHING, SLUG, window, MINUTE_US)


def test_operations_add_up_to_health_and_come_worst_first(world):
    exchanges = list(random_exchanges(4, 2_000, HOUR_US))
    world.load(exchanges)
    window = window_ending(NOW_US, HOUR_US)
    whole = queries.health(world.reading, EVERYTHING, SLUG, window)
    found = queries.operations(world.reading, EVERYTHING, SLUG, window)
    assert [each.bad for each in found] == sorted((each.bad for each in found), reverse=True)
    assert sum(each.exchanges for each in found) == whole.recorded
    truth = Counter(
        (each.operation, Direction(each.direction).word, Kind(each.kind).word)
        for each in exchanges
        if each.integration == SLUG and each.started_us >= window.start_us
    )
    assert {(it.operation, it.direction, it.kind): it.exchanges for it in found} == truth


def test_the_league_gives_each_integration_the_health_it_has_alone(world):
    world.load(list(random_exchanges(5, 3_000, HOUR_US)))
    window = window_ending(NOW_US, HOUR_US)
    league = queries.league(world.reading, EVERYTHING, window)
    assert sorted(view.slug for view, _health in league) == sorted([*SLUGS, INSIDE])
    for view, together in league:
        alone = queries.health(world.reading, EVERYTHING, view.slug, window)
        for name in ("good", "bad", "by_fault", "latency_ms", "status", "reasons"):
            assert getattr(alone, name) == getattr(together, name)


def test_the_league_puts_trouble_first_then_traffic(world):
    world.load([exchange(NOW_US - i, integration=SLUGS[0]) for i in range(500)])
    world.load([failure(NOW_US - i, integration=SLUGS[2]) for i in range(50)])
    league = queries.league(world.reading, EVERYTHING, window_ending(NOW_US, HOUR_US))
    assert [(view.slug, health.status) for view, health in league] == [
        (SLUGS[2], "failing"),
        (SLUGS[0], "healthy"),
        (SLUGS[1], "idle"),
        (INSIDE, "idle"),
    ]


def test_removed_integrations_do_not_disturb_the_league(world):
    world.load([exchange(NOW_US - i, integration="gone-long-ago") for i in range(50)])
    world.load([exchange(NOW_US - i, integration=SLUGS[0]) for i in range(30)])
    league = dict(queries.league(world.reading, EVERYTHING, window_ending(NOW_US, HOUR_US)))
    assert {view.slug: health.recorded for view, health in league.items()} == {
        SLUGS[0]: 30,
        SLUGS[1]: 0,
        SLUGS[2]: 0,
        INSIDE: 0,
    }


def test_budgets_stand_over_the_window_of_each_objective(world):
    world.load([exchange(NOW_US - i, integration=SLUG) for i in range(990)])
    slow = {"total_us": 2_000_000, "integration": SLUG}
    world.load([failure(NOW_US - i, **slow) for i in range(10)])
    available, quick = queries.budgets(world.reading, EVERYTHING, SLUG)
    assert (available.standing.bad, available.standing.burn_rate) == (10, pytest.approx(2))
    assert (quick.standing.bad, quick.standing.remaining_ratio) == (10, pytest.approx(0.8))


def test_exchange_ids_are_printed_as_uuids(world):
    stored = exchange(integration=SLUG)
    world.load([stored])
    found = queries.get_exchange(world.reading, EVERYTHING, format_id(stored.id))
    assert found.id == format_id(stored.id)
