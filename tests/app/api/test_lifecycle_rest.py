"""`POST /api/v1/lifecycle-events`: arrays of whatever, and who may send them."""

import json

import pytest

from app.domain.window import DAY_US, SECOND_US
from tests.app.lifecycle_worlds import event, installations
from tests.app.web_world import SLUGS
from tests.contract.worlds import NOW_US

PATH = "/api/v1/lifecycle-events"


def post(world, body, role="ecosystem", **options):
    given = options or {"json": body}
    return world.app.test_client().post(PATH, headers=world.bearer(role), **given)


def test_an_array_is_answered_with_what_became_of_each(world):
    events = [event("started"), event("verfied"), event("authorized"), 7]
    answer = post(world, events)
    assert answer.status_code == 200
    assert answer.json == {
        "accepted": 2,
        "duplicates": 0,
        "rejected": [
            {"index": 1, "reason": "unknown step 'verfied': did you mean 'verified'?"},
            {"index": 3, "reason": "an event is an object with keys"},
        ],
    }
    again = post(world, events).json
    assert (again["accepted"], again["duplicates"], len(again["rejected"])) == (0, 2, 2)
    assert installations(world.engine)["inst-1"].next_step == "verified"


@pytest.mark.parametrize(
    ("role", "status"),
    [("admin", 200), ("ecosystem", 200), ("globex", 403), ("initech", 403), ("builder", 403)],
)
def test_events_are_the_platforms_to_tell(world, role, status):
    assert post(world, [event()], role).status_code == status
    assert len(installations(world.engine)) == (status == 200)


def test_a_thousand_are_taken_and_one_more_refuses_the_whole(world):
    many = [event(installation=f"i{number}") for number in range(1_001)]
    refused = post(world, many)
    assert refused.status_code == 422
    assert "at most 1,000 events, this one 1,001" in refused.json["detail"]
    assert installations(world.engine) == {}
    assert post(world, many[:1_000]).json["accepted"] == 1_000


@pytest.mark.parametrize("body", [{}, "x", 5, None, True, {"events": []}])
def test_what_is_no_array_is_refused(world, body):
    answer = post(world, None, data=json.dumps(body), content_type="application/json")
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    "raw",
    [b"", b"[", b"\xff", b"[" * 100_000, b'[{"id": ' + b"[" * 100_000, b"[1e999, NaN]",
     b'[{"id": "\\ud800", "step": "\\u0000"}]', b'[{"id": 1' + b"0" * 5_000 + b"}]",
     json.dumps([{"id": "x", "step": "y" * 100_000}]).encode()],
    ids=lambda raw: str(raw[:24]),
)  # fmt: skip
def test_no_body_is_a_defect(world, raw):
    answer = post(world, None, data=raw, content_type="application/json")
    assert answer.status_code in {200, 400, 422}
    if answer.status_code == 200:
        assert answer.json["accepted"] == 0
        assert answer.json["rejected"]


def test_an_array_of_another_type_is_refused(world):
    assert post(world, None, data="[]", content_type="text/plain").status_code == 415


def test_an_installation_is_its_integrations_own(world):
    post(world, [event("started", integration=slug, installation="same") for slug in SLUGS])
    assert post(world, [event("uninstalled", integration=SLUGS[0], installation="same")])
    from sqlalchemy import func, select

    from app.db import reading
    from app.models import Installation

    with reading(world.engine) as session:
        counted = select(Installation.state, func.count()).group_by(Installation.state)
        assert dict(map(tuple, session.execute(counted))) == {"installing": 2, "uninstalled": 1}


def test_a_funnel_says_how_far_installs_came(world):
    steps = ("started", "redirected", "authorized", "verified", "activated")
    for number, reached in enumerate((5, 5, 3, 1)):
        post(
            world,
            [
                event(step, NOW_US - DAY_US + at * SECOND_US, installation=f"i{number}")
                for at, step in enumerate(steps[:reached])
            ],
        )
    found = world.api(f"/integrations/{SLUGS[0]}/funnel?by=day").json
    assert (found["entered"], found["activated"], found["activated_ratio"]) == (4, 2, 0.5)
    assert found["enough"] is False
    first, *_, verified, last = found["steps"]
    assert first == {
        "name": "started", "reached": 4, "ratio_of_previous": 1.0, "ratio_of_entered": 1.0,
        "median_seconds": 0, "p90_seconds": 0, "median_step_seconds": 0, "p90_step_seconds": 0,
        "lost": {"failed": 0, "stuck": 0, "declined": 0, "timed_out": 0}, "waiting": 0,
        "why_lost": "",
    }  # fmt: skip
    assert (verified["reached"], verified["waiting"]) == (2, 1)
    assert verified["ratio_of_previous"] == pytest.approx(2 / 3)
    assert last["median_seconds"] == pytest.approx(4, rel=0.022)
    assert found["converted"] == {"within_seconds": 86_400, "installations": 2, "ratio": 0.5}
    assert [each["entered"] for each in found["cohorts"]] == [4]
    empty = world.api(f"/integrations/{SLUGS[1]}/funnel").json
    assert (empty["entered"], empty["activated_ratio"], empty["cohorts"]) == (0, None, [])
    assert empty["steps"][0]["ratio_of_previous"] is None


@pytest.mark.parametrize("query", ["by=week", "order=x", "within=5", "from=2026-11-22", "x=1"])
def test_a_funnel_that_makes_no_sense_is_refused(world, query):
    assert world.api(f"/integrations/{SLUGS[0]}/funnel?{query}").status_code == 422


def test_a_funnel_is_taken_away_as_csv(world):
    post(world, [event("started", plan="=1+1"), event("authorized", plan="=1+1")])
    answer = world.api(f"/integrations/{SLUGS[0]}/funnel.csv?by=plan", "globex")
    assert answer.content_type == "text/csv; charset=utf-8"
    head, first, *rest = answer.text.splitlines()
    assert head.startswith("plan,entered,step,reached,median (s),p90 (s),lost: failed,")
    assert first == "'=1+1,1,started,1,0.0,0.0,0,0,0,0,0"
    assert len(rest) == 4
    assert world.api(f"/integrations/{SLUGS[2]}/funnel.csv", "globex").status_code == 404
