"""Usage against a recount that looks at every exchange."""

import csv
import random

import pytest

from app import queries
from app.db import transaction
from app.domain.usage import LOOKBACK_DAYS
from app.domain.window import DAY_US, MINUTE_US, Window, floor
from app.domain.words import Outcome
from app.errors import BadQuery
from app.models.integration import DeprecatedOperation, Integration
from tests.app.web_world import EVERYTHING, GLOBEX, SLUGS
from tests.contract.worlds import NOW_US, exchange, failure

TODAY = floor(NOW_US, DAY_US)
SLUG = SLUGS[0]


def window(length: int, ending_days_ago: int = 0) -> Window:
    end_us = TODAY + DAY_US - ending_days_ago * DAY_US
    return Window(end_us - length * DAY_US, end_us)


def use(days_ago: int, installation: str = "inst-1", **of):
    at_us = TODAY - days_ago * DAY_US + of.pop("second", 60) * 1_000_000
    customer = of.pop("customer", installation.replace("inst", "cust"))
    named = {"integration": SLUG, "installation": installation, "customer": customer}
    return (failure if of.pop("bad", False) else exchange)(at_us, **named, **of)


def asked(world, length: int = 28, scope=GLOBEX, ending_days_ago: int = 0):
    return queries.usage(world.reading, scope, SLUG, window(length, ending_days_ago))


def history(seed: int, installations: int = 30, days: int = 150):
    rng = random.Random(seed)
    rows = []
    for number in range(installations):
        born, gone = rng.randrange(days), rng.randrange(days)
        for age in range(days):
            if gone <= age <= born and rng.random() < 0.3:
                rows += [
                    use(age, f"inst-{number}", second=n, kind=rng.randrange(2), bad=n == 2,
                        customer=f"cust-{number % 20}")
                    for n in range(rng.randrange(1, 4))
                ]  # fmt: skip
    return rows


def days_of(row) -> int:
    return (TODAY - floor(row.started_us, DAY_US)) // DAY_US


def who(rows, newest: int, oldest: int) -> set[str]:
    """Installations active between so many days ago, both included."""
    return {row.installation for row in rows if newest <= days_of(row) <= oldest}


@pytest.mark.parametrize(("seed", "length"), [(1, 28), (2, 7), (3, 1), (4, 60)])
def test_every_number_equals_a_recount_of_every_exchange(world, seed, length):
    rows = history(seed)
    world.load(rows)
    found = asked(world, length)
    known = length + max(length, LOOKBACK_DAYS) - 1
    now, before = who(rows, 0, length - 1), who(rows, length, 2 * length - 1)
    earlier = who(rows, length, known)
    growth = found.growth
    assert growth.active == len(now)
    assert growth.before == len(before)
    assert growth.new == len(now - earlier)
    assert growth.kept == len(now & before)
    assert growth.returning == len((now & earlier) - before)
    assert growth.lapsed == len(before - now)
    assert growth.active == growth.new + growth.kept + growth.returning
    assert found.active == {span: len(who(rows, 0, span - 1)) for span in (1, 7, 28)}
    daily = [len(who(rows, age, age)) for age in range(28)]
    assert found.stickiness.numerator == sum(daily)
    for place, day in enumerate(found.days):
        age = length - 1 - place
        assert day.active == len(who(rows, age, age))
        assert day.active_week == len(who(rows, age, age + 6))
        assert day.active_month == len(who(rows, age, age + 27))
        assert day.new == len(who(rows, age, age) - who(rows, age + 1, known))
        assert day.exchanges == sum(days_of(row) == age for row in rows)
    inside = [row for row in rows if days_of(row) < length]
    assert found.exchanges == len(inside)
    counted = [sum(row.customer == f"cust-{n}" for row in inside) for n in range(20)]
    counted.sort(reverse=True)
    assert [each.exchanges for each in found.customers] == [each for each in counted if each]
    for top in (1, 5, 10):
        assert found.concentration[top] == (sum(counted[:top]), len(inside))


