"""Links in mails that take an incident: for whom, how long, how often, and what they show."""

import pytest
from sqlalchemy import select

from app.auth import incident_links
from app.auth.incident_links import LIFE_US, Act, IncidentLink
from app.db import reading
from app.domain.alert import Event
from app.domain.window import HOUR_US
from app.models import AuditEntry, Incident, Notification, Silence
from app.settings import secret_key
from tests.app.alert_worlds import add_incident
from tests.app.web_world import CANARY
from tests.contract.worlds import NOW_US

WHO = "oncall@globex.example"


@pytest.fixture
def number(world) -> int:
    return add_incident(world.engine, NOW_US, "globex-issues", "globex", word="secret-detail-of-it")


def path(world, number: int, address: str = WHO) -> str:
    return incident_links.path(secret_key(world.settings), number, address, NOW_US)


def press(world, address: str, **more):
    where, _, token = address.partition("?token=")
    return world.client().post(where, data={"token": token}, **more)


def taken_by(world) -> list[str | None]:
    with reading(world.engine) as session:
        return list(session.scalars(select(Incident.acked_by).order_by(Incident.id)))


def test_a_link_takes_its_incident_when_the_button_is_pressed(world, number):
    address = path(world, number)
    asked = world.client().get(address)
    assert asked.status_code == 200
    assert f"Acknowledge as {WHO}" in asked.text
    assert taken_by(world) == [None], "looking at it takes nothing: mail scanners look"
    assert world.client().head(address).status_code == 200
    assert taken_by(world) == [None]
    assert "It is yours now." in press(world, address).text
    assert taken_by(world) == [f"mail:{WHO}"]
    with reading(world.engine) as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (entry.actor, entry.action) == (f"mail:{WHO}", "incident.acknowledged")


def test_the_first_who_presses_has_it_and_the_second_is_told_so(world, number):
    press(world, path(world, number))
    again = press(world, path(world, number))
    other = press(world, path(world, number, f"{CANARY}@initech.example"))
    assert "You have it since" in again.text
    assert "Somebody has it since" in other.text
    assert WHO not in other.text
    assert "<button" not in world.client().get(path(world, number)).text
    assert taken_by(world) == [f"mail:{WHO}"]


def test_a_link_shows_the_summary_and_no_evidence(world, number):
    page = world.client().get(path(world, number)).text
    assert "8.3 % errors" in page
    assert "POST /v1" not in page
    assert "ecosystem@" not in page


@pytest.mark.parametrize(
    ("passed_us", "status"), [(0, 200), (LIFE_US - 1, 200), (LIFE_US, 410), (10 * LIFE_US, 410)]
)
def test_a_link_lasts_seven_days(world, number, passed_us, status):
    world.clock.pass_us(passed_us)
    assert world.client().get(path(world, number)).status_code == status
    assert press(world, path(world, number)).status_code == status
    assert (taken_by(world) == [None]) == (status == 410)


@pytest.mark.parametrize(
    "token",
    ["", "x", "WzEsIm8iLDFd", "." * 50, "a.b", "A" * 5_000, "\u202e", "%00"],
    ids=lambda token: token[:8],
)
def test_what_is_not_ours_takes_nothing(world, number, token):
    where = f"/alerts/incidents/{number}/acknowledge"
    for answer in (
        world.client().get(where, query_string={"token": token}),
        world.client().post(where, data={"token": token}),
    ):
        assert answer.status_code == 404
        assert "Nothing was done" in answer.text
        assert "8.3 %" not in answer.text
    assert taken_by(world) == [None]


def test_a_link_is_for_one_incident_and_one_key(world, number):
    other = add_incident(world.engine, NOW_US, "initech-crm", "initech", word=CANARY)
    token = path(world, number).partition("?")[2]
    moved = world.client().get(f"/alerts/incidents/{other}/acknowledge?{token}")
    assert moved.status_code == 404
    assert CANARY not in moved.text
    forged = incident_links.path("another key", other, WHO, NOW_US)
    assert press(world, forged).status_code == 404
    changed = path(world, number).replace("token=", "token=A")
    assert press(world, changed).status_code == 404
    assert taken_by(world) == [None, None]


