"""Who left after meeting failures: worlds in which it is known."""

import pytest
from sqlalchemy import insert

from app import queries
from app.db import transaction
from app.domain.window import DAY_US
from app.models import Installation, Integration
from app.store.activity import ActivitySum, of_sums
from app.store.port import Batch
from tests.app.queries.test_usage import TODAY
from tests.app.web_world import GLOBEX, SLUGS

SLUG = SLUGS[0]
#: The end of the newest period in which somebody may be exposed.
LANDMARK = TODAY - 14 * DAY_US


def group(world, name: str, number: int, leaving: int, *, bad: int, plan: str = "pro", **of):
    """`number` installations with 40 exchanges in a period, `leaving` of which leave behind it."""
    end_us = of.get("landmark", LANDMARK)
    sums, rows = [], []
    for place in range(number):
        day_us = end_us - 3 * DAY_US
        sums.append(
            ActivitySum(SLUG, f"{name}-{place}", "", 0, 0, day_us, 40, 40 - bad, bad, bad, 0, 0, 0,
                        day_us, day_us, day_us, day_us)
        )  # fmt: skip
        left_us = end_us + of.get("days_after", 5) * DAY_US if place < leaving else None
        rows.append({
            "external_id": f"{name}-{place}", "plan": plan, "uninstalled_us": left_us,
            "state": "uninstalled" if left_us else "active", "entered_us": end_us - 60 * DAY_US,
            "last_us": 0, "created_us": 0, "updated_us": 0, "facts": b"",
        })  # fmt: skip
    world.store.append(Batch(activity=of_sums(sums)))
    with transaction(world.engine) as session:
        number_of = session.query(Integration.id).filter_by(slug=SLUG).scalar()
        session.execute(insert(Installation), [{"integration_id": number_of, **r} for r in rows])


def asked(world):
    return queries.churn(world.reading, GLOBEX, SLUG).found


def test_who_met_too_many_failures_is_compared_with_others_like_them(world):
    group(world, "hurt", 50, 20, bad=10)
    group(world, "fine", 100, 10, bad=0)
    group(world, "free", 30, 30, bad=0, plan="free")
    found = asked(world)
    assert (found.exposed, found.exposed_left, found.others, found.others_left) == (50, 20, 100, 10)
    assert (found.exposed_ratio, found.others_ratio) == (0.4, 0.1)
    assert found.ratio == pytest.approx(4.0)


@pytest.mark.parametrize(("days_after", "left"), [(-1, None), (0, 20), (13, 20), (15, 0)])
def test_only_leaving_in_the_next_period_counts(world, days_after, left):
    group(world, "hurt", 50, 20, bad=10, landmark=LANDMARK - 14 * DAY_US, days_after=days_after)
    group(world, "fine", 100, 10, bad=0, landmark=LANDMARK - 14 * DAY_US)
    found = asked(world)
    if left is None:
        assert found.exposed == 30, "who had left before is in neither group"
    else:
        assert (found.exposed, found.exposed_left) == (50, left)


def test_the_newest_period_is_not_judged_before_its_next_one_is_over(world):
    group(world, "hurt", 50, 20, bad=10, landmark=TODAY)
    group(world, "fine", 100, 10, bad=0, landmark=TODAY)
    assert asked(world).exposed == asked(world).others == 0


def test_without_data_it_says_so(world):
    view = queries.churn(world.reading, GLOBEX, SLUG)
    assert view.sentence.startswith("Not enough data to compare")
    body = world.api(f"/integrations/{SLUG}/churn", "globex").json
    assert (body["enough"], body["churn_ratio"], body["churn_interval"]) == (False, None, None)
