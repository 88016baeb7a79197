"""The receiver file: what it may say, and the line of everything that is wrong with it."""

import base64
from datetime import date, time

import pytest

from app.commands.receiver_file import parse, read_file
from app.commands.receivers import Receivers, ask_for_test
from app.db import reading
from app.domain.alert_route import Group, OnCall, Step
from app.domain.receiver import MailBox, PagerDuty, Slack, Webhook
from app.domain.window import MINUTE_US
from app.errors import NotFound
from app.models import AuditEntry, ReceiverTest
from tests.app.web_world import EVERYTHING, GLOBEX

SECRET = "whsec_" + base64.b64encode(bytes(32)).decode()
HOOK = "https://hooks.example/T0/B0/s3cret"
KEY = "R0UTINGKEYR0UTINGKEYR0UTINGKEY00"
WHOLE = f"""
receivers:
  - {{name: heads, kind: mail, addresses: [ann@acme.example, bob@acme.example]}}
  - {{name: ops, kind: slack, url: {HOOK}}}
  - {{name: pager, kind: pagerduty, routing_key: {KEY}}}
  - {{name: tickets, kind: webhook, url: {HOOK}, secret: {SECRET}, allow_private_addresses: true}}
  - {{name: first-line, kind: on_call, schedule: primary}}
  - {{name: everybody, kind: group, members: [heads, ops]}}
schedules:
  - name: primary
    zone: Europe/Berlin
    people: [ann@acme.example, bob@acme.example]
    first: 2026-11-02
    at: 09:00
    every: 7d
    overrides:
      - {{from: 2026-12-24T08:00:00Z, until: 2026-12-27T08:00:00Z, who: bob@acme.example}}
routes:
  - name: nights
    when:
      severities: [P1, P2]
      faults: [platform, network]
      hours: {{zone: Europe/Berlin, days: [mon, fri], from: 18:00, until: 08:00}}
    to: [first-line, ops]
    escalate:
      - {{after: 15m, to: [heads]}}
    go_on: true
  - {{name: rest, to: [everybody]}}
"""


def problems(text: str) -> tuple[str, ...]:
    return parse(text.encode()).problems


def test_everything_that_a_file_may_say_is_read():
    found = parse(WHOLE.encode())
    assert found.problems == ()
    directory = found.directory
    assert directory.receivers == {
        "heads": MailBox(("ann@acme.example", "bob@acme.example")),
        "ops": Slack(HOOK),
        "pager": PagerDuty(KEY),
        "tickets": Webhook(HOOK, bytes(32), True),
        "first-line": OnCall("primary"),
        "everybody": Group(("heads", "ops")),
    }
    primary = directory.schedules["primary"]
    assert (primary.first, primary.at, primary.days) == (date(2026, 11, 2), time(9), 7)
    assert len(primary.overrides) == 1
    nights, rest = directory.routes
    assert nights.steps == (Step(15 * MINUTE_US, ("heads",)),)
    assert (nights.go_on, rest.go_on) == (True, False)
    assert nights.when.hours.days == {0, 4}
    assert (nights.when.hours.begins_min, nights.when.hours.ends_min) == (18 * 60, 8 * 60)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("receivers:\n  - {name: a, kind: slak}",
         "2: 'kind': 'slak' is none of them: did you mean 'slack'?"),
        ("receivers:\n  - {name: a, kind: mail}", "2: receiver 'a' lacks 'addresses'"),
        ("receivers:\n  - {name: a, kind: mail, addresses: []}", "2: 'addresses' is empty"),
        ("receivers:\n  - {name: a, kind: mail, addresses: [nobody]}",
         "2: 'addresses': 'nobody' is not a mail address such as oncall@partner.example"),
        ("receivers:\n  - {name: a, kind: slack, secret: x}",
         "2: a receiver of kind 'slack' has no 'secret'"),
        ("receivers:\n  - {name: a, kind: slack}", "2: receiver 'a' lacks 'url'"),
        ("receivers:\n  - {name: a, kind: slack, url: 'http://x.example/'}",
         "2: 'url': must begin with https:// (http:// with allow_private_addresses)"),
        ("receivers:\n  - {name: a, kind: group, members: [b]}\n"
         "  - {name: b, kind: group, members: [a]}",
         "2: group 'a' leads back to itself: a → b → a"),
        ("receivers:\n  - {name: a, kind: group, members: [a]}",
         "2: group 'a' leads back to itself: a → a"),
        ("receivers:\n  - {name: heads, kind: mail, addresses: [a@b.example]}\nroutes:\n"
         "  - {name: r, to: [haeds]}",
         "4: route 'r': there is no receiver 'haeds': did you mean 'heads'?"),
        ("receivers:\n  - {name: a, kind: on_call, schedule: prime}",
         "2: a: there is no schedule 'prime'"),
        ("routes:\n  - {name: r, to: [x], when: {faluts: [partner]}}",
         "2: 'when' has no 'faluts': did you mean 'faults'?"),
        ("routes:\n  - {name: r, to: [x], when: {severities: [P0]}}",
         "2: 'severities': 'P0' is none of them; it may be P1, P2, P3, P4"),
        ("routes:\n  - {name: r, to: [x], escalate: [{after: 5m, to: [x]}, {after: 5m, to: [x]}]}",
         "2: each step comes after the one before it"),
        ("schedules:\n  - {name: s, zone: Europe/Berln, people: [a@b.example], first: 2026-01-01,"
         " at: 09:00}",
         "2: 'zone': 'Europe/Berln' is not a time zone such as Europe/Berlin"),
        ("schedules:\n  - {name: s, zone: UTC, people: [a@b.example], first: 2026-02-30, at: 24:00,"
         " every: 36h}",
         "2: 'at': '24:00' is not a time of day such as 09:00"),
        ("schedules: 7", "1: 'schedules' must be a list, not '7'"),
        ("receiver: []", "1: the file has no 'receiver': did you mean 'receivers'?"),
        ("a: [", "2: not YAML"),
    ],
)  # fmt: skip
def test_a_problem_has_its_line_and_what_was_meant(line, text):
    assert any(each.startswith(f"receivers.yaml:{text}") for each in problems(line)), problems(line)


