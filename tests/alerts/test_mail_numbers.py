"""A mail says the numbers that the API and the pages say at that moment, and nobody else's."""

import json
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from alerts.dispatch import dispatch
from alerts.engine import Engine
from alerts.notifiers.mail import MailNotifier
from alerts.outbox import Outbox
from alerts.speaker import Speaker
from app.domain.window import MINUTE_US
from dashboards import format as show
from dashboards.mount import mount
from tests.app.web_world import CANARY, SLUGS, World
from tests.contract.worlds import exchange, failure
from tests.dashboards.test_dash_cross_tenant import UPDATE, call_of, on_server

GLOBEX, INITECH = SLUGS[0], SLUGS[2]


@pytest.fixture
def mails(world: World) -> dict[str, EmailMessage]:
    """What was told of two integrations that fail at once, by address and integration."""
    at_us = world.clock.now_us - 2 * MINUTE_US
    for slug, bad, operation in ((GLOBEX, 103, "GET /v1/issues"), (INITECH, 200, f"GET /{CANARY}")):
        world.load(
            [exchange(at_us + n, integration=slug) for n in range(900)]
            + [failure(at_us + n, integration=slug, operation=operation) for n in range(bad)]
        )
    Engine(world.reading, world.settings.home, "midspan.example").round()
    notifier = MailNotifier(world.settings, Speaker("", lambda: "Acme Cloud"), world.clock)
    dispatch(Outbox(world.engine), {"mail": notifier}, world.clock)
    paths = (world.settings.home / "outbox").glob("*.eml")
    found = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]
    return {f"{each['To']} {GLOBEX if GLOBEX in each['Subject'] else INITECH}": each
            for each in found if each["Subject"].startswith("[P1]")}  # fmt: skip


def text(mail: EmailMessage) -> str:
    return "".join(mail.get_body((kind,)).get_content() for kind in ("plain", "html"))


def page(world: World, pathname: str, search: str) -> str:
    """Every text that the browser of the partner is given for an address."""
    client, told = world.client("globex"), []
    for output, wanted in on_server(world.dash).items():
        values = {"pathname": pathname, "search": search, "href": pathname}
        answer = client.post(UPDATE, json=call_of(output, wanted, values))
        if answer.status_code == 200:
            told.append(answer.json)
    return json.dumps(told, ensure_ascii=False)


def test_the_mail_the_page_and_the_api_say_the_same(world, mails):
    world.dash = mount(world.app, world.settings)
    said = text(mails[f"oncall@globex.example {GLOBEX}"])
    health = world.client("globex").get(f"/api/v1/integrations/{GLOBEX}/health?window=1h").json
    shown = page(world, f"/integrations/{GLOBEX}", "?window=1h")
    incident = page_of_incident(world)
    for number in (
        show.count(health["proxied"]),
        show.ratio(health["error_ratio"]),
        show.ms(health["latency_ms"]["p95"]),
    ):
        assert number in said
        assert number in shown
        assert number in incident
    assert health["bad"] == 103


def page_of_incident(world: World) -> str:
    client = world.client("globex")
    number = next(each["id"] for each in client.get("/api/v1/alerts").json["items"]
                  if each["severity"] == "P1")  # fmt: skip
    output, wanted = next(
        (output, wanted) for output, wanted in on_server(world.dash).items()
        if "alerts-sentence" in output
    )  # fmt: skip
    values = {"pathname": "/alerts", "search": f"?incident={number}", "href": "/alerts"}
    return json.dumps(client.post(UPDATE, json=call_of(output, wanted, values)).json,
                      ensure_ascii=False)  # fmt: skip


def test_no_mail_to_a_partner_holds_a_word_of_another(mails):
    own = [mail for key, mail in mails.items() if key.startswith("oncall@globex.example")]
    foreign = [mail for key, mail in mails.items() if key.endswith(INITECH)]
    assert len(own) == 1
    assert any(CANARY in text(mail) for mail in foreign)
    for mail in own:
        parts = [part.get_payload(decode=True) or b"" for part in mail.walk()]
        assert CANARY not in mail.as_string()
        assert all(CANARY.encode() not in part for part in parts)
