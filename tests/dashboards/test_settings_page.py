"""The settings page through the real app: what a click changes, and who may click."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from app.commands import audit
from app.db import reading, transaction
from app.domain.scope import Role, Scope
from app.models import AuditEntry, User
from dashboards import ids
from dashboards.mount import mount
from dashboards.pages import settings_rows as rows
from tests.app.web_world import PASSWORD, PEOPLE, World, copy_of, log_in, make_template
from tests.dashboards.test_dash_cross_tenant import UPDATE, call_of

API = "/api/v1/integrations"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    home = tmp_path_factory.mktemp("settings") / "home"
    return home, make_template(home)


@pytest.fixture
def web(template, tmp_path) -> Iterator[World]:
    home, tokens = template
    world = World(copy_of(home, tmp_path / "home"), tokens)
    world.dash = mount(world.app, world.settings)
    yield world
    world.close()


def click(web, client, of: str, values: dict, button: str = ""):
    """Press the button of the form whose line is `of`; what the browser is told."""
    keys = web.dash.callback_map
    (output,) = [key for key in keys if f"{of}-said.children" in key.split("...")[0]]
    call = call_of(output, web.dash.callback_map[output], {})
    for each in call["state"]:
        each["value"] = values.get(each["id"].removeprefix(f"{of}-"))
    if button:
        call["changedPropIds"] = [f"{of}-{button}.n_clicks"]
    answer = client.post(UPDATE, json=call)
    assert answer.status_code == 200, answer.text
    return answer.json["response"]


def told(answer, of: str) -> str:
    return answer[f"{of}-said"]["children"]


def listed(web, client, grid: str) -> list[dict]:
    output = next(key for key in web.dash.callback_map if f"{grid}.rowData" in key)
    answer = client.post(UPDATE, json=call_of(output, web.dash.callback_map[output], {}))
    assert answer.status_code == 200, answer.text
    return answer.json["response"][grid]["rowData"]


def test_an_administrator_invites_moves_and_shuts_out(web):
    client = web.client("admin")
    invite, change = ids.SETTINGS_INVITE, ids.SETTINGS_CHANGE
    new = {"email": "New@globex.example", "role": "partner", "places": "globex"}
    assert told(click(web, client, invite, new), invite) == "New@globex.example is invited."
    (kept,) = (web.settings.home / "outbox").glob("*.eml")
    assert "/login?email=new@globex.example" in kept.read_text()
    assert "there is a user" in told(click(web, client, invite, new), invite)
    moved = {"what": "move", "email": "new@globex.example", "role": "internal",
             "places": "hooli-inside"}  # fmt: skip
    assert "has role internal" in told(click(web, client, change, moved), change)
    shut = {"what": "disable", "email": "new@globex.example"}
    assert "shut out" in told(click(web, client, change, shut), change)
    row = next(r for r in listed(web, client, ids.SETTINGS_PEOPLE) if r["id"].startswith("new@"))
    assert (row["role"], row["places"]) == ("Builder", "hooli-inside")
    assert row["state"] == "shut out"
    with reading(web.engine) as session:
        user = session.scalars(select(User).where(User.email == "new@globex.example")).one()
        assert user.password_hash is None
        actors = session.scalars(
            select(AuditEntry.actor).where(AuditEntry.subject == "new@globex.example")
        ).all()
    assert actors == ["user:admin@acme.example"] * 3


def test_the_last_administrator_cannot_shut_themselves_out(web):
    change = ids.SETTINGS_CHANGE
    values = {"what": "disable", "email": PEOPLE["admin"][0]}
    assert "last administrator" in told(click(web, web.client("admin"), change, values), change)


def test_who_is_logged_out_everywhere_is_out_at_once(web):
    theirs = web.client("globex")
    values = {"what": "end", "email": PEOPLE["globex"][0]}
    click(web, web.client("admin"), ids.SETTINGS_CHANGE, values)
    assert theirs.get(API).status_code == 401


def test_a_token_is_shown_once_and_worthless_once_revoked(web):
    client, of = web.client("admin"), ids.SETTINGS_MAKE
    values = {"name": "ci", "role": "partner", "place": "globex"}
    made = click(web, client, of, values, "make")
    token = made[f"{of}-token"]["children"]
    assert web.app.test_client().get(API, headers={"Authorization": f"Bearer {token}"}).json
    assert token not in str(listed(web, client, ids.SETTINGS_TOKENS))
    assert told(click(web, client, of, values, "revoke"), of) == "Revoked."
    refused = web.app.test_client().get(API, headers={"Authorization": f"Bearer {token}"})
    assert refused.status_code == 401


def test_everybody_sees_and_ends_their_own_sessions_only(web):
    here, other, admin = web.client("globex"), web.client("globex"), web.client("admin")
    found = listed(web, here, ids.SETTINGS_SESSIONS)
    assert len(found) == 2
    assert sum(row["agent"].endswith(", this one") for row in found) == 1
    click(web, here, ids.SETTINGS_SESSIONS, {})
    assert other.get(API).status_code == 401
    assert here.get(API).status_code == admin.get(API).status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("wrong", "another horse", "The old password is not that."),
        (PASSWORD, "short", "8 to 1,000 characters"),
        (None, "another horse", "The old password is not that."),
    ],
)
def test_a_password_that_does_not_fit_changes_nothing(web, old, new, said):
    of, client = ids.SETTINGS_SECRET, web.client("globex")
    assert said in told(click(web, client, of, {"old": old, "new": new}), of)
    assert log_in(web.client(), PEOPLE["globex"][0]).status_code == 303


def test_a_new_password_ends_the_other_sessions(web):
    of, here, other = ids.SETTINGS_SECRET, web.client("globex"), web.client("globex")
    values = {"old": PASSWORD, "new": "another horse"}
    assert told(click(web, here, of, values), of).startswith("Changed.")
    assert (here.get(API).status_code, other.get(API).status_code) == (200, 401)
    assert log_in(web.client(), PEOPLE["globex"][0], "another horse").status_code == 303


def test_old_rows_of_the_audit_log_are_forgotten_at_a_log_in(web):
    with transaction(web.engine) as session:
        audit.record(session, now_us=1, actor="x", action="user.added", subject="long ago")
    web.client("admin")
    with reading(web.engine) as session:
        assert "long ago" not in session.scalars(select(AuditEntry.subject)).all()


@pytest.mark.parametrize(
    ("scope", "sentence"),
    [
        (Scope(Role.ADMIN, None), "You are a@b.example and see every integration."),
        (Scope(Role.PARTNER, frozenset({"x"})), "You are a@b.example and see what belongs to x."),
        (Scope(Role.PARTNER, frozenset()), "You are a@b.example and see no integration yet."),
        (
            Scope(Role.INTERNAL, frozenset(), frozenset({"y", "x"})),
            "You are a@b.example and see x, y.",
        ),
    ],
)
def test_the_page_opens_with_who_one_is(scope, sentence):
    assert rows.opening("a@b.example", scope) == sentence


def test_what_was_typed_is_read_with_care():
    assert rows.slugs(" a, b  c,") == ["a", "b", "c"]
    assert rows.slugs({"a": 1}) == []
    assert rows.role("owner") is None
    assert rows.role(["admin"]) is None
    assert rows.text(5) == ""
    assert rows.moment(None) == "never"


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36",
         "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537.36 Edg/156.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 20_0 like Mac OS X) Version/20.0 Safari/604.1",
         "Safari on iPhone"),
        ("curl/8.0", "curl/8.0"),
        ("", "no name given"),
    ],
)  # fmt: skip
def test_a_browser_is_named_as_people_know_it(agent, shown):
    assert rows.browser(agent) == shown
