"""Random changes to known streams. A seed gives the same ones every time."""

import random
from collections.abc import Iterator
from itertools import pairwise

from tests.collectors.proxy.hostile.generator import streams

_LONGEST = 600

#: What parsers have tripped over, to be thrown in anywhere.
_WORDS = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\n\n", b" ", b"\t", b"\x00", b"\x0b", b"\x7f",
    b"\xff", b":",
    b";", b",", b"0", b"5", b"0\r\n\r\n", b"5\r\nhello\r\n", b";a=b", b"Content-Length: 5\r\n",
    b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n",
    b"Connection: close\r\n", b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
    b"Host: b\r\n", b"/../",
    b"//", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"GET ", b"HEAD ", b"CONNECT ",
    b"chunked", b"gzip",
    b"100-continue", b"Expect: 100-continue\r\n", b" folded\r\n", b"+", b"-", b"0x",
    b"_", b"#", b"\\",
    b"GET /g/e HTTP/1.1\r\nHost: a\r\n\r\n", b"Authorization: x\r\n", b"FFFFFFFFFFFFFFFF", b"\"",
]  # fmt: skip

_ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\nto the end",
    b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: x\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"HTTP/1.1 200\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    b"HTTP/1.1 503 \r\nRetry-After: 1\r\nContent-Length: 3;\r\n\r\nabc",
]


def mutants(seed: int) -> Iterator[bytes]:
    """Changed request streams, without end."""
    return _mutants(seed, [stream for _, stream in streams() if 0 < len(stream) < _LONGEST])


def changed_answers(seed: int) -> Iterator[bytes]:
    """Changed answers, without end."""
    pairs = [one + two for one in _ANSWERS for two in _ANSWERS]
    return _mutants(seed, _ANSWERS + pairs)


def _mutants(seed: int, corpus: list[bytes]) -> Iterator[bytes]:
    chance = random.Random(seed)
    while True:
        data = chance.choice(corpus)
        for _ in range(chance.randint(1, 3)):
            data = chance.choice(_CHANGES)(chance, data)
        yield data


def pieces(chance: random.Random, data: bytes) -> list[bytes]:
    """The data cut at up to four places."""
    places = sorted({0, len(data), *(chance.randint(0, len(data)) for _ in range(4))})
    return [data[a:b] for a, b in pairwise(places)]


def _flip(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def _insert(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(_WORDS) + data[at:]


def _replace(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(_WORDS) + data[at + chance.randint(1, 8) :]


def _remove(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + data[at + chance.randint(1, 8) :]


def _repeat(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    end = at + chance.randint(1, 40)
    return data[:end] + data[at:]


def _swap_lines(chance: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\r\n")
    one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return b"\r\n".join(lines)


def _repeat_line(chance: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\r\n")
    line = chance.choice(lines)
    lines.insert(chance.randrange(len(lines) + 1), line)
    return b"\r\n".join(lines)


def _change_case(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    end = at + chance.randint(1, 20)
    return data[:at] + data[at:end].swapcase() + data[end:]


def _cut(chance: random.Random, data: bytes) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


_CHANGES = [
    _flip, _insert, _insert, _replace, _remove, _repeat, _swap_lines, _repeat_line,
    _change_case, _cut,
]  # fmt: skip
