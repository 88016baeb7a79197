"""Every callback and every route of the whole app, asked for what belongs to the other partner.

Generated from the callbacks and the url map: a page added tomorrow is tried tomorrow.
"""

import json
import re
from collections.abc import Iterator

import pytest
from dash import Dash

from app.commands.alerting import add_silence
from app.db import reading, transaction
from app.domain.ids import exchange_id, format_id
from app.domain.window import HOUR_US
from app.models import Incident, Silence
from app.store.port import StoredCapture
from dashboards.mount import mount
from tests.app.alert_worlds import add_incident
from tests.app.error_worlds import failing, id_of, theirs
from tests.app.lifecycle_worlds import event, tell
from tests.app.web_world import (
    CANARY,
    EVERYTHING,
    SLUGS,
    World,
    copy_of,
    make_template,
    some_traffic,
)
from tests.contract.worlds import NOW_US, exchange, failure

pytestmark = pytest.mark.slow

UPDATE = "/_dash-update-component"
MINE, THEIRS = SLUGS[0], SLUGS[2]
#: The canary as a browser could guess it: what was asked may be repeated, so it is never asked.
SEARCHES = (
    "",
    "?window=24h",
    f"?window=24h&slug={THEIRS}&integration={THEIRS}&integrations={THEIRS}&partner=initech",
    "?from=1970-01-01T00:00:00Z&to=2199-12-31T23:59:59Z&verdict=bad&scope=admin",
)


@pytest.fixture(scope="module")
def web(tmp_path_factory) -> Iterator[World]:
    """The whole app on a home in which every text of Initech and of nobody is a canary."""
    home = tmp_path_factory.mktemp("tenants")
    tokens = make_template(home / "template")
    world = World(copy_of(home / "template", home / "home"), tokens)
    texts = {"path": f"/{CANARY}", "error_detail": CANARY, "installation": CANARY, "topic": CANARY}
    failed = failure(NOW_US, integration=THEIRS, captured=True, **texts)
    nobodys = exchange(NOW_US, integration="unattributed", captured=True, **texts)
    captures = [
        StoredCapture(each.id, ((CANARY, CANARY),), CANARY.encode(), ((CANARY, "x"),), b"")
        for each in (failed, nobodys)
    ]
    world.load([failed, nobodys], captures=captures)
    world.load(some_traffic(), errors=[failing(), theirs()])
    world.ids = [format_id(failed.id), format_id(nobodys.id), format_id(exchange_id(NOW_US, 1, 1))]
    world.cursor = _cursor(failed.id)
    for slug, word in ((MINE, "mine"), (THEIRS, CANARY)):
        texts = {"installation": word, "customer": word, "plan": word, "source": word}
        for step in ("started", "uninstalled"):
            tell(
                world.engine, event(step, NOW_US - HOUR_US, integration=slug, reason=word, **texts)
            )
    add_incident(world.engine, NOW_US, MINE, "globex")
    world.incident = str(add_incident(world.engine, NOW_US, THEIRS, "initech", word=CANARY))
    with transaction(world.engine) as session:
        silence = add_silence(
            session, EVERYTHING, rule=None, integration=THEIRS, partner=None, starts_us=NOW_US,
            ends_us=NOW_US + HOUR_US, comment=CANARY, now_us=NOW_US, actor=CANARY,
        )  # fmt: skip
        world.silence = str(silence.id)
    world.dash = mount(world.app, world.settings)
    yield world
    world.close()


@pytest.fixture(scope="module")
def globex(web):
    """Their browser, logged in once."""
    return web.client("globex")


@pytest.fixture(scope="module")
def builder(web):
    """The browser of somebody who builds one internal integration of Hooli."""
    return web.client("builder")


def _cursor(raw: bytes) -> str:
    from app.queries.exchanges import _encode

    return _encode(raw)


def pathnames(web: World) -> list[str]:
    """Pages of the other partner, of nobody, and of nothing, some of them oddly written."""
    slugs = (THEIRS, "unattributed", "never", "initech", THEIRS.upper(), f"{MINE}%2F..%2F{THEIRS}")
    found = [
        f"/integrations/{slug}{tab}"
        for slug in slugs
        for tab in ("", "/exchanges", "/errors", "/installs", "/witnesses", "/usage", "/revenue")
    ]
    found += [
        f"/integrations/{MINE}",
        f"/integrations/{MINE}/exchanges",
        f"/integrations/{MINE}/installs",
        "/",
        "/partners/initech",
    ]
    found += [f"/integrations/{MINE}/witnesses", f"/installations/{THEIRS}:inst-1"]
    found.append("/alerts")
    found += [f"/integrations/{MINE}/../{THEIRS}", f"//integrations//{THEIRS}//"]
    for each in web.ids:
        found += [f"/exchanges/{each}", f"/exchanges/{each.upper()}", f"/exchanges/%7B{each}%7D"]
    return found


