"""What crosses, over real sockets: framing in both directions, keep-alive, order, ends."""

import asyncio
import re

import pytest

from app.domain.route import Timeouts
from app.domain.words import Kind, Outcome
from collectors.proxy.metrics import CONNECTS, RETRIED, REUSED
from tests.collectors.proxy.kit import OK, answering, once, request, reset, run, staged, until

BIG = bytes(range(256)) * 1024


def test_a_request_crosses_and_is_recorded_with_all_its_facts(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, up):
            caller = await stage.caller()
            answer = await caller.get("/globex/v1/issues/7?secret=1", "X-Thing: a", "X-Thing: b")
            assert (answer.status, answer.body) == (200, b"ok")
            head = up.heads[0].decode()
            assert head.startswith("GET /v1/issues/7?secret=1 HTTP/1.1\r\n")
            assert f"Host: 127.0.0.1:{up.port}\r\n" in head
            assert "X-Thing: a\r\nX-Thing: b\r\n" in head
            assert re.search(r"Via: 1\.1 midspan-[0-9a-f]{8}\r\n", head)
            record = await stage.journal.record()
            assert (record.integration, record.method, record.path) == (
                "globex", "GET", "/v1/issues/7",
            )  # fmt: skip
            assert (record.status, record.outcome, record.error) == (200, Outcome.OK, "")
            assert (record.request_bytes, record.response_bytes) == (0, 2)
            assert record.capture is None
            parts = (record.queue_us, record.connect_us, record.first_byte_us)
            assert min(parts) >= 0
            assert sum(parts) <= record.total_us

    run(play())


def test_a_webhook_goes_to_its_own_url_with_its_topic(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, up):
            caller = await stage.caller()
            caller.send(request("POST", "/globex/-/webhooks/issue.created", body=b"{}"))
            assert (await caller.answer()).status == 200
            assert up.heads[0].startswith(b"POST /hook HTTP/1.1\r\n")
            record = await stage.journal.record()
            assert (record.kind, record.topic) == (Kind.WEBHOOK, "issue.created")

    run(play())


REQUEST_BODIES = {
    "length": b"Content-Length: 11\r\n\r\nhello world",
    "length with zeros": b"Content-Length: 00011\r\n\r\nhello world",
    "chunked": b"Transfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n5;x=y\r\nworld\r\n0\r\n\r\n",
    "chunked upper case": b"Transfer-Encoding: CHUNKED\r\n\r\nb\r\nhello world\r\n0\r\n\r\n",
    "trailers": b"Transfer-Encoding: chunked\r\n\r\nB\r\nhello world\r\n0\r\nX-A: b\r\n\r\n",
    "upgrade offered": b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 11\r\n\r\n"
    b"hello world",
    "upgrade, chunked": b"Connection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"b\r\nhello world\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize("framing", REQUEST_BODIES)
def test_a_request_body_arrives_whole_however_it_is_framed_and_cut(tmp_path, framing, step, method):
    async def play():
        async with staged(tmp_path) as (stage, up):
            caller = await stage.caller()
            raw = f"{method} /globex/x HTTP/1.1\r\nHost: a\r\n".encode() + REQUEST_BODIES[framing]
            for at in range(0, len(raw), step):
                caller.send(raw[at : at + step])
                await asyncio.sleep(0)
            caller.send(request("GET", "/globex/next"))
            assert (await caller.answer()).body == b"ok"
            assert (await caller.answer()).body == b"ok"
            assert up.bodies == [b"hello world", b""]
            head = up.heads[0].lower()
            assert b"upgrade" not in head
            assert b"x-a" not in head
            assert head.count(b"content-length") + head.count(b"transfer-encoding") == 1
            assert [r.path for r in stage.journal.exchanges] == ["/x", "/next"]
            assert stage.journal.exchanges[0].request_bytes == 11

    run(play())


ANSWER_BODIES = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"6\r\nhello \r\n5\r\nworld\r\n0\r\nX-T: 1\r\n\r\n",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 11\r\n\r\nhello world",
}


