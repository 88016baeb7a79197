"""Charts and the overview show the numbers of `health` and `series`, and nobody else's."""

import pytest

from app import queries
from app.domain.health import Status
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, Window, floor, window_ending
from app.errors import BadQuery, NotFound
from tests.app.queries.test_health_numbers import random_exchanges, recount
from tests.app.web_world import EVERYTHING, GLOBEX, NOBODY, SLUGS
from tests.contract.worlds import NOW_US, exchange, failure

SLUG = SLUGS[0]
DAY = window_ending(NOW_US, DAY_US)


@pytest.fixture
def busy(world):
    world.exchanges = list(random_exchanges(11, 2_500, 3 * DAY_US))
    world.load(world.exchanges)
    while world.store.fold(NOW_US):
        pass
    return world


def test_a_timeline_is_the_series_with_its_details_adding_up(busy):
    found = queries.timeline(busy.reading, EVERYTHING, SLUG, DAY, HOUR_US)
    assert found.series == queries.series(busy.reading, EVERYTHING, SLUG, DAY, HOUR_US)
    expected, timed = recount(busy.exchanges, SLUG, DAY)
    faults = {}
    for step in found.by_fault:
        for word, number in step.items():
            faults[word] = faults.get(word, 0) + number
    assert faults == expected["by_fault"]
    assert sum(map(sum, found.heat.counts)) == len(timed)
    assert len(found.heat.edges_ms) == len(found.heat.counts) + 1
    assert found.heat.edges_ms[0] * 1000 <= timed.min() <= found.heat.edges_ms[1] * 1000
    assert timed.max() <= found.heat.edges_ms[-1] * 1000
    points = found.series.points
    for place in range(len(points)):
        crossed = sum(way.by_step[place] for way in found.ways)
        assert crossed == points[place].exchanges
    assert sum(way.bad for way in found.ways) == expected["bad"]


def test_a_timeline_of_nothing_has_every_step_and_no_heat(world):
    found = queries.timeline(world.reading, EVERYTHING, SLUG, DAY, HOUR_US)
    assert len(found.series.points) >= 24
    assert (found.heat.counts, found.ways, found.episodes) == ((), (), ())


def test_a_step_that_is_none_is_refused(world):
    for step in (0, 1, MINUTE_US + 1):
        with pytest.raises(BadQuery):
            queries.timeline(world.reading, EVERYTHING, SLUG, DAY, step)


def outage(start_us: int, minutes: int) -> list:
    """An hour and a half of traffic at four a minute, `minutes` of it failing."""
    found = []
    for minute in range(90):
        at_us = NOW_US - (90 - minute) * MINUTE_US
        make = failure if start_us <= at_us < start_us + minutes * MINUTE_US else exchange
        found += [make(at_us + second * 1_000_000, integration=SLUG) for second in (0, 15, 30, 45)]
    return found


def test_an_outage_is_an_episode_from_its_first_to_its_last_step(world):
    start_us = floor(NOW_US - 60 * MINUTE_US, 10 * MINUTE_US)
    world.load(outage(start_us, 20))
    window = window_ending(NOW_US, 90 * MINUTE_US)
    found = queries.timeline(world.reading, EVERYTHING, SLUG, window, 10 * MINUTE_US)
    [episode] = found.episodes
    assert episode.status is Status.FAILING
    assert episode.window == Window(start_us, start_us + 20 * MINUTE_US)
    assert not episode.lasts
    assert episode.whole


def test_the_overview_knows_since_when_somebody_is_in_trouble(world):
    start_us = NOW_US - 40 * MINUTE_US
    world.load(outage(start_us, 60))
    window = window_ending(NOW_US, 90 * MINUTE_US)
    rows = queries.overview(world.reading, GLOBEX, window).rows
    assert [row.view.slug for row in rows] == [SLUG, SLUGS[1]]
    assert rows[0].trouble is not None
    assert abs(rows[0].trouble.window.start_us - start_us) <= 10 * MINUTE_US
    assert rows[1].trouble is None


def test_a_day_of_the_strip_counts_what_its_series_counts(busy):
    found = queries.days(busy.reading, EVERYTHING, SLUG, 5)
    assert [day.start_us for day in found] == [
        floor(NOW_US, DAY_US) - back * DAY_US for back in (4, 3, 2, 1, 0)
    ]
    for day in found:
        window = Window(day.start_us, min(day.start_us + DAY_US, NOW_US + 1))
        expected, _ = recount(busy.exchanges, SLUG, window)
        assert (day.good, day.bad, day.excluded) == tuple(
            expected[name] for name in ("good", "bad", "excluded")
        )
    assert found[0].status == "idle"


def test_the_overview_shows_the_numbers_of_the_league_the_budgets_and_the_series(busy):
    found = queries.overview(busy.reading, EVERYTHING, DAY)
    league = queries.league(busy.reading, EVERYTHING, DAY)
    assert [(row.view, row.now) for row in found.rows] == league
    earlier = {
        view.slug: health
        for view, health in queries.league(busy.reading, EVERYTHING, DAY.previous())
    }
    for row in found.rows:
        assert row.before == earlier[row.view.slug]
        assert list(row.budgets) == queries.budgets(busy.reading, EVERYTHING, row.view.slug)
        ratios = [each.standing.remaining_ratio for each in row.budgets]
        known = [ratio for ratio in ratios if ratio is not None]
        least = row.least.standing.remaining_ratio if row.least else None
        assert least == min(known, default=None)
        points = queries.series(
            busy.reading, EVERYTHING, row.view.slug, found.traffic_window, found.traffic_step_us
        ).points
        nothing = (0,) * len(points)
        assert (row.traffic or nothing) == tuple(each.exchanges + each.shed for each in points)
        assert (row.failed or nothing) == tuple(each.bad for each in points)


@pytest.mark.parametrize("length_us", [15 * MINUTE_US, DAY_US, 7 * DAY_US, 30 * DAY_US])
def test_a_sparkline_has_few_steps_whatever_the_window(busy, length_us):
    found = queries.overview(busy.reading, EVERYTHING, window_ending(NOW_US, length_us))
    assert all(24 <= len(row.traffic) <= 37 for row in found.rows if row.traffic)
    assert found.traffic_window.end_us >= NOW_US


def test_a_partner_sees_its_own_and_nothing_else(busy):
    mine = queries.overview(busy.reading, GLOBEX, DAY).rows
    assert {row.view.slug for row in mine} == set(SLUGS[:2])
    assert queries.overview(busy.reading, NOBODY, DAY).rows == ()
    for ask in (
        lambda: queries.timeline(busy.reading, GLOBEX, SLUGS[2], DAY, HOUR_US),
        lambda: queries.days(busy.reading, GLOBEX, SLUGS[2]),
    ):
        with pytest.raises(NotFound):
            ask()
