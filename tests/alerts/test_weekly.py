"""The weekly report: to whom it goes, when, once, and what it says."""

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from sqlalchemy import select

from alerts.reporting import Reporter
from alerts.weekly import days
from app.auth import report_links
from app.db import reading, transaction
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, WEEK_US, Window
from app.errors import MailUnavailable
from app.models import AuditEntry, Delivery, Partner, PartnerContact, WeeklyReport
from app.queries.weekly import week_before
from app.settings import secret_key
from tests.app.web_world import CANARY, SLUGS, World
from tests.contract.worlds import NOW_US, exchange, failure

WHO = "oncall@globex.example"
#: The Monday after the day on which the worlds of the tests stand.
MONDAY_US = week_before(NOW_US).end_us + WEEK_US


@pytest.fixture
def box(world: World):
    """The mails that were kept, oldest first."""

    def mails() -> list[EmailMessage]:
        paths = sorted((world.settings.home / "outbox").glob("*.eml"))
        return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]

    return mails


def reporter(world: World) -> Reporter:
    return Reporter(world.settings, world.reading, lambda: "Acme Cloud", "midspan.example")


def busy_week(world: World) -> None:
    """Traffic at Globex with one failing operation, less of it the week before, and at Initech."""
    for at_us, good, bad in ((NOW_US, 900, 100), (NOW_US - WEEK_US, 500, 0)):
        world.load(
            [exchange(at_us + n, integration=SLUGS[0]) for n in range(good)]
            + [
                failure(at_us + n, integration=SLUGS[0], operation="POST /v1/pay")
                for n in range(bad)
            ]
        )
    world.load([failure(NOW_US + n, integration=SLUGS[2], operation=f"GET /{CANARY}")
                for n in range(50)])  # fmt: skip


def rows(world: World) -> list[tuple[str, Delivery]]:
    with reading(world.engine) as session:
        found = session.scalars(select(WeeklyReport).order_by(WeeklyReport.id))
        return [(each.address, each.delivery) for each in found]


def test_a_week_goes_from_monday_to_monday():
    week = week_before(MONDAY_US)
    assert days(week) == "17 to 23 Nov 2025"
    assert week_before(MONDAY_US - 1) == Window(week.start_us - WEEK_US, week.start_us)
    assert (
        days(Window(week.start_us + WEEK_US * 5, week.start_us + WEEK_US * 6))
        == "22 to 28 Dec 2025"
    )
    across = Window(week.start_us + WEEK_US, week.start_us + WEEK_US * 2)
    assert days(Window(across.start_us + 3 * DAY_US, across.end_us + 3 * DAY_US)) == (
        "27 Nov to 3 Dec 2025"
    )


def test_each_contact_of_a_partner_with_traffic_gets_one_on_monday_morning(world, box):
    busy_week(world)
    world.clock.now_us = MONDAY_US + 6 * HOUR_US - MINUTE_US
    assert reporter(world).turn() == 0
    world.clock.pass_us(MINUTE_US)
    same = reporter(world)
    assert [same.turn(), same.turn(), reporter(world).turn()] == [1, 0, 0]
    [mail] = box()
    assert mail["To"] == WHO
    assert mail["Subject"] == "Globex, 17 to 23 Nov 2025: 1 of 1 over budget"
    assert mail["Auto-Submitted"] == "auto-generated"
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for said in (
        "1,000 exchanges with 100 errors; the week before 500 with 0.",
        f"Globex {SLUGS[0]} has spent more than the budget of an objective.",
        "10.0\N{NARROW NO-BREAK SPACE}%",
        "Most errors: POST /v1/pay, 100 of 100.",
        "No incidents.",
    ):
        assert said in text
        assert said in html
    assert f"/integrations/{SLUGS[0]}?from=2025-11-17T00%3A00%3A00Z&to=2025-11-24" in text
    assert CANARY not in text + html


def test_the_numbers_are_those_of_the_api_for_that_week(world, box):
    busy_week(world)
    world.clock.now_us = MONDAY_US + 7 * HOUR_US
    reporter(world).turn()
    text = box()[0].get_body(("plain",)).get_content()
    week = "from=2025-11-17T00:00:00Z&to=2025-11-24T00:00:00Z"
    answer = world.api(f"/integrations/{SLUGS[0]}/health?{week}", "globex").json
    assert f"{answer['proxied']:,} exchanges with {answer['bad']:,} errors" in text


