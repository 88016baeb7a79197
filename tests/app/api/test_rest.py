"""The API as a program sees it: shapes, windows, filters, paging, problems, the document."""

import json
import re
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from app.api.rendering import moment
from app.domain.ids import format_id
from app.domain.window import DAY_US, MINUTE_US
from app.store.port import StoredCapture
from tests.app.error_worlds import failing, theirs
from tests.app.web_world import SLUGS, some_traffic
from tests.contract.worlds import NOW_US, exchange, failure

SLUG = SLUGS[0]
GOOD_PATHS = [
    ("/partners", "/partners"),
    ("/partners/globex", "/partners/{slug}"),
    ("/integrations", "/integrations"),
    (f"/integrations/{SLUG}", "/integrations/{slug}"),
    ("/integrations/unattributed", "/integrations/{slug}"),
    (f"/integrations/{SLUG}/health", "/integrations/{slug}/health"),
    (f"/integrations/{SLUGS[1]}/health?window=30d", "/integrations/{slug}/health"),
    (f"/integrations/{SLUGS[2]}/health?window=15m", "/integrations/{slug}/health"),
    (f"/integrations/{SLUG}/series?window=1h", "/integrations/{slug}/series"),
    (f"/integrations/{SLUG}/series?metric=latency_ms", "/integrations/{slug}/series"),
    (f"/integrations/{SLUG}/series?metric=error_ratio&step=5m", "/integrations/{slug}/series"),
    (f"/integrations/{SLUG}/error-groups", "/integrations/{slug}/error-groups"),
    (f"/integrations/{SLUG}/error-groups?standing=open", "/integrations/{slug}/error-groups"),
    ("/exchanges", "/exchanges"),
    ("/exchanges?outcome=server_error,timeout&limit=3", "/exchanges"),
    ("/exchanges?method=GET&min_ms=0.5&error=x&delivery=d&limit=3", "/exchanges"),
]


@pytest.fixture
def full(world):
    world.load(some_traffic(), errors=[failing(), theirs()])
    return world


def document(world):
    return world.api("/openapi.json").json


def test_the_document_is_valid_openapi_3_1(world):
    found = document(world)
    assert found["openapi"] == "3.1.0"
    validate(found)


def test_the_document_holds_every_route_of_the_api_and_no_other(world):
    routes = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for rule in world.app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and "openapi" not in rule.rule
    }
    assert set(document(world)["paths"]) == routes


@pytest.mark.parametrize(("path", "route"), GOOD_PATHS)
def test_every_answer_has_the_shape_the_document_promises(full, path, route):
    answer = full.api(path)
    assert answer.status_code == 200
    promised = document(full)
    operation = promised["paths"][f"/api/v1{route}"]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    resources = Registry().with_resource("", Resource(promised, DRAFT202012))
    validator = jsonschema.Draft202012Validator(closed(schema, promised), registry=resources)
    validator.validate(answer.json)


def closed(schema, whole):
    """The schema with every reference filled in, letting no undeclared property pass."""
    if isinstance(schema, list):
        return [closed(each, whole) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return closed(whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]], whole)
    filled = {key: closed(value, whole) for key, value in schema.items()}
    if "properties" in filled:
        filled["additionalProperties"] = False
    return filled


def test_health_has_the_shape_of_the_contract(full):
    found = full.api(f"/integrations/{SLUG}/health?window=1h").json
    assert set(found) >= {
        "window", "proxied", "good", "bad", "excluded", "error_ratio", "latency_ms",
        "by_outcome", "by_fault", "status", "reasons",
    }  # fmt: skip
    assert set(found["window"]) == {"start", "end"}
    assert found["window"]["end"] == moment(NOW_US - NOW_US % MINUTE_US + MINUTE_US)
    assert set(found["latency_ms"]) == {"p50", "p95", "p99"}
    assert found["by_outcome"] == {"ok": 150, "server_error": 15}
    assert found["by_fault"] == {"partner": 15}
    assert (found["proxied"], found["good"], found["bad"]) == (165, 150, 15)
    assert found["error_ratio"] == pytest.approx(15 / 165)
    assert found["status"] == "failing"


def test_what_has_no_denominator_is_null(full):
    found = full.api(f"/integrations/{SLUGS[1]}/health").json
    assert (found["error_ratio"], found["error_interval"]) == (None, None)
    assert found["latency_ms"] == {"p50": None, "p95": None, "p99": None}
    assert (found["proxied"], found["by_outcome"], found["status"]) == (0, {}, "idle")


