import pytest

from tests.app.queries.test_usage import use
from tests.app.web_world import INSIDE, SLUGS

SLUG = SLUGS[0]


def test_the_api_says_who_uses_it(world):
    world.load([use(1, f"inst-{n}", second=n) for n in range(4)])
    world.load([use(40, "inst-9"), use(1, bad=True)])
    body = world.api(f"/integrations/{SLUG}/usage", "globex").json
    assert body["installations"] == {
        "active": 4, "before": 1, "new": 4, "kept": 0, "returning": 0, "lapsed": 1,
    }  # fmt: skip
    assert body["active"] == {"day": 0, "week": 4, "month": 4}
    assert body["stickiness"] == {"value": 4 / 112, "numerator": 4, "denominator": 112}
    assert body["concentration"]["top_1"] == {"value": 0.4, "numerator": 2, "denominator": 5}
    assert (body["exchanges"], body["exchanges_before"], body["unnamed"]) == (5, 1, 0)
    assert len(body["days"]) == 28
    assert body["customers"][0]["bad"] == 1
    assert body["sentence"].startswith("4 installations used it in 28 days")
    again = world.app.test_client().get(body["links"]["self"], headers=world.bearer("globex"))
    assert again.json == body


def test_without_traffic_ratios_are_null(world):
    body = world.api(f"/integrations/{SLUG}/usage").json
    assert body["stickiness"] is None
    assert body["concentration"] == {"top_1": None, "top_5": None, "top_10": None}


def test_an_internal_integration_has_usage(world):
    assert world.api(f"/integrations/{INSIDE}/usage", "builder").status_code == 200


@pytest.mark.parametrize("path", ["usage", "usage.csv"])
def test_theirs_and_what_never_was_are_not_found_alike(world, path):
    theirs, never = (
        world.api(f"/integrations/{slug}/{path}", "globex") for slug in (SLUGS[2], "nobody")
    )
    assert theirs.status_code == never.status_code == 404
    assert theirs.text.replace(SLUGS[2], "nobody") == never.text


@pytest.mark.parametrize("query", ["window=0d", "window=370d", "from=x", "days=3", "to=2026-01-01"])
def test_a_window_that_is_none_is_refused(world, query):
    assert world.api(f"/integrations/{SLUG}/usage?{query}").status_code == 422


def test_the_table_is_a_download(world):
    world.load([use(1)])
    answer = world.api(f"/integrations/{SLUG}/usage.csv?window=7d", "globex")
    assert answer.mimetype == "text/csv"
    assert answer.text.splitlines()[1] == f"{SLUG},inst-1,cust-1,1,0,1,0"


def test_the_platform_waits_for_its_own_calls_and_not_for_the_partners(world):
    rows = [use(1, direction=0), use(2, direction=1), use(40, direction=0)]
    world.load(rows)
    body = world.api(f"/integrations/{SLUG}/usage", "globex").json
    assert body["waited_seconds"] == body["waited_seconds_before"] == rows[0].total_us / 1e6 > 0
