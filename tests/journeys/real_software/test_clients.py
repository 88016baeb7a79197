"""HTTP clients as they are, in both directions: the answer and the record say the same."""

import hashlib
import json
from typing import Any

import pytest

from app.domain.words import Direction, Kind, Outcome
from collectors.record import Exchange
from tests.journeys.real_software.clients import FILE_NAME, Answer, Ask, Client
from tests.journeys.real_software.service import FILE
from tests.journeys.real_software.stage import Stage, Through

pytestmark = pytest.mark.slow


def send(client: Client, through: Through, ask: Ask) -> tuple[Answer, Exchange]:
    """Ask through the proxy, and hold what every record must say against the answer."""
    asked = ask._replace(headers={**ask.headers, **through.headers})
    answer = client.send(through.base_url + ask.path, asked)
    record = through.recorded(answer.headers["midspan-exchange"])
    path = ask.path.partition("?")[0]
    assert (record.method, record.path, record.status) == (ask.method, path, answer.status)
    assert (record.direction, record.integration) == (through.direction, "globex")
    assert record.capture is not None
    assert record.error_detail == ""
    if "content-length" in answer.headers and ask.method != "HEAD":
        assert record.response_bytes == int(answer.headers["content-length"])
    return answer, record


def echoed(client: Client, through: Through, ask: Ask) -> tuple[dict[str, Any], Exchange]:
    answer, record = send(client, through, ask)
    assert (answer.status, record.outcome) == (200, Outcome.OK)
    found = json.loads(answer.body)
    assert record.request_bytes == found["bytes"]
    assert found["method"] == ask.method
    return found, record


def test_a_question_arrives_as_it_was_asked(client: Client, through: Through) -> None:
    ask = Ask("GET", "/echo?x=1&name=%C3%BC&empty=", {"X-Custom": "as it is", "Accept": "a/b"})
    found, _ = echoed(client, through, ask)
    assert found["target"] == ask.path
    headers = dict(found["headers"])
    assert (headers["X-Custom"], headers["Accept"]) == ("as it is", "a/b")
    assert "midspan" in headers["Via"]
    assert headers["Traceparent"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_json_arrives_with_every_method_that_has_a_body(
    client: Client, through: Through, method: str
) -> None:
    given = {"title": "über", "lines": list(range(50))}
    found, record = echoed(client, through, Ask(method, "/echo", json=given))
    assert found["json"] == given
    assert record.capture is not None
    assert json.loads(record.capture.request_body) == given


def test_a_form_and_a_file_arrive(client: Client, through: Through) -> None:
    fields = {"a": "1 & 2", "name": "ü"}
    answer, _ = send(client, through, Ask("POST", "/form", form=fields))
    assert json.loads(answer.body) == {"fields": fields, "files": {}}
    answer, record = send(client, through, Ask("POST", "/form", file=FILE[:70_000]))
    assert json.loads(answer.body)["files"] == {"file": [FILE_NAME, 70_000]}
    assert record.request_bytes > 70_000


@pytest.mark.parametrize(
    "ask",
    [
        Ask("PUT", "/echo", body=FILE * 20),
        Ask("PUT", "/echo", chunks=(FILE[:1000], FILE[1000:90_000], FILE[90_000:])),
    ],
    ids=["of known length", "in chunks"],
)
def test_an_upload_arrives_whole(client: Client, through: Through, ask: Ask) -> None:
    found, _ = echoed(client, through, ask)
    assert found["sha256"] == hashlib.sha256(ask.body or b"".join(ask.chunks)).hexdigest()
    assert ("Transfer-Encoding" in dict(found["headers"])) == bool(ask.chunks)


def test_a_head_has_the_length_and_no_body(client: Client, through: Through) -> None:
    answer, record = send(client, through, Ask("HEAD", "/file"))
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) == len(FILE)
    assert record.response_bytes == 0


def test_a_part_of_a_file_and_an_unchanged_one(client: Client, through: Through) -> None:
    answer, _ = send(client, through, Ask("GET", "/file", {"Range": "bytes=8-23"}))
    assert (answer.status, answer.body) == (206, FILE[8:24])
    assert answer.headers["content-range"] == f"bytes 8-23/{len(FILE)}"
    answer, record = send(client, through, Ask("GET", "/file", {"If-None-Match": '"v1"'}))
    assert (answer.status, answer.body, record.outcome) == (304, b"", Outcome.OK)


def test_a_compressed_answer_is_unpacked_by_the_client(client: Client, through: Through) -> None:
    answer, record = send(client, through, Ask("GET", "/gzip", {"Accept-Encoding": "gzip"}))
    assert answer.body == FILE
    assert record.response_bytes < len(FILE) / 2


def test_an_answer_of_unknown_length_arrives_whole(client: Client, through: Through) -> None:
    answer, record = send(client, through, Ask("GET", "/chunks/2000"))
    assert answer.body == FILE[: 8 * 2000]
    assert record.response_bytes == 8 * 2000


def test_a_redirect_is_left_to_the_client(client: Client, through: Through) -> None:
    answer, record = send(client, through, Ask("GET", "/redirect"))
    assert (answer.status, record.outcome) == (302, Outcome.OK)
    assert answer.headers["location"] == "/elsewhere?token=abc"


def test_cookies_go_both_ways(client: Client, through: Through) -> None:
    answer, _ = send(client, through, Ask("GET", "/cookies"))
    assert "sid=s-123" in answer.headers["set-cookie"]
    kept = {} if client.cookies else {"Cookie": "sid=s-123; theme=dark"}
    answer, _ = send(client, through, Ask("GET", "/cookies", kept))
    assert json.loads(answer.body) == {"sid": "s-123", "theme": "dark"}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (204, Outcome.OK), (404, Outcome.CLIENT_ERROR), (429, Outcome.CLIENT_ERROR),
        (500, Outcome.SERVER_ERROR), (503, Outcome.SERVER_ERROR),
    ],
)  # fmt: skip
def test_a_refusal_is_the_services_own(
    client: Client, through: Through, status: int, outcome: Outcome
) -> None:
    answer, record = send(client, through, Ask("GET", f"/status/{status}"))
    assert (answer.status, record.outcome) == (status, outcome)
    assert answer.body == (b"" if status == 204 else b"said")
    assert "midspan-outcome" not in answer.headers
    assert answer.headers.get("retry-after") == ("7" if status in (429, 503) else None)


def test_many_requests_follow_each_other(client: Client, through: Through) -> None:
    ids = set()
    for number in range(10):
        found, record = echoed(client, through, Ask("POST", f"/echo?n={number}", json=number))
        assert found["json"] == number
        ids.add(record.id)
    assert len(ids) == 10


def test_a_webhook_is_relayed_with_its_topic(client: Client, stage: Stage) -> None:
    through = stage.through(Direction.OUTBOUND)
    ask = Ask("POST", "/-/webhooks/orders.created", {"Webhook-Id": "evt-1"}, json={"order": 7})
    answer, record = send(client, through, ask)
    found = json.loads(answer.body)
    assert (found["target"], found["json"]) == ("/hook", {"order": 7})
    assert (record.kind, record.topic, record.delivery) == (Kind.WEBHOOK, "orders.created", "evt-1")