def call_of(output: str, wanted: dict, values: dict) -> dict:
    """What a browser posts for one callback."""
    names = output[2:-2].split("...") if output.startswith("..") else [output]
    outputs = [dict(zip(("id", "property"), name.rsplit(".", 1), strict=True)) for name in names]
    given = {
        part: [{**each, "value": values.get(each["property"])} for each in wanted[part]]
        for part in ("inputs", "state")
    }
    changed = [f"{each['id']}.{each['property']}" for each in wanted["inputs"]]
    return {
        "output": output,
        "outputs": outputs if output.startswith("..") else outputs[0],
        "changedPropIds": changed,
        **given,
    }


#: The properties that callbacks read, beside those of the address.
FILLED = (
    "data", "value", "n_clicks", "rowData", "id", "children", "n_intervals", "className",
    "selectedRows", "cellClicked", "relayoutData", "clickData", "checked", "n_submit",
)  # fmt: skip


def on_server(app: Dash) -> dict[str, dict]:
    """The callbacks that run here; the others run in the browser."""
    return {key: each for key, each in app.callback_map.items() if "callback" in each}


def reads_address(wanted: dict) -> bool:
    """Whether a callback knows which page it is asked for; one that does not is asked once."""
    return any(
        each["property"] in {"pathname", "search", "href"}
        for each in (*wanted["inputs"], *wanted["state"])
    )


def calls(web: World, searches: tuple[str, ...] = SEARCHES) -> Iterator[dict]:
    """Each call of `all_calls` once: a callback that reads a part of the address only would be
    asked the same again for each of the other parts."""
    seen = set()
    for call in all_calls(web, searches):
        known = json.dumps(call)
        if known not in seen:
            seen.add(known)
            yield call


def all_calls(web: World, searches: tuple[str, ...]) -> Iterator[dict]:
    """Every callback with every address; every other property is also the other partner's."""
    searches = (*searches, f"?window=24h&cursor={web.cursor}&incident={web.incident}")
    for output, wanted in on_server(web.dash).items():
        for pathname in pathnames(web) if reads_address(wanted) else ["/"]:
            for search in searches:
                values = {"pathname": pathname, "search": search, "href": pathname + search}
                yield call_of(output, wanted, values)
        for value in (THEIRS, web.ids[0], {"index": THEIRS}, [THEIRS], 1, True):
            values = dict.fromkeys(FILLED, value)
            yield call_of(output, wanted, {"pathname": f"/integrations/{THEIRS}", **values})
            chosen = {"selectedRows": [{"id": web.silence}], "search": f"?incident={web.incident}"}
            yield call_of(output, wanted, {"pathname": "/alerts", **values, **chosen})


def test_every_callback_of_the_pages_is_tried(web):
    outputs = " ".join(on_server(web.dash))
    pages = ("page.children", "overview-grid", "health-", "exchanges-grid", "find.data", "alerts-",
             "incident-done", "installs-")  # fmt: skip
    for page in pages:
        assert page in outputs


def test_every_callback_is_filled_by_the_probe(web):
    known = {"pathname", "search", "href", "hash", *FILLED}
    for output, wanted in on_server(web.dash).items():
        for each in (*wanted["inputs"], *wanted["state"]):
            assert each["property"] in known, f"say what {each} of {output} is to be tried with"
            assert "{" not in each["id"], f"fill the index of {each['id']} with what is theirs"


def answered(output: str, status: int) -> bool:
    """Whether a callback answered as it should: some are for administrators only."""
    return status in {200, 204} or (status == 403 and "settings-" in output)


def test_no_callback_shows_a_partner_a_byte_of_another(web, globex):
    mine, asked = 0, 0
    for call in calls(web):
        answer = globex.post(UPDATE, json=call)
        assert answered(call["output"], answer.status_code), (call, answer.text)
        assert CANARY not in answer.text, call
        assert THEIRS not in answer.text or THEIRS in json.dumps(call), call
        mine += MINE in answer.text
        asked += 1
    with reading(web.engine) as session:
        assert session.get_one(Incident, int(web.incident)).acked_by is None
        assert session.get_one(Silence, int(web.silence)).ends_us == NOW_US + HOUR_US
    assert asked > 100
    assert mine > 20, "it has to see its own"


