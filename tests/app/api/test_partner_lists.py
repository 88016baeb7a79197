"""A partner's own list: taken whole or not at all, and compared."""

from datetime import UTC, datetime

import pytest

from tests.app.web_world import SLUGS
from tests.contract.worlds import NOW_US

PATH = f"/integrations/{SLUGS[0]}/installation-list"


def told(world, name: str, *steps: str) -> None:
    at = datetime.fromtimestamp(NOW_US / 1e6 - 60, UTC).isoformat()
    events = [
        {"id": f"{name}-{step}", "integration": SLUGS[0], "installation": name, "step": step,
         "occurred_at": at} for step in steps
    ]  # fmt: skip
    answer = world.app.test_client().post(
        "/api/v1/lifecycle-events", json=events, headers=world.bearer("ecosystem")
    )
    assert answer.json["accepted"] == len(steps)


def sent(world, body, role: str = "globex", path: str = PATH):
    client = world.app.test_client()
    return client.post(f"/api/v1{path}", json=body, headers=world.bearer(role))


def listed(**states: str) -> list[dict[str, str]]:
    return [{"installation": name, "state": state} for name, state in states.items()]


def test_a_partner_posts_its_list_and_sees_how_it_differs(world) -> None:
    for name, *steps in (
        ("same", "activated"), ("paused", "activated", "suspended"), ("lost", "activated"),
        ("gone", "activated", "uninstalled"), ("coming", "started"),
    ):  # fmt: skip
        told(world, name, *steps)
    before = world.api(PATH).json
    assert (before["taken_at"], before["items"]) == (None, [])
    mine = listed(same="active", paused="active", stranger="active", old="uninstalled")
    answer = sent(world, {"items": mine, "total": 4})
    assert answer.status_code == 200
    assert [(each["kind"], each["installation"]) for each in answer.json["items"]] == [
        ("missing_there", "lost"), ("different_state", "paused"), ("missing_here", "stranger")
    ]  # fmt: skip
    assert answer.json["counts"] == {
        "missing_here": 1, "missing_there": 1, "different_state": 1
    }  # fmt: skip
    assert world.api(PATH).json == answer.json


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"items": listed(a="active"), "total": 2}, "says that it has 2"),
        ({"items": [*listed(a="active"), *listed(a="active")]}, "is there twice"),
        ({"items": [*listed(a="active"), {"installation": "b"}]}, "item 1: lacks 'state'"),
        ({"items": [{"installation": "b", "state": "alive"}]}, "unknown state 'alive'"),
        ({"items": [{"installation": "b\0", "state": "active"}]}, "cannot be kept"),
        ({"items": [[]]}, "not an object with keys"),
        ({"items": [None] * 200_001}, "at most 200,000"),
    ],
)
def test_a_list_with_anything_wrong_leaves_the_one_before(world, body, reason) -> None:
    assert sent(world, {"items": listed(first="active")}).status_code == 200
    answer = sent(world, body)
    assert answer.status_code == 422
    assert reason in answer.json["detail"]
    assert world.api(PATH).json["listed"] == 1
    assert world.api(PATH).json["items"][0]["installation"] == "first"


def test_nobody_posts_or_sees_the_list_of_another(world) -> None:
    assert sent(world, {"items": []}, "initech").status_code == 404
    assert world.api(PATH, "initech").status_code == 404
    assert (
        sent(world, {"items": []}, path="/integrations/never/installation-list").status_code == 404
    )