def test_every_link_leads_somewhere(full):
    client, headers = full.app.test_client(), full.bearer("ecosystem")
    todo, seen = ["/api/v1/integrations", "/api/v1/partners", "/api/v1/exchanges?limit=3"], set()
    while todo:
        path = todo.pop()
        if path in seen or not path.startswith("/api/"):
            continue
        seen.add(path)
        answer = client.get(path, headers=headers)
        assert answer.status_code == 200, path
        for text in json.dumps(answer.json).split('"'):
            if text.startswith("/api/v1/"):
                todo.append(text)
    assert len(seen) > 15


def test_a_window_may_be_given_by_its_ends(full):
    start = moment(NOW_US - 10 * MINUTE_US)
    by_ends = full.api(f"/integrations/{SLUG}/health?from={start}&to={moment(NOW_US)}").json
    by_length = full.api(f"/integrations/{SLUG}/health?window=11m").json
    assert by_ends["window"] == by_length["window"]
    assert by_ends["good"] == by_length["good"]
    with_offset = (datetime.fromtimestamp(NOW_US / 1e6, UTC) - timedelta(minutes=10)).isoformat()
    quoted = with_offset.replace("+", "%2B")
    assert full.api(f"/integrations/{SLUG}/health?from={quoted}").json["good"] == by_ends["good"]


def test_a_series_is_dense_and_sums_to_health(full):
    points = full.api(f"/integrations/{SLUG}/series?window=1h&step=1m").json["points"]
    assert len(points) == 60
    assert sum(point["exchanges"] for point in points) == 165
    only = full.api(f"/integrations/{SLUG}/series?window=1h&metric=bad").json["points"]
    assert set(only[0]) == {"start", "bad"}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 165 + 150 + 15),
        (f"integration={SLUG}", 165),
        (f"integration={SLUG}&outcome=server_error", 15),
        (f"integration={SLUG}&outcome=ok,server_error", 165),
        (f"integration={SLUG}&kind=webhook", 15),
        (f"integration={SLUG}&topic=ping&status=503", 15),
        ("verdict=bad&fault=partner", 165),
        ("integration=unattributed", 15),
        ("direction=inbound", 0),
        ("q=canary", 165),
        ("installation=inst-1", 180),
        ("customer=nobody", 0),
        ("operation=ping", 15),
        (f"window=1m&integration={SLUG}", 5),
        (f"to={moment(NOW_US)}&from={moment(NOW_US - DAY_US)}&outcome=timeout", 0),
    ],
)
def test_the_request_log_can_be_narrowed(full, query, count):
    found = full.api(f"/exchanges?limit=500&{query}").json
    assert (len(found["items"]), found["next"]) == (count, None)


def test_the_log_is_paged_to_its_end(full):
    seen, cursor = [], ""
    while cursor is not None:
        found = full.api(f"/exchanges?limit=100{cursor and f'&cursor={cursor}'}").json
        seen += [each["id"] for each in found["items"]]
        cursor = found["next"]
    assert len(seen) == len(set(seen)) == 330
    assert seen == sorted(seen, reverse=True)


def test_one_exchange_shows_its_evidence_and_a_list_does_not(world):
    stored = failure(integration=SLUG, captured=True)
    capture = StoredCapture(stored.id, (("A", "1"), ("A", "2")), b"q", (), b"a", "page=2")
    world.load([stored], captures=[capture])
    found = world.api(f"/exchanges/{format_id(stored.id)}").json
    assert found["capture"]["request_headers"] == [["A", "1"], ["A", "2"]]
    assert found["capture"]["query"] == "page=2"
    assert found["started_at"] == moment(stored.started_us)
    assert found["tls_ms"] is None
    [listed] = world.api("/exchanges").json["items"]
    assert listed["captured"] is True
    assert "capture" not in listed