def test_another_site_cannot_press_the_button(world, number):
    answer = press(world, path(world, number), headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert taken_by(world) == [None]


def test_an_incident_that_is_gone_says_so(world):
    assert "no longer kept" in world.client().get(path(world, 77)).text
    assert press(world, path(world, 77)).status_code == 404


def test_a_link_opens_nothing_but_its_page(world, number):
    client = world.client()
    client.get(path(world, number))
    press(world, path(world, number))
    assert client.get("/api/v1/alerts").status_code == 401
    assert client.get(f"/alerts/incidents/{number}").status_code == 302


def test_what_stands_in_a_link_is_what_was_put_in():
    token = incident_links.path("key", 7, WHO, NOW_US).partition("=")[2]
    assert incident_links.read("key", token) == IncidentLink(7, WHO, NOW_US + LIFE_US)


def deed(world, number: int, act: Act) -> str:
    return incident_links.path(secret_key(world.settings), number, WHO, NOW_US, act)


@pytest.mark.parametrize("hours", [1, 4])
def test_a_link_silences_what_its_incident_is_about_for_as_long_as_is_chosen(world, number, hours):
    address = deed(world, number, Act.SILENCE)
    page = world.client().get(address).text
    assert "Silence 1 h" in page
    assert "Silence 4 h" in page
    where, _, token = address.partition("?token=")
    for wrong in ({}, {"hours": "400"}, {"hours": ""}):
        said = world.client().post(where, data={"token": token, **wrong})
        assert "Choose how long." in said.text
    assert silences(world) == [], "looking and guessing silence nothing"
    said = world.client().post(where, data={"token": token, "hours": str(hours)})
    assert f"for {hours} h" in said.text
    [row] = silences(world)
    assert (row.integration, row.created_by) == ("globex-issues", f"mail:{WHO}")
    assert row.ends_us - row.starts_us == hours * HOUR_US


def silences(world) -> list[Silence]:
    with reading(world.engine) as session:
        return list(session.scalars(select(Silence)))


def closed_by(world) -> list[str | None]:
    with reading(world.engine) as session:
        return list(session.scalars(select(Incident.closed_by)))


def test_a_link_closes_its_incident_once_when_the_button_is_pressed(world, number):
    address = deed(world, number, Act.RESOLVE)
    for look in (world.client().get, world.client().head):
        assert look(address).status_code == 200
    assert closed_by(world) == [None]
    assert "whoever was told that it began is told so" in press(world, address).text
    assert "It is over since" in press(world, address).text
    assert closed_by(world) == [f"mail:{WHO}"]
    with reading(world.engine) as session:
        told = session.scalars(select(Notification).where(Notification.event == Event.RESOLVED))
        assert {each.reason for each in told} == {"it_is_over"}


@pytest.mark.parametrize("made", list(Act))
@pytest.mark.parametrize("used", list(Act))
def test_no_link_does_what_another_was_made_for(world, number, made, used):
    token = deed(world, number, made).partition("?token=")[2]
    where = f"/alerts/incidents/{number}/{used}"
    answer = world.client().post(where, data={"token": token, "hours": "1"})
    assert (answer.status_code == 200) == (made == used)
    done = (taken_by(world) != [None], silences(world) != [], closed_by(world) != [None])
    assert done == tuple(made == used == act for act in Act)


def test_a_deed_that_there_is_not_is_not_found(world, number):
    token = deed(world, number, Act.RESOLVE).partition("?token=")[2]
    answer = world.client().post(f"/alerts/incidents/{number}/delete", data={"token": token})
    assert answer.status_code == 401
    assert closed_by(world) == [None]
