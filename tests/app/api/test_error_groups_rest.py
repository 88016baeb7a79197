"""Error groups as a program sees and decides about them."""

import pytest

from app.db import reading as registry_session
from app.models import AuditEntry
from tests.app.error_worlds import failing, id_of, theirs
from tests.app.web_world import CANARY, PEOPLE, SLUGS
from tests.contract.worlds import NOW_US

GROUPS = f"/integrations/{SLUGS[0]}/error-groups"
ONE = f"{GROUPS}/{id_of(failing())}"
DEV = PEOPLE["globex"][0]


@pytest.fixture
def full(world):
    world.load([], errors=[failing(), failing(message="gone", number=1), theirs()])
    return world


def patch(world, body, path=ONE, role="globex"):
    return world.app.test_client().patch(f"/api/v1{path}", json=body, headers=world.bearer(role))


def test_groups_are_listed_with_their_counts_by_standing(full):
    body = full.api(GROUPS, "globex").json
    assert [each["exchanges"] for each in body["items"]] == [4, 1]
    assert body["counts"]["new"] == 2
    assert body["next"] is None
    assert body["items"][0]["links"]["sample"] is None, "it is not kept"
    assert len(body["items"][0]["points"]) == 25


def test_what_is_decided_is_seen_and_written_down(full):
    answer = patch(full, {"handling": "ignored", "more": 7, "assignee": DEV})
    assert answer.status_code == 200
    body = answer.json
    assert (body["standing"], body["more"], body["assignee"]) == ("ignored", 7, DEV)
    assert full.api(f"{GROUPS}?standing=open", "globex").json["items"][0]["message"] == "gone"
    assert full.api(f"{GROUPS}?standing=ignored", "globex").json["items"][0]["more"] == 7
    assert patch(full, {"handling": "unresolved", "assignee": None}).json["assignee"] is None
    with registry_session(full.engine) as session:
        actors = {each.actor for each in session.query(AuditEntry).filter_by(
            action="error_group.changed")}  # fmt: skip
    assert actors == {"token:globex"}


def test_a_person_decides_by_their_session(full):
    answer = full.client("globex").patch(f"/api/v1{ONE}", json={"handling": "resolved"})
    assert (answer.status_code, answer.json["decided_by"]) == (200, DEV)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"handling": "done"}, 422),
        ({"handling": "ignored", "more": 0}, 422),
        ({"handling": "ignored", "more": 10**10}, 422),
        ({"handling": "ignored", "more": 1.5}, 422),
        ({"handling": "ignored", "until": "tomorrow"}, 422),
        ({"handling": "ignored", "until": "2020-01-01T00:00:00Z"}, 409),
        ({"handling": "resolved", "more": 1}, 409),
        ({"assignee": "x"}, 422),
        ({"assignee": PEOPLE["initech"][0]}, 422),
        ({"assignee": PEOPLE["admin"][0]}, 422),
        ({"state": "resolved"}, 422),
        ([], 422),
    ],
)
def test_a_wish_that_makes_no_sense_is_a_problem(full, body, status):
    answer = patch(full, body)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert full.api(ONE, "globex").json["handling"] == "unresolved"


def test_nobody_decides_about_somebody_elses_group(full):
    for path in (
        f"/integrations/{SLUGS[2]}/error-groups/{id_of(theirs())}",
        f"{GROUPS}/{id_of(theirs())}",
        f"{GROUPS}/{'0' * 16}",
        f"{GROUPS}/x",
    ):
        answer = patch(full, {"handling": "resolved"}, path)
        assert answer.status_code == 404
        assert CANARY not in answer.text.replace(path, "")
    theirs_now = full.api(f"/integrations/{SLUGS[2]}/error-groups", "initech").json
    assert theirs_now["counts"]["new"] == 1


def test_another_site_decides_nothing(full):
    answer = full.client("globex").patch(
        f"/api/v1{ONE}", json={"handling": "resolved"}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403


def test_a_group_comes_back_as_regressed(full):
    patch(full, {"handling": "resolved"})
    full.clock.pass_us(1)
    assert full.api(ONE, "globex").json["standing"] == "resolved"
    full.load([], errors=[failing(NOW_US + 1)])
    assert full.api(ONE, "globex").json["standing"] == "regressed"
