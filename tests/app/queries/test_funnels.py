"""Funnels against a recount that looks at every event, and what a scope may see of them."""

import random
from collections import Counter
from datetime import datetime

import pytest

from app.commands import funnel_days
from app.db import transaction
from app.domain.funnel_counts import Order
from app.domain.histogram import RELATIVE_ERROR
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, Window, floor
from app.errors import BadQuery, NotFound
from app.models import FunnelDeadline
from app.queries import funnel, funnels
from app.queries.funnels import Asked, By
from tests.app.lifecycle_worlds import event, integration_id, tell
from tests.app.web_world import EVERYTHING, GLOBEX, INSIDE, NOBODY, SLUGS
from tests.contract.worlds import NOW_US

SLUG = SLUGS[0]
STEPS = ("started", "redirected", "authorized", "verified", "activated")
MONTH = Window(NOW_US - 30 * DAY_US, NOW_US + MINUTE_US)


def histories(number: int, seed: int = 5) -> list[dict]:
    """Installs that stop anywhere, leave steps out, take them in any order, say no, or go."""
    chance = random.Random(seed)
    found = []
    for which in range(number):
        at_us = NOW_US - chance.randrange(30 * DAY_US)
        steps = list(STEPS[: chance.choice((1, 2, 3, 4, 5, 5, 5, 5))])
        if chance.random() < 0.2:
            steps = chance.sample(STEPS, chance.randint(1, 5))
        more = {"plan": chance.choice((None, "free", "pro")), "source": chance.choice((None, "ad"))}
        end = chance.choice((None, None, None, "declined", "uninstalled"))
        for step in [*steps, *([end] if end else [])]:
            reason = chance.choice((None, "price", "bugs")) if step == end else None
            found.append(event(step, at_us, installation=f"i{which}", reason=reason, **more))
            at_us = min(at_us + chance.randrange(1, 6 * HOUR_US), NOW_US)
    chance.shuffle(found)
    return found


def by_installation(events: list[dict]) -> dict[str, dict[str, int]]:
    """The first time of every step of each."""
    found: dict[str, dict[str, int]] = {}
    for each in events:
        times = found.setdefault(each["installation"], {})
        at_us = US[each["occurred_at"]]
        times[each["step"]] = min(at_us, times.get(each["step"], at_us))
    return found


def us_of(events: list[dict]) -> dict[str, int]:
    return {
        each["occurred_at"]: round(datetime.fromisoformat(each["occurred_at"]).timestamp() * 1e6)
        for each in events
    }


EVENTS = histories(1_000)
US = us_of(EVENTS)
WAYS = by_installation(EVENTS)


def entered(window: Window) -> dict[str, dict[str, int]]:
    """Those whose first step lies in the window, with the times of their steps alone."""
    steps = {name: {s: t for s, t in way.items() if s in STEPS} for name, way in WAYS.items()}
    return {
        name: way for name, way in steps.items()
        if way and window.start_us <= min(way.values()) < window.end_us
    }  # fmt: skip


def recounted_strict(ways) -> list[int]:
    reached = [0] * len(STEPS)
    for way in ways.values():
        last = -1
        for at, step in enumerate(STEPS):
            if step not in way or way[step] < last:
                break
            last = way[step]
            reached[at] += 1
    return reached


def recounted_fates(ways, now_us: int) -> Counter:
    """(step, fate) of every install that never reached the goal."""
    found: Counter = Counter()
    for name, way in ways.items():
        furthest = max(at for at, step in enumerate(STEPS) if step in way)
        if "activated" in way:
            continue
        mine = [(US[each["occurred_at"]], each["id"], each["step"]) for each in EVENTS
                if each["installation"] == name]  # fmt: skip
        newest = max(mine)
        late = max(way.values()) + DAY_US <= now_us
        fate = "waiting"
        if newest[2] in {"declined", "uninstalled"} or "uninstalled" in WAYS[name]:
            fate = "declined"
        elif late:
            fate = "stuck"
        found[STEPS[furthest + 1], fate] += 1
    return found


