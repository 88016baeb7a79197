"""Who an exchange belongs to, and what its caller may say about it."""

import re
from ipaddress import ip_network

import pytest

from app.domain.words import Direction
from tests.collectors.proxy.kit import TOKEN, TOKEN_SHA256, request, run, staged

CONTEXT = (
    "Midspan-Installation: inst-7",
    "Midspan-Customer: cust-3",
    "Midspan-Operation: GET /v1/issues/{id}",
    "Midspan-Delivery: d-1",
    "Midspan-Attempt: 3",
)
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_outbound_context_is_recorded_and_removed(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, up):
            await (await stage.caller()).get("/globex/x", *CONTEXT)
            record = await stage.journal.record()
            assert (record.installation, record.customer) == ("inst-7", "cust-3")
            assert record.operation == "GET /v1/issues/{id}"
            assert (record.delivery, record.attempt) == ("d-1", 3)
            assert b"\r\nmidspan-" not in up.heads[0].lower()

    run(play())


def test_what_is_recorded_of_strings_is_bounded(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, _):
            caller = await stage.caller()
            await caller.get("/globex/" + "p" * 5000, "Midspan-Customer: " + "c" * 5000)
            record = await stage.journal.record()
            assert (len(record.path), len(record.customer)) == (2048, 256)

    run(play())


def test_a_webhooks_delivery_is_its_webhook_id_unless_said(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, up):
            caller = await stage.caller()
            path = "/globex/-/webhooks/a%20b/c"
            caller.send(request("POST", path, "webhook-id: msg_1", body=b"{}"))
            await caller.answer()
            record = await stage.journal.record()
            assert (record.delivery, record.attempt, record.topic) == ("msg_1", 1, "a b/c")
            assert b"webhook-id: msg_1" in up.heads[0]

    run(play())


@pytest.mark.parametrize("line", ["Authorization: Bearer {}", "X-Api-Key: {}"])
def test_a_partner_is_known_by_its_token(tmp_path, line):
    async def play():
        async with staged(tmp_path, route={"inbound_token_sha256": (TOKEN_SHA256,)}) as (stage, up):
            caller = await stage.caller(Direction.INBOUND)
            await caller.get("/api/things?x=1", line.format(TOKEN.decode()), *CONTEXT)
            record = await stage.journal.record()
            assert (record.direction, record.integration) == (Direction.INBOUND, "globex")
            assert record.path == "/api/things"
            assert (record.installation, record.customer) == ("inst-7", "cust-3")
            assert (record.operation, record.delivery, record.attempt) == ("", "", 1)
            head = up.heads[0].decode()
            assert head.startswith("GET /api/things?x=1 HTTP/1.1\r\n")
            assert TOKEN.decode() in head
            assert "\r\nmidspan-" not in head.lower()

    run(play())


@pytest.mark.parametrize("line", ["X-Other: 1", "Authorization: Bearer wrong", "X-Api-Key: wrong"])
def test_an_unknown_caller_passes_unattributed_and_unbelieved(tmp_path, line):
    async def play():
        async with staged(tmp_path, route={"inbound_token_sha256": (TOKEN_SHA256,)}) as (stage, up):
            caller = await stage.caller(Direction.INBOUND)
            assert (await caller.get("/api", line, *CONTEXT)).status == 200
            record = await stage.journal.record()
            assert (record.integration, record.installation) == ("unattributed", "")
            assert up.heads

    run(play())


SAID = (
    "X-Forwarded-For: 8.8.8.8",
    "X-Forwarded-Host: evil",
    "X-Forwarded-Proto: https",
    "X-Forwarded-User: admin",
    "Forwarded: for=9.9.9.9;host=worse",
)


def test_the_platform_is_told_who_called_and_is_not_fooled(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, up):
            caller = await stage.caller(Direction.INBOUND)
            await caller.get("/api", *SAID)
            head = up.heads[0].decode()
            assert "X-Forwarded-For: 127.0.0.1\r\n" in head
            assert "X-Forwarded-Host: midspan.test\r\n" in head
            assert "X-Forwarded-Proto: http\r\n" in head
            assert "Forwarded: for=127.0.0.1;host=midspan.test;proto=http\r\n" in head
            for lie in ("8.8.8.8", "9.9.9.9", "evil", "worse", "https", "admin"):
                assert lie not in head

    run(play())


def test_a_trusted_peer_is_believed_and_added(tmp_path):
    async def play():
        trusting = {"trusted_peers": (ip_network("127.0.0.0/8"),)}
        async with staged(tmp_path, changes=trusting) as (stage, up):
            caller = await stage.caller(Direction.INBOUND)
            await caller.get("/api", *SAID)
            head = up.heads[0].decode()
            assert "X-Forwarded-For: 8.8.8.8, 127.0.0.1\r\n" in head
            assert "X-Forwarded-Proto: https\r\n" in head
            assert "Forwarded: for=8.8.8.8;host=evil;proto=https, for=127.0.0.1\r\n" in head
            for lie in ("9.9.9.9", "worse", "admin"):
                assert lie not in head

    run(play())


def test_outbound_what_the_platform_says_about_others_passes(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, up):
            await (await stage.caller()).get("/globex/x", *SAID)
            for line in SAID:
                assert f"{line}\r\n".lower() in up.heads[0].decode().lower()

    run(play())


@pytest.mark.parametrize(
    ("host", "status"),
    [("api.acme.test", 200), ("API.acme.test:8081", 200), ("midspan.test", 421), ("[::1]", 421)],
)
def test_the_inbound_listener_answers_to_its_names_only(tmp_path, host, status):
    async def play():
        async with staged(tmp_path, changes={"inbound_hosts": ("api.acme.test",)}) as (stage, _):
            caller = await stage.caller(Direction.INBOUND)
            caller.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert (await caller.answer()).status == status
            assert (await stage.journal.record()).direction == Direction.INBOUND

    run(play())


def test_the_inbound_listener_has_no_pages_of_its_own(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, up):
            caller = await stage.caller(Direction.INBOUND)
            assert (await caller.get("/-/metrics")).body == b"ok"
            assert up.heads[0].startswith(b"GET /-/metrics")

    run(play())


def test_a_trace_is_passed_on_with_its_state(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, up):
            caller = await stage.caller()
            await caller.get("/globex/x", f"traceparent: {PARENT}", "tracestate: a=1,b=2")
            assert (await stage.journal.record()).trace_id == PARENT.split("-")[1]
            assert f"traceparent: {PARENT}\r\n".encode() in up.heads[0]
            assert b"tracestate: a=1,b=2\r\n" in up.heads[0]

    run(play())


def test_a_trace_is_begun_where_there_is_none(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, up):
            caller = await stage.caller()
            await caller.get("/globex/x", f"traceparent: {PARENT.upper()}", "tracestate: a=1")
            record = await stage.journal.record()
            found = re.search(rb"traceparent: 00-([0-9a-f]{32})-([0-9a-f]{16})-01\r\n", up.heads[0])
            assert found[1].decode() == record.trace_id == record.id.hex()
            assert b"tracestate" not in up.heads[0]

    run(play())


def test_a_partner_is_not_told_what_goes_on_behind_the_platforms_door(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, up):
            up.cancel()

            async def handler(up, reader, writer):
                await up.request(reader)
                writer.close()

            up.handler = handler
            caller = await stage.caller(Direction.INBOUND)
            answer = await caller.get("/api")
            assert answer.status == 502
            assert b"closed without" not in answer.body
            assert "closed without" in (await stage.journal.record()).error_detail

    run(play())
