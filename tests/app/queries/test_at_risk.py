"""Revenue at risk against a recount of exchanges and subscriptions."""

import random

import pytest

from app import queries
from app.db import transaction
from app.domain.scope import Role, Scope
from app.domain.window import DAY_US, Window
from app.errors import BadQuery
from app.models import ExchangeRate
from tests.app.billing_worlds import cancelled, post, started
from tests.app.queries.test_usage import TODAY, use
from tests.app.web_world import EVERYTHING, GLOBEX, INSIDE, SLUGS
from tests.contract.worlds import failure

INITECH = Scope(Role.PARTNER, frozenset({"initech"}))

SLUG = SLUGS[0]
WEEK = Window(TODAY - 6 * DAY_US, TODAY + DAY_US)


def pays(world, number: int, amount: int = 4900, **more) -> None:
    answer = post(world, [started(0, f"sub-{number}", amount, **more)])
    assert answer.json["rejected"] == []


def meets(world, number: int, good: int, bad: int, days_ago: int = 1, **of) -> None:
    name = f"inst-{number}"
    rows = [use(days_ago, name, second=n, **of) for n in range(good)]
    world.load(rows + [use(days_ago, name, second=9_000 + n, bad=True, **of) for n in range(bad)])


def risk(world, scope=GLOBEX, window: Window = WEEK, **of):
    return queries.at_risk(world.reading, scope, SLUG, window, **of)


def test_at_risk_is_what_those_pay_who_met_more_failures_than_allowed(world):
    for number, (good, bad) in enumerate([(190, 10), (400, 1), (3, 2), (50, 0), (10, 30)]):
        pays(world, number, 1000 * (number + 1))
        meets(world, number, good, bad)
    meets(world, 77, 0, 40)
    found = risk(world)
    assert (found.at_risk_minor, found.installations) == (1000 + 5000, 2)
    assert (found.unsure_minor, found.unsure) == (3000, 1)
    assert found.by_fault == {"partner": 6000}


def test_only_the_days_that_the_window_touches_count(world):
    pays(world, 1)
    meets(world, 1, 0, 50, days_ago=7)
    assert risk(world).at_risk_minor == 0
    assert risk(world, window=Window(TODAY - 7 * DAY_US + 5, TODAY)).at_risk_minor == 4900


def test_who_pays_no_more_is_not_at_risk(world):
    pays(world, 1)
    post(world, [cancelled(5, "sub-1")])
    meets(world, 1, 0, 50)
    assert risk(world) is None


def test_an_installation_counts_under_who_caused_most_of_its_failures(world):
    pays(world, 1, 100)
    pays(world, 2, 10)
    meets(world, 1, 0, 30)
    world.load([failure(TODAY - DAY_US + n, integration=SLUG, installation="inst-2", fault=3)
                for n in range(30)])  # fmt: skip
    assert risk(world).by_fault == {"partner": 100, "network": 10}


def test_amounts_of_several_currencies_are_one_and_what_has_no_rate_is_named(world):
    with transaction(world.engine) as session:
        session.add(ExchangeRate(base="EUR", currency="USD", day=20_000, value="1.10"))
    for number, currency in enumerate(["USD", "USD", "EUR", "SEK"]):
        pays(world, number, 1000, currency=currency)
        meets(world, number, 0, 20)
    found = risk(world)
    assert (found.currency, found.at_risk_minor) == ("USD", 3100)
    assert found.unconverted == ("SEK",)
    assert risk(world, currency="EUR").at_risk_minor == 1000 + 1818


@pytest.mark.parametrize("seed", [1, 2])
def test_all_integrations_at_once_equal_each_alone_and_a_recount(world, seed):
    rng = random.Random(seed)
    expected = 0
    for number in range(12):
        good, bad = rng.randrange(300), rng.randrange(4)
        pays(world, number, amount := rng.randrange(1, 5000))
        meets(world, number, good, bad)
        expected += amount if good + bad >= 20 and bad * 200 > good + bad else 0
    every = queries.at_risk_of_all(world.reading, EVERYTHING, WEEK)
    assert every[SLUG].at_risk_minor == risk(world).at_risk_minor == expected
    assert set(every) == {SLUG}, "nobody pays for the others"
    assert queries.at_risk_of_all(world.reading, GLOBEX, WEEK) == every
    assert queries.at_risk_of_all(world.reading, INITECH, WEEK) == {}


def test_nobody_pays_for_an_internal_integration(world):
    assert queries.at_risk(world.reading, EVERYTHING, INSIDE, WEEK) is None


def test_a_window_of_nothing_is_refused(world):
    with pytest.raises(BadQuery):
        risk(world, window=Window(5, 5))


def test_revenue_says_what_is_at_risk(world):
    pays(world, 1)
    meets(world, 1, 100, 20)
    body = world.api(f"/integrations/{SLUG}/revenue?window=30d", "globex").json
    assert body["at_risk_minor"] == 4900
    assert body["at_risk"] == {
        "installations": 1, "by_fault": {"partner": 4900}, "unsure": 0, "unsure_minor": 0,
        "unconverted": [],
    }  # fmt: skip
