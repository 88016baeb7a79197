"""A head is judged by a parser and then cut into lines: the two must read the same."""

import random
from contextlib import suppress

import httptools
import pytest

from collectors.proxy.fields import each
from collectors.proxy.head import parse_request_head, parse_response_head
from collectors.proxy.verdicts import BadMessage

REQUESTS = (
    b"GET /x HTTP/1.1\r\nHost: a\r\nA: b\r\nConnection: keep-alive\r\n\r\n",
    b"POST /x?y=1#z HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX-Y:   z  \r\n\r\n",
    b"PUT  /a   HTTP/1.0\r\nTransfer-Encoding: chunked\r\nA: h2c\r\nVia: 1.1 a\r\n\r\n",
    b"GET /x\nHost: HTTP/1.1\r\nHost: a\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost:a\r\nE:\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
)
RESPONSES = (
    b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 3\r\n\r\n",
    b"HTTP/1.0 404 \r\nA: b\r\n\r\n",
    b"HTTP/1.1 204\r\nTransfer-Encoding: chunked\r\nA:b\r\n\r\n",
    b"HTTP/1.1 304 Not  Modified\t\r\nSet-Cookie: a=b:c\r\nSet-Cookie: d\r\n\r\n",
)
PIECES = (
    b" ", b"\t", b"\r", b"\n", b"\r\n", b":", b"\0", b"\x0b", b"\x0c", b"\x7f", b"\xff", b"a", b"1",
    b"/", b"HTTP/1.1", b",", b";", b'"', b"\r\n ", b"  ", b"\x85", b"\xa0", b"\r\nHost: b",
)  # fmt: skip
CASES = 15_000


class Listener:
    """Hears what a parser has to say."""

    def __init__(self):
        self.target = self.reason = b""
        self.headers = []

    def on_url(self, part):
        self.target += part

    def on_status(self, part):
        self.reason += part

    def on_header(self, name, value):
        self.headers.append((name, value.strip(b" \t")))


def mutated(dice, raw):
    data = bytearray(raw)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data) - 4)
        how = dice.random()
        if how < 0.4:
            data[at:at] = dice.choice(PIECES)
        elif how < 0.6:
            data[at] = dice.randrange(256)
        elif how < 0.8:
            del data[at : at + dice.randint(1, 3)]
        else:
            data[at : at + 2] = dice.choice(PIECES)
    head, end, _ = bytes(data).lstrip(b"\r\n").partition(b"\r\n\r\n")
    return head + end


def heard(parser, raw):
    """A parser that took a head, and what it told of it."""
    listener = Listener()
    parser = parser(listener)
    with suppress(httptools.HttpParserUpgrade):
        parser.feed_data(raw)
    return parser, listener


def read(head):
    """Every header value that the product read, wherever it put it."""
    return sorted(
        [value for _, _, value in each(head.fields)]
        + [v for k, vs in head.special.items() if not kept_twice(k) for v in vs]
    )


def kept_twice(lower):
    return lower in (b"authorization", b"x-api-key", b"webhook-id")


@pytest.mark.parametrize("parse", [parse_request_head, parse_response_head])
def test_a_head_cut_into_lines_says_what_its_parser_says(parse):
    asks = parse is parse_request_head
    dice, sound = random.Random(20261127), 0
    for number in range(CASES):
        raw = dice.choice(REQUESTS if asks else RESPONSES)
        raw = mutated(dice, raw) if number > 50 else raw
        try:
            head = parse(raw)
        except BadMessage:
            continue
        sound += 1
        parser, listener = heard(
            httptools.HttpRequestParser if asks else httptools.HttpResponseParser, raw
        )
        if asks:
            assert (head.method, head.target) == (parser.get_method().decode(), listener.target)
        else:
            assert (head.status, head.reason) == (parser.get_status_code(), listener.reason)
        assert parser.get_http_version() == f"1.{head.minor}"
        if not listed(listener.headers):
            assert read(head) == sorted(value for _, value in listener.headers)
    assert sound > CASES // 20


def listed(headers):
    """Whether a Connection header names others: those are dropped on purpose."""
    return any(
        name.lower() == b"connection" and value not in (b"keep-alive", b"Upgrade")
        for name, value in headers
    )


def test_a_line_feed_in_a_request_line_never_becomes_part_of_a_target():
    with pytest.raises(BadMessage) as bad:
        parse_request_head(b"GET /x\nHost: HTTP/1.1\r\nHost: a\r\n\r\n")
    assert bad.value.code == "bad_version"


@pytest.mark.parametrize("size", [1, 600])
def test_a_line_that_was_read_before_is_read_the_same_and_shares_nothing(size):
    value = b"x" * size
    raw = b"GET / HTTP/1.1\r\nHost: a\r\nVia: %b\r\nMidspan-Topic:%b\r\nB:  %b \r\n\r\n"
    first = parse_request_head(raw % (value, value, value))
    first.special[b"via"].append(b"of another")
    first.own.clear()
    again = parse_request_head(raw % (value, value, value))
    assert again.special == {b"host": [b"a"], b"via": [value]}
    assert again.own == {b"midspan-topic": [value]}
    assert again.fields == [b"\r\nB: " + value]
