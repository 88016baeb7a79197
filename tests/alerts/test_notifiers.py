"""One contract for every way out: a message arrives, or its error says whether to try again."""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from alerts.dispatch import Send
from alerts.notifiers.hooks import HookNotifier, Hooks
from alerts.notifiers.http import Request, post
from alerts.notifiers.mail import MailNotifier
from alerts.notifiers.pagerduty import pagerduty_request
from alerts.notifiers.slack import slack_request
from alerts.notifiers.webhook import webhook_request
from alerts.speaker import Speaker
from app.domain.alert import Event
from app.domain.alert_route import Directory
from app.domain.receiver import PagerDuty, Slack, Webhook
from app.errors import MailUnavailable, MidspanError, ReceiverRefused, ReceiverUnavailable
from app.settings import load
from tests.alerts.receiving import ONCALL, HookServer, MailServer, free_port, letter
from tests.app.alert_worlds import evidence
from tests.contract.worlds import NOW_US

KEY = "R0UTINGKEYR0UTINGKEYR0UTINGKEY00"
SECRET = bytes(range(32))
BASE = "https://midspan.example"
CHANNELS = ("mail", "slack", "pagerduty", "webhook")
#: How long a receiver may take: longer than a busy machine does, and as short as a test may wait.
PATIENT_S, SHORT_S = 20.0, 0.4
SPEAKER = Speaker(BASE, lambda: "Acme Cloud", lambda: Directory(money=frozenset({"heads"})))


@dataclass
class Way:
    """One way out, the server at its end, and where its letters go."""

    channel: str
    server: HookServer | MailServer
    send: Send
    address: str

    def hand_over(self, event: Event = Event.FIRED, **given: object) -> None:
        self.send(letter(event, channel=self.channel, address=self.address, **given))


def made(channel: str, url: str, home, private: bool = True, limit_s: float = PATIENT_S) -> Send:
    if channel == "mail":
        given = {"MIDSPAN_HOME": str(home), "MIDSPAN_SMTP_URL": url, "MIDSPAN_BASE_URL": BASE}
        return MailNotifier(load(given, home / "none.env"), SPEAKER, lambda: NOW_US)
    target = {
        "slack": Slack(url, private),
        "pagerduty": PagerDuty(KEY, url, private),
        "webhook": Webhook(url, SECRET, private),
    }[channel]
    hooks = Hooks(lambda: {"hook": target})
    if channel == "slack":
        return HookNotifier(hooks, SPEAKER, Slack, slack_request, limit_s)
    if channel == "pagerduty":
        return HookNotifier(hooks, SPEAKER, PagerDuty, pagerduty_request, limit_s)
    signed = partial(webhook_request, lambda: NOW_US)
    return HookNotifier(hooks, SPEAKER, Webhook, signed, limit_s)


Make = Callable[..., Way]


@pytest.fixture
def make(tmp_path, monkeypatch) -> Iterator[Make]:
    servers = []

    def way(channel: str, limit_s: float = PATIENT_S) -> Way:
        monkeypatch.setattr("app.mail.delivery.TIMEOUT_S", limit_s)
        server = MailServer() if channel == "mail" else HookServer()
        servers.append(server)
        send = made(channel, server.url, tmp_path, limit_s=limit_s)
        return Way(channel, server, send, ONCALL if channel == "mail" else "hook")

    yield way
    for server in servers:
        server.close()


@pytest.fixture(params=CHANNELS)
def way(request, make: Make) -> Way:
    return make(request.param)


def test_a_message_arrives_with_what_it_is_about_and_where_to_read_on(way):
    way.hand_over()
    [got] = way.server.taken
    text = got.headers.get("Subject", "") + got.body.decode()
    assert "globex-issues" in text
    assert f"{BASE}/alerts?incident=7" in text
    assert "/exchanges/019aa000" in text or way.channel == "webhook"


@pytest.mark.parametrize("event", list(Event))
def test_a_copy_is_told_from_another_message_by_its_name(way, event):
    if way.channel == "mail" and event == Event.ACKNOWLEDGED:
        event = Event.FIRED
    way.server.says = ["drop"]
    with pytest.raises(MidspanError):
        way.hand_over(event)
    way.hand_over(event)
    first, second = way.server.taken
    names = [_name(way, each) for each in (first, second)]
    assert names[0] == names[1]
    assert names[0]


def _name(way: Way, got) -> str:
    return got.json["blocks"][0]["block_id"] if way.channel == "slack" else got.name


def says_no_secret(fault: MidspanError) -> None:
    for secret in ("s3cret", "T0/B0", KEY, base64.b64encode(SECRET).decode()):
        assert secret not in f"{fault} {fault!r}"


