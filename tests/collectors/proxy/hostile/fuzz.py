"""The proxy's parsers, framing and emission against the oracle, in process, whole and split."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from collectors.proxy import emit
from collectors.proxy.framing import Body, ChunkedBody, EndOfFileBody, HeadBuffer, LengthBody
from collectors.proxy.head import (
    CHUNKED,
    NO_BODY,
    TO_END_OF_FILE,
    ResponseHead,
    parse_request_head,
    parse_response_head,
    refusal,
    response_length,
)
from collectors.proxy.verdicts import BadMessage
from tests.collectors.proxy.hostile import mutate, oracle
from tests.collectors.proxy.hostile.oracle import Message, Reading, Refused

VIA = b"midspan-fuzz"
_VIA_LINE, _OPENED = emit.via_line(VIA), emit.opening(b"u")
_NO_LIMIT = 1 << 62
_METHODS = [b"GET", b"HEAD", b"POST"]


@dataclass
class Found:
    """What a run found: 0 crashes and 0 differences are what it should find."""

    cases: int = 0
    passed: int = 0
    crashes: list[tuple[bytes, str]] = field(default_factory=list)
    differences: list[tuple[bytes, str]] = field(default_factory=list)


@dataclass
class Read:
    """What the product makes of a stream: what it writes anew, and how it ends."""

    written: list[bytes] = field(default_factory=list)
    end: str = ""  # "", "refused", "head" or "body"


def run(cases: int, seed: int) -> Found:
    """`cases` changed streams, four of five of them requests."""
    found = Found()
    chance = random.Random(seed)
    requests, answers = mutate.mutants(seed), mutate.changed_answers(seed)
    for number in range(cases):
        if number % 5:
            _try(found, next(requests), chance, _compare_requests)
        else:
            _try(found, next(answers), chance, _compare_answers)
    return found


_Compare = Callable[[Found, bytes, random.Random], str]


def _try(found: Found, stream: bytes, chance: random.Random, compare: _Compare) -> None:
    found.cases += 1
    try:
        difference = compare(found, stream, chance)
    except Exception as error:
        found.crashes.append((stream, repr(error)))
        return
    if difference:
        found.differences.append((stream, difference))


def _compare_requests(found: Found, stream: bytes, chance: random.Random) -> str:
    whole = read_requests([stream])
    if whole != read_requests(mutate.pieces(chance, stream)):
        return "read differently when split"
    wanted = oracle.requests(stream, body_bytes=_NO_LIMIT)
    messages = [item for item in wanted.items if isinstance(item, Message)]
    found.passed += len(messages)
    if difference := _unlike(whole, wanted, len(messages)):
        return difference
    for written, sent in zip(whole.written, messages, strict=True):
        again = oracle.requests(written, spare=10, body_bytes=_NO_LIMIT)
        if len(again.items) != 1 or again.left or not isinstance(again.items[0], Message):
            return f"written unsoundly: {written!r}"
        got = again.items[0]
        if got.start != (*sent.start[:2], b"HTTP/1.1") or got.body != sent.body:
            return f"written otherwise: {written!r}"
        if oracle.end_to_end(got) != oracle.passed_on(sent):
            return f"written with other fields: {written!r}"
    return ""


def _compare_answers(found: Found, stream: bytes, chance: random.Random) -> str:
    method = chance.choice(_METHODS)
    whole = read_answer([stream], method)
    if whole != read_answer(mutate.pieces(chance, stream), method):
        return "read differently when split"
    wanted = oracle.answers(stream, [method])
    messages = [item for item in wanted.items if isinstance(item, Message)]
    found.passed += len(messages)
    if difference := _unlike(whole, wanted, len(messages)):
        return difference
    for written, sent in zip(whole.written, messages, strict=True):
        again = oracle.answers(written, [method], closed=False)
        if len(again.items) != 1 or again.left or again.rest:
            return f"written unsoundly: {written!r}"
        got = again.items[0]
        assert isinstance(got, Message)
        if got.start[1] != sent.start[1] or got.body != sent.body:
            return f"written otherwise: {written!r}"
        if oracle.end_to_end(got) != oracle.end_to_end(sent):
            return f"written with other fields: {written!r}"
    return ""


def _unlike(read: Read, wanted: Reading, count: int) -> str:
    if len(read.written) != count:
        return f"{len(read.written)} messages passed, {count} expected"
    refused = any(isinstance(item, Refused) for item in wanted.items)
    end = "refused" if refused else wanted.left
    if read.end != end and not (wanted.doubtful and read.end == "refused"):
        return f"ended {read.end or 'clean'!r}, not {end or 'clean'!r}"
    return ""


def read_requests(pieces: list[bytes]) -> Read:
    """The requests in a stream that comes in `pieces`, each written anew."""
    read, heads, held = Read(), HeadBuffer(), b""
    head, body, content = None, None, b""
    try:
        for piece in pieces:
            held += piece
            while held:
                if body is None:
                    whole = heads.feed(held)
                    if whole is None:
                        held = b""
                        break
                    raw, held = whole
                    head = parse_request_head(raw)
                    if refused := refusal(head, VIA):
                        raise BadMessage(refused.code, refused.detail)
                    body, content = _body(head.body_length), b""
                if not body.done:
                    part, held = body.feed(held)
                    content += part
                if body.done:
                    read.written.append(_written(head, content))
                    body = None
                    if not head.persistent:
                        return read
    except BadMessage:
        read.end = "refused"
        return read
    read.end = "body" if body else "head" if heads.held else ""
    return read


def _written(head, content: bytes) -> bytes:
    own = emit.request_head(head, head.target, _OPENED, b"", _VIA_LINE)
    if head.body_length == CHUNKED:
        return own + emit.chunk(content) + emit.LAST_CHUNK
    return own + content


def read_answer(pieces: list[bytes], method: bytes) -> Read:
    """The answer in a stream that comes in `pieces` and then ends, written anew."""
    read, heads, held = Read(), HeadBuffer(empty_lines=0), b""
    head, body, content = None, None, b""
    try:
        for piece in pieces:
            held += piece
            while held:
                if body is None:
                    whole = heads.feed(held)
                    if whole is None:
                        held = b""
                        break
                    raw, held = whole
                    head = _answer_head(raw)
                    if head.status < 200:
                        continue
                    length = response_length(head, method.decode())
                    body = _body(0 if length == NO_BODY else length)
                if not body.done:
                    part, held = body.feed(held)
                    content += part
                if body.done:
                    read.written.append(_answer_written(head, length, content))
                    return read
    except BadMessage:
        read.end = "refused"
        return read
    if isinstance(body, EndOfFileBody):
        read.written.append(_answer_written(head, CHUNKED, content))
    else:
        read.end = "body" if body else "head" if heads.held else ""
    return read


def _answer_head(raw: bytes) -> ResponseHead:
    head = parse_response_head(raw)
    if head.status == 101:
        raise BadMessage("bad_response", "nobody asked for it")
    if head.status < 200:
        response_length(head, "GET")
    return head


def _answer_written(head, length: int, content: bytes) -> bytes:
    own = emit.response_head(head, length, 1, close=False, own=b"", via=_VIA_LINE)
    if length == CHUNKED:
        return own + emit.chunk(content) + emit.LAST_CHUNK
    return own + content


def _body(length: int) -> Body:
    if length == CHUNKED:
        return ChunkedBody()
    return EndOfFileBody() if length == TO_END_OF_FILE else LengthBody(length)