def test_what_is_wrong_is_left_out_and_the_rest_stands():
    found = parse(
        b"receivers:\n"
        b"  - {name: bad, kind: slack}\n"
        b"  - {name: good, kind: mail, addresses: [a@b.example]}\n"
        b"  - {name: one, kind: group, members: [two, good]}\n"
        b"  - {name: two, kind: group, members: [one]}\n"
        b"routes:\n"
        b"  - {name: r, to: [bad, good], escalate: [{after: 5m, to: [bad]}]}\n"
        b"  - {name: lost, to: [bad]}\n"
    )
    assert set(found.directory.receivers) == {"good", "two"}
    [route] = found.directory.routes
    assert (route.name, route.to, route.steps) == ("r", ("good",), ())
    assert len(found.problems) == 2


@pytest.mark.parametrize(
    "text",
    [
        f"receivers:\n  - {HOOK}",
        f"receivers:\n  - {{name: a, kind: slack, url: '{HOOK} '}}",
        f"receivers:\n  - {{name: a, kind: slack, url: 'ftp://x/{HOOK}'}}",
        f"receivers:\n  - {{name: a, kind: pagerduty, routing_key: {KEY}s3cret}}",
        f"receivers:\n  - {{name: a, kind: webhook, url: {HOOK}, secret: {SECRET}s3cret}}",
        f"receivers:\n  - {{name: a, kind: webhook, url: {HOOK}, secret: whsec_s3cret}}",
        "receivers:\n  - {name: a, kind: slack, url: 'https://u:s3cret@hooks.example/'}",
    ],
)
def test_no_problem_repeats_a_secret(text):
    found = problems(text)
    assert found
    assert not any("s3cret" in each or KEY in each for each in found)


def test_a_file_that_is_not_there_tells_by_default(tmp_path):
    assert read_file(tmp_path / "none.yaml").directory.routes == ()
    (tmp_path / "long.yaml").write_bytes(b" " * (1024 * 1024 + 1))
    assert "longer than" in read_file(tmp_path / "long.yaml").problems[0]
    (tmp_path / "folder").mkdir()
    assert "cannot be read" in read_file(tmp_path / "folder").problems[0]


def test_a_file_that_changed_is_read_again(tmp_path):
    receivers, path = Receivers(tmp_path), tmp_path / "receivers.yaml"
    assert receivers.targets() == {}
    path.write_text(WHOLE)
    assert set(receivers.targets()) == {"heads", "ops", "pager", "tickets"}
    path.write_text("receivers:\n  - {name: a, kind: mail, addresses: [a@b.example]}\n")
    assert set(receivers.targets()) == {"a"}
    path.unlink()
    assert receivers.targets() == {}


def test_a_test_message_is_asked_for_by_whoever_sees_everything(engine, tmp_path):
    (tmp_path / "receivers.yaml").write_text(WHOLE)
    asking = {"now_us": 5, "actor": "user:ann"}
    ask_for_test(engine, tmp_path, EVERYTHING, name="ops", **asking)
    ask_for_test(engine, tmp_path, EVERYTHING, name="ops", now_us=6, actor="user:bob")
    for scope, name in ((GLOBEX, "ops"), (EVERYTHING, "nobody")):
        with pytest.raises(NotFound):
            ask_for_test(engine, tmp_path, scope, name=name, **asking)
    with reading(engine) as session:
        [row] = session.query(ReceiverTest).all()
        assert (row.receiver, row.asked_us, row.asked_by) == ("ops", 6, "user:bob")
        assert {each.action for each in session.query(AuditEntry)} == {"receiver.tested"}


def receivers_of(*rows: str) -> bytes:
    return "receivers:\n{}".format("".join(f"  - {{{row}}}\n" for row in rows)).encode()


ANN = "kind: mail, addresses: [ann@acme.example]"


def test_groups_of_groups_that_share_everything_are_read_at_once_and_each_told_once():
    rows = [
        f"name: {letter}{n}, kind: group, members: [a{n + 1}, b{n + 1}]"
        for letter in "ab"
        for n in range(60)
    ]
    found = parse(receivers_of(*rows, f"name: a60, {ANN}", f"name: b60, {ANN}"))
    assert found.problems == ()
    told = list(found.directory.addresses("a0", 0))
    assert told == [("mail", "ann@acme.example", False)] * 2


def test_a_chain_of_thousands_of_groups_is_no_circle_and_breaks_nothing():
    rows = [f"name: g{n}, kind: group, members: [g{n + 1}]" for n in range(2_000)]
    found = parse(receivers_of(*rows, f"name: g2000, {ANN}"))
    assert found.problems == ()
    assert len(list(found.directory.addresses("g0", 0))) == 1
