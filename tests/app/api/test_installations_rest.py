"""Installations over REST: lists, one story, what is stuck, what does not fit."""

from datetime import UTC, datetime

import pytest

from app.commands.lost_installs import judge_lost
from app.commands.reconcile import reconcile
from app.domain.window import DAY_US, HOUR_US, MINUTE_US
from collectors.loader.activity import activity
from tests.app.web_world import CANARY, SLUGS
from tests.contract.worlds import NOW_US, batch_of, exchange, failure

GLOBEX, CHAT, INITECH = SLUGS


def moment(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).isoformat()


def told(world, name: str, step: str, at_us: int, slug: str = GLOBEX, **more: str) -> None:
    event = {
        "id": f"{name}-{step}", "integration": slug, "installation": name, "step": step,
        "occurred_at": moment(at_us), **more,
    }  # fmt: skip
    answer = world.app.test_client().post(
        "/api/v1/lifecycle-events", json=[event], headers=world.bearer("ecosystem")
    )
    assert answer.json["accepted"] == 1, answer.json


def crossed(world, *rows) -> None:
    world.store.append(batch_of(rows, activity=activity(rows)))


@pytest.fixture
def installs(world):
    """One active, one that failed before it was verified, one removed that still calls."""
    told(world, "inst-1", "started", NOW_US - 9 * DAY_US, customer="cust-1", plan="pro")
    told(world, "inst-1", "activated", NOW_US - 8 * DAY_US)
    told(world, "inst-2", "started", NOW_US - 2 * DAY_US)
    told(world, "inst-3", "activated", NOW_US - 8 * DAY_US, customer="cust-1")
    told(world, "inst-3", "uninstalled", NOW_US - 2 * DAY_US, reason="too dear")
    told(world, "inst-1", "started", NOW_US - 9 * DAY_US, INITECH, customer=CANARY)
    webhook = {"kind": 1, "topic": "installation.created", "operation": "installation.created"}
    world.failed = failure(
        NOW_US - 2 * DAY_US + MINUTE_US, integration=GLOBEX, installation="inst-2", **webhook
    )
    crossed(
        world, world.failed,
        exchange(NOW_US - 8 * DAY_US, integration=GLOBEX, direction=1),
        exchange(NOW_US - HOUR_US, integration=GLOBEX, direction=1, installation="inst-3"),
        exchange(NOW_US - HOUR_US, integration=GLOBEX, direction=1, installation="a/b c"),
        exchange(NOW_US - 2 * HOUR_US, integration=GLOBEX, direction=1, installation="a/b c"),
    )  # fmt: skip
    judge_lost(world.engine, world.store, NOW_US)
    reconcile(world.engine, world.store, NOW_US)
    return world


def test_installations_are_listed_newest_first_and_filtered(installs) -> None:
    found = installs.api("/installations").json
    ids = [each["id"] for each in found["items"]]
    assert ids == [
        f"{INITECH}:inst-1", f"{GLOBEX}:inst-3", f"{GLOBEX}:inst-2", f"{GLOBEX}:inst-1"
    ]  # fmt: skip
    assert found["next"] is None
    for query, expected in (
        (f"integration={GLOBEX}", ids[1:]),
        ("state=active", [ids[3]]),
        ("state=uninstalled", [ids[1]]),
        ("customer=cust-1", [ids[1], ids[3]]),
        (f"customer=cust-1&state=active&integration={CHAT}", []),
    ):
        answer = installs.api(f"/installations?{query}").json
        assert [each["id"] for each in answer["items"]] == expected, query


def test_a_cursor_walks_through_all_of_them_once(installs) -> None:
    seen, cursor = [], ""
    while cursor is not None:
        page = installs.api(f"/installations?limit=1{cursor and '&cursor=' + cursor}").json
        seen += [each["id"] for each in page["items"]]
        cursor = page["next"]
    assert len(seen) == len(set(seen)) == 4
    assert installs.api("/installations?cursor=nonsense").status_code == 422


