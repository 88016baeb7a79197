"""Alerts, silences and rules for programs."""

import json

import pytest

from alerts.changes import Change, Key
from alerts.conditions import Verdict
from alerts.evaluate import Subject
from alerts.store import AlertStore
from app.domain.alert import Event, Finding, Standing, State
from app.domain.default_rules import DEFAULT_RULES
from app.domain.rule import Severity
from tests.app.web_world import CANARY, SLUGS


def fire(world, slug: str, partner: str, summary: str = "8.4 % errors") -> None:
    key = Key("budget-burn", f"integration={slug}")
    change = Change(
        key, None, Standing(State.FIRING, world.clock.now_us, 1, world.clock.now_us), Event.FIRED,
        Subject(key.series, slug, partner), Verdict(Finding.TRUE, summary), Severity.P2,
    )  # fmt: skip
    evidence = {key: json.dumps({"now": {"bad": 7}})}
    store = AlertStore(world.engine, "midspan.example")
    assert store.record([change], evidence, world.clock.now_us).changed == 1


def send(world, method: str, path: str, role: str = "ecosystem", **body):
    return world.app.test_client().open(
        f"/api/v1{path}", method=method, headers=world.bearer(role), **body
    )


@pytest.fixture
def burning(world):
    fire(world, SLUGS[0], "globex")
    fire(world, SLUGS[2], "initech", CANARY)
    return world


def test_an_alert_says_what_whose_since_when_and_who_was_told(burning):
    found = burning.api("/alerts").json
    assert [each["integration"] for each in found["items"]] == [SLUGS[2], SLUGS[0]]
    mine = burning.api(f"/alerts/{found['items'][1]['id']}").json
    assert (mine["severity"], mine["state"], mine["summary"]) == ("P2", "firing", "8.4 % errors")
    assert mine["evidence"] == {"now": {"bad": 7}}
    assert {each["address"]: each["reason"] for each in mine["notifications"]} == {
        "eco@acme.example": "first_word",
        "oncall@globex.example": "first_word",
    }
    assert mine["fired_at"].endswith("Z")
    assert mine["resolved_at"] is None


def test_a_partner_gets_its_own_alerts_and_no_byte_of_anothers(burning):
    theirs, mine = (each["id"] for each in burning.api("/alerts").json["items"])
    answer = burning.api("/alerts", "globex")
    assert [each["id"] for each in answer.json["items"]] == [mine]
    assert CANARY not in answer.text
    assert "eco@acme.example" not in answer.text
    assert burning.api(f"/alerts/{theirs}", "globex").status_code == 404
    assert send(burning, "POST", f"/alerts/{theirs}/acknowledgement", "globex").status_code == 404


def test_an_alert_is_acknowledged_once_and_stays_theirs(burning):
    number = burning.api("/alerts", "globex").json["items"][0]["id"]
    path = f"/alerts/{number}/acknowledgement"
    assert send(burning, "POST", path, "globex").json["acknowledged_by"] == "token:globex"
    assert send(burning, "POST", path).json["acknowledged_by"] == "token:globex"


def test_lists_are_narrowed_and_paged(burning):
    assert len(burning.api(f"/alerts?integration={SLUGS[0]}&state=open").json["items"]) == 1
    first = burning.api("/alerts?limit=1").json
    second = burning.api(f"/alerts?limit=1&cursor={first['next']}").json
    assert [len(first["items"]), len(second["items"]), second["next"]] == [1, 1, None]
    assert burning.api("/alerts?cursor=x").status_code == 422
    assert burning.api("/alerts?state=closed").status_code == 422


def test_a_silence_is_made_seen_and_ended(world):
    body = {"integration": SLUGS[0], "ends_at": "2100-01-01T00:00:00Z"}
    too_long = send(world, "POST", "/silences", "globex", json=body)
    assert (too_long.status_code, "92 days" in too_long.text) == (422, True)
    from app.api.rendering import moment

    body["ends_at"] = moment(world.clock.now_us + 3_600_000_000)
    made = send(world, "POST", "/silences", "globex", json=body)
    assert (made.status_code, made.json["partner"]) == (201, "globex")
    assert [each["id"] for each in world.api("/silences").json["items"]] == [made.json["id"]]
    assert send(world, "DELETE", f"/silences/{made.json['id']}", "initech").status_code == 404
    assert send(world, "DELETE", f"/silences/{made.json['id']}", "globex").status_code == 204
    world.clock.pass_us(1)
    assert world.api("/silences").json["items"] == []


@pytest.mark.parametrize(
    "body", [{}, {"ends_at": "2026-01-01"}, {"integration": SLUGS[0], "rule": "x"}, {"what": 1}]
)
def test_a_silence_that_is_none_is_refused(world, body):
    assert send(world, "POST", "/silences", json=body).status_code == 422


def test_nobody_silences_what_is_not_theirs(world):
    from app.api.rendering import moment

    ends_at = moment(world.clock.now_us + 3_600_000_000)
    body = {"integration": SLUGS[2], "ends_at": ends_at}
    assert send(world, "POST", "/silences", "globex", json=body).status_code == 404
    body = {"rule": "silence", "ends_at": ends_at}
    assert send(world, "POST", "/silences", "globex", json=body).status_code == 404
    assert send(world, "POST", "/silences", json=body).status_code == 201


def test_the_default_rules_stand_until_a_saved_one_takes_their_place(world):
    found = world.api("/rules").json
    assert {each["name"] for each in found["items"]} == {rule.name for rule in DEFAULT_RULES}
    assert found["problems"] == []
    body = {"name": "silence", "kind": "silence", "window": "1h", "severity": "P1"}
    made = send(world, "POST", "/rules", json=body)
    assert (made.status_code, made.json["default"]) == (201, False)
    after = {each["name"]: each for each in world.api("/rules").json["items"]}
    assert (after["silence"]["severity"], len(after)) == ("P1", len(DEFAULT_RULES))


def test_a_rule_with_a_typo_says_what_was_meant_and_saves_nothing(world):
    body = {"name": "a", "kind": "threshold", "measure": "p95", "above": 1, "windw": "1h"}
    answer = send(world, "POST", "/rules", json=body)
    assert answer.status_code == 422
    assert "did you mean 'window'?" in answer.text
    assert not (world.settings.home / "rules").exists()


def test_a_rule_written_by_hand_is_not_written_over(world):
    folder = world.settings.home / "rules"
    folder.mkdir()
    (folder / "mine.yaml").write_text("rules: [{name: quiet, kind: silence}]")
    answer = send(world, "POST", "/rules", json={"name": "quiet", "kind": "silence"})
    assert answer.status_code == 422
    assert "mine.yaml" in answer.text


def test_partners_neither_see_nor_write_rules(world):
    assert world.api("/rules", "globex").status_code == 404
    body = {"name": "quiet", "kind": "silence"}
    assert send(world, "POST", "/rules", "globex", json=body).status_code == 404
    assert not (world.settings.home / "rules").exists()
