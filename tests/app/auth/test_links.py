"""Links that let somebody in: once, for ten minutes, in the browser that asked."""

import email
import email.policy
import re

import pytest
from sqlalchemy import select

from app.auth.links import LIFE_US, Request
from app.auth.postroom import MOST_WAITING, Postroom
from app.auth.throttle import LINKS_PER_EMAIL
from app.commands import users
from app.db import reading, transaction
from app.models import AuditEntry, LoginLink, LoginSession
from tests.app.web_world import PEOPLE
from tests.contract.worlds import NOW_US

API = "/api/v1/integrations"
ANN = PEOPLE["admin"][0]


def ask(world, client, address=ANN, **more):
    answer = client.post("/login/link", data={"email": address, **more})
    world.app.extensions["midspan_postroom"].wait()
    return answer


def mails(world):
    folder = world.settings.home / "outbox"
    return [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in sorted(folder.glob("*.eml"))
    ]


def link_in(mail) -> str:
    (address,) = re.findall(r"http://127\.0\.0\.1:8050(/login/link/\S+)", mail.get_content())
    return address


def test_a_link_lets_the_browser_that_asked_in_once(world):
    client = world.client()
    assert ask(world, client, next="/alerts").status_code == 200
    address = link_in(mails(world)[0])
    page = client.get(address)
    assert page.status_code == 200
    assert 'method="post"' in page.text
    assert client.get(API).status_code == 401, "looking at the link is not following it"
    entered = client.post(address)
    assert (entered.status_code, entered.location) == (303, "/alerts")
    assert client.get(API).status_code == 200
    client.post("/logout")
    assert client.post(address).status_code == 401
    with reading(world.engine) as session:
        assert session.scalars(select(LoginSession.method)).all() == ["link"]
        detail = session.scalars(select(AuditEntry.detail).order_by(AuditEntry.id.desc())).first()
    assert detail == "by link from 127.0.0.1"


def test_a_mail_scanner_does_not_burn_the_link(world):
    client = world.client()
    ask(world, client)
    address = link_in(mails(world)[0])
    scanner = world.client()
    for method in ("GET", "HEAD", "POST"):
        assert scanner.open(address, method=method).status_code == 401
    for _ in range(3):
        client.get(address)
    assert client.post(address).status_code == 303


def test_a_link_opens_nothing_in_another_browser(world):
    asked, other = world.client(), world.client()
    ask(world, asked)
    ask(world, other, "nobody@acme.example")
    address = link_in(mails(world)[0])
    assert other.get(address).status_code == 200, "the page tells nobody whether a link is good"
    refused = other.post(address)
    assert refused.status_code == 401
    assert "Set-Cookie" not in refused.headers
    assert asked.post(address).status_code == 303


@pytest.mark.parametrize(("passed_us", "status"), [(LIFE_US - 1, 303), (LIFE_US, 401)])
def test_a_link_lasts_ten_minutes(world, passed_us, status):
    client = world.client()
    ask(world, client)
    world.clock.pass_us(passed_us)
    assert client.post(link_in(mails(world)[0])).status_code == status


def test_known_unknown_and_disabled_get_the_same_answer_and_only_one_a_mail(world):
    with transaction(world.engine) as session:
        users.disable_user(session, email=PEOPLE["globex"][0], now_us=NOW_US, actor="test")
    told = set()
    for address in (ANN, "nobody@acme.example", PEOPLE["globex"][0]):
        answer = ask(world, world.client(), address)
        told.add(
            (answer.status_code, answer.text.replace(address, ""), *sorted(answer.headers.keys()))
        )
    assert len(told) == 1
    assert [mail["To"] for mail in mails(world)] == [ANN]


def test_asking_writes_nothing_in_the_request_itself(world, monkeypatch):
    """Known and unknown addresses cost the asker the same: one entry in a queue."""
    laid = []
    monkeypatch.setattr(Postroom, "ask", lambda _self, request: laid.append(request) or True)
    for address in (ANN, "nobody@acme.example"):
        world.client().post("/login/link", data={"email": address})
    assert [request.email for request in laid] == [ANN, "nobody@acme.example"]
    with reading(world.engine) as session:
        assert session.scalars(select(LoginLink)).all() == []


def test_links_are_throttled_for_known_and_unknown_addresses_alike(world):
    for address in (ANN, "nobody@acme.example"):
        statuses = [ask(world, world.client(), address).status_code for _ in range(7)]
        assert statuses == [200] * LINKS_PER_EMAIL.capacity + [429] * 2
    world.clock.pass_us(LINKS_PER_EMAIL.refill_us)
    assert ask(world, world.client()).status_code == 200
    assert len(mails(world)) == LINKS_PER_EMAIL.capacity + 1


def test_only_digests_are_kept(world):
    client = world.client()
    ask(world, client)
    secret = link_in(mails(world)[0]).partition("?")[0].rpartition("/")[2]
    with reading(world.engine) as session:
        (row,) = session.scalars(select(LoginLink)).all()
    kept = str(vars(row))
    assert len(secret) >= 43
    assert secret not in kept
    assert client.get_cookie("midspan_browser").value not in kept


def test_a_link_on_its_way_ends_with_the_role(world):
    client = world.client()
    ask(world, client, PEOPLE["ecosystem"][0])
    with transaction(world.engine) as session:
        users.move_user(
            session, email=PEOPLE["ecosystem"][0], role=PEOPLE["admin"][1], now_us=NOW_US, actor="x"
        )
    assert client.post(link_in(mails(world)[0])).status_code == 401


@pytest.mark.parametrize("typed", ["", "nobody", "\x00"])
def test_what_is_no_address_is_asked_for_again(world, typed):
    answer = world.client().post("/login/link", data={"email": typed})
    assert answer.status_code == 422
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("secret", ["x", "%00", "%ED%A0%80", "a" * 5_000])
def test_an_invented_link_is_refused_without_a_write(world, secret):
    client = world.client()
    ask(world, client, "nobody@acme.example")
    assert client.post(f"/login/link/{secret}").status_code in {400, 401}


def test_the_browser_cookie_is_out_of_reach_of_scripts(world):
    cookie = ask(world, world.client()).headers["Set-Cookie"]
    assert cookie.startswith("midspan_browser=")
    assert {"HttpOnly", "SameSite=Lax", "Max-Age=600"} <= set(cookie.split("; "))


def test_a_full_postroom_says_so_and_drops_the_newest(world, monkeypatch):
    room = Postroom(world.engine, world.settings)
    monkeypatch.setattr(room, "_start", lambda: None)
    request = Request(ANN, "x", "/", NOW_US)
    assert [room.ask(request) for _ in range(MOST_WAITING + 1)] == [True] * MOST_WAITING + [False]


def test_a_registry_that_is_away_does_not_stop_the_postroom(world):
    client = world.client()
    path = world.settings.home / "registry.db"
    world.app.extensions["midspan"].reading.engine.dispose()
    path.rename(path.with_suffix(".away"))
    assert ask(world, client).status_code == 200
    path.with_suffix(".away").rename(path)
    ask(world, client)
    assert len(mails(world)) == 1
