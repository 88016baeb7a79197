"""Answered means recorded; traffic first; every exchange counted exactly once."""

import asyncio
import random

import pytest

from app.domain.words import Direction, Outcome
from collectors.record import CAPTURE_BYTES
from tests.collectors.proxy.kit import OK, answering, once, request, run, staged, until

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    b"3\r\ndef\r\n",
    b"0\r\n\r\n",
)
LENGTH = (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc", b"de", b"f")
WHOLE = (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef",)
EMPTY = (b"HTTP/1.1 204 No Content\r\n\r\n",)
TO_END = (b"HTTP/1.1 200 OK\r\n\r\nabc", b"def")


@pytest.mark.parametrize(
    ("parts", "version", "last"),
    [
        (CHUNKED, b"1.1", b"0\r\n\r\n"),
        (LENGTH, b"1.1", b"f"),
        (WHOLE, b"1.1", b"abcdef"),
        (EMPTY, b"1.1", b"\r\n\r\n"),
        (TO_END, b"1.1", b"0\r\n\r\n"),
        (CHUNKED, b"1.0", b""),
    ],
)
def test_the_record_is_written_before_the_last_byte_is_handed_on(tmp_path, parts, version, last):
    """At the moment of the record, all that was handed to the transport lacks the answer's end."""
    handed: list[bytes] = []
    at_record: list[bytes] = []

    async def handler(up, reader, writer):
        await up.request(reader)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.03)

    async def play():
        async with staged(tmp_path, handler) as (stage, _):
            stage.journal.watch = lambda _: at_record.append(b"".join(handed))
            caller = await stage.caller()
            await until(lambda: stage.hub.callers)
            connection = next(iter(stage.hub.callers))
            writing = connection._writing
            writing._transport = Watched(writing._transport, handed)
            caller.send(b"GET /globex/x HTTP/%b\r\nHost: a\r\nConnection: close\r\n\r\n" % version)
            found = await caller.ended()
            assert b"".join(handed) == found
            assert len(at_record) == 1
            assert found == at_record[0] + found[len(at_record[0]) :]
            assert found.endswith(last)
            if last:
                assert len(at_record[0]) < len(found)
                assert len(found) - len(at_record[0]) >= len(last)
            if parts is WHOLE or parts is EMPTY:
                assert at_record[0] == b""

    run(play())


class Watched:
    """A transport, and what was handed to it."""

    def __init__(self, transport, handed):
        self.transport, self.handed = transport, handed

    def write(self, data):
        self.handed.append(data)
        self.transport.write(data)

    def __getattr__(self, name):
        return getattr(self.transport, name)


def test_an_answer_of_the_proxy_is_recorded_before_it_is_sent(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, _):
            caller = await stage.caller()
            seen = []
            stage.journal.watch = lambda record: seen.append(record.error)
            answer = await caller.get("/nobody/x")
            assert answer.status == 404
            assert seen == ["no_such_integration"]

    run(play())


def test_the_id_in_the_answer_is_the_id_of_the_record(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, _):
            caller = await stage.caller()
            for path in ("/globex/x", "/nobody/x"):
                answer = await caller.get(path)
                raw = stage.journal.exchanges[-1].id
                assert answer.exchange.replace("-", "") == raw.hex()

    run(play())


def test_a_full_journal_sheds_and_later_counts_what_it_shed(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, _):
            caller = await stage.caller()
            stage.journal.full = True
            for path in ("/globex/a", "/globex/b", "/nobody/c"):
                assert (await caller.get(path)).status in (200, 404)
                proxied, recorded, shed = stage.totals
                assert proxied == recorded + shed
            assert stage.totals == (3, 0, 3)
            assert stage.hub.tap.pending == 3
            stage.journal.full = False
            await until(lambda: stage.hub.tap.pending == 0)
            assert sorted((loss.integration, loss.count) for loss in stage.journal.losses) == [
                ("globex", 2), ("unattributed", 1),
            ]  # fmt: skip
            assert all(loss.minute_us % 60_000_000 == 0 for loss in stage.journal.losses)
            assert (await caller.get("/globex/d")).status == 200
            assert stage.totals == (4, 1, 3)

    run(play())


def test_a_caller_that_goes_away_is_recorded_and_its_upstream_let_go(tmp_path):
    async def waits(up, reader, writer):
        await up.request(reader)
        await reader.read()

    async def play():
        async with staged(tmp_path, waits) as (stage, up):
            caller = await stage.caller()
            caller.send(request("GET", "/globex/x"))
            await until(lambda: up.heads)
            caller.reset()
            record = await stage.journal.record()
            assert (record.outcome, record.error, record.status) == (
                Outcome.ABORTED, "caller_gone", 0,
            )  # fmt: skip
            await until(lambda: up.closed == 1)

    run(play())


@pytest.mark.parametrize("how", ["half", "reset"])
def test_a_caller_that_leaves_in_its_request_body_is_aborted(tmp_path, how):
    async def play():
        async with staged(tmp_path, answering(OK)) as (stage, up):
            caller = await stage.caller()
            caller.send(b"POST /globex/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
            await until(lambda: up.connections)
            caller.writer.write_eof() if how == "half" else caller.reset()
            record = await stage.journal.record()
            assert (record.outcome, record.error) == (Outcome.ABORTED, "caller_gone")
            assert record.request_bytes == 3
            await until(lambda: up.closed == 1)

    run(play())


def test_a_caller_that_leaves_in_the_answer_is_aborted(tmp_path):
    async def endless(up, reader, writer):
        await up.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"3\r\nabc\r\n")
            await writer.drain()
            await asyncio.sleep(0.005)

    async def play():
        async with staged(tmp_path, endless) as (stage, up):
            caller = await stage.caller()
            caller.send(request("GET", "/globex/x"))
            await caller.reader.readuntil(b"abc")
            await caller.close()
            record = await stage.journal.record()
            assert (record.outcome, record.status) == (Outcome.ABORTED, 200)
            await until(lambda: up.closed == 1)

    run(play())


def test_a_failure_is_captured_as_it_came_for_the_loader_to_scrub(tmp_path):
    raw = (
        b"HTTP/1.1 500 Oops\r\nContent-Length: 20000\r\nContent-Type: text/plain\r\n"
        b"Set-Cookie: s=1\r\nX-Request-Id: r-1\r\n\r\n" + b"e" * 20_000
    )

    async def play():
        async with staged(tmp_path, answering(raw)) as (stage, _):
            caller = await stage.caller()
            caller.send(
                request(
                    "POST",
                    "/globex/x?token=t",
                    "Content-Type: text/x",
                    "Authorization: Bearer k",
                    "Midspan-Customer: c",
                    "Connection: X-Hop",
                    "X-Hop: 1",
                    body=b"q" * 9000,
                )
            )
            assert (await caller.answer()).status == 500
            record = await stage.journal.record()
            assert record.outcome == Outcome.SERVER_ERROR
            capture = record.capture
            assert capture.query == b"token=t"
            assert capture.request_headers == [
                ("Content-Type", "text/x"), ("Authorization", "Bearer k"),
            ]  # fmt: skip
            assert capture.response_headers == [
                ("Content-Type", "text/plain"), ("Set-Cookie", "s=1"), ("X-Request-Id", "r-1"),
            ]  # fmt: skip
            assert capture.request_body == b"q" * CAPTURE_BYTES
            assert capture.response_body == b"e" * CAPTURE_BYTES
            assert (record.request_bytes, record.response_bytes) == (9000, 20_000)

    run(play())


def test_a_share_of_successes_is_captured(tmp_path):
    async def play():
        async with staged(tmp_path, changes={"capture_ratio": 0.5}) as (stage, _):
            caller = await stage.caller()
            for _ in range(200):
                await caller.get("/globex/x")
            captured = sum(r.capture is not None for r in stage.journal.exchanges)
            assert 60 < captured < 140

    run(play())


@pytest.mark.parametrize(
    ("status", "outcome", "error"),
    [
        (200, Outcome.OK, ""),
        (302, Outcome.PROTOCOL_ERROR, "webhook_redirected"),
        (404, Outcome.CLIENT_ERROR, "webhook_refused"),
        (410, Outcome.CLIENT_ERROR, ""),
        (503, Outcome.SERVER_ERROR, ""),
    ],
)
def test_the_answer_to_a_webhook_is_judged_as_one_and_passed_on(tmp_path, status, outcome, error):
    async def play():
        raw = b"HTTP/1.1 %d X\r\nContent-Length: 0\r\nLocation: /y\r\n\r\n" % status
        async with staged(tmp_path, answering(raw)) as (stage, _):
            caller = await stage.caller()
            caller.send(request("POST", "/globex/-/webhooks/a.b", body=b"{}"))
            assert (await caller.answer()).status == status
            record = await stage.journal.record()
            assert (record.outcome, record.error, record.status) == (outcome, error, status)

    run(play())


async def moody(up, reader, writer):
    """An upstream that does everything an upstream should not."""
    dice = random.Random(up.connections)
    while True:
        await up.request(reader)
        turn = dice.random()
        if turn < 0.1:
            writer.transport.abort()
            return
        if turn < 0.2:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ncut")
            return
        if turn < 0.3:
            writer.write(b"rubbish\r\n\r\n")
            return
        if turn < 0.4:
            await asyncio.sleep(dice.random() * 0.05)
        writer.write(CHUNKED[0])
        await asyncio.sleep(dice.random() * 0.01)
        writer.write(CHUNKED[1] + CHUNKED[2])


def test_nothing_is_lost_or_counted_twice_when_everybody_misbehaves(tmp_path):
    async def misbehave(stage, seed):
        dice = random.Random(seed)
        for _ in range(15):
            caller = await stage.caller(Direction(dice.randrange(2)))
            for _ in range(dice.randrange(1, 4)):
                raw = request("POST", dice.choice(["/globex/x", "/nobody"]), body=b"z" * 100)
                caller.send(raw[: dice.choice([len(raw), len(raw), len(raw) // 2])])
            if dice.random() < 0.6:
                await asyncio.sleep(dice.random() * 0.02)
                caller.reset()
            else:
                caller.writer.write_eof()
                await caller.ended()

    async def play():
        async with staged(tmp_path, moody) as (stage, _):

            async def look():
                while True:
                    proxied, recorded, shed = stage.totals
                    assert proxied == recorded + shed
                    assert recorded == len(stage.journal.exchanges)
                    assert shed == stage.journal.refused - flushes[0]
                    stage.journal.full = random.Random(proxied).random() < 0.3
                    await asyncio.sleep(0.003)

            flushes = [0]
            append = stage.journal.append

            def counting(frame_type, payload):
                taken = append(frame_type, payload)
                flushes[0] += frame_type == 2 and not taken
                return taken

            stage.hub.tap._journal.append = counting
            looking = asyncio.get_running_loop().create_task(look())
            await asyncio.gather(*(misbehave(stage, seed) for seed in range(16)))
            await until(lambda: not stage.hub.live)
            assert not looking.done()
            looking.cancel()
            stage.journal.full = False
            await until(lambda: stage.hub.tap.pending == 0)
            proxied, recorded, shed = stage.totals
            assert proxied == recorded + shed
            assert proxied > 100
            assert shed > 0
            assert sum(loss.count for loss in stage.journal.losses) == shed
            assert len({r.id for r in stage.journal.exchanges}) == recorded
            await until(lambda: len(stage.hub.links) == stage.hub.pool.size)

    run(play(), timeout=60)


def test_a_stop_lets_exchanges_end_and_ends_those_that_do_not(tmp_path):
    async def handler(up, reader, writer):
        head, _ = await up.request(reader)
        await asyncio.sleep(0.3 if b"soon" in head else 30)
        writer.write(OK)

    async def play():
        async with staged(tmp_path, handler) as (stage, up):
            soon, never, idle = [await stage.caller() for _ in range(3)]
            soon.send(request("GET", "/globex/soon"))
            never.send(request("GET", "/globex/never"))
            await until(lambda: len(up.heads) == 2)
            stopping = asyncio.get_running_loop().create_task(stage.server.stop(grace_s=1))
            answer = await soon.answer()
            assert (answer.status, answer.fields["connection"]) == (200, "close")
            assert await idle.ended() == b""
            late = await never.answer()
            assert (late.status, late.fields["midspan-outcome"]) == (503, "aborted")
            await stopping
            assert {r.path: r.error for r in stage.journal.exchanges} == {
                "/soon": "", "/never": "proxy_stopped",
            }  # fmt: skip
            with pytest.raises(OSError, match=r"refused|Connect"):
                await stage.caller()

    run(play())


def test_an_upstream_that_closes_after_each_answer_costs_nothing_but_connections(tmp_path):
    async def play():
        async with staged(tmp_path, once(OK)) as (stage, up):
            caller = await stage.caller()
            for _ in range(20):
                assert (await caller.get("/globex/x")).status == 200
            assert stage.totals == (20, 20, 0)
            assert up.connections <= 20 + stage.hub.counts[7]

    run(play())
