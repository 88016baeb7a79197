"""The matrix of answers: no wrong body, no dirty connection kept, and a cut that can be seen."""

import asyncio
from itertools import product

import pytest

from app.domain.words import Outcome
from tests.collectors.proxy.hostile import oracle
from tests.collectors.proxy.hostile.oracle import Message
from tests.collectors.proxy.kit import OK, request, reset, run, staged, until

_LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

ANSWERS = {
    "a length": _LENGTH,
    "a length of 0": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "chunks": _CHUNKED + b"2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nX: y\r\n\r\n",
    "to the end": b"HTTP/1.1 200 OK\r\n\r\nhello",
    "to the end, 1.0": b"HTTP/1.0 200 OK\r\n\r\nhello",
    "a length, 1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "close": _LENGTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "204 with a length": b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
    "204 with a body": b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
    "304 with a length": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "304 with chunks": b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
    "205 with a body": b"HTTP/1.1 205 Reset Content\r\nContent-Length: 5\r\n\r\nhello",
    "100 first": b"HTTP/1.1 100 Continue\r\n\r\n" + _LENGTH,
    "102 and 103 first": b"HTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 E\r\nLink: x\r\n\r\n" + _LENGTH,
    "199 first": b"HTTP/1.1 199 X\r\nContent-Length: 5\r\n\r\n" + _LENGTH,
    "only 1xx": b"HTTP/1.1 103 E\r\n\r\n",
    "sixteen 1xx": b"HTTP/1.1 103 E\r\n\r\n" * 16 + _LENGTH,
    "101": b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhello",
    "101 and no Upgrade": b"HTTP/1.1 101 S\r\n\r\n",
    "extra bytes": _LENGTH + b"x",
    "an extra CRLF": _LENGTH + b"\r\n",
    "a second answer": _LENGTH + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    "a second answer behind chunks": _CHUNKED + b"5\r\nhello\r\n0\r\n\r\n" + OK,
    "cut in the status line": b"HTTP/1.1 20",
    "cut in the head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "cut in a length": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
    "cut before a length": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
    "cut in a chunk": _CHUNKED + b"9\r\nhello",
    "cut behind a chunk": _CHUNKED + b"5\r\nhello\r\n",
    "cut in the last chunk": _CHUNKED + b"5\r\nhello\r\n0\r\n",
    "cut in a trailer": _CHUNKED + b"5\r\nhello\r\n0\r\nX: y\r\n",
    "a bad chunk": _CHUNKED + b"5\r\nhello\r\nzz\r\n",
    "a bad end of a chunk": _CHUNKED + b"5\r\nhelloXX0\r\n\r\n",
    "a bad trailer": _CHUNKED + b"5\r\nhello\r\n0\r\nContent-Length: 1\r\n\r\n",
    "both framings": _CHUNKED[:-2] + b"Content-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "a bad length": b"HTTP/1.1 200 OK\r\nContent-Length: 5a\r\n\r\nhello",
    "gzip, chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunks, 1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "a folded line": b"HTTP/1.1 200 OK\r\nX: y\r\n z\r\nContent-Length: 5\r\n\r\nhello",
    "a blank before a colon": b"HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/0.9": b"hello\r\n\r\n",
    "000": b"HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n",
    "099": b"HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n",
    "599": b"HTTP/1.1 599 X\r\nContent-Length: 0\r\n\r\n",
    "600": b"HTTP/1.1 600 X\r\nContent-Length: 0\r\n\r\n",
    "999": b"HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n",
    "2000": b"HTTP/1.1 2000 X\r\nContent-Length: 0\r\n\r\n",
    "an answer to nothing": b"\r\n" + _LENGTH,
    "nothing": b"",
}
#: A control character in a head ends it.
ANSWERS["a NUL"] = ANSWERS["a length"].replace(b"OK", b"O\x00K")


def answering_as(names, end):
    """Answers `/globex/N` with the N-th answer, and then does with the connection as `end` says."""

    async def handler(up, reader, writer):
        while True:
            head, _ = await up.request(reader)
            place = head.split()[1].decode().strip("/")
            if not place.isdigit():
                writer.write(OK)
                continue
            writer.write(ANSWERS[names[int(place)]])
            await writer.drain()
            if end == "keeps open":
                await reader.read(1)
            if end == "resets":
                await asyncio.sleep(0.02)  # so that the bytes are not lost with the connection
                reset(writer)
            return

    return handler