def test_an_installation_says_where_it_stands(installs) -> None:
    found = installs.api(f"/installations/{GLOBEX}:inst-3").json
    assert (found["state"], found["reason"], found["customer"]) == (
        "uninstalled", "too dear", "cust-1"
    )  # fmt: skip
    assert found["uninstalled_at"].startswith(moment(NOW_US - 2 * DAY_US)[:19])
    assert installs.api(found["links"]["self"].removeprefix("/api/v1")).json == found
    [finding] = found["findings"]
    assert finding["kind"] == "uninstalled_still_calling"
    assert finding["evidence"].keys() == {"uninstalled_at", "last_call_at"}


def test_a_lost_install_names_the_exchange_that_failed_and_what_to_do(installs) -> None:
    found = installs.api(f"/installations/{GLOBEX}:inst-2").json
    assert (found["next_step"], found["lost_cause"]) == ("redirected", "failed")
    assert found["failure"]["ended"] == "503"
    assert found["failure"]["what"] == "installation.created"
    assert found["advice"].startswith("The partner has to mend what ended")
    evidence = installs.api(found["links"]["failed"].removeprefix("/api/v1")).json
    assert evidence["id"] == found["failure"]["exchange"]


def test_a_story_tells_everything_on_one_time_line(installs) -> None:
    found = installs.api(f"/installations/{GLOBEX}:inst-3").json
    told = [(each["sort"], each["what"]) for each in found["story"]]
    assert told == [
        ("call", "GET /v1/issues/{id}"),
        ("lifecycle", "uninstalled"),
        ("finding", "uninstalled_still_calling"),
        ("lifecycle", "activated"),
    ]
    times = [each["at"] for each in found["story"]]
    assert times == sorted(times, reverse=True)


def test_a_bare_name_will_do_where_it_means_one(installs) -> None:
    assert installs.api("/installations/inst-2").json["id"] == f"{GLOBEX}:inst-2"
    answer = installs.api("/installations/inst-1")
    assert answer.status_code == 404
    assert "say which" in answer.json["detail"]
    assert installs.api("/installations/inst-1", "globex").json["id"] == f"{GLOBEX}:inst-1"
    assert installs.api(f"/installations/{INITECH}:inst-1", "globex").status_code == 404
    for nothing in ("nothing", "%00", "a%2Fb", f"{GLOBEX}:", ":inst-1"):
        assert installs.api(f"/installations/{nothing}").status_code == 404, nothing


def test_what_is_stuck_comes_oldest_first_with_what_to_do(installs) -> None:
    told(installs, "inst-4", "started", NOW_US - 3 * DAY_US)
    told(installs, "inst-5", "started", NOW_US - 30 * DAY_US)
    found = installs.api(f"/integrations/{GLOBEX}/stuck-installs").json
    assert [each["installation"] for each in found["items"]] == ["inst-4", "inst-2"]
    assert found["stuck"] == 2
    assert all(each["advice"] for each in found["items"])
    assert installs.api(f"/integrations/{GLOBEX}/stuck-installs", "initech").status_code == 404


def test_what_does_not_fit_is_counted_and_listed_by_kind(installs) -> None:
    path = f"/integrations/{GLOBEX}/reconciliation"
    found = installs.api(path).json
    assert found["counts"]["calling_without_install"] == 1
    assert found["counts"]["uninstalled_still_calling"] == 1
    assert sum(found["counts"].values()) == len(found["items"]) == 2
    [stranger] = installs.api(f"{path}?kind=calling_without_install").json["items"]
    assert (stranger["installation"], stranger["evidence"]["calls"]) == ("a/b c", 2)
    assert installs.api(f"{path}?over=true").json["items"] == []
    assert installs.api(f"{path}?kind=nonsense").status_code == 422
    assert installs.api(path, "initech").status_code == 404
