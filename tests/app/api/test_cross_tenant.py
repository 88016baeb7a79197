"""Every route with every method for every role, asked with the other partner's names.

Generated from the url map: a route added tomorrow is tried tomorrow.
"""

import re

import pytest

from app.domain.ids import format_id
from app.store.port import StoredCapture
from tests.app.error_worlds import failing, id_of, theirs
from tests.app.web_world import CANARY, ROLES, SLUGS, some_traffic
from tests.contract.worlds import NOW_US, failure

#: What fills a placeholder of a route: the other partner's, and nobody's.
THEIRS = {"slug": ["initech", SLUGS[2], "unattributed", "never-registered"]}
FILTERS = ("integration", "installation", "customer", "topic", "q", "operation")


@pytest.fixture
def full(world):
    failed = failure(
        NOW_US, integration=SLUGS[2], captured=True, path=f"/{CANARY}", error_detail=CANARY
    )
    capture = StoredCapture(failed.id, ((CANARY, "x"),), CANARY.encode(), (), CANARY.encode())
    world.load([failed], captures=[capture])
    world.load(some_traffic(), errors=[failing(), theirs()])
    world.theirs = format_id(failed.id)
    return world


def addresses(world):
    """Every address of the app that reads, placeholders filled with what is not Globex's."""
    values = {
        **THEIRS,
        "exchange_id": [world.theirs],
        "installation_id": [f"{SLUGS[2]}:inst-1", "inst-1"],
        "group": [id_of(theirs())],
        "filename": ["login.css"],
        "path": ["x"],
        "secret": ["x"],
        "number": ["1", "x"],
        "name": ["slow"],
        "act": ["acknowledge", "silence", "resolve"],
    }
    for rule in world.app.url_map.iter_rules():
        names = sorted(rule.arguments)
        assert set(names) <= set(values), f"say what {rule} is to be tried with"
        filled = [rule.rule]
        for name in names:
            place = re.compile(rf"<(?:[^<>:]+:)?{name}>")
            filled = [place.sub(value, part) for part in filled for value in values[name]]
        for address in filled:
            yield address, rule.methods
            for name in FILTERS:
                yield (
                    f"{address}?{name}={SLUGS[2] if name == 'integration' else CANARY}",
                    rule.methods,
                )


def body_of(answer):
    """What was asked may be repeated back; what was not may not appear."""
    body = answer.get_data(as_text=True)
    answer.close()
    return body


@pytest.mark.parametrize("by", ["token", "session"])
def test_no_byte_of_another_partner_comes_out_of_any_route(full, by):
    headers = full.bearer("globex") if by == "token" else {}
    client = full.client("globex" if by == "session" else None)
    asked = 0
    for address, methods in list(addresses(full)):
        for method in sorted(methods - {"OPTIONS"}):
            if "logout" in address:
                continue
            answer = client.open(address, method=method, headers=headers)
            assert answer.status_code < 500, (method, address)
            told = body_of(answer).replace(address, "")
            assert CANARY not in told, (method, address)
            asked += 1
    assert asked > 100


def test_the_probe_would_see_a_leak(full):
    """The same addresses, asked by Initech and by the platform, are full of canaries."""
    for role in ("initech", "ecosystem"):
        client = full.app.test_client()
        leaks = sum(
            CANARY in body_of(client.get(address, headers=full.bearer(role)))
            for address, methods in list(addresses(full))
            if "GET" in methods
        )
        assert leaks > 10


def test_without_a_log_in_nothing_but_the_door_opens(full):
    client = full.client()
    opened = set()
    for address, methods in list(addresses(full)):
        for method in sorted(methods - {"OPTIONS"}):
            answer = client.open(address, method=method)
            if answer.status_code == 200:
                opened.add(address.partition("?")[0])
            body_of(answer)
    # /metrics: the test client asks from this machine
    assert opened == {"/login", "/livez", "/readyz", "/metrics", "/login/static/login.css"}


@pytest.mark.parametrize("role", ROLES)
def test_theirs_and_what_never_was_get_the_same_answer(full, role):
    mine = {"globex": SLUGS[2], "initech": SLUGS[0], "builder": SLUGS[0]}.get(role)
    if mine is None:
        assert full.api(f"/integrations/{SLUGS[2]}", role).status_code == 200
        return
    for path in ("", "/health", "/series", "/error-groups", "/revenue", "/funnel"):
        theirs = full.api(f"/integrations/{mine}{path}", role)
        never = full.api(f"/integrations/nobody{path}", role)
        assert theirs.status_code == never.status_code == 404
        assert theirs.text.replace(mine, "nobody") == never.text