BAD = [
    ("/integrations?page=1", "page"),
    (f"/integrations/{SLUG}?x=1", "x"),
    (f"/integrations/{SLUG}/health?windw=1h", "windw"),
    (f"/integrations/{SLUG}/health?window=1y", "window"),
    (f"/integrations/{SLUG}/health?window=0h", "window"),
    (f"/integrations/{SLUG}/health?window=-1h", "window"),
    (f"/integrations/{SLUG}/health?window=", "window"),
    (f"/integrations/{SLUG}/health?window=999999999999w", "window"),
    (f"/integrations/{SLUG}/health?window=1h&from=2026-01-01T00:00:00Z", "window"),
    (f"/integrations/{SLUG}/health?from=yesterday", "from"),
    (f"/integrations/{SLUG}/health?from=2026-01-01T00:00:00", "from"),
    (f"/integrations/{SLUG}/health?from=9999-01-01T00:00:00Z", "from"),
    (f"/integrations/{SLUG}/health?from=9999-12-31T23:59:59-23:59", "from"),
    ("/exchanges?from=1970-01-01T00:00:00%2B14:00", "from"),
    ("/exchanges?from=0001-01-01T00:00:00%2B14:00", "from"),
    (f"/integrations/{SLUG}/health?to=2026-01-01T00:00:00Z", "to"),
    (f"/integrations/{SLUG}/health?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "to"),
    (f"/integrations/{SLUG}/series?metric=revenue", "metric"),
    (f"/integrations/{SLUG}/series?step=30s", "step"),
    (f"/integrations/{SLUG}/series?window=90d&step=1m", "step"),
    ("/exchanges?outcome=exploded", "outcome"),
    ("/exchanges?outcome=ok,exploded", "outcome"),
    ("/exchanges?limit=0", "limit"),
    ("/exchanges?limit=1e3", "limit"),
    ("/exchanges?limit=501", "limit"),
    ("/exchanges?cursor=zzz", "cursor"),
    ("/exchanges?status=9000", "status"),
    ("/exchanges?q=", "q"),
    ("/exchanges?direction=sideways", "direction"),
]


@pytest.mark.parametrize(("path", "parameter"), BAD)
def test_a_bad_question_is_told_which_parameter(world, path, parameter):
    answer = world.api(path)
    assert answer.status_code == 422
    problem(answer, 422)
    assert [each["parameter"] for each in answer.json["errors"]] == [parameter]
    assert parameter in answer.json["detail"]


def problem(answer, status):
    """Every error has one shape."""
    assert answer.content_type == "application/problem+json"
    assert {"type", "title", "status", "detail", "instance"} <= set(answer.json)
    assert answer.json["status"] == answer.status_code == status
    assert answer.json["detail"]
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nowhere", 404),
        ("GET", "/api/v1/integrations/nobody", 404),
        ("GET", "/api/v1/partners/nobody", 404),
        ("GET", "/api/v1/exchanges/nothing", 404),
        ("GET", "/api/v1/exchanges/%00", 404),
        ("GET", f"/api/v1/integrations/{'x' * 5000}", 404),
        ("POST", "/api/v1/integrations", 405),
        ("DELETE", "/api/v1/exchanges", 405),
    ],
)
def test_every_error_is_a_problem(world, method, path, status):
    answer = world.app.test_client().open(path, method=method, headers=world.bearer("admin"))
    problem(answer, status)


def test_without_a_token_the_problem_says_what_to_send(world):
    answer = world.app.test_client().get("/api/v1/integrations")
    problem(answer, 401)
    assert "Bearer" in answer.json["detail"]


def test_a_defect_of_ours_is_a_problem_without_a_trace(world):
    def broken(*_args, **_kwargs):
        raise ZeroDivisionError("secret inside")

    world.app.view_functions["probes.livez"] = broken
    answer = world.app.test_client().get("/livez")
    problem(answer, 500)
    assert "secret inside" not in answer.text


@pytest.mark.parametrize(
    ("file", "part", "path"),
    [
        ("metrics.db", "metrics_store", f"/integrations/{SLUG}/health"),
        ("registry.db", "registry", "/integrations"),
    ],
)
def test_a_database_that_is_away_is_a_503_and_readyz_says_which(world, file, part, path):
    assert world.api(path).status_code == 200
    reading = world.app.extensions["midspan"].reading
    reading.engine.dispose()
    reading.store.close()
    break_database(world.settings.home / file)
    answer = world.api(path)
    problem(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0
    ready = world.app.test_client().get("/readyz")
    assert ready.status_code == 503
    parts = ready.json["parts"]
    assert {name: state == "ok" for name, state in parts.items()} == {
        name: name != part for name in ("registry", "metrics_store")
    }
    assert str(world.settings.home) not in ready.text
    assert world.app.test_client().get("/livez").status_code == 200


def break_database(path):
    """From now on its pages are no database's."""
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()
    path.write_bytes(b"not a database, " * 1_000)


def test_an_exchange_in_the_future_does_not_disturb(world):
    world.load([exchange(NOW_US + DAY_US, integration=SLUG)])
    assert world.api(f"/integrations/{SLUG}/health").json["proxied"] == 0
    assert len(world.api("/exchanges").json["items"]) == 1


def test_the_request_log_is_streamed_as_a_table(full):
    answer = full.api(f"/exchanges.csv?integration={SLUG}&outcome=server_error", "globex")
    assert answer.status_code == 200
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{SLUG}-exchanges.csv"'
    lines = answer.text.split("\r\n")
    assert lines[0].startswith("started at (UTC),id,")
    assert len(lines) == 15 + 2


def test_a_table_of_somebody_elses_is_a_problem(full):
    answer = full.api(f"/exchanges.csv?integration={SLUGS[2]}", "globex")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