def test_nobody_gets_one_of_a_week_without_traffic_or_of_a_week_long_past(world, box):
    world.clock.now_us = MONDAY_US + 8 * HOUR_US
    assert reporter(world).turn() == 0
    busy_week(world)
    world.clock.now_us = MONDAY_US + 2 * DAY_US
    assert reporter(world).turn() == 0
    assert rows(world) == []


def test_a_report_that_could_not_be_sent_is_sent_later_with_the_same_id(world, box, monkeypatch):
    busy_week(world)
    world.clock.now_us = MONDAY_US + 6 * HOUR_US
    tried = []

    def away(_settings, mail, _at_us):
        tried.append(mail.message_id)
        raise MailUnavailable("smtp.example:25 is away")

    one = reporter(world)
    with monkeypatch.context() as patched:
        patched.setattr("alerts.reporting.send", away)
        assert one.turn() == 0
        assert one.turn() == 0, "not again at once"
    world.clock.pass_us(MINUTE_US)
    assert one.turn() == 1
    assert [box()[0]["Message-ID"]] == tried
    assert rows(world) == [(WHO, Delivery.SENT)]


def test_a_report_whose_sender_died_is_taken_by_another(world, box, monkeypatch):
    busy_week(world)
    world.clock.now_us = MONDAY_US + 6 * HOUR_US

    def killed(_settings, _mail, _at_us):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("alerts.reporting.send", killed)
        with pytest.raises(KeyboardInterrupt):
            reporter(world).turn()
    assert reporter(world).turn() == 0, "somebody has it in hand"
    world.clock.pass_us(3 * MINUTE_US)
    assert reporter(world).turn() == 1
    assert len(box()) == 1


def refusal(world: World, address: str = WHO, partner: str = "globex") -> str:
    return report_links.path(secret_key(world.settings), partner, address)


def test_the_link_takes_its_address_off_and_no_other(world, box):
    with transaction(world.engine) as session:
        globex = session.scalars(select(Partner).where(Partner.slug == "globex")).one()
        session.add(PartnerContact(partner_id=globex.id, position=1, email="two@globex.example"))
    path, client = refusal(world), world.client()
    assert WHO in client.get(path).text
    busy_week(world)
    world.clock.now_us = MONDAY_US + 6 * HOUR_US
    # As a mail program does it: one POST to the address in the header, from nowhere.
    assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert client.post(path).status_code == 200
    assert reporter(world).turn() == 1
    assert [mail["To"] for mail in box()] == ["two@globex.example"]
    named = box()[0]["List-Unsubscribe"].strip("<>")
    assert named.endswith(refusal(world, "two@globex.example"))
    with reading(world.engine) as session:
        actions = session.scalars(select(AuditEntry.action)).all()
    assert actions.count("report.refused") == 1


def test_looking_at_the_link_takes_nobody_off(world, box):
    busy_week(world)
    client = world.client()
    assert client.get(refusal(world)).status_code == client.head(refusal(world)).status_code == 200
    world.clock.now_us = MONDAY_US + 6 * HOUR_US
    assert reporter(world).turn() == 1


def test_a_report_that_waits_is_dropped_when_its_address_is_taken_off(world, box, monkeypatch):
    busy_week(world)
    world.clock.now_us = MONDAY_US + 6 * HOUR_US

    def away(*_):
        raise MailUnavailable("away")

    one = reporter(world)
    with monkeypatch.context() as patched:
        patched.setattr("alerts.reporting.send", away)
        one.turn()
    world.client().post(refusal(world))
    world.clock.pass_us(HOUR_US)
    assert one.turn() == 0
    assert rows(world) == [(WHO, Delivery.DROPPED)]


@pytest.mark.parametrize("token", ["", "x", "WyJnbG9iZXgiLCJhQGIuZXhhbXBsZSJd.forged", "a" * 9_000])
def test_a_forged_link_takes_nobody_off(world, token):
    for method in ("get", "post"):
        answer = getattr(world.client(), method)(f"/reports/refuse?token={token}")
        assert answer.status_code == 404
        assert "not one of ours" in answer.text
    gone = world.client().post(refusal(world, partner="gone"))
    assert gone.status_code == 404