@pytest.mark.parametrize(
    ("fault", "permanent"),
    [
        ("reset", False), ("drop", False), ("429", False), ("500", False),
        ("503", False), ("400", True), ("403", True), ("404", True), ("410", True), ("302", True),
    ],
)  # fmt: skip
def test_a_fault_says_whether_to_try_again_and_gives_nothing_away(way, fault, permanent):
    smtp = {"429": "451", "500": "452", "503": "421"}
    if way.channel == "mail":
        fault = smtp.get(fault, "550" if fault.isdigit() else fault)
    way.server.says = [fault] * 3
    with pytest.raises(MidspanError) as caught:
        way.hand_over()
    assert caught.value.permanent == permanent
    says_no_secret(caught.value)
    way.server.says = []
    way.hand_over()
    assert way.server.taken


@pytest.mark.parametrize("channel", CHANNELS)
def test_nobody_there_is_worth_another_try(channel, tmp_path):
    scheme = "smtp" if channel == "mail" else "http"
    send = made(channel, f"{scheme}://127.0.0.1:{free_port()}/x", tmp_path)
    address = ONCALL if channel == "mail" else "hook"
    with pytest.raises(MidspanError) as caught:
        send(letter(channel=channel, address=address))
    assert not caught.value.permanent


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_receiver_that_trickles_is_cut_off_when_its_time_is_over(
    channel, make, tmp_path, monkeypatch
):
    way = make(channel, SHORT_S)
    way.server.says = ["trickle"]
    fault, words = ReceiverUnavailable, r"did not answer within 0\.4 s"
    if channel == "mail":
        fault, words = MailUnavailable, "timed out"
    begun_s = time.monotonic()
    with pytest.raises(fault, match=words) as caught:
        way.hand_over()
    assert time.monotonic() - begun_s < PATIENT_S
    assert not caught.value.permanent
    says_no_secret(caught.value)
    way.server.says = []
    monkeypatch.setattr("app.mail.delivery.TIMEOUT_S", PATIENT_S)
    made(channel, way.server.url, tmp_path)(letter(channel=channel, address=way.address))
    assert way.server.taken


@pytest.mark.parametrize(
    ("headers", "wait_us"),
    [
        ({"Retry-After": "7"}, 7_000_000),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-1"}, None),
        ({}, None),
        (
            {
                "Retry-After": "Fri, 27 Nov 2026 10:00:30 GMT",
                "Date": "Fri, 27 Nov 2026 10:00:00 GMT",
            },
            None,
        ),
    ],
)
def test_a_receiver_is_left_alone_for_as_long_as_it_asks(make, headers, wait_us):
    way = make("slack")
    way.server.says, way.server.headers = ["429"], headers
    with pytest.raises(ReceiverUnavailable) as caught:
        way.hand_over()
    if "Date" in headers:
        # The server writes its own date first; ours is only ever behind it.
        assert caught.value.retry_after_us is not None
    else:
        assert caught.value.retry_after_us == wait_us


@pytest.mark.parametrize("channel", CHANNELS[1:])
def test_an_address_inside_the_network_is_refused_unless_it_is_meant(channel, make, tmp_path):
    way = make(channel)
    send = made(channel, way.server.url, tmp_path, private=False)
    with pytest.raises(ReceiverRefused, match="loopback; set allow_private_addresses"):
        send(letter(channel=channel))
    assert way.server.taken == []


@pytest.mark.parametrize("host", ["169.254.169.254", "[fd00:ec2::254]", "0.0.0.0"])
def test_the_metadata_service_is_never_posted_to(host):
    with pytest.raises(ReceiverRefused):
        post(Request(f"http://{host}/x", b"", private=True), PATIENT_S)


def test_a_name_that_means_this_machine_is_refused_by_its_address(make):
    way = make("slack")
    url = way.server.url.replace("127.0.0.1", "localhost")
    with pytest.raises(ReceiverRefused, match="localhost is at"):
        post(Request(url, b"{}"), PATIENT_S)
    assert way.server.taken == []


@pytest.mark.parametrize("channel", CHANNELS[1:])
def test_a_receiver_that_is_no_longer_configured_is_given_up(channel, make):
    way = make(channel)
    with pytest.raises(ReceiverRefused, match="no longer configured"):
        way.send(letter(channel=channel, address="another"))


def test_slack_gets_blocks_within_its_limits_whatever_is_said(make):
    way = make("slack")
    long = "<!channel> & " * 2_000
    way.hand_over(rule=long, summary=long, receiver=long)
    message = way.server.taken[0].json
    blocks = message["blocks"]
    assert len(blocks) <= 50
    assert len(blocks[0]["text"]["text"]) <= 150
    for block in blocks[1:]:
        for text in re.findall(r'"text": "((?:[^"\\]|\\.)*)"', json.dumps(block)):
            assert len(json.loads(f'"{text}"')) <= 3_000
    assert "<!channel>" not in json.dumps(blocks[1:])
    assert "<!channel>" not in message["text"]
    assert "&lt;!channel&gt;" in message["text"]


