"""What a partner can work on, and how it compares, over the API."""

import pytest

from alerts.bookkeeping import compare
from app.db import transaction
from app.domain.window import DAY_US, MINUTE_US
from app.models import BenchmarkFigure, Integration
from tests.app.billing_worlds import post, started
from tests.app.lever_worlds import CATEGORY, OCTOBER_US, came, compared, stalls
from tests.app.web_world import INSIDE, SLUGS, integration, partner
from tests.contract.worlds import exchange, failure

SLUG = SLUGS[0]
OCTOBER = "from=2025-10-01T00:00:00Z&to=2025-11-01T00:00:00Z"


def levers(world, role: str = "globex", query: str = OCTOBER) -> dict:
    answer = world.api(f"/integrations/{SLUG}/levers?{query}", role)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_conversion_time_to_value_and_stalls_are_of_who_came_in_the_window(world):
    compared(world.engine, 0)
    stalls(world.engine, "inst-1")
    post(world, [started(0, "sub-1"), started(1, "sub-2", installation="oct-1")])
    body = levers(world)
    assert [each for each in body["conversion"] if each["by"] == "source"] == [
        {"by": "source", "name": "way-0", "entered": 11, "activated": 5, "paid": 1},
        {"by": "source", "name": "way-1", "entered": 10, "activated": 5, "paid": 1},
    ]
    assert body["to_activation"] == {
        "installations": 10, "median_seconds": 5 * 3600, "p90_seconds": 9 * 3600
    }  # fmt: skip
    assert body["to_payment"]["installations"] == 2
    assert body["stalled"] == [{"step": "redirected", "installations": 1}]
    assert levers(world, query="window=1d")["conversion"] == []
    again = world.app.test_client().get(body["links"]["self"], headers=world.bearer("globex"))
    assert again.json == body


def activation(world, role: str = "globex", query: str = OCTOBER) -> dict:
    [found] = [
        each
        for each in levers(world, role, query)["benchmark"]["figures"]
        if each["figure"] == "activation"
    ]
    return found


def test_others_of_the_category_are_told_as_quartiles_of_last_month_only(world):
    compared(world.engine, 7)
    found = activation(world)
    assert found == {
        "figure": "activation", "own": 0.5,
        "others": {"lower": 0.1, "median": 0.2, "upper": 0.3},
    }  # fmt: skip
    assert activation(world, query="window=3d") == found, "no window moves it"
    text = world.api(f"/integrations/{SLUG}/levers?{OCTOBER}", "globex").text
    assert "other-" not in text
    assert "theirs-" not in text


@pytest.mark.parametrize(
    ("of", "enough"),
    [({"others": 5}, True), ({"others": 4}, False), ({"others": 8, "partners": 4}, False),
     ({"others": 9, "installs": 19}, False)],
)  # fmt: skip
def test_too_few_others_or_too_little_of_them_say_nothing(world, of, enough):
    compared(world.engine, **of)
    assert (activation(world)["others"] is not None) is enough


def test_ones_own_other_integrations_move_nothing(world):
    compared(world.engine, 5)
    before = activation(world)
    with transaction(world.engine) as session:
        session.query(Integration).filter_by(slug=SLUGS[1]).one().category = CATEGORY
    assert activation(world) == before


def test_errors_are_compared_too_and_removed_and_internal_ones_are_left_out(world):
    compared(world.engine, 6)
    for n in range(6):
        rows = [exchange(OCTOBER_US + k * MINUTE_US, integration=f"theirs-{n}") for k in range(20)]
        rows += [failure(OCTOBER_US + k, integration=f"theirs-{n}") for k in range(n * 5)]
        world.load(rows)
    [found] = [
        each for each in levers(world)["benchmark"]["figures"] if each["figure"] == "error_ratio"
    ]
    assert found["own"] is None
    assert found["others"]["lower"] == pytest.approx(0.15, abs=0.01)
    with transaction(world.engine) as session:
        session.query(Integration).filter_by(slug="theirs-0").one().removed_us = 1
        session.query(Integration).filter_by(slug="theirs-1").one().visibility = "internal"
    assert activation(world)["others"] is None


def test_figures_are_told_as_they_were_last_counted_and_what_nobody_counted_is(world):
    compared(world.engine, 5)
    before = activation(world)
    compare(world.reading)
    assert levers(world)["benchmark"]["figures"] == counted_when_asked(world)
    came(world.engine, SLUG, 20, 20, "more")
    assert activation(world) == before, "it was counted before that"
    with transaction(world.engine) as session:
        owner = partner("late", "Late")
        session.add(owner)
        session.flush()
        late = integration(owner, "late-one")
        late.category = CATEGORY
        session.add(late)
    came(world.engine, "late-one", 20, 20)
    assert activation(world)["others"] != before["others"], "and of this one nothing was"
    compare(world.reading)
    assert activation(world)["own"] == 0.75
    world.clock.pass_us(40 * DAY_US)
    assert activation(world)["own"] is None, "another month is the last one"


def counted_when_asked(world) -> list[dict]:
    """The figures without any that are counted ahead."""
    with transaction(world.engine) as session:
        session.query(BenchmarkFigure).delete()
    found = levers(world)["benchmark"]["figures"]
    compare(world.reading)
    return found


def test_without_a_category_there_is_nothing_to_compare_with(world):
    benchmark = levers(world)["benchmark"]
    assert (benchmark["category"], benchmark["figures"]) == (None, [])


def test_theirs_and_what_never_was_and_internal_ones_are_not_found(world):
    theirs, never = (
        world.api(f"/integrations/{slug}/levers", "globex") for slug in (SLUGS[2], "nobody")
    )
    assert theirs.status_code == never.status_code == 404
    assert theirs.text.replace(SLUGS[2], "nobody") == never.text
    assert world.api(f"/integrations/{INSIDE}/levers", "builder").status_code == 404