def test_no_callback_shows_a_builder_a_byte_of_anything_else(web, builder):
    for call in calls(web, ("?window=24h",)):
        answer = builder.post(UPDATE, json=call)
        assert answered(call["output"], answer.status_code), (call, answer.text)
        for foreign in (CANARY, MINE, THEIRS):
            assert foreign not in answer.text or foreign in json.dumps(call), call


@pytest.mark.parametrize("role", ["globex", "builder", "ecosystem"])
def test_nobody_but_an_administrator_manages_people_or_tokens(web, role):
    client = web.client(role)
    for output, wanted in on_server(web.dash).items():
        if any(part in output for part in ADMINISTRATORS):
            call = call_of(output, wanted, dict.fromkeys(FILLED, "admin"))
            answer = client.post(UPDATE, json=call)
            # What the form itself refuses, it refuses before anybody asks who sent it.
            told = json.dumps(answer.json) if answer.status_code == 200 else ""
            assert answer.status_code == 403 or "Choose" in told, (output, answer.text)


ADMINISTRATORS = ("settings-people", "settings-invite", "settings-change", "settings-tokens",
                  "settings-make")  # fmt: skip


@pytest.mark.parametrize("role", ["ecosystem", "initech"])
def test_who_may_see_the_canary_does(web, role):
    client = web.client(role)
    seen = {
        call["output"]
        for call in calls(web, ("?window=24h",))
        if CANARY in client.post(UPDATE, json=call).get_data(as_text=True)
    }
    # The summary, the charts and the title carry numbers only; everything else has names.
    assert len(seen) >= 4


def test_nobody_gets_no_answer_from_any_callback(web):
    client = web.client()
    for output, wanted in web.dash.callback_map.items():
        answer = client.post(UPDATE, json=call_of(output, wanted, {"pathname": "/", "search": ""}))
        assert answer.status_code == 401
        assert answer.content_type == "application/problem+json"


def test_a_session_that_is_over_gets_no_answer(web):
    client = web.client("ecosystem")
    kept = client.get_cookie("midspan_session").value
    client.post("/logout")
    client.set_cookie("midspan_session", kept)
    call = next(calls(web))
    assert client.post(UPDATE, json=call).status_code == 401
    assert client.get("/").status_code == 302


def addresses(web: World) -> Iterator[str]:
    """Every route, its placeholders filled with what is not Globex's."""
    fill = {
        "slug": [THEIRS, "initech", "unattributed"],
        "exchange_id": web.ids,
        "installation_id": [f"{THEIRS}:inst-1", "inst-1"],
        "group": [id_of(theirs())],
        "path": [path.lstrip("/") for path in pathnames(web)],
        "secret": ["x"],
        "number": [web.incident, "7000", "x"],
        "name": ["slow"],
        "act": ["acknowledge", "silence", "resolve", "x"],
        "filename": ["login.css", "../x"],
        "package_name": ["dash", "os", "nope"],
        "fingerprinted_path": ["../../etc/passwd", "dcc/nope.js", "%00", "dash_renderer.js"],
    }
    for rule in web.app.url_map.iter_rules():
        found = [rule.rule]
        for name in rule.arguments:
            place = re.compile(rf"<(?:[^<>:]+:)?{name}>")
            found = [place.sub(value, one) for one in found for value in fill[name]]
        assert not any("<" in one for one in found)
        yield from found


def test_no_route_shows_a_partner_a_byte_of_another(web, globex):
    for address in addresses(web):
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
            if address == "/logout":
                continue
            answer = globex.open(address, method=method)
            assert answer.status_code < 500, (method, address)
            assert CANARY.encode() not in answer.get_data().replace(address.encode(), b"")
            answer.close()


def test_no_route_but_the_door_opens_to_nobody(web):
    client, opened = web.client(), set()
    for address in addresses(web):
        answer = client.get(address)
        assert answer.status_code in {200, 302, 401, 404, 405}, address
        if answer.status_code == 200:
            opened.add(address)
        answer.close()
    # /metrics: the test client asks from this machine
    assert opened == {"/login", "/livez", "/readyz", "/metrics", "/login/static/login.css"}


@pytest.mark.parametrize("path", ["/_dash-layout", "/_dash-dependencies", "/"])
def test_what_a_page_is_built_from_names_nobody_else(web, globex, path):
    answer = globex.get(path)
    assert answer.status_code == 200
    assert CANARY not in answer.text
    assert THEIRS not in answer.text
    assert ("dev@globex.example" in answer.text) == (path == "/_dash-layout")


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "same-site"}]
)
def test_another_site_gets_no_answer_from_a_callback(web, headers):
    answer = web.client("ecosystem").post(UPDATE, json=next(calls(web)), headers=headers)
    assert answer.status_code == 403
    assert CANARY not in answer.text


DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b"null", 400),
        (b"\xff\xfe", 400),
        (DEEP.encode(), 400),
        (b'{"output": "page.children", "inputs": ' + DEEP.encode(), 400),
        (b'{"output": 1}', 400),
        (b'{"output": ' + b"9" * 6000 + b"}", 400),
        (b'{"output": "nope.children", "outputs": [], "inputs": []}', 400),
        (b'{"output": "", "inputs": []}', 400),
        (b'{"output": "' + b"x" * 5_000_000 + b'"}', 413),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_body_that_is_no_callback_is_refused(web, globex, body, status):
    answer = globex.post(UPDATE, data=body, content_type="application/json")
    assert answer.status_code == status
    assert "Traceback" not in answer.text


BROKEN = [
    {"inputs": []},
    {"inputs": 5},
    {"inputs": [1]},
    {"inputs": [[{"id": "location"}]]},
    {"state": None},
    {"state": [{"id": "location", "property": "search"}] * 9},
    {"outputs": None},
    {"outputs": 5},
    {"outputs": []},
    {"outputs": [{"id": "x", "property": "y"}]},
    {"outputs": {"id": {"a": 1}, "property": 5}},
    {"changedPropIds": 5},
    {"changedPropIds": [[]]},
    {"output": "..a.b...c.d.."},
    {"output": "."},
]


@pytest.mark.parametrize("broken", BROKEN, ids=json.dumps)
def test_a_callback_whose_parts_do_not_fit_is_refused(web, globex, broken):
    for output, wanted in on_server(web.dash).items():
        call = call_of(output, wanted, {"pathname": "/", "search": ""}) | broken
        assert globex.post(UPDATE, json=call).status_code == 400, output


@pytest.mark.parametrize("value", [5, True, [], {}, [{"a": 1}], "/\ud800", "?operation=\ud800"])
def test_an_address_that_is_no_text_is_refused(web, globex, value):
    for output, wanted in on_server(web.dash).items():
        if not reads_address(wanted):
            continue
        call = call_of(output, wanted, {"pathname": value, "search": value})
        assert globex.post(UPDATE, json=call).status_code == 400, output


@pytest.mark.parametrize(
    "search",
    [
        "?operation=%00&installation=%00&cursor=%00",
        "?cursor=////",
        "?verdict=%ED%A0%80",
        "?window=" + "9" * 5_000 + "d",
        "?from=0001-01-01&to=9999-12-31",
        "?from=1970-01-01T00:00:00%2B14:00&to=2000-01-01",
        "?" + "&".join(f"a{i}=1" for i in range(2_000)),
        "?self=1&slug=x&exchange_id=y&_query=z",
    ],
    ids=lambda value: value[:30],
)
def test_an_address_that_makes_no_sense_is_answered(web, globex, search):
    for output, wanted in on_server(web.dash).items():
        for pathname in (None, f"/integrations/{MINE}", "/integrations/%00", "/" + "a" * 9_000):
            call = call_of(output, wanted, {"pathname": pathname, "search": search})
            answer = globex.post(UPDATE, json=call)
            assert answered(output, answer.status_code), (output, pathname)


def test_a_callback_that_runs_in_the_browser_is_none_of_ours(web, globex):
    names = web.dash.callback_map.keys() - on_server(web.dash).keys()
    assert names
    for name in names:
        call = call_of(name, web.dash.callback_map[name], {})
        assert globex.post(UPDATE, json=call).status_code == 400


def test_a_bundle_that_is_none_is_not_found(web, globex):
    answer = globex.get("/_dash-component-suites/os/path.py")
    assert answer.status_code == 404


@pytest.mark.parametrize("tab", ["", "/exchanges", "/installs"])
def test_a_page_of_what_is_not_theirs_is_not_found_like_one_of_what_never_was(web, globex, tab):
    mine, theirs, never = (
        globex.get(f"/integrations/{slug}{tab}") for slug in (MINE, THEIRS, "never-was")
    )
    assert (mine.status_code, theirs.status_code, never.status_code) == (200, 404, 404)
    # Dash marks every answer with an id of its own.
    told = {re.sub(r'"end_id":"[^"]*"', "", each.text) for each in (theirs, never)}
    assert len(told) == 1
    assert web.client("ecosystem").get(f"/integrations/{THEIRS}{tab}").status_code == 200


def test_an_exchange_that_is_not_theirs_is_not_found(web, globex):
    assert [globex.get(f"/exchanges/{each}").status_code for each in web.ids] == [404] * 3
    assert web.client("ecosystem").get(f"/exchanges/{web.ids[0]}").status_code == 200