def test_pagerduty_gets_one_incident_from_its_beginning_to_its_end(make):
    way = make("pagerduty")
    way.server.says = ["202"] * 3
    for event in (Event.FIRED, Event.ACKNOWLEDGED, Event.RESOLVED):
        way.hand_over(event)
    found = [each.json for each in way.server.taken]
    assert [each["event_action"] for each in found] == ["trigger", "acknowledge", "resolve"]
    assert {each["dedup_key"] for each in found} == {"incident-7@midspan.example"}
    assert {each["routing_key"] for each in found} == {KEY}
    payload = found[0]["payload"]
    assert payload["severity"] == "critical"
    assert payload["source"] == "globex-issues"
    assert len(payload["summary"]) <= 1_024


def test_a_webhook_is_signed_and_reads_as_alertmanagers(make):
    way = make("webhook")
    for event in (Event.FIRED, Event.RESOLVED):
        way.hand_over(event)
    fired, over = way.server.taken
    assert fired.headers["webhook-id"] == "incident-7_fired_0123abcd"
    for got in (fired, over):
        name, at_s = got.headers["webhook-id"], got.headers["webhook-timestamp"]
        assert int(at_s) == NOW_US // 1_000_000
        signed = hmac.new(SECRET, f"{name}.{at_s}.".encode() + got.body, hashlib.sha256).digest()
        assert got.headers["webhook-signature"] == f"v1,{base64.b64encode(signed).decode()}"
    assert (fired.json["version"], fired.json["status"]) == ("4", "firing")
    [alert] = fired.json["alerts"]
    assert alert["labels"]["alertname"] == "budget-burn"
    assert alert["endsAt"] == "0001-01-01T00:00:00Z"
    [ended] = over.json["alerts"]
    assert (over.json["status"], ended["fingerprint"]) == ("resolved", alert["fingerprint"])
    assert ended["endsAt"] > ended["startsAt"] == alert["startsAt"]


def test_no_secret_stands_in_what_a_target_says_of_itself():
    for target in (Slack("https://h/s3cret"), PagerDuty(KEY), Webhook("https://h/s3cret", SECRET)):
        assert "s3cret" not in f"{target!r} {target} {target.shown}"
        assert KEY not in f"{target!r} {target} {target.shown}"
        assert repr(SECRET) not in f"{target!r}"


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    ("receiver", "audience", "hears"),
    [
        ("ecosystem team", "ecosystem", True),
        ("contacts of globex", "partner", True),
        ("heads", "ecosystem", True),
        ("ops", "ecosystem", False),
        ("first-line", "on_call", False),
    ],
)
def test_what_it_costs_is_told_to_those_alone_who_may_know_it(
    make, channel, receiver, audience, hears
):
    way = make(channel)
    costs = {"amount_minor": 431_000, "currency": "USD", "installations": 31, "by_fault": {}}
    told = json.dumps({**json.loads(evidence()), "at_risk": costs})
    for event in (Event.FIRED, Event.RESOLVED):
        way.hand_over(event, receiver=receiver, audience=audience, evidence=told)
    text = "".join(
        json.dumps(each.json, ensure_ascii=False) if each.body[:1] == b"{" else each.body.decode()
        for each in way.server.taken
    )
    assert ("4,310.00\u202fUSD MRR at risk: 31 installations" in text) == hears
    assert ("4,310" in text, "431000" in text) == (hears, False)
    if channel == "mail":
        fired, over = (each.headers["Subject"] for each in way.server.taken)
        assert fired.endswith("4,310.00\u202fUSD MRR at risk") == hears
        assert "4,310" not in over


HOSTILE = "x\r\nBcc: eve@evil.example\n\n<script>\u202eoops\x00\x1b[31m"


def test_hostile_words_make_no_header_no_markup_and_no_line_of_their_own(make):
    way = make("mail")
    way.hand_over(summary=HOSTILE, integration=HOSTILE, partner=HOSTILE, evidence=evidence(HOSTILE))
    [got] = way.server.taken
    assert "Bcc" not in got.headers
    assert got.headers["Subject"].startswith("[P1] x Bcc: eve@evil.example <script>\\u202eoops")
    lines = [line for line in got.body.decode().splitlines() if "eve@evil" in line]
    assert all(not line.lstrip().startswith("Bcc") for line in lines)
    assert "\u202e" not in got.body.decode()
