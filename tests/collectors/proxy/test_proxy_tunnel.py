"""WebSocket and every other offer to switch: a tunnel after a 101 that was asked for, else none."""

import asyncio
from itertools import product

import pytest

from app.domain.route import Timeouts
from app.domain.words import Direction, Outcome
from collectors.proxy.metrics import TUNNELS
from tests.collectors.proxy import certificates
from tests.collectors.proxy.hostile import oracle
from tests.collectors.proxy.kit import OK, Caller, request, reset, run, staged, until

OFFER = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: a2V5")
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n"
    b"Sec-WebSocket-Accept: x\r\n\r\n"
)
FRAMES = bytes(range(256)) * 300


def echoing(*, first=b"", hello=b""):
    """Switches, says `hello` in the same packet, and echoes until the other side ends."""

    async def handler(up, reader, writer):
        up.heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(first + SWITCHED + hello)
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()

    return handler


async def opened(stage, *lines, path="/globex/socket"):
    caller = await stage.caller()
    caller.send(request("GET", path, *OFFER, *lines))
    answer = await caller.answer()
    assert answer.status == 101
    return caller, answer


def test_a_websocket_is_one_exchange_with_its_bytes_both_ways(tmp_path):
    async def play():
        async with staged(tmp_path, echoing(hello=b"hi"), changes={"capture_ratio": 1.0}) as (
            stage,
            up,
        ):
            caller, answer = await opened(stage, "Sec-WebSocket-Protocol: chat")
            head = up.heads[0].decode()
            for line in ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: a2V5"):
                assert head.count(f"{line}\r\n") == 1
            assert answer.fields["upgrade"] == "websocket"
            assert answer.fields["connection"] == "Upgrade"
            assert answer.fields["sec-websocket-accept"] == "x"
            assert await caller.reader.readexactly(2) == b"hi"
            for _ in range(20):
                caller.send(FRAMES)
                assert await caller.reader.readexactly(len(FRAMES)) == FRAMES
            assert stage.journal.exchanges == []
            caller.writer.write_eof()
            assert await caller.ended() == b""
            record = await stage.journal.record()
            assert (record.status, record.outcome, record.error) == (101, Outcome.OK, "")
            assert (record.method, record.path) == ("GET", "/socket")
            sent = 20 * len(FRAMES)
            assert (record.request_bytes, record.response_bytes) == (sent, sent + 2)
            assert record.id.hex() == answer.exchange.replace("-", "")
            assert (record.capture.request_body, record.capture.response_body) == (b"", b"")
            assert stage.hub.counts[TUNNELS] == 1
            assert stage.totals == (1, 1, 0)
            await until(lambda: up.closed == 1)
            assert stage.hub.pool.size == 0

    run(play())


def test_what_a_caller_sent_ahead_goes_first_through_the_tunnel(tmp_path):
    async def play():
        async with staged(tmp_path, echoing(first=b"HTTP/1.1 100 Continue\r\n\r\n")) as (stage, _):
            caller = await stage.caller()
            caller.send(request("GET", "/globex/socket", *OFFER) + b"GET early HTTP/1.1\r\n\r\n")
            assert (await caller.answer()).status == 101
            caller.send(b"later")
            wanted = b"GET early HTTP/1.1\r\n\r\nlater"
            assert await caller.reader.readexactly(len(wanted)) == wanted
            caller.writer.write_eof()
            await stage.journal.record()
            assert len(stage.journal.exchanges) == 1

    run(play())