@pytest.mark.parametrize("step", [1, 5, 10_000])
@pytest.mark.parametrize("framing", ANSWER_BODIES)
def test_an_answer_arrives_whole_however_it_is_framed_and_cut(tmp_path, framing, step):
    raw = ANSWER_BODIES[framing]

    async def handler(up, reader, writer):
        while True:
            await up.request(reader)
            for at in range(0, len(raw), step):
                writer.write(raw[at : at + step])
                await writer.drain()
                await asyncio.sleep(0.001 if step < 100 else 0)

    async def play():
        async with staged(tmp_path, handler) as (stage, up):
            caller = await stage.caller()
            for _ in range(2):
                assert (await caller.get("/globex/x")).body == b"hello world"
            assert up.connections == 1
            assert [r.response_bytes for r in stage.journal.exchanges] == [11, 11]

    run(play())


def test_an_answer_that_ends_with_its_connection_is_chunked_for_the_caller(tmp_path):
    async def play():
        async with staged(tmp_path, once(b"HTTP/1.1 200 OK\r\n\r\nall of it")) as (stage, up):
            caller = await stage.caller()
            answer = await caller.get("/globex/x")
            assert answer.fields["transfer-encoding"] == "chunked"
            assert answer.body == b"all of it"
            assert (await caller.get("/globex/x")).body == b"all of it"
            assert up.connections == 2
            assert [r.outcome for r in stage.journal.exchanges] == [Outcome.OK] * 2

    run(play())


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nall of it", b"all of it"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"abc"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
    ],
)
def test_a_caller_of_http_1_0_gets_no_chunks_and_its_connection_is_closed(tmp_path, raw, body):
    async def play():
        async with staged(tmp_path, once(raw)) as (stage, _):
            caller = await stage.caller()
            caller.send(b"GET /globex/x HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
            found = await caller.ended()
            head, _, rest = found.partition(b"\r\n\r\n")
            assert rest == body
            assert b"chunked" not in head
            assert b"Connection: close" in head

    run(play())


BODILESS = {
    "HEAD with a length": ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
    "HEAD, chunked": ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "204": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
    "204 with a length": ("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"),
    "304 with a length": ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
}


@pytest.mark.parametrize("case", BODILESS)
def test_an_answer_without_a_body_does_not_swallow_the_next_one(tmp_path, case):
    method, raw = BODILESS[case]

    async def play():
        async with staged(tmp_path, answering(raw, OK)) as (stage, up):
            caller = await stage.caller()
            caller.send(request(method, "/globex/x"))
            answer = await caller.answer(bodiless=True)
            assert ("content-length" in answer.fields) == ("with" in case and "204" not in case)
            assert "transfer-encoding" not in answer.fields
            assert (await caller.get("/globex/y")).body == b"ok"
            assert up.connections == 1

    run(play())


def test_interim_answers_pass_but_are_not_the_answer(tmp_path):
    raw = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK

    async def play():
        async with staged(tmp_path, answering(raw)) as (stage, _):
            caller = await stage.caller()
            hints = await caller.get("/globex/x")
            assert (hints.status, hints.fields["link"]) == (103, "</a>")
            assert (await caller.answer()).status == 200
            assert [r.status for r in stage.journal.exchanges] == [200]

    run(play())


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 600 No\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000,
        b"HTTP/1.1 103 Hi\r\n\r\n" * 20,
    ],
    ids=range(13),
)
def test_an_answer_that_is_not_sound_http_becomes_502(tmp_path, raw):
    async def handler(up, reader, writer):
        await up.request(reader)
        writer.write(raw)
        await writer.drain()
        await reader.read()

    async def play():
        async with staged(tmp_path, handler) as (stage, _):
            caller = await stage.caller()
            answer = await caller.get("/globex/x")
            while answer.status == 103:
                answer = await caller.answer()
            assert answer.status == 502
            assert answer.fields["midspan-outcome"] == "protocol_error"
            record = await stage.journal.record()
            assert (record.outcome, record.error) == (Outcome.PROTOCOL_ERROR, "bad_response")

    run(play())


CUT = {
    "in a length": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", False, "truncated"),
    "in a chunk": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc", False, "truncated",
    ),
    "before the last chunk": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", False, "truncated",
    ),
    "reset in a length": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", True, "reset_mid_body",
    ),
    "reset, to the end": (b"HTTP/1.1 200 OK\r\n\r\nabc", True, "reset_mid_body"),
}  # fmt: skip


