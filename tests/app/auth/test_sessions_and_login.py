"""Log-in, sessions, tokens: who gets in, for how long, and how it ends."""

import subprocess
import sys

import pytest
from sqlalchemy import select

from app.auth.login import Attempt, Door, Result
from app.auth.sessions import Arrival
from app.auth.throttle import PER_ADDRESS, PER_EMAIL, Limit, Throttle
from app.commands import users
from app.commands.tokens import revoke_token
from app.db import reading, transaction
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from app.models import ApiToken, LoginSession, Partner
from tests.app.web_world import PASSWORD, PEOPLE, ROLES, World, copy_of, log_in
from tests.contract.worlds import NOW_US

API = "/api/v1/integrations"
COOKIE = "midspan_session"


def sessions(world):
    with reading(world.engine) as session:
        return list(session.scalars(select(LoginSession)))


@pytest.mark.parametrize("role", ROLES)
def test_everybody_with_the_right_password_gets_in(world, role):
    assert world.client(role).get(API).status_code == 200


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (PEOPLE["admin"][0], "wrong password"),
        (PEOPLE["admin"][0], ""),
        ("nobody@acme.example", PASSWORD),
        ("", ""),
        ("' OR 1=1 --", "x"),
        ("\x00", "\x00"),
        ("a" * 10_000, "b" * 100_000),
    ],
)
def test_wrong_in_any_way_gets_the_same_answer(world, email, password):
    client = world.client()
    refused = log_in(client, email, password)
    assert refused.status_code == 401
    assert "do not belong together" in refused.text
    assert "Set-Cookie" not in refused.headers
    assert client.get(API).status_code == 401


def test_an_address_that_no_database_can_hold_is_nobodys(engine):
    refused = Door().knock(
        engine, Attempt("\x00", "x", Arrival("password", "192.0.2.1", "x")), NOW_US
    )
    assert refused == Result()


def test_an_unknown_address_is_checked_as_hard_as_a_known_one(world, monkeypatch):
    from app.auth import passwords

    checked = []
    real = passwords.matches

    def counting(password_hash, password):
        checked.append(password_hash is not None)
        return real(password_hash, password)

    monkeypatch.setattr(passwords, "matches", counting)
    log_in(world.client(), "nobody@acme.example")
    log_in(world.client(), PEOPLE["admin"][0], "wrong password")
    assert checked == [False, True]


def test_a_hash_made_for_nobody_costs_what_a_users_does():
    from app.auth.passwords import _nobody
    from app.commands.passwords import hash_password

    def cost(text):
        return text.split("$")[:4]

    assert cost(_nobody()) == cost(hash_password("long enough"))


def test_a_real_hash_costs_what_rfc_9106_asks_for_where_memory_is_scarce():
    code = "from app.commands.passwords import hash_password; print(hash_password('long enough'))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_the_address_may_be_typed_in_capitals_and_with_spaces(world):
    assert log_in(world.client(), f" {PEOPLE['admin'][0].upper()} ").status_code == 303


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(world):
    cookie = log_in(world.client(), PEOPLE["admin"][0]).headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


def test_behind_https_the_cookie_is_secure_and_bound_to_the_host(template, tmp_path):
    home, tokens = template
    world = World(copy_of(home, tmp_path / "https"), tokens, "https://midspan.example")
    answer = log_in(world.client(), PEOPLE["admin"][0])
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"__Host-{COOKIE}=")
    assert "Secure" in cookie.split("; ")
    assert "Domain" not in cookie
    assert answer.headers["Strict-Transport-Security"]
    world.close()


def test_only_a_digest_of_the_session_is_kept(world):
    client = world.client("admin")
    value = client.get_cookie(COOKIE).value
    [kept] = sessions(world)
    assert len(value) >= 43  # 256 bits
    assert value not in (kept.id_sha256, str(vars(kept)))


def test_a_session_that_somebody_planted_is_never_adopted(world):
    client = world.client()
    client.set_cookie(COOKIE, "planted")
    log_in(client, PEOPLE["admin"][0])
    assert client.get_cookie(COOKIE).value != "planted"
    attacker = world.client()
    attacker.set_cookie(COOKIE, "planted")
    assert attacker.get(API).status_code == 401


def test_logging_in_again_ends_the_session_before(world):
    client = world.client("globex")
    old = client.get_cookie(COOKIE).value
    log_in(client, PEOPLE["admin"][0])
    replay = world.client()
    replay.set_cookie(COOKIE, old)
    assert replay.get(API).status_code == 401
    assert client.get(API).status_code == 200


def test_a_cookie_kept_from_before_the_log_out_is_worthless(world):
    client = world.client("admin")
    kept = client.get_cookie(COOKIE).value
    left = client.post("/logout")
    assert (left.status_code, left.location) == (303, "/login")
    assert client.get_cookie(COOKIE) is None
    client.set_cookie(COOKIE, kept)
    assert client.get(API).status_code == 401


def test_nobody_is_logged_out_by_a_link(world):
    client = world.client("admin")
    assert client.get("/logout").status_code == 405
    assert client.get(API).status_code == 200


def test_logging_out_without_a_session_is_no_mistake(world):
    assert world.client().post("/logout").status_code == 303


