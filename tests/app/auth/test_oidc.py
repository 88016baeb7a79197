"""Log-in with a real OpenID provider on loopback, and what is not believed of it."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from joserfc.jwk import RSAKey

from app import settings as settings_module
from app.domain.window import MINUTE_US
from app.errors import SettingsError
from app.factory import create_app
from tests.app.auth.oidc_provider import CLIENT, SECRET, OpenIdProvider
from tests.contract.worlds import NOW_US

API = "/api/v1/integrations"


@pytest.fixture
def provider():
    made = OpenIdProvider()
    made.now_s = NOW_US // 1_000_000
    yield made
    made.close()


@pytest.fixture
def app(world, provider):
    given = {
        "MIDSPAN_HOME": str(world.settings.home),
        "MIDSPAN_OIDC_ISSUER": provider.issuer,
        "MIDSPAN_OIDC_CLIENT_ID": CLIENT,
        "MIDSPAN_OIDC_CLIENT_SECRET": SECRET,
    }
    made = create_app(settings_module.load(given, world.settings.home / "none"), clock=world.clock)
    yield made
    made.extensions["midspan"].reading.store.close()
    made.extensions["midspan"].reading.engine.dispose()


def go(client, path="/login/oidc?next=/alerts") -> str:
    """Begin, log in over there, and come back with this address."""
    begun = client.get(path)
    assert begun.status_code == 302
    there = requests.get(begun.location, allow_redirects=False, timeout=5)
    back = urlsplit(there.headers["Location"])
    return f"{back.path}?{back.query}"


def test_somebody_who_is_here_already_comes_in(app):
    client = app.test_client()
    assert "Log in with your organisation" in client.get("/login").text
    entered = client.get(go(client))
    assert (entered.status_code, entered.location) == (303, "/alerts")
    assert client.get(API).status_code == 200


def test_the_browser_is_sent_with_state_nonce_and_a_challenge(app):
    begun = app.test_client().get("/login/oidc")
    asked = parse_qs(urlsplit(begun.location).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["scope"] == ["openid email"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name][0]) >= 43
    assert {"HttpOnly", "SameSite=Lax"} <= set(begun.headers["Set-Cookie"].split("; "))


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ({"email": "stranger@acme.example"}, 403),
        ({"email_verified": False}, 401),
        ({"email_verified": "true"}, 401),
        ({"email": None}, 401),
        ({"email": "\x00"}, 403),
    ],
)
def test_nobody_comes_in_who_was_not_invited_with_a_verified_address(app, provider, who, status):
    provider.who |= who
    client = app.test_client()
    refused = client.get(go(client))
    assert refused.status_code == status
    assert client.get(API).status_code == 401


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"nonce": "another"},
        {"exp": 1},
        {"exp": None},
        {"nonce": None},
    ],
)
def test_a_token_that_says_something_else_is_not_believed(app, provider, claims):
    provider.claims = claims
    client = app.test_client()
    assert client.get(go(client)).status_code == 401


def test_a_token_of_another_key_is_not_believed(app, provider):
    provider.sign_with = RSAKey.generate_key(2048, {"kid": "k1"})
    client = app.test_client()
    assert client.get(go(client)).status_code == 401


def test_a_public_key_is_no_shared_secret(app, provider):
    provider.forges = True
    client = app.test_client()
    assert client.get(go(client)).status_code == 401


def test_only_the_browser_that_went_comes_back(app):
    client = app.test_client()
    back = go(client)
    assert app.test_client().get(back).status_code == 401
    assert client.get("/login/oidc/back?code=x&state=y").status_code == 401
    assert client.get(back).status_code == 303
    assert client.get(back).status_code == 401


def test_a_code_of_somebody_else_does_not_fit_this_browser(app, provider):
    mine, theirs = app.test_client(), app.test_client()
    stolen = parse_qs(urlsplit(go(theirs)).query)["code"][0]
    state = parse_qs(urlsplit(go(mine)).query)["state"][0]
    assert mine.get(f"/login/oidc/back?code={stolen}&state={state}").status_code == 401


def test_the_way_back_is_open_for_ten_minutes(app, world):
    client = app.test_client()
    back = go(client)
    world.clock.pass_us(10 * MINUTE_US)
    assert client.get(back).status_code == 401


def test_a_provider_that_is_another_one_is_refused(app, provider):
    provider.said_issuer = "https://evil.example"
    assert app.test_client().get("/login/oidc").status_code == 401


def test_a_provider_that_is_away_leaves_the_other_ways_in(app, provider):
    provider.close()
    answer = app.test_client().get("/login/oidc")
    assert answer.status_code == 503
    assert 'name="password"' in answer.text
    provider.__init__()


def test_without_a_provider_there_is_no_such_way(world):
    assert world.client().get("/login/oidc").status_code == 404
    assert "organisation" not in world.client().get("/login").text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"MIDSPAN_OIDC_ISSUER": "http://id.example"}, "MIDSPAN_OIDC_ISSUER: .* not an https"),
        ({"MIDSPAN_OIDC_ISSUER": "https://id.example"}, "MIDSPAN_OIDC_CLIENT_ID and MIDSPAN_OIDC"),
        ({"MIDSPAN_OIDC_CLIENT_SECRET": "x"}, "needs MIDSPAN_OIDC_ISSUER and"),
    ],
)
def test_half_a_provider_stops_the_start(given, said, tmp_path):
    with pytest.raises(SettingsError, match=said):
        settings_module.load(given, tmp_path / "none")