@pytest.mark.parametrize("case", CUT)
def test_a_caller_sees_that_an_answer_was_cut(tmp_path, case):
    raw, hard, code = CUT[case]

    async def handler(up, reader, writer):
        await up.request(reader)
        writer.write(raw)
        await writer.drain()
        await asyncio.sleep(0.05)
        if hard:
            reset(writer)

    async def play():
        async with staged(tmp_path, handler) as (stage, _):
            caller = await stage.caller()
            caller.send(request("GET", "/globex/x"))
            found = await caller.ended()
            assert b"abc" in found
            assert not found.endswith(b"0\r\n\r\n")
            record = await stage.journal.record()
            assert (record.outcome, record.error, record.status) == (
                Outcome.PROTOCOL_ERROR, code, 200,
            )  # fmt: skip
            assert record.capture.response_body == b"abc"

    run(play())


def test_a_connection_closed_without_an_answer_is_told_apart(tmp_path):
    async def play():
        async with staged(tmp_path, once(b"")) as (stage, up):
            caller = await stage.caller()
            assert (await caller.get("/globex/x")).status == 502
            record = await stage.journal.record()
            assert record.error == "reset_before_answer"
            assert up.connections == 1

    run(play())


def test_a_half_head_is_truncated(tmp_path):
    async def play():
        async with staged(tmp_path, once(b"HTTP/1.1 200 OK\r\nConte")) as (stage, _):
            caller = await stage.caller()
            assert (await caller.get("/globex/x")).status == 502
            assert (await stage.journal.record()).error == "truncated"

    run(play())


def test_connections_are_kept_on_both_sides(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, up):
            caller = await stage.caller()
            for _ in range(5):
                await caller.get("/globex/x")
            assert up.connections == 1
            assert stage.hub.counts[CONNECTS] == 1
            assert stage.hub.counts[REUSED] == 4
            assert [r.connect_us for r in stage.journal.exchanges[1:]] == [0] * 4

    run(play())


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        OK + b"x",
    ],
    ids=["close", "http/1.0", "unasked answer", "extra bytes"],
)
def test_a_connection_that_may_not_be_used_again_is_not(tmp_path, raw):
    async def play():
        async with staged(tmp_path, answering(raw)) as (stage, up):
            caller = await stage.caller()
            for _ in range(3):
                assert (await caller.get("/globex/x")).body == b"ok"
            assert up.connections == 3
            await until(lambda: stage.hub.pool.size == 0)

    run(play())


def test_bytes_nobody_asked_for_end_a_waiting_connection(tmp_path):
    async def handler(up, reader, writer):
        await up.request(reader)
        writer.write(OK)
        await asyncio.sleep(0.05)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        await reader.read()

    async def play():
        async with staged(tmp_path, handler) as (stage, up):
            caller = await stage.caller()
            assert (await caller.get("/globex/x")).body == b"ok"
            await until(lambda: up.closed == 1)
            assert stage.hub.pool.size == 0
            assert (await caller.get("/globex/x")).body == b"ok"

    run(play())


def test_requests_sent_ahead_are_answered_in_order(tmp_path):
    async def handler(up, reader, writer):
        while True:
            head, _ = await up.request(reader)
            await asyncio.sleep(0.002)
            path = head.split()[1]
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(path), path))

    async def play():
        async with staged(tmp_path, handler) as (stage, up):
            caller = await stage.caller()
            caller.send(b"".join(request("GET", f"/globex/{i}") for i in range(30)))
            assert [(await caller.answer()).body for _ in range(30)] == [
                b"/%d" % i for i in range(30)
            ]
            assert up.connections == 1

    run(play())


def test_too_many_requests_sent_ahead_wait_outside(tmp_path):
    gate = asyncio.Event()

    async def handler(up, reader, writer):
        while True:
            await up.request(reader)
            await gate.wait()
            writer.write(OK)

    async def play():
        async with staged(tmp_path, handler) as (stage, _):
            caller = await stage.caller()
            one = request("GET", "/globex/x", "X-Fill: " + "f" * 1000)
            for _ in range(4000):
                caller.send(one)
            await asyncio.sleep(0.2)
            held = max(len(c._ahead) for c in stage.hub.callers)
            assert held < 512 * 1024
            gate.set()
            for _ in range(4000):
                assert (await caller.answer()).status == 200

    run(play())


