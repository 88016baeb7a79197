"""Counts over several windows at once equal the health of each, whatever the store has let go."""

import pytest

from app import queries
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, WEEK_US, Window, floor
from app.queries.counts import Counted, counts
from app.store.port import Retention
from tests.app.queries.test_health_numbers import random_exchanges
from tests.app.web_world import EVERYTHING, GLOBEX, SLUGS
from tests.contract.worlds import NOW_US

END_US = floor(NOW_US, MINUTE_US)
LENGTHS_US = (5 * MINUTE_US, 15 * MINUTE_US, HOUR_US, 6 * HOUR_US, DAY_US, 3 * DAY_US, WEEK_US)


@pytest.mark.parametrize("aged", [False, True])
def test_every_window_has_the_counts_of_its_health(world, aged):
    for reach_us in (10 * MINUTE_US, 2 * HOUR_US, WEEK_US):
        world.load(list(random_exchanges(reach_us, 600, reach_us)))
    if aged:
        world.store.fold(NOW_US)
        world.store.expire(NOW_US, Retention(WEEK_US, WEEK_US))
    found = counts(world.reading, EVERYTHING, END_US, LENGTHS_US)
    for length_us in LENGTHS_US:
        view = found[length_us]
        assert view.window.start_us <= END_US - length_us
        for slug in SLUGS:
            health = queries.health(
                world.reading, EVERYTHING, slug, Window(END_US - length_us, END_US)
            )
            one = view.of(slug)
            assert view.window == health.window
            assert (one.good, one.bad, one.excluded) == (health.good, health.bad, health.excluded)
            assert (one.proxied, one.latency_ms) == (health.proxied, health.latency_ms)


def test_operations_add_up_to_their_integration(world):
    world.load(list(random_exchanges(7, 900, HOUR_US)))
    whole = counts(world.reading, EVERYTHING, END_US, [HOUR_US])[HOUR_US]
    parts = counts(world.reading, EVERYTHING, END_US, [HOUR_US], operations=True)[HOUR_US]
    for slug in SLUGS:
        own = [parts.of(slug, name) for name in ("GET /a", "GET /b")]
        assert sum(each.bad for each in own) == whole.of(slug).bad > 0
        assert sum(each.timed for each in own) == whole.of(slug).timed


def test_a_partner_gets_the_counts_of_its_own(world):
    world.load(list(random_exchanges(7, 300, HOUR_US)))
    found = counts(world.reading, GLOBEX, END_US, [HOUR_US])[HOUR_US]
    assert set(found.counts) == {Counted(slug) for slug in SLUGS[:2]}
