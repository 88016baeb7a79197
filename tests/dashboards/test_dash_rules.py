"""The page of rules: what stands, a rule tried on the past, one saved, and who may."""

from functools import partial

import pytest

from alerts.trial import tried
from app.domain.window import DAY_US, HOUR_US
from tests.contract.worlds import NOW_US, failure
from tests.dashboards.test_dash_alerts import (  # noqa: F401 - fixtures
    MINE,
    THEIRS,
    UPDATE,
    call,
    template,
    web,
)

RULE = "- {name: bad-hour, kind: threshold, measure: bad, above: 20, window: 1h}"


@pytest.fixture
def page(web):  # noqa: F811
    web.app.extensions["midspan"].try_rule = partial(tried, web.reading, web.settings.home)
    return web


def listed(page, role: str):
    return call(page, page.client(role), "rules-grid", {"location.pathname": "/alerts/rules"})


def do(page, role: str, button: str, text: str):
    given = {f"rules-text-{button}.n_clicks": 1, "rules-text.value": text}
    return call(
        page, page.client(role), "rules-said", given | {"location.pathname": "/alerts/rules"}
    )


def chosen(page, rows, role: str = "ecosystem") -> str:
    body = {
        "output": "rules-text.value",
        "outputs": {"id": "rules-text", "property": "value"},
        "changedPropIds": ["rules-grid.selectedRows"],
        "inputs": [{"id": "rules-grid", "property": "selectedRows", "value": rows}],
        "state": [{"id": "location", "property": "pathname", "value": "/alerts/rules"}],
    }
    answer = page.client(role).post(UPDATE, json=body)
    return answer.get_json()["response"]["rules-text"]["value"]


def test_the_rules_out_of_the_box_are_listed_and_a_partner_sees_none(page):
    found = listed(page, "ecosystem")
    rows = {row["name"]: row for row in found["rules-grid"]["rowData"]}
    assert rows["budget-burn"]["severity"] == "P1 to P4"
    assert {row["origin"] for row in rows.values()} == {"out of the box"}
    assert "as they come out of the box" in found["rules-sentence"]["children"]
    assert listed(page, "globex")["rules-grid"]["rowData"] == []


def test_a_broken_file_is_told_with_its_line(page):
    folder = page.settings.home / "rules"
    folder.mkdir()
    (folder / "mine.yaml").write_text("rules:\n  - {name: x, kind: silense}\n")
    said = listed(page, "ecosystem")["rules-problems"]
    assert said["children"].startswith("mine.yaml:2: ")
    assert said["className"] == "quiet late"


def test_a_rule_is_tried_on_the_past_and_says_how_often_it_would_have_fired(page):
    for ago_us in (3 * HOUR_US, 2 * DAY_US):
        page.load(
            [failure(NOW_US - ago_us + n, integration=MINE, error_detail="x") for n in range(30)]
        )
    found = do(page, "ecosystem", "try", RULE)
    assert found["rules-said"]["children"].startswith("Would have fired 2 times in the last ")
    events = [(row["about"], row["event"].split(",")[0]) for row in found["rules-told"]["rowData"]]
    assert events == [(MINE, "fired"), (MINE, "resolved")] * 2
    assert found["rules-told-panel"]["className"] == ""


def test_a_typo_says_the_line_and_what_was_meant(page):
    found = do(
        page, "ecosystem", "try", "name: x\nkind: threshold\nmeasure: p94\nabove: 9\nwindow: 1h\n"
    )
    assert found["rules-said"]["children"].startswith("line 3: 'measure': 'p94' is not one of")
    assert found["rules-told-panel"]["className"] == "gone"


def test_a_saved_rule_stands_and_can_be_opened_again(page):
    said = do(page, "ecosystem", "save", RULE)["rules-said"]["children"]
    assert said == "Saved: bad-hour stands from the next evaluation on."
    rows = {row["name"]: row for row in listed(page, "ecosystem")["rules-grid"]["rowData"]}
    assert rows["bad-hour"]["origin"] == "saved-bad-hour.yaml"
    text = chosen(page, [rows["bad-hour"]])
    assert "above: 20" in text
    assert "window: 1h" in text


OWN = """\
name: mine
kind: threshold
measure: bad
above: 20
window: 1h
to: [dev@globex.example]
"""


@pytest.mark.parametrize("button", ["try", "save", "remove"])
def test_who_builds_for_one_customer_writes_no_rules(page, button):
    said = do(page, "builder", button, OWN)["rules-said"]["children"]
    assert said == "there are no rules for you to write"
    assert not list((page.settings.home / "rules").glob("*"))


def test_a_partner_writes_tries_changes_and_removes_rules_of_its_own_alone(page):
    for slug in (MINE, THEIRS):
        page.load(
            [failure(NOW_US - 3 * HOUR_US + n, integration=slug, error_detail="x")
             for n in range(30)]
        )  # fmt: skip
    found = do(page, "globex", "try", OWN)
    assert {row["about"] for row in found["rules-told"]["rowData"]} == {MINE}
    assert do(page, "globex", "save", RULE)["rules-said"]["children"].startswith("say once, on a")
    said = do(page, "globex", "save", OWN)["rules-said"]["children"]
    assert said == "Saved: mine stands from the next evaluation on, and tells dev@globex.example."
    [row] = listed(page, "globex")["rules-grid"]["rowData"]
    assert (row["name"], row["about"], row["origin"]) == (
        "mine", "all of globex", "dev@globex.example"
    )  # fmt: skip
    assert "to: [dev@globex.example]" in chosen(page, [row], "globex")
    assert listed(page, "initech")["rules-grid"]["rowData"] == []
    names = {each["name"] for each in listed(page, "ecosystem")["rules-grid"]["rowData"]}
    assert "mine" not in names
    said = do(page, "ecosystem", "remove", OWN)["rules-said"]["children"]
    assert said.startswith("A rule of the house goes with its file")
    assert do(page, "globex", "remove", OWN)["rules-said"]["children"].startswith("Removed: mine")
    assert listed(page, "globex")["rules-grid"]["rowData"] == []


def test_a_trial_that_would_take_long_looks_at_less_of_the_past(page, monkeypatch):
    monkeypatch.setattr("alerts.trial._PATIENCE_S", 0.0)
    said = do(page, "ecosystem", "try", RULE)["rules-said"]["children"]
    assert said == "Would have fired not once in the last hour, looked at every 1h."