def test_a_caller_that_asks_and_never_reads_is_held_back(tmp_path):
    """Requests go on being answered only as fast as answers leave."""
    big = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"z" * 200_000

    async def play():
        async with staged(tmp_path, answering(big)) as (stage, up):
            caller = await stage.caller()
            caller.writer.transport.pause_reading()
            caller.send(request("GET", "/globex/x") * 400)
            settled = 0
            while len(up.heads) > settled:
                settled = len(up.heads)
                await asyncio.sleep(0.3)
            assert settled < 100
            (connection,) = stage.hub.callers
            assert connection._transport.get_write_buffer_size() < 2_000_000
            caller.writer.transport.resume_reading()
            for _ in range(400):
                assert len((await caller.answer()).body) == 200_000
            assert stage.totals == (400, 400, 0)

    run(play())


def test_a_half_request_behind_an_ended_side_is_given_up(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, _):
            caller = await stage.caller()
            caller.send(request("GET", "/globex/a") + b"GET /globex/b HT")
            caller.writer.write_eof()
            assert (await caller.ended()).count(b" 200 OK") == 1
            assert len(stage.journal.exchanges) == 1

    run(play())


async def shuts(up, reader, writer):
    reset(writer)


async def speaks_first(up, reader, writer):
    writer.write(b"220 ready\r\n")
    await reader.read()


@pytest.mark.parametrize("handler", [shuts, speaks_first])
def test_an_upstream_that_does_not_wait_for_the_request(tmp_path, handler):
    async def play():
        async with staged(tmp_path, handler) as (stage, _):
            for number in range(10):
                answer = await (await stage.caller()).get("/globex/x")
                assert answer.status == 502
                record = await stage.journal.record(number)
                assert record.outcome == Outcome.PROTOCOL_ERROR

    run(play())


def test_a_caller_that_ended_its_side_still_gets_its_answers(tmp_path):
    async def handler(up, reader, writer):
        while True:
            await up.request(reader)
            await asyncio.sleep(0.05)
            writer.write(OK)

    async def play():
        async with staged(tmp_path, handler) as (stage, _):
            caller = await stage.caller()
            caller.send(request("GET", "/globex/a") + request("GET", "/globex/b"))
            caller.writer.write_eof()
            found = await caller.ended()
            assert found.count(b"HTTP/1.1 200 OK") == 2
            assert [r.outcome for r in stage.journal.exchanges] == [Outcome.OK] * 2

    run(play())


def test_100_continue_is_given_once_the_upstream_is_there(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, up):
            caller = await stage.caller()
            caller.send(
                b"POST /globex/x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                b"Content-Length: 3\r\n\r\n"
            )
            assert (await caller.answer()).status == 100
            caller.send(b"abc")
            assert (await caller.answer()).status == 200
            assert up.bodies == [b"abc"]
            assert b"xpect" not in up.heads[0]

    run(play())


def test_an_early_answer_passes_and_its_connection_is_not_used_again(tmp_path):
    async def handler(up, reader, writer):
        up.heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        await writer.drain()
        await reader.read()

    async def play():
        async with staged(tmp_path, handler) as (stage, up):
            caller = await stage.caller()
            caller.send(b"POST /globex/x HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nabc")
            answer = await caller.answer()
            assert (answer.status, answer.body) == (413, b"big")
            assert answer.fields["connection"] == "close"
            caller.send(b"z" * 1000)  # the rest may still come, and is not read as a request
            assert await caller.ended() == b""
            await until(lambda: up.closed == 1)
            assert stage.hub.pool.size == 0
            assert len(stage.journal.exchanges) == 1
            assert stage.journal.exchanges[0].status == 413

    run(play())