@pytest.mark.parametrize("seed", [5, 6])
def test_cohorts_equal_a_recount(world, seed):
    rows = history(seed)
    world.load(rows)
    found = asked(world, 28)
    first = {}
    for row in sorted(rows, key=days_of, reverse=True):
        if days_of(row) < 28 + LOOKBACK_DAYS:
            first.setdefault(row.installation, floor(row.started_us, DAY_US) // DAY_US)
    assert len(found.cohorts) == 8
    for place, cohort in enumerate(found.cohorts):
        assert (cohort.day + 3) % 7 == 0, "weeks begin on Mondays"
        members = {it for it, day in first.items() if 0 <= day - cohort.day < 7}
        assert cohort.size == len(members)
        assert len(cohort.active) == 8 - place
        for week, number in enumerate(cohort.active):
            oldest = TODAY // DAY_US - (cohort.day + 7 * week)
            assert number == len(members & who(rows, max(oldest - 6, 0), oldest))


def test_an_integration_without_traffic_has_zeros_and_no_ratio(world):
    found = asked(world)
    assert found.sentence == "Nobody used it in this time."
    assert (found.growth.active, found.exchanges, found.customers) == (0, 0, ())
    assert found.stickiness.value is None
    assert found.concentration[1].value is None
    assert len(found.days) == 28


def test_calls_that_name_nobody_are_counted_beside(world):
    world.load([use(1, ""), use(1, ""), use(2, "inst-1")])
    found = asked(world)
    assert (found.exchanges, found.unnamed, found.growth.active) == (3, 2, 1)


def test_an_installation_whose_customer_nobody_told_stands_for_itself(world):
    world.load([use(1, "inst-1", customer=""), use(1, "inst-2", customer="c")])
    named = {each.customer: each.named for each in asked(world).customers}
    assert named == {"inst-1": False, "c": True}


def test_operations_are_adopted_or_stop(world):
    world.load([use(1, operation="POST /v2/new")])
    world.load([use(1, operation="GET /v1/kept"), use(30, operation="GET /v1/kept")])
    world.load([use(35, operation="GET /v1/gone", second=n) for n in range(20)])
    world.load([use(35, operation="GET /v1/rare")])
    world.load([use(1, operation="GET /v1/back"), use(70, operation="GET /v1/back")])
    world.load([use(1, kind=1, operation="webhook issue.created", topic="issue.created")])
    found = {each.operation: each for each in asked(world).operations}
    assert {name: each.change for name, each in found.items()} == {
        "POST /v2/new": "adopted", "GET /v1/kept": None, "GET /v1/gone": "stopped",
        "GET /v1/rare": None, "GET /v1/back": None, "webhook issue.created": "adopted",
    }  # fmt: skip
    assert found["webhook issue.created"].topic == "issue.created"
    versions = {each.version: (each.exchanges, each.before) for each in asked(world).versions}
    assert versions == {"v1": (2, 22), "v2": (1, 0)}


def deprecate(world, *templates: str) -> None:
    with transaction(world.engine) as session:
        owner = session.query(Integration).filter_by(slug=SLUG).one()
        for position, template in enumerate(templates):
            session.add(
                DeprecatedOperation(integration_id=owner.id, position=position, template=template)
            )


def test_a_deprecated_operation_that_is_still_called_is_told_with_its_callers(world):
    deprecate(world, "GET /v1/old/{key}", "GET /v1/forgotten")
    world.load([use(1, f"inst-{n % 2}", operation="GET /v1/old/{id}", second=n) for n in range(5)])
    world.load([use(1, operation="GET /v1/fine")])
    found = asked(world)
    [old] = found.deprecated
    assert (old.operation, old.exchanges, old.looked_at) == ("GET /v1/old/{id}", 5, 5)
    assert [(each.installation, each.exchanges) for each in old.callers] == [
        ("inst-0", 3), ("inst-1", 2)
    ]  # fmt: skip
    assert "1 deprecated operation is still called" in found.sentence


def test_the_quota_is_the_busiest_minute_of_the_last_day_against_the_limit(world):
    with transaction(world.engine) as session:
        owner = session.query(Integration).filter_by(slug=SLUG).one()
        owner.requests_per_second = 0.5
    at_us = floor(NOW_US, MINUTE_US) - 10 * MINUTE_US
    rows = [exchange(at_us + n, integration=SLUG) for n in range(12)]
    rows += [exchange(at_us + MINUTE_US, integration=SLUG, direction=1)]
    rows += [
        failure(at_us + 9, integration=SLUG, outcome=int(Outcome.REJECTED), error="rate_limited")
    ]
    world.load(rows)
    outbound, inbound = asked(world).quota.ways
    assert (outbound.direction, outbound.busiest, outbound.refused) == ("outbound", 13, 1)
    assert asked(world).quota.used(outbound) == pytest.approx(13 / 60 / 0.5)
    assert (inbound.busiest, inbound.refused) == (1, 0)


@pytest.mark.parametrize("span", [Window(10, 10), Window(20, 10), Window(0, 400 * DAY_US)])
def test_a_window_of_nothing_or_of_more_than_a_year_is_refused(world, span):
    with pytest.raises(BadQuery):
        queries.usage(world.reading, EVERYTHING, SLUG, span)


def test_the_export_has_every_active_installation_once(world):
    world.load(history(9))
    world.load([use(1, "=cmd()", customer="a\nb")])
    rows = list(csv.reader(queries.export_usage(world.reading, GLOBEX, SLUG, window(28))))
    head, *lines = rows
    assert len(lines) == asked(world).growth.active
    assert sum(int(line[3]) for line in lines) == asked(world).exchanges
    assert [line[1:3] for line in lines if "cmd" in line[1]] == [["'=cmd()", "a\\x0ab"]]
    assert head[3] == "exchanges"