@pytest.mark.parametrize("end", ["keeps open", "closes", "resets"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_each_answer_reaches_the_caller_as_the_oracle_reads_it(tmp_path, method, end):
    names = sorted(ANSWERS)

    async def play():
        async with staged(tmp_path, answering_as(names, end)) as (stage, _):
            for number, version in product(range(len(names)), ("1.1", "1.0")):
                raw = ANSWERS[names[number]]
                wanted = oracle.answers(raw, [method.encode()], closed=end == "closes")
                if end != "keeps open" or wanted.items:  # else it waits, until a timeout
                    line = f"{method} /globex/{number} HTTP/{version}\r\nHost: a\r\n\r\n"
                    await one(stage, line.encode(), wanted, names[number], end)
            caller = await stage.caller()
            assert (await caller.get("/globex/after")).body == b"ok"

    run(play(), timeout=100)


async def one(stage, sent, wanted, name, end):
    stage.journal.exchanges.clear()
    caller = await stage.caller()
    caller.send(sent)
    caller.writer.write_eof()
    returned, was_reset = await all_of(caller)
    record = await stage.journal.record()
    got = oracle.answers(returned, [sent.split()[0]])
    if was_reset:  # so it looks cut, whatever it was
        got.left, got.items = "body", []
    check(name, wanted, got, returned, record, end)
    assert not got.rest
    assert stage.hub.pool.size == 0 or clean(wanted), name
    await until(lambda: stage.hub.pool.size == 0 or end == "keeps open")
    for link in list(stage.hub.links):
        link.abort()
    await until(lambda: not stage.hub.links)


async def all_of(caller):
    """(what comes until the connection ends, whether it ended with a reset)."""
    found = b""
    try:
        while data := await caller.reader.read(65536):
            found += data
    except ConnectionError:
        return found, True
    return found, False


def clean(reading):
    """Whether a connection that sent this may carry another exchange."""
    (message,) = reading.items
    framed = message.chunked or dict(message.fields).get(b"content-length")
    bodiless = message.start[1] in (b"204", b"304")
    return message.persistent and not reading.rest and bool(framed or bodiless)


def check(name, wanted, got, returned, record, end):
    sound = [item for item in wanted.items if isinstance(item, Message)]
    if sound:
        (message,), (answer,) = sound, got.items
        assert (answer.start[1], answer.body) == (message.start[1], message.body), name
        assert record.status == int(message.start[1]), name
        assert record.outcome in (Outcome.OK, Outcome.SERVER_ERROR), name
        assert record.response_bytes == len(message.body), name
        return
    assert record.outcome == Outcome.PROTOCOL_ERROR, name
    assert record.error in ("bad_response", "truncated", "reset_mid_body", "reset_before_answer")
    # Either nothing of it was passed on and the caller got a 502, or what it got looks cut.
    (answer,) = got.items or [None]
    assert answer is None or answer.start[1] == b"502", (name, returned)
    assert answer is not None or got.left, (name, returned)
    assert record.status or answer is not None, name
    if wanted.left and not wanted.doubtful and end == "closes":
        assert record.error in ("truncated", "reset_before_answer"), name


def test_an_answer_may_come_before_the_upload_is_through(tmp_path):
    """And its connection carries nothing more, in either direction."""

    async def handler(up, reader, writer):
        up.heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(_LENGTH)
        await writer.drain()
        await reader.read()

    async def play():
        async with staged(tmp_path, handler) as (stage, up):
            for framing in (b"Content-Length: 99", b"Transfer-Encoding: chunked"):
                caller = await stage.caller()
                caller.send(b"POST /globex/x HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n")
                answer = await caller.answer()
                assert (answer.status, answer.body) == (200, b"hello")
                assert answer.fields["connection"] == "close"
                caller.send(b"5\r\n" + request("GET", "/globex/evil"))
                assert await caller.ended() == b""
            await until(lambda: up.closed == 2)
            assert stage.hub.pool.size == 0
            assert [r.status for r in stage.journal.exchanges] == [200, 200]
            assert len(up.heads) == 2

    run(play())
