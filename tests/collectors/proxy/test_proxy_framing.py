"""Where heads and bodies end, however the bytes are cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.proxy.framing import ChunkedBody, HeadBuffer, LengthBody
from collectors.proxy.verdicts import BadMessage

HEAD = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"


def drain(body, pieces):
    """(body, rest) of feeding the pieces one by one."""
    found = rest = b""
    for piece in pieces:
        if body.done:
            rest += piece
        else:
            part, rest = body.feed(piece)
            found += part
    return found, rest


def feed_in_steps(reader, data, step):
    for at in range(0, len(data), step):
        reader.feed(data[at : at + step])


def cut(data: bytes, places: list[int]) -> list[bytes]:
    at = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in pairwise(at)]


@given(st.lists(st.integers(0, 1000)), st.integers(0, 2), st.binary(max_size=20))
def test_a_head_is_the_same_however_it_is_cut(places, empty_lines, rest):
    buffer = HeadBuffer()
    whole = b"\r\n" * empty_lines + HEAD
    found = None
    pieces = cut(whole, places)
    for number, piece in enumerate(pieces):
        assert found is None
        found = buffer.feed(piece + (rest if number == len(pieces) - 1 else b""))
    assert found == (HEAD, rest)
    assert not buffer.held


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"GET /" + b"a" * 8192, "head_too_large"),
        (b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\n\r\n", "head_too_large"),
        (b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 66_000, "head_too_large"),
        (b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 66_000 + b"\r\n\r\n", "head_too_large"),
        (b"GET / HTTP/1.1\nHost: a\n\n", "bad_request"),
        (b"\r\n\r\n\r\n", "bad_request"),
        (b"\n" * 5, "bad_request"),
        (b"\x16\x03\x01", "bad_request"),
        (b"\x00", "bad_request"),
    ],
    ids=range(9),
)
@pytest.mark.parametrize("step", [1, 1000, 10**6])
def test_a_head_over_a_limit_or_without_crlf_is_refused_early(data, code, step):
    with pytest.raises(BadMessage) as refused:
        feed_in_steps(HeadBuffer(), data, step)
    assert refused.value.code == code


CHUNKED = {
    b"3\r\nabc\r\n0\r\n\r\n": b"abc",
    b"0\r\n\r\n": b"",
    b"3\r\nabc\r\n00000\r\n\r\n": b"abc",
    b"0003\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n": b"abc0123456789",
    b'3;a=b;c="d"\r\nabc\r\n0;x\r\n\r\n': b"abc",
    b"3\r\nabc\r\n0\r\nX-T: 1\r\nY:\r\n\r\n": b"abc",
    b"5\r\n\r\n\r\n\n\r\n0\r\n\r\n": b"\r\n\r\n\n",
}


@given(st.sampled_from(sorted(CHUNKED)), st.lists(st.integers(0, 100)), st.binary(max_size=9))
def test_a_chunked_body_is_the_same_however_it_is_cut(raw, places, rest):
    pieces = cut(raw, places)
    pieces[-1] += rest
    body = ChunkedBody()
    assert drain(body, pieces) == (CHUNKED[raw], rest)
    assert body.done


BAD_CHUNKED = [
    b"3 \r\nabc\r\n",
    b" 3\r\nabc\r\n",
    b"3\t\r\nabc\r\n",
    b"0x3\r\nabc\r\n",
    b"+3\r\nabc\r\n",
    b"3_\r\nabc\r\n",
    b"\r\nabc\r\n",
    b"3Z\r\nabc\r\n",
    b"3\nabc\r\n",
    b"3\r\nabcd\r\n",
    b"3\r\nabc\n",
    b"3\r\nabcX\n",
    b"3; \x00\r\nabc\r\n",
    b"3;\r\nabc\r\n",
    b"3 ;a\r\nabc\r\n",
    b"12345678123456781\r\n",
    b"3;" + b"a" * 2000 + b"\r\nabc\r\n",
    b"0\r\nContent-Length: 5\r\n\r\n",
    b"0\r\ntransfer-encoding: chunked\r\n\r\n",
    b"0\r\nX : 1\r\n\r\n",
    b"0\r\n folded\r\n\r\n",
    b"0\r\nX: 1\n\r\n\r\n",
    b"0\r\nX: " + b"a" * 9000,
    b"0\r\nX: 1\nY: 2\r\n\r\n",
]


@pytest.mark.parametrize("raw", BAD_CHUNKED, ids=range(len(BAD_CHUNKED)))
@pytest.mark.parametrize("step", [1, 10**6])
def test_a_malformed_chunked_body_is_refused_however_it_is_cut(raw, step):
    with pytest.raises(BadMessage) as refused:
        feed_in_steps(ChunkedBody(), raw, step)
    assert refused.value.code == "bad_framing"


def test_chunk_extensions_have_a_budget():
    one = b"1;" + b"e" * 500 + b"\r\nx\r\n"
    with pytest.raises(BadMessage, match="extensions"):
        feed_in_steps(ChunkedBody(), one * 1000, len(one))


@given(st.binary(max_size=50), st.integers(0, 60), st.lists(st.integers(0, 100)))
def test_a_counted_body_ends_at_its_length(data, length, places):
    body = LengthBody(length)
    found, rest = drain(body, cut(data, places)) if data else (b"", b"")
    assert found + rest == data
    assert found == data[:length]
    assert body.done == (len(data) >= length)
