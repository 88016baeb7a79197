"""Every operation of the document, asked by each role for what is somebody else's.

Generated from the OpenAPI document: an operation added tomorrow is tried tomorrow, and one with a
parameter that this file cannot fill fails here.
"""

from itertools import product

import pytest

from app.domain.ids import format_id
from tests.app.alert_worlds import add_incident
from tests.app.billing_worlds import post, started
from tests.app.error_worlds import failing, theirs
from tests.app.web_world import CANARY, INSIDE, SLUGS, some_traffic
from tests.contract.worlds import NOW_US, exchange, failure

ROOT = "/api/v1"
#: What a role must not see a byte of.
FOREIGN = {
    "globex": (CANARY, INSIDE),
    "initech": (SLUGS[0], SLUGS[1], INSIDE),
    "builder": (CANARY, SLUGS[0], SLUGS[1], SLUGS[2]),
}


@pytest.fixture
def full(world):
    world.load(some_traffic(), errors=[failing(), theirs()])
    world.load([exchange(NOW_US, integration=INSIDE)])
    for slug, word in ((SLUGS[2], CANARY), (SLUGS[0], SLUGS[0])):
        paid = started(1, word, customer=word, installation=word, plan=word, integration=slug)
        assert post(world, [paid]).json["accepted"] == 1
    world.incidents = [
        add_incident(world.engine, NOW_US, slug, partner, word=word)
        for slug, partner, word in (
            (SLUGS[2], "initech", CANARY), (SLUGS[0], "globex", SLUGS[0]), (INSIDE, "hooli", INSIDE)
        )
    ]  # fmt: skip
    world.ids = {slug: format_id(failure(NOW_US, integration=slug).id) for slug in (*SLUGS, INSIDE)}
    return world


def values(world) -> dict[str, list]:
    """What fills a parameter, by its name."""
    slugs = [*SLUGS, INSIDE, "unattributed", "initech", "globex", "hooli", "never"]
    log = world.api("/exchanges?limit=500").json["items"]
    ids = {each["integration"]: each["id"] for each in log}
    groups = [
        group["id"]
        for slug in SLUGS
        for group in world.api(f"/integrations/{slug}/error-groups").json["items"]
    ]
    return {
        "slug": slugs, "integration": slugs, "exchange_id": [*ids.values()],
        "group": groups, "over": ["true"], "total": [0], "items": [[]],
        "installation_id": [f"{SLUGS[2]}:{CANARY}", CANARY, f"{SLUGS[0]}:{CANARY}"],
        "window": ["30d"], "from": ["1970-01-01T00:00:00Z"], "to": ["2199-01-01T00:00:00Z"],
        "step": ["started", "1d"], "metric": ["by_outcome"], "cursor": ["x"], "limit": [500],
        "installation": [CANARY], "customer": [CANARY], "topic": [CANARY], "operation": [CANARY],
        "q": [CANARY], "outcome": ["server_error"], "direction": ["outbound"],
        "kind": ["webhook", "never_acknowledged"],
        "verdict": ["bad"], "fault": ["partner"], "status": [500], "standing": ["open"],
        "text": ["a note"], "at": ["2026-11-22T10:00:00Z"], "handling": ["resolved"],
        "until": ["2026-12-22T10:00:00Z"], "more": [5], "assignee": [f"{CANARY}@initech.example"],
        "delivery": [CANARY], "error": [CANARY], "method": ["POST"], "min_ms": [1],
        "trace": ["0" * 32], "state": ["all", "active"], "number": [*world.incidents],
        "rule": ["budget-burn"], "partner": ["initech"], "comment": ["quiet"],
        "starts_at": ["2026-11-22T10:00:00Z"], "ends_at": ["2026-11-23T10:00:00Z"],
        "incident": [*world.incidents], "name": ["slow-answers"], "id": ["evt-1"], "plan": [CANARY],
        "by": ["day"], "order": ["strict"], "within": ["7d"],
        "source": ["directory"], "reason": [None], "occurred_at": ["2025-11-20T10:00:00Z"],
        "type": ["subscription_started"], "subscription": [CANARY], "interval": ["month"],
        "interval_count": [1], "quantity": [1], "discount_ratio": [0.1], "currency": ["EUR"],
        "amount": [{"amount_minor": 1, "currency": "EUR"}], "platform_share_ratio": [0.3],
        "invoice": [CANARY],
    }  # fmt: skip


def operations(world):
    """Method, path template, parameters and properties of the body, of every operation."""
    document = world.api("/openapi.json").json
    for path, item in document["paths"].items():
        shared = item.get("parameters", [])
        for method in ("get", "put", "post", "patch", "delete"):
            if method in item:
                operation = item[method]
                parameters = [*shared, *operation.get("parameters", [])]
                yield method, path, parameters, *body_of(operation, document)


def body_of(operation, document) -> tuple[dict, bool]:
    """The properties of what is sent, and whether it is sent in an array."""
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    many = schema.get("type") == "array"
    return (schema["items"] if many else schema).get("properties", {}), many


def calls(world):
    """Every operation with every foreign name, and with each of its parameters."""
    known = values(world)
    for method, path, parameters, body, many in operations(world):
        names = [each["name"] for each in parameters] + list(body)
        missing = set(names) - set(known)
        assert not missing, f"say what {sorted(missing)} of {method} {path} is to be tried with"
        places = [each["name"] for each in parameters if each["in"] == "path"]
        queries = [each["name"] for each in parameters if each["in"] == "query"]
        sent = {name: known[name][0] for name in body} or None
        sent = [sent] if many else sent
        for chosen in product(*(known[name] for name in places)):
            address = path
            for name, value in zip(places, chosen, strict=True):
                address = address.replace("{" + name + "}", str(value))
            yield method, address, {}, sent
            for name in queries:
                for value in known[name]:
                    yield method, address, {name: value}, sent


@pytest.mark.parametrize("role", FOREIGN)
def test_no_operation_shows_a_role_a_byte_that_is_not_its_own(full, role):
    client, headers = full.app.test_client(), full.bearer(role)
    asked = good = 0
    for method, address, query, sent in list(calls(full)):
        answer = client.open(
            address, method=method.upper(), query_string=query, headers=headers, json=sent
        )
        assert answer.status_code < 500, (method, address, query)
        told = answer.text
        said = sent[0] if isinstance(sent, list) else sent or {}
        for value in (*address.split("/"), *map(str, (*query.values(), *said.values()))):
            told = told.replace(value, "") if len(value) > 3 else told
        for canary in FOREIGN[role]:
            assert canary not in told, (method, address, query)
        asked += 1
        good += answer.status_code < 300
    assert asked > 100
    assert good > 5, "it has to see its own"


def test_the_probe_would_see_a_leak(full):
    client, headers = full.app.test_client(), full.bearer("ecosystem")
    leaks = sum(
        CANARY in client.get(address, headers=headers, query_string=query).text
        for method, address, query, _ in list(calls(full))
        if method == "get" and CANARY not in query.values()
    )
    assert leaks > 10
