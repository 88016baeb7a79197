"""What is read once for the health page is what its parts would have answered."""

from dataclasses import replace

import pytest

from app import queries
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, Window, window_ending
from app.errors import BadQuery, NotFound
from tests.app.queries.test_health_numbers import random_exchanges
from tests.app.web_world import EVERYTHING, NOBODY, SLUGS
from tests.contract.worlds import NOW_US, exchange, failure

SLUG = SLUGS[0]
DAY = window_ending(NOW_US, DAY_US)


def assert_same(reading, window: Window, step_us: int, ghost: Window) -> queries.Closeup:
    found = queries.closeup(reading, EVERYTHING, SLUG, window, step_us, ghost=ghost)
    assert found.now == queries.health(reading, EVERYTHING, SLUG, window)
    before = queries.health(reading, EVERYTHING, SLUG, window.previous())
    assert replace(found.before, sentence="") == replace(before, sentence="")
    assert found.timeline == queries.timeline(reading, EVERYTHING, SLUG, window, step_us)
    assert found.ghost == queries.series(reading, EVERYTHING, SLUG, ghost, step_us)
    assert list(found.operations) == queries.operations(reading, EVERYTHING, SLUG, window)
    return found


@pytest.mark.parametrize("folded", [False, True])
def test_its_parts_are_what_each_question_answers(world, folded):
    world.load(random_exchanges(5, 1_500, 3 * DAY_US))
    while folded and world.store.fold(NOW_US):
        pass
    assert_same(world.reading, DAY, HOUR_US, DAY.previous())


def test_a_failing_one_is_told_with_its_operations(world):
    starts = range(NOW_US - HOUR_US, NOW_US, MINUTE_US)
    world.load([failure(at_us, integration=SLUG) for at_us in starts])
    found = assert_same(world.reading, DAY, HOUR_US, DAY.previous())
    assert "every failure is" in found.now.sentence


def test_the_time_under_the_steps_may_lie_further_back_than_the_time_before(world):
    world.load([exchange(NOW_US - ago * MINUTE_US, integration=SLUG) for ago in range(1, 90)])
    window = window_ending(NOW_US, 25 * MINUTE_US)
    ghost = Window(window.start_us - 30 * MINUTE_US, window.end_us - 30 * MINUTE_US)
    assert_same(world.reading, window, 10 * MINUTE_US, ghost)


def test_what_is_not_the_callers_is_not_there(world):
    with pytest.raises(NotFound):
        queries.closeup(world.reading, NOBODY, SLUG, DAY, HOUR_US, ghost=DAY.previous())
    with pytest.raises(BadQuery):
        queries.closeup(world.reading, EVERYTHING, SLUG, DAY, 1, ghost=DAY.previous())