@pytest.mark.parametrize("ends", ["upstream", "upstream resets", "caller resets", "caller, early"])
def test_how_a_tunnel_ends_is_told_apart(tmp_path, ends):
    async def handler(up, reader, writer):
        up.heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(SWITCHED + b"bye")
        await writer.drain()
        if ends.startswith("caller"):
            await reader.read()
        else:
            await reader.readexactly(4)
        if ends == "upstream resets":
            reset(writer)

    expected = {
        "upstream": (Outcome.OK, ""),
        "upstream resets": (Outcome.PROTOCOL_ERROR, "reset_mid_body"),
        "caller resets": (Outcome.ABORTED, "caller_gone"),
        "caller, early": (Outcome.OK, ""),
    }

    async def play():
        async with staged(tmp_path, handler) as (stage, up):
            caller = await stage.caller()
            caller.send(request("GET", "/globex/socket", *OFFER))
            if ends == "caller, early":
                caller.writer.write_eof()
            assert (await caller.answer()).status == 101
            assert await caller.reader.readexactly(3) == b"bye"
            if ends == "caller resets":
                caller.reset()
            elif ends != "caller, early":
                caller.send(b"last")
                assert await caller.ended() == b""
            record = await stage.journal.record()
            assert (record.outcome, record.error) == expected[ends]
            assert record.status == 101
            await until(lambda: up.closed == 1 and not stage.hub.callers)

    run(play())


def test_a_silent_tunnel_is_closed(tmp_path, monkeypatch):
    monkeypatch.setattr("collectors.proxy.timeouts.TUNNEL_IDLE_NS", 1_000_000_000)

    async def play():

        quick = Timeouts(first_byte_ms=50, idle_ms=50, total_ms=200)
        async with staged(tmp_path, echoing(), timeouts=quick) as (stage, up):
            caller, _ = await opened(stage)
            for _ in range(12):  # longer than total_ms, never silent for long
                caller.send(b"ping")
                assert await caller.reader.readexactly(4) == b"ping"
                await asyncio.sleep(0.03)
            assert await caller.ended() == b""
            record = await stage.journal.record()
            assert (record.outcome, record.error, record.request_bytes) == (
                Outcome.TIMEOUT, "tunnel_idle", 48,
            )  # fmt: skip
            await until(lambda: up.closed == 1)

    run(play())


def test_a_tunnel_ends_with_its_worker(tmp_path):
    async def play():
        async with staged(tmp_path, echoing()) as (stage, _):
            caller, _ = await opened(stage)
            await stage.server.stop(grace_s=0.1)
            assert await caller.ended() == b""
            record = await stage.journal.record()
            assert (record.outcome, record.error) == (Outcome.ABORTED, "proxy_stopped")

    run(play())


def test_a_slow_reader_holds_the_other_side_back(tmp_path):
    async def handler(up, reader, writer):
        up.heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(SWITCHED)
        for _ in range(400):
            writer.write(FRAMES)
            await writer.drain()

    async def play():
        async with staged(tmp_path, handler) as (stage, _):
            caller, _ = await opened(stage)
            caller.writer.transport.pause_reading()
            settled = -1
            (live,) = stage.hub.live
            while live.response_bytes > settled:
                settled = live.response_bytes
                await asyncio.sleep(0.2)
            assert settled < 400 * len(FRAMES)
            (connection,) = stage.hub.callers
            assert connection._transport.get_write_buffer_size() < 1_000_000
            caller.writer.transport.resume_reading()
            await caller.reader.readexactly(400 * len(FRAMES))
            assert await caller.ended() == b""
            record = await stage.journal.record()
            assert record.response_bytes == 400 * len(FRAMES)

    run(play())


