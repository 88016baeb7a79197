"""What failures put at risk, of an error group and of an incident too, over the API."""

import pytest

from app.domain.window import DAY_US, MINUTE_US
from tests.app.alert_worlds import add_incident
from tests.app.billing_worlds import post, started
from tests.app.error_worlds import failing, id_of
from tests.app.web_world import SLUGS
from tests.contract.worlds import NOW_US, failure

SLUG = SLUGS[0]
OPERATION = "POST /v1/issues"


@pytest.fixture
def risky(world):
    """Three that pay meet failures of today: two of one group, the third of another."""
    for number in range(3):
        assert post(world, [started(0, f"sub-{number}", 1000 + number)]).json["accepted"] == 1
    for number, operation in enumerate((OPERATION, OPERATION, "GET /v1/others")):
        rows = [
            failure(NOW_US - n - 1, integration=SLUG, installation=f"inst-{number}", status=500,
                    operation=operation)
            for n in range(30)
        ]  # fmt: skip
        world.load(rows, errors=[failing(number=30, operation=operation)])
    return world


def told(world, query: str = "window=1d", role: str = "globex"):
    return world.api(f"/integrations/{SLUG}/at-risk?{query}", role)


def test_of_the_integration_and_of_a_group(risky):
    assert told(risky).json["at_risk_minor"] == 3003
    group = id_of(failing(operation=OPERATION))
    body = told(risky, f"window=1d&group={group}").json
    assert (body["at_risk_minor"], body["at_risk"]["installations"]) == (2001, 2)
    assert body["looked_at"] == 60
    other = id_of(failing(operation="GET /v1/others"))
    assert told(risky, f"window=1d&group={other}").json["at_risk_minor"] == 1002


def test_of_an_incident_over_its_own_days(risky):
    now = add_incident(risky.engine, NOW_US, SLUG, "globex")
    assert told(risky, f"incident={now}").json["at_risk_minor"] == 3003
    before = add_incident(
        risky.engine, NOW_US - 9 * DAY_US, SLUG, "globex", rule="silence", over=True
    )
    body = told(risky, f"incident={before}").json
    assert body["at_risk_minor"] == 0
    assert body["window"]["end"] < "2025-11-12"


def test_what_is_not_the_integrations_is_not_found(risky):
    theirs = add_incident(risky.engine, NOW_US, SLUGS[2], "initech")
    own = add_incident(risky.engine, NOW_US - MINUTE_US, SLUGS[1], "globex")
    for query in (f"incident={theirs}", f"incident={own}", "incident=99999", "group=never"):
        assert told(risky, query).status_code == 404, query
    assert told(risky, role="initech").status_code == 404
    for query in ("incident=1&window=1d", "incident=1&group=x", "incident=x", "incident=0",
                  "incident=99999999999999999999"):  # fmt: skip
        assert told(risky, query).status_code == 422, query


def test_where_nobody_pays_there_is_nothing_at_risk(world):
    body = told(world).json
    assert (body["at_risk_minor"], body["at_risk"], body["currency"]) == (None, None, None)