@pytest.mark.parametrize(
    ("steps", "alive"),
    [
        ([12 * HOUR_US - SECOND_US], True),
        ([12 * HOUR_US], False),
        ([11 * HOUR_US] * 5, True),
        ([11 * HOUR_US] * 15 + [2 * HOUR_US], True),
        ([11 * HOUR_US] * 15 + [3 * HOUR_US], False),  # seven days after the log-in
    ],
    ids=["not yet idle", "idle", "used now and then", "almost a week", "a week"],
)
def test_a_session_ends_by_silence_or_age(world, steps, alive):
    client = world.client("admin")
    for step_us in steps[:-1]:
        world.clock.pass_us(step_us)
        assert client.get(API).status_code == 200
    world.clock.pass_us(steps[-1])
    assert client.get(API).status_code == (200 if alive else 401)


def test_being_seen_is_written_at_most_once_a_minute(world):
    client = world.client("admin")
    for _ in range(5):
        client.get(API)
        world.clock.pass_us(SECOND_US)
    assert sessions(world)[0].last_seen_us == NOW_US
    world.clock.pass_us(MINUTE_US)
    client.get(API)
    assert sessions(world)[0].last_seen_us == world.clock()


def test_a_disabled_user_is_out_at_once_and_cannot_come_back(world):
    client = world.client("globex")
    email = PEOPLE["globex"][0]
    with transaction(world.engine) as session:
        users.disable_user(session, email=email, now_us=NOW_US, actor="test")
    assert client.get(API).status_code == 401
    assert log_in(client, email).status_code == 401


def test_a_partner_that_left_the_registry_shows_nothing_any_more(world):
    client = world.client("globex")
    with transaction(world.engine) as session:
        session.scalars(select(Partner).where(Partner.slug == "globex")).one().removed_us = NOW_US
    assert client.get(API).json["items"] == []
    assert world.api("/integrations", "globex").json["items"] == []


def test_sessions_long_over_are_swept_at_the_next_log_in(world):
    world.client("admin")
    world.clock.pass_us(9 * DAY_US)
    world.client("admin")
    assert len(sessions(world)) == 1


@pytest.mark.parametrize("role", ROLES)
def test_a_token_opens_the_api(world, role):
    assert world.api("/integrations", role).status_code == 200


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer ", "Basic YTpi", "bearer\t", ""])
def test_what_is_no_token_opens_nothing(world, header):
    refused = world.client().get(API, headers={"Authorization": header})
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].lower().startswith("bearer")


def test_a_bad_token_is_not_saved_by_a_good_cookie(world):
    client = world.client("admin")
    assert client.get(API, headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_a_revoked_token_is_worthless(world):
    with transaction(world.engine) as session:
        revoke_token(session, name="globex", now_us=NOW_US, actor="test")
    assert world.api("/integrations", "globex").status_code == 401


def test_the_use_of_a_token_is_noted_at_most_once_a_minute(world):
    def noted():
        with reading(world.engine) as session:
            return session.scalar(select(ApiToken.last_used_us).where(ApiToken.name == "admin"))

    world.api("/integrations", "admin")
    assert noted() == NOW_US
    world.clock.pass_us(MINUTE_US - 1)
    world.api("/integrations", "admin")
    assert noted() == NOW_US
    world.clock.pass_us(1)
    world.api("/integrations", "admin")
    assert noted() == NOW_US + MINUTE_US


def test_too_many_failures_close_the_door_for_that_address_only(world):
    client, email = world.client(), PEOPLE["admin"][0]
    for _ in range(PER_EMAIL.capacity):
        assert log_in(client, email, "wrong password").status_code == 401
    closed = log_in(client, email)
    assert closed.status_code == 429
    assert "Too many attempts" in closed.text
    assert 0 < int(closed.headers["Retry-After"]) <= PER_EMAIL.refill_us // SECOND_US
    assert log_in(world.client(), PEOPLE["ecosystem"][0]).status_code == 303
    world.clock.pass_us(PER_EMAIL.refill_us)
    assert log_in(client, email).status_code == 303


def test_an_unknown_address_is_throttled_like_a_known_one(world):
    client = world.client()
    statuses = [log_in(client, "nobody@acme.example").status_code for _ in range(12)]
    assert statuses == [401] * PER_EMAIL.capacity + [429] * 2


def test_getting_in_forgives(world):
    client, email = world.client(), PEOPLE["admin"][0]
    for _ in range(3):
        for _ in range(PER_EMAIL.capacity - 1):
            log_in(client, email, "wrong password")
        assert log_in(client, email).status_code == 303


def test_a_bucket_drips_back_one_at_a_time():
    throttle = Throttle(Limit(2, 10))
    throttle.failed("a", 0)
    assert throttle.wait_us("a", 0) == 0
    throttle.failed("a", 0)
    assert throttle.wait_us("a", 0) == 10
    assert throttle.wait_us("a", 9) == 1
    assert throttle.wait_us("a", 10) == 0
    assert throttle.wait_us("b", 0) == 0


def test_a_clock_that_steps_back_gives_nothing_back():
    throttle = Throttle(Limit(1, 10))
    throttle.failed("a", 100)
    assert throttle.wait_us("a", 50) == 10


def test_the_memory_of_failures_is_bounded():
    throttle = Throttle(PER_ADDRESS, max_keys=100)
    for number in range(1_000):
        throttle.failed(str(number), 0)
    assert len(throttle._buckets) == 100