METHODS = ("GET", "POST", "OPTIONS")
FRAMINGS = {
    "none": ("", b""),
    "length 0": ("Content-Length: 0\r\n", b""),
    "length": ("Content-Length: 5\r\n", b"hello"),
    "chunked": ("Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n"),
}
TOKENS = ("websocket", "WEBSOCKET", "h2c", "websocket, h2c", "")
ANSWERS = {
    "101": SWITCHED,
    "101 for another": SWITCHED.replace(b"WebSocket", b"h2c"),
    "101 without Connection": SWITCHED.replace(b"Connection: upgrade", b"X: y"),
    "101 without Upgrade": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "101 with a length": SWITCHED[:-2] + b"Content-Length: 3\r\n\r\nabc",
    "200": OK,
    "426": b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nno",
    "200 with Upgrade": OK.replace(b"\r\n\r\n", b"\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
    "close": b"",
}


#: What is told apart here is messages: a busy machine may take its time.
PATIENT = Timeouts(connect_ms=30_000, first_byte_ms=30_000, idle_ms=30_000)


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_offer_meets_every_answer_and_only_the_right_pair_tunnels(tmp_path, answer):
    """P3: recorded is what was sent, and there is no tunnel without its 101."""
    seen = []

    async def handler(up, reader, writer):
        while True:
            await up.request(reader)
            seen.append(up.heads[-1] + up.bodies[-1])
            writer.write(ANSWERS[answer])
            await writer.drain()
            if answer == "close" or answer.startswith("101"):
                return

    async def play():
        async with staged(tmp_path, handler, timeouts=PATIENT) as (stage, _):
            number = tunnels = 0
            for method, framing, token, version in product(
                METHODS, FRAMINGS, TOKENS, ("1.1", "1.0")
            ):
                if (framing, version) == ("chunked", "1.0"):
                    continue  # is no request at all
                lines, body = FRAMINGS[framing]
                caller = await stage.caller()
                caller.send(
                    f"{method} /globex/{number} HTTP/{version}\r\nHost: a\r\n{lines}"
                    f"Connection: Upgrade\r\nUpgrade: {token}\r\n\r\n".encode() + body
                )  # fmt: skip
                caller.writer.write_eof()
                returned = await caller.ended()
                found = oracle.answers(returned.replace(b" 101 ", b" 299 ", 1), [method.encode()])
                right = (
                    (method, framing, version) == ("GET", "none", "1.1")
                    and token.lower() == "websocket"
                )  # fmt: skip
                record = await stage.journal.record(number)
                number += 1
                tunnelled = right and answer == "101"
                tunnels += tunnelled
                refused = answer == "close" or answer.startswith("101")
                status = 101 if tunnelled else 0 if refused else int(answer[:3])
                assert (record.method, record.path) == (method, f"/{number - 1}")
                assert record.status == status
                assert record.request_bytes == (5 if body else 0)
                offered = b"upgrade: websocket" in seen[-1].lower()
                assert offered == right
                assert b"upgrade: h2c" not in seen[-1].lower()
                assert seen[-1].endswith(b"hello" if body else b"\r\n\r\n")
                assert found.items, (record.error, record.error_detail, record.outcome, returned)
                told = int(found.items[0].start[1])
                assert told == (299 if tunnelled else 502 if refused else status)
                assert stage.hub.counts[TUNNELS] == tunnels
            assert len(seen) == number == len(stage.journal.exchanges)

    run(play(), timeout=120)


def test_a_websocket_passes_through_tls_on_both_sides(tmp_path):
    certificates.make(tmp_path)
    shown = {
        "outbound_tls_cert": tmp_path / "good.pem",
        "outbound_tls_key": tmp_path / "good.key",
    }

    async def play():
        async with staged(
            tmp_path,
            echoing(hello=b"hi"),
            tls_server=certificates.server(tmp_path),
            tls_client=certificates.client(tmp_path),
            route={"scheme": "https"},
            changes=shown,
        ) as (stage, up):
            port, trusting = stage.server.ports[Direction.OUTBOUND], certificates.client(tmp_path)
            caller = Caller(*await asyncio.open_connection("127.0.0.1", port, ssl=trusting))
            caller.send(request("GET", "/globex/socket", *OFFER))
            assert (await caller.answer()).status == 101
            assert await caller.reader.readexactly(2) == b"hi"
            for _ in range(20):
                caller.send(FRAMES)
                assert await caller.reader.readexactly(len(FRAMES)) == FRAMES
            await caller.close()  # TLS has no half of an end: this is the end of both
            record = await stage.journal.record()
            assert (record.status, record.tls_us >= 0) == (101, True)
            sent = 20 * len(FRAMES)
            assert (record.request_bytes, record.response_bytes) == (sent, sent + 2)
            assert stage.totals == (1, 1, 0)
            await until(lambda: up.closed == 1)

    run(play())