@pytest.fixture
def told(world):
    for start in range(0, len(EVENTS), 1_000):
        tell(world.engine, *EVENTS[start : start + 1_000])
    return world


def refresh(world, limit: int = 500) -> int:
    with transaction(world.engine) as session:
        return funnel_days.refresh(session, now_us=world.clock(), limit=limit)


WINDOWS = [
    MONTH,
    Window(NOW_US - 9 * DAY_US, NOW_US - 2 * DAY_US),
    Window(NOW_US - 5 * HOUR_US, NOW_US),
    Window(floor(NOW_US, DAY_US) - 9 * DAY_US, floor(NOW_US, DAY_US)),
    Window(floor(NOW_US, DAY_US) - 9 * DAY_US - HOUR_US, floor(NOW_US, DAY_US) - 9 * DAY_US + 5),
]


def test_counts_of_a_thousand_histories_are_those_of_a_recount(told):
    for counted in ("from installations", "from days"):
        if counted == "from days":
            while refresh(told, 7):
                pass
        for window in WINDOWS:
            ways = entered(window)
            found = funnel(told.reading, EVERYTHING, SLUG, window)
            assert found.count.entered == len(ways), counted
            reached = [sum(step in way for way in ways.values()) for step in STEPS]
            assert [each.reached for each in found.count.steps] == reached
            assert found.count.activated == reached[-1]
            strict = funnel(told.reading, EVERYTHING, SLUG, window, Asked(Order.STRICT))
            assert [each.reached for each in strict.count.steps] == recounted_strict(ways)
            fates = Counter({
                (each.name, fate): number
                for each in found.count.steps
                for fate, number in (*each.lost.items(), ("waiting", each.waiting)) if number
            })  # fmt: skip
            assert fates == recounted_fates(ways, NOW_US)


def test_times_are_within_the_stated_error_of_the_recounted_ones(told):
    ways = entered(MONTH).values()
    found = funnel(told.reading, EVERYTHING, SLUG, MONTH)
    for step in found.count.steps:
        times = sorted(
            (way[step.name] - min(way.values())) / 1e6 for way in ways if step.name in way
        )
        for q, seconds in ((0.5, step.median_s), (0.9, step.p90_s)):
            exact = times[int(q * (len(times) - 1))]
            assert seconds == pytest.approx(exact, rel=RELATIVE_ERROR, abs=0.002)
    assert found.count.steps[0].median_s == 0
    within = funnel(told.reading, EVERYTHING, SLUG, MONTH, Asked(within_us=4 * HOUR_US))
    soon = [way for way in ways if way.get("activated", 10**18) - min(way.values()) <= 4 * HOUR_US]
    assert within.count.within == pytest.approx(len(soon), rel=0.05)