def test_both_bodies_may_flow_at_once(tmp_path):
    async def handler(up, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            size = int(await reader.readuntil(b"\r\n"), 16)
            data = await reader.readexactly(size + 2)
            writer.write(b"%x\r\n" % size + data)
            if not size:
                break

    async def play():
        async with staged(tmp_path, handler) as (stage, _):
            caller = await stage.caller()
            caller.send(b"POST /globex/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            await caller.reader.readuntil(b"\r\n\r\n")
            for word in (b"one", b"two", b"three"):
                caller.send(b"%x\r\n%b\r\n" % (len(word), word))
                assert await caller.reader.readuntil(word + b"\r\n")
            caller.send(b"0\r\n\r\n")
            assert await caller.reader.readuntil(b"0\r\n\r\n") == b"0\r\n\r\n"
            record = await stage.journal.record()
            assert (record.request_bytes, record.response_bytes) == (11, 11)

    run(play())


@pytest.mark.parametrize(
    ("method", "body", "retried"),
    [
        ("GET", b"", True),
        ("HEAD", b"", True),
        ("DELETE", b"", True),
        ("POST", b"", False),
        ("PATCH", b"", False),
        ("PUT", b"x", False),
    ],
)
def test_only_a_harmless_request_is_sent_again_on_a_stale_connection(
    tmp_path, method, body, retried
):
    async def handler(up, reader, writer):
        # The first connection answers once and dies with its second request unanswered.
        await up.request(reader)
        writer.write(OK)
        await up.request(reader)
        if up.connections > 1:
            writer.write(OK)
            await reader.read()

    async def second(up, reader, writer):
        await up.request(reader)
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await reader.read()

    async def play():
        async with staged(tmp_path, handler) as (stage, up):
            caller = await stage.caller()
            await caller.get("/globex/x")
            up.handler = second
            caller.send(request(method, "/globex/y", body=body))
            answer = await caller.answer()
            assert answer.status == (204 if retried else 502)
            assert stage.hub.counts[RETRIED] == int(retried)
            assert len(stage.journal.exchanges) == 2
            if not retried:
                assert stage.journal.exchanges[1].error == "reset_before_answer"

    run(play())


def test_a_large_body_crosses_unchanged_in_both_directions(tmp_path):
    async def handler(up, reader, writer):
        while True:
            _, body = await up.request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()

    async def play():
        async with staged(tmp_path, handler) as (stage, up):
            caller = await stage.caller()
            for _ in range(2):
                caller.send(request("POST", "/globex/x", body=BIG * 8))
                assert (await caller.answer()).body == BIG * 8
            assert up.connections == 1
            assert stage.journal.exchanges[0].request_bytes == len(BIG) * 8

    run(play())


HOP_BY_HOP = [
    "Connection: X-Secret, keep-alive, Authorization",
    "X-Secret: 1",
    "Keep-Alive: timeout=5",
    "Proxy-Connection: keep-alive",
    "Proxy-Authorization: Basic x",
    "TE: trailers",
    "Trailer: X-T",
    "Upgrade: websocket",
    "Content_Length: 5",
    "Midspan-Anything: x",
    "Expect: 100-continue",
]


def test_hop_by_hop_and_own_headers_stay_here(tmp_path):
    raw = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: X-Inner\r\nX-Inner: 1\r\n"
        b"Keep-Alive: x\r\nMidspan-Exchange: forged\r\nX-Kept: 1\r\nProxy-Authenticate: x\r\n\r\nok"
    )

    async def play():
        async with staged(tmp_path, answering(raw)) as (stage, up):
            caller = await stage.caller()
            answer = await caller.get("/globex/x", *HOP_BY_HOP, "Authorization: Bearer k", "A_B: 1")
            if answer.status == 100:
                answer = await caller.answer()
            head = up.heads[0].decode().lower()
            for line in HOP_BY_HOP:
                assert f"\n{line.partition(':')[0].lower()}:" not in head
            assert "authorization: bearer k" in head
            assert "a_b: 1" in head
            assert "x-inner" not in answer.fields
            assert "keep-alive" not in answer.fields
            assert "proxy-authenticate" not in answer.fields
            assert answer.fields["x-kept"] == "1"
            assert answer.exchange != "forged"

    run(play())


def test_a_long_poll_is_held_as_long_as_its_answer_may_take(tmp_path):
    async def play():
        news = asyncio.Event()

        async def handler(up, reader, writer):
            await up.request(reader)
            await news.wait()
            writer.write(OK)

        # Nothing moves for far longer than a body may stand still: an answer may take its time.
        patient = Timeouts(first_byte_ms=60_000, idle_ms=20)
        async with staged(tmp_path, handler, timeouts=patient) as (stage, up):
            sweeps, sweep = [], stage.hub.sweep
            stage.hub.sweep = lambda as_of_ns: sweeps.append(sweep(as_of_ns))
            caller = await stage.caller()
            caller.send(request("GET", "/globex/poll"))
            await until(lambda: up.heads)
            swept = len(sweeps)
            await until(lambda: len(sweeps) >= swept + 4)
            assert (len(stage.hub.live), stage.journal.exchanges) == (1, [])
            news.set()
            answer = await caller.answer()
            assert (answer.status, answer.body) == (200, b"ok")
            record = await stage.journal.record()
            assert (record.outcome, record.first_byte_us > 100_000) == (Outcome.OK, True)

    run(play())
