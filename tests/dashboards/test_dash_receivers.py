"""The panels of receivers and of who is on call: for whom, what of them, and the test button."""

import base64
from itertools import pairwise

from sqlalchemy import select

from app.db import reading, transaction
from app.domain.window import DAY_US, HOUR_US, MINUTE_US
from app.models import ReceiverTest
from dashboards.pages.receiver_rows import on_call_now
from tests.contract.worlds import NOW_US
from tests.dashboards.test_dash_alerts import call, opened, template, web

__all__ = ["template", "web"]
SECRETS = ("s3cret", "K" * 32, base64.b64encode(b"s" * 32).decode())
FILE = f"""
receivers:
  - {{name: heads, kind: mail, addresses: [ann@acme.example]}}
  - {{name: ops, kind: slack, url: https://hooks.example/T0/s3cret}}
  - {{name: pager, kind: pagerduty, routing_key: {"K" * 32}}}
  - {{name: hook, kind: webhook, url: https://in.example/s3cret, secret: whsec_{SECRETS[2]}}}
  - {{name: first-line, kind: on_call, schedule: primary}}
  - {{name: all, kind: group, members: [heads, ops]}}
  - {{name: broken, kind: slack}}
schedules:
  - name: primary
    zone: Europe/Berlin
    people: [ann@acme.example, bob@acme.example]
    first: 2026-11-02
    at: 09:00
    every: 7d
"""


def written(web) -> None:
    (web.settings.home / "receivers.yaml").write_text(FILE)


def test_whoever_sees_everything_sees_who_can_be_told_and_no_secret(web):
    written(web)
    whole = opened(web, web.client("ecosystem"), whole=True)
    found = whole["response"]
    rows = found["alerts-receivers"]["rowData"]
    assert [(row["name"], row["kind"], row["where"]) for row in rows] == [
        ("heads", "mail", "ann@acme.example"),
        ("ops", "Slack", "https://hooks.example/…"),
        ("pager", "PagerDuty", "https://events.pagerduty.com/…"),
        ("hook", "webhook", "https://in.example/…"),
        ("first-line", "schedule", "whoever is on call by primary"),
        ("all", "group", "heads, ops"),
    ]
    assert "receiver 'broken' lacks 'url'" in found["alerts-receivers-problem"]["children"]
    assert not any(secret in str(whole) for secret in SECRETS)


def test_who_is_on_call_now_and_for_two_weeks_stands_on_the_page(web):
    written(web)
    found = opened(web, web.client("ecosystem"))
    shifts = found["alerts-on-call"]["rowData"]
    assert len(shifts) == 3
    assert shifts[0]["note"] == "● now"
    assert {row["who"] for row in shifts} == {"ann@acme.example", "bob@acme.example"}
    for one, two in pairwise(shifts):
        assert one["ends"] == two["starts"]
        assert one["who"] != two["who"]
    assert shifts[-1]["ends"] == NOW_US + 14 * DAY_US
    said = found["alerts-on-call-now"]["children"]
    assert said.startswith(f"On call now: {shifts[0]['who']} (primary, until ")


def test_a_partner_finds_no_word_of_them(web):
    written(web)
    found = opened(web, web.client("globex"))
    assert found["alerts-receivers-panel"]["className"] == "gone"
    assert found["alerts-on-call-panel"]["className"] == "gone"
    assert found["alerts-receivers"]["rowData"] == found["alerts-on-call"]["rowData"] == []
    assert "acme.example" not in str(found)


def test_without_a_file_there_is_no_calendar(web):
    found = opened(web, web.client("admin"))
    assert found["alerts-receivers-panel"]["className"] == ""
    assert found["alerts-on-call-panel"]["className"] == "gone"
    assert on_call_now((), NOW_US) == ""


def ask(web, role: str, *names: str) -> str:
    given = {
        "alerts-receivers-test.n_clicks": 1,
        "alerts-receivers.selectedRows": [{"id": name} for name in names],
        "location.pathname": "/alerts",
    }
    answer = call(web, web.client(role), "alerts-receivers-done", given)
    return answer["alerts-receivers-said"]["children"]


def newest(web) -> dict[str, str]:
    rows = opened(web, web.client("ecosystem"))["alerts-receivers"]["rowData"]
    return {row["name"]: row["status"] for row in rows}


def test_a_test_is_asked_for_and_its_outcome_is_shown(web):
    written(web)
    assert ask(web, "ecosystem") == "Choose a receiver first."
    assert ask(web, "ecosystem", "ops", "heads").startswith("On its way")
    assert {newest(web)[name] for name in ("ops", "heads")} == {"◌ On its way"}
    assert newest(web)["pager"] == "never"
    with transaction(web.engine) as session:
        for row, error in zip(session.scalars(select(ReceiverTest)), ("", "404"), strict=True):
            row.done_us, row.error = NOW_US + MINUTE_US, error
    shown = {newest(web)[name].partition(" ")[0] for name in ("ops", "heads")}
    assert shown == {"✓", "■"}


def test_nobody_else_asks_for_one(web):
    written(web)
    web.clock.pass_us(HOUR_US)
    assert ask(web, "globex", "ops") == "There is no such thing of yours."
    assert ask(web, "ecosystem", "nobody") == "There is no such thing of yours."
    with reading(web.engine) as session:
        assert session.scalars(select(ReceiverTest)).all() == []