@pytest.mark.parametrize("by", By)
def test_cohorts_add_up_to_the_whole(told, by):
    refresh(told)
    found = funnel(told.reading, EVERYTHING, SLUG, MONTH, Asked(by=by))
    assert sum(each.count.entered for each in found.cohorts) == found.count.entered
    assert sum(each.count.activated for each in found.cohorts) == found.count.activated
    ways = entered(MONTH)
    if by is By.DAY:
        days = Counter(min(way.values()) // DAY_US for way in ways.values())
        assert {each.start_us // DAY_US: each.count.entered for each in found.cohorts} == days
        assert [each.key for each in found.cohorts] == sorted(each.key for each in found.cohorts)
    else:
        of = {each["installation"]: each[by.value] for each in EVENTS}
        assert {each.key: each.count.entered for each in found.cohorts} == Counter(
            of[name] for name in ways
        )


@pytest.mark.parametrize("by", By)
def test_where_nobody_installed_there_are_no_cohorts(world, by):
    found = funnel(world.reading, EVERYTHING, SLUG, MONTH, Asked(by=by))
    assert (found.count.entered, found.cohorts) == (0, ())
    assert [(step.reached, step.median_s) for step in found.count.steps] == [(0, None)] * 5
    assert funnels(world.reading, EVERYTHING, MONTH, Asked(by=by)) == {}


def test_uninstalls_count_when_they_happen_whatever_the_installs_date(world):
    old = NOW_US - 300 * DAY_US
    tell(
        world.engine,
        *(event("started", old, installation=name) for name in "abc"),
        *(
            event("uninstalled", NOW_US - HOUR_US, installation=name, reason="price")
            for name in "ab"
        ),
        event("uninstalled", NOW_US - HOUR_US, installation="a", reason="price"),
        event("uninstalled", NOW_US - HOUR_US, installation="c"),
        event("uninstalled", NOW_US - 40 * DAY_US, installation="d", reason="bugs"),
    )
    found = funnel(world.reading, EVERYTHING, SLUG, MONTH)
    assert (found.count.entered, found.uninstalled) == (0, 3)
    assert found.reasons == {"price": 2, "": 1}
    assert (found.count.steps[0].reached, found.interval) == (0, None)


def test_a_step_of_which_nobody_knows_the_time_has_none(world):
    tell(world.engine, event("started"))
    steps = funnel(world.reading, EVERYTHING, SLUG, MONTH).count.steps
    assert (steps[0].median_s, steps[1].median_s, steps[1].p90_s) == (0, None, None)


def test_a_day_is_counted_anew_once_an_install_in_it_is_late(world):
    tell(world.engine, event("started", NOW_US - DAY_US - HOUR_US, installation="late"),
         event("started", NOW_US - HOUR_US, installation="soon"))  # fmt: skip
    with transaction(world.engine) as session:
        owner = integration_id(world.engine)
        session.add(FunnelDeadline(integration_id=owner, step="redirected", deadline_us=DAY_US))
    assert refresh(world) == 2
    assert refresh(world) == 0

    def fates():
        step = funnel(world.reading, EVERYTHING, SLUG, MONTH).count.steps[1]
        return step.waiting, step.lost["stuck"]

    assert fates() == (1, 1)
    world.clock.pass_us(DAY_US)
    assert fates() == (0, 2), "before anybody refreshed"
    assert refresh(world) == 1
    assert fates() == (0, 2)


def test_more_plans_than_can_be_shown_are_summed_up(world):
    tell(
        world.engine, *(event("started", installation=f"i{n}", plan=f"plan-{n}") for n in range(70))
    )
    found = funnel(world.reading, EVERYTHING, SLUG, MONTH, Asked(by=By.PLAN))
    assert len(found.cohorts) == 51
    assert (found.cohorts[-1].key, found.cohorts[-1].count.entered) == ("other", 20)


def test_a_plan_that_is_called_other_is_one_of_its_own(world):
    plans = ["other", "other", *(f"plan-{n}" for n in range(69))]
    tell(
        world.engine,
        *(event("started", installation=f"i{n}", plan=plan) for n, plan in enumerate(plans)),
    )
    found = funnel(world.reading, EVERYTHING, SLUG, MONTH, Asked(by=By.PLAN))
    ends = [(each.key, each.count.entered) for each in (found.cohorts[0], found.cohorts[-1])]
    assert (len(found.cohorts), ends) == (51, [("other", 2), ("other", 20)])


def test_all_funnels_of_a_scope_are_those_of_each(told):
    others = [{**each, "integration": slug} for slug in (SLUGS[2], INSIDE) for each in EVENTS[:90]]
    tell(told.engine, *others)
    refresh(told, 40)
    for scope, slugs in ((EVERYTHING, {SLUG, SLUGS[2], INSIDE}), (GLOBEX, {SLUG}), (NOBODY, set())):
        found = funnels(told.reading, scope, MONTH)
        assert found.keys() == slugs
        for slug, count in found.items():
            assert count == funnel(told.reading, scope, slug, MONTH).count


@pytest.mark.parametrize("slug", [SLUGS[2], "never"])
def test_the_funnel_of_another_is_not_there(world, slug):
    with pytest.raises(NotFound):
        funnel(world.reading, GLOBEX, slug, MONTH)


def test_a_window_that_is_none_is_refused(world):
    for window in (Window(NOW_US, NOW_US), Window(0, NOW_US)):
        with pytest.raises(BadQuery):
            funnel(world.reading, EVERYTHING, SLUG, window)
