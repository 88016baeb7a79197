"""Heads: what is read from them, what is refused, and how they are written anew."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.proxy import emit
from collectors.proxy.fields import each
from collectors.proxy.head import (
    CHUNKED,
    NO_BODY,
    TO_END_OF_FILE,
    parse_request_head,
    parse_response_head,
    refusal,
    response_length,
)
from collectors.proxy.verdicts import BadMessage

VIA = b"midspan-1234"
OPENED = emit.opening(b"a")


def verdict(raw: bytes) -> str:
    """The code a request is refused with; "" if it passes."""
    try:
        found = refusal(parse_request_head(raw), VIA)
    except BadMessage as bad:
        return bad.code
    return found.code if found else ""


def get(target: bytes = b"/x", *lines: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    return b"\r\n".join((b"POST " + target + b" " + version, b"Host: a", *lines)) + b"\r\n\r\n"


PASSING = [
    get(),
    get(b"/x?y=/../z"),
    get(b"/a/...b/.c"),
    get(b"/x", b"Content-Length: 05"),
    get(b"/x", b"Content-Length: 5 \t"),
    get(b"/x", b"Transfer-Encoding: chunked"),
    get(b"/x", b"Transfer-Encoding: chunked "),
    get(b"/x", b"Transfer-Encoding: Chunked"),
    get(b"/x", b"Expect: 100-Continue"),
    get(b"/x", b"Via: 1.1 other, 1.1 midspan-9999"),
    get(b"/x", b"X: \xe9\xff"),
    get(b"/x", version=b"HTTP/1.0"),
    b"GET /x HTTP/1.1\r\nhost: [::1]:80\r\n\r\n",
    b"PROPFIND /x HTTP/1.1\r\nHOST: a.b-c:1\r\n\r\n",
    get(b"/x", b"Upgrade: h2c", b"Connection: Upgrade", b"Content-Length: 5"),
]


@pytest.mark.parametrize("raw", PASSING, ids=range(len(PASSING)))
def test_a_sound_request_passes(raw):
    assert verdict(raw) == ""


REFUSED = {
    get(b"/x", b"Content-Length: 5", b"Content-Length: 5"): "bad_framing",
    get(b"/x", b"Content-Length: 5, 5"): "bad_framing",
    get(b"/x", b"Content-Length: +5"): "bad_framing",
    get(b"/x", b"Content-Length: -5"): "bad_framing",
    get(b"/x", b"Content-Length: 0x5"): "bad_framing",
    get(b"/x", b"Content-Length: 1_0"): "bad_framing",
    get(b"/x", b"Content-Length:"): "bad_framing",
    get(b"/x", b"Content-Length: 18446744073709551615"): "bad_framing",
    get(b"/x", b"Content-Length: 5", b"Transfer-Encoding: chunked"): "bad_framing",
    get(b"/x", b"Transfer-Encoding: chunked", b"Content-Length: 0"): "bad_framing",
    get(b"/x", b"Transfer-Encoding: gzip"): "bad_framing",
    get(b"/x", b"Transfer-Encoding: chunked, gzip"): "bad_framing",
    get(b"/x", b"Transfer-Encoding: chunked, chunked"): "bad_framing",
    get(b"/x", b"Transfer-Encoding: xchunked"): "bad_framing",
    get(b"/x", b"Transfer-Encoding:"): "bad_framing",
    get(b"/x", b"Transfer-Encoding: gzip, chunked"): "unknown_transfer_coding",
    get(b"/x", b"Transfer-Encoding: ,chunked"): "unknown_transfer_coding",
    get(b"/x", b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked"): (
        "unknown_transfer_coding"
    ),
    get(b"/x", b"Transfer-Encoding: chunked", version=b"HTTP/1.0"): "bad_framing",
    get(b"//evil.example/x"): "bad_target",
    get(b"x"): "bad_request",
    get(b"http://a/x"): "bad_target",
    get(b"*"): "bad_target",
    get(b"/a/../b"): "bad_target",
    get(b"/a/%2E%2e/b"): "bad_target",
    get(b"/a/.%2e"): "bad_target",
    get(b"/a/./b"): "bad_target",
    get(b"/a#b"): "bad_target",
    get(b"/a\\b"): "bad_target",
    get(b"/x", b"Host: b"): "bad_host",
    b"GET /x HTTP/1.1\r\nHost:\r\n\r\n": "bad_host",
    b"GET /x HTTP/1.1\r\nHost: u@a\r\n\r\n": "bad_host",
    b"GET /x HTTP/1.1\r\nHost: a/b\r\n\r\n": "bad_host",
    b"GET /x HTTP/1.1\r\nHost: a b\r\n\r\n": "bad_host",
    b"GET /x HTTP/1.1\r\nHost: " + b"a" * 300 + b"\r\n\r\n": "bad_host",
    b"GET /x HTTP/1.1\r\nX: y\r\n\r\n": "bad_host",
    get(b"/x", version=b"HTTP/1.2"): "bad_request",
    get(b"/x", version=b"HTTP/0.9"): "bad_version",
    get(b"/x", version=b"HTTP/2.0"): "bad_version",
    b"GET /5HTTP/1.1\r\nHost: a\r\n\r\n": "bad_version",
    get(b"/x", b" folded: x"): "bad_request",
    get(b"/x", b"X: a", b" b"): "bad_request",
    get(b"/x", b"X : a"): "bad_request",
    get(b"/x", b"X\x00: a"): "bad_request",
    get(b"/x", b"X: a\x00b"): "bad_request",
    get(b"/x", b"no colon"): "bad_request",
    get(b"/x", b": no name"): "bad_request",
    get(b"/x", b"Expect: 200-ok"): "bad_expectation",
    get(b"/x", b"Via: 1.1 other, 1.0 midspan-1234 (x)"): "loop_detected",
    get(b"/x", b"Authorization: a", b"authorization: b"): "bad_request",
    get(b"/x", b"X-Api-Key: a", b"X-Api-Key: b"): "bad_request",
    b"get /x HTTP/1.1\r\nHost: a\r\n\r\n": "method_unknown",
    b"TRACE /x HTTP/1.1\r\nHost: a\r\n\r\n": "method_not_allowed",
    b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n": "method_not_allowed",
    b"M-SEARCH /x HTTP/1.1\r\nHost: a\r\n\r\n": "method_unknown",
    get(b"/x", *[b"A: b"] * 100): "head_too_large",
}


@pytest.mark.parametrize("raw", REFUSED, ids=range(len(REFUSED)))
def test_an_unsound_request_is_refused_by_name(raw):
    assert verdict(raw) == REFUSED[raw]


def test_a_request_is_written_anew_with_one_host_and_one_framing():
    head = parse_request_head(
        b"POST /a?b=1 HTTP/1.1\r\nhOsT: caller\r\nX-A:  1 \r\nContent-Length: 0007\r\n"
        b"Connection: close, X-Hop\r\nX-Hop: 1\r\nVia: 1.0 first\r\nx-a: 2\r\n\r\n"
    )
    assert emit.request_head(
        head, b"/base/a?b=1", emit.opening(b"up:81"), b"T: 1\r\n", emit.via_line(VIA)
    ) == (
        b"POST /base/a?b=1 HTTP/1.1\r\nHost: up:81\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 7\r\n"
        b"Via: 1.0 first\r\nVia: 1.1 midspan-1234\r\nT: 1\r\n\r\n"
    )


def test_a_post_without_a_body_says_so():
    head = parse_request_head(get())
    assert b"Content-Length: 0\r\n" in emit.request_head(head, b"/x", OPENED, b"", b"")


def test_a_get_without_a_body_says_nothing():
    head = parse_request_head(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b"Length" not in emit.request_head(head, b"/x", OPENED, b"", b"")


@pytest.mark.parametrize(
    "listed", [b"Authorization", b"Content-Type", b"Cookie", b"webhook-signature", b"Host"]
)
def test_a_connection_header_cannot_take_away_what_gives_a_message_its_meaning(listed):
    raw = get(b"/x", b"Connection: " + listed, listed + b": v" if listed != b"Host" else b"A: v")
    head = parse_request_head(raw)
    assert listed.lower() in {field[0] for field in each(head.fields)} | set(head.special)


RESPONSES = {
    ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n"): 12,
    ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"): 0,
    ("GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"): CHUNKED,
    ("GET", b"HTTP/1.1 200 OK\r\n\r\n"): TO_END_OF_FILE,
    ("GET", b"HTTP/1.0 200 OK\r\n\r\n"): TO_END_OF_FILE,
    ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n"): NO_BODY,
    ("GET", b"HTTP/1.1 204 N\r\nContent-Length: 12\r\n\r\n"): NO_BODY,
    ("GET", b"HTTP/1.1 304 N\r\nTransfer-Encoding: chunked\r\n\r\n"): NO_BODY,
    ("POST", b"HTTP/1.1 205 R\r\nContent-Length: 2\r\n\r\n"): 2,
}


@pytest.mark.parametrize("case", RESPONSES, ids=range(len(RESPONSES)))
def test_where_an_answer_ends(case):
    method, raw = case
    assert response_length(parse_response_head(raw), method) == RESPONSES[case]


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 99 X\r\n\r\n",
        b"HTTP/1.1 600 X\r\n\r\n",
        b"HTTP/1.2 200 X\r\n\r\n",
        b"HTTP/2.0 200 X\r\n\r\n",
        b"RTSP/1.0 200 X\r\n\r\n",
        b"HTTP/1.1 200 X\r\nA: b\r\n c\r\n\r\n",
        b"HTTP/1.1 200 X\r\nA : b\r\n\r\n",
        b"HTTP/1.1 200 X\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        b"HTTP/1.1 200 X\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 101 X\r\n\r\n",
        b"HTTP/1.1 200 X\r\n" + b"A: b\r\n" * 101 + b"\r\n",
    ],
)
def test_an_unsound_answer_is_not_read(raw):
    with pytest.raises(BadMessage):
        parse_response_head(raw)


@given(st.binary(max_size=300))
def test_whatever_is_not_a_head_is_refused_and_nothing_else_happens(raw):
    for parse in (parse_request_head, parse_response_head):
        with suppress(BadMessage):
            assert parse(raw + b"\r\n\r\n").minor in (0, 1)


@given(
    st.lists(
        st.tuples(
            st.from_regex(rb"\A[A-Za-z][A-Za-z0-9-]{0,12}\Z"),
            st.binary(max_size=20).map(lambda b: bytes(c for c in b if c >= 0x20 and c != 0x7F)),
        ),
        max_size=12,
    )
)
def test_what_is_written_reads_the_same_again(pairs):
    """Re-serialising is a fixed point: a second proxy sees exactly what this one meant."""
    raw = get(b"/x", *[name + b": " + value for name, value in pairs])
    if verdict(raw):
        return
    once = emit.request_head(parse_request_head(raw), b"/x", OPENED, b"", emit.via_line(VIA))
    assert verdict(once) == "loop_detected"
    again = parse_request_head(once)
    assert again.fields == parse_request_head(raw).fields
    assert len(again.special[b"host"]) == 1
    assert again.body_length == parse_request_head(raw).body_length
