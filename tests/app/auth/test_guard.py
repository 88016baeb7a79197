"""The gate in front of every route: origin, next, headers, and who may read what."""

import pytest

from app.auth.local import local_target
from app.auth.origin import allowed
from tests.app.web_world import PEOPLE, log_in

BASE = "https://midspan.example"


@pytest.mark.parametrize(
    ("method", "site", "origin", "passes"),
    [
        ("GET", "cross-site", "https://evil.example", True),
        ("POST", "same-origin", "https://inner:8050", True),
        ("POST", "none", None, True),
        ("POST", "cross-site", "https://evil.example", False),
        ("POST", "cross-site", None, False),
        ("POST", "same-site", "https://other.midspan.example", False),
        ("POST", "cross-site", BASE, True),
        ("POST", None, None, True),  # no browser
        ("POST", None, "https://inner:8050", True),
        ("POST", None, BASE, True),
        ("POST", None, "https://evil.example", False),
        ("POST", None, "null", False),
        ("DELETE", None, "https://inner:8050.evil.example", False),
        ("PUT", "", "http://[", False),
    ],
)
def test_what_changes_something_comes_from_our_own_pages(method, site, origin, passes):
    assert allowed(method, "inner:8050", site, origin, BASE) is passes


@pytest.mark.parametrize(
    "path", ["/login", "/logout", "/api/v1/exchanges", "/_dash-update-component"]
)
@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_another_site_cannot_make_a_browser_act(world, path, headers):
    client = world.client("admin")
    assert client.post(path, headers=headers).status_code == 403
    assert client.get("/api/v1/integrations").status_code == 200


@pytest.mark.parametrize(
    ("target", "goes"),
    [
        ("/integrations/globex-issues?from=a&to=b", "/integrations/globex-issues?from=a&to=b"),
        ("/", "/"),
        (None, "/"),
        ("", "/"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("///evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("evil.example", "/"),
        (" //evil.example", "/"),
        ("https:evil.example", "/"),
    ],
)
def test_after_the_log_in_we_stay_at_home(world, target, goes):
    assert local_target(target) == goes
    more = {} if target is None else {"next": target}
    assert log_in(world.client(), PEOPLE["admin"][0], **more).location == goes


def test_a_page_sends_to_the_log_in_and_back(world):
    first = world.client().get("/integrations/globex-issues?from=2026-01-01T00:00:00Z&x=a%26b")
    assert first.status_code == 302
    assert first.location.startswith("/login?next=/integrations/globex-issues%3Ffrom%3D")
    page = world.client().get(first.location)
    assert "/integrations/globex-issues?from=2026-01-01T00:00:00Z&amp;x=a%26b" in page.text


@pytest.mark.parametrize("path", ["/api/v1/integrations", "/_dash-layout", "/_dash-dependencies"])
def test_programs_get_a_status_not_a_page(world, path):
    refused = world.client().get(path)
    assert refused.status_code == 401
    assert refused.content_type == "application/problem+json"


def test_a_page_that_changes_something_is_refused_not_redirected(world):
    assert world.client().post("/integrations/x").status_code == 401


def test_who_is_in_already_is_not_asked_again(world):
    answer = world.client("admin").get("/login?next=/alerts")
    assert (answer.status_code, answer.location) == (302, "/alerts")


def test_the_log_in_page_needs_no_script_and_no_other_host(world):
    page = world.client().get("/login")
    assert page.status_code == 200
    assert "<script" not in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for label in ("email", "password"):
        assert f'<label for="{label}">' in page.text
    style = world.client().get("/login/static/login.css")
    assert style.status_code == 200
    assert "prefers-color-scheme: dark" in style.text
    style.close()


def test_what_was_typed_comes_back_escaped_and_without_the_password(world):
    page = log_in(world.client(), '"><script>alert(1)</script>', "secret-typed-in")
    assert "<script" not in page.text
    assert "secret-typed-in" not in page.text


@pytest.mark.parametrize(
    "path", ["/login", "/livez", "/readyz", "/metrics", "/api/v1/integrations", "/nowhere", "/"]
)
def test_every_answer_says_how_far_to_trust_it(world, path):
    for client in (world.client(), world.client("admin")):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "same-origin"
        kept = path.startswith("/api/") and "ETag" in headers
        assert headers["Cache-Control"] == ("private, no-cache" if kept else "no-store")
        assert "Cookie" in headers["Vary"]


def test_pages_may_run_only_the_scripts_whose_digests_they_name(world):
    world.app.extensions["midspan"].csp_hashes = lambda: ["'sha256-abc='"]
    policy = (
        world.client("admin")
        .get("/nowhere", headers={"Accept": "text/html"})
        .headers["Content-Security-Policy"]
    )
    assert "script-src 'self' 'sha256-abc=';" in policy
    assert "unsafe-eval" not in policy


def test_a_body_without_end_is_refused(world):
    answer = world.client().post("/login", data={"email": "a", "password": "x" * 5_000_000})
    assert answer.status_code == 413


def test_metrics_are_for_this_machine_and_the_ecosystem_team(world):
    far = {"REMOTE_ADDR": "192.0.2.1"}
    client = world.client()
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", environ_base=far).status_code == 401
    for name in ("X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via"):
        assert client.get("/metrics", headers={name: "x"}).status_code == 401
    for role, status in (("ecosystem", 200), ("admin", 200), ("globex", 403)):
        answer = client.get("/metrics", environ_base=far, headers=world.bearer(role))
        assert answer.status_code == status


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes_need_no_log_in(world, path):
    assert world.client().get(path).status_code == 200


def test_without_a_registry_nobody_is_recognised_and_the_page_still_shows(world):
    client = world.client("admin")
    world.app.extensions["midspan"].reading.engine.dispose()
    (world.settings.home / "registry.db").rename(world.settings.home / "away.db")
    for away in (client.get("/api/v1/integrations"), log_in(client, PEOPLE["admin"][0])):
        assert away.status_code == 503
        assert away.headers["Retry-After"]
    assert world.client().get("/login").status_code == 200
    (world.settings.home / "away.db").rename(world.settings.home / "registry.db")
    assert client.get("/api/v1/integrations").status_code == 200
