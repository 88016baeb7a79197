"""Where a message's head and body end. Pure: bytes in, bytes and a verdict out.

The head is cut off here, by size limits that count before any parser runs, and the body is
counted or unchunked here. So a parser only ever sees one whole head, however the bytes arrived,
and what follows a message is known to the byte.
"""

import re
from collections.abc import Callable
from typing import Protocol

from collectors.proxy.errors import BAD_FRAMING, BAD_REQUEST, HEAD_TOO_LARGE
from collectors.proxy.verdicts import BadMessage

LINE_BYTES = 8 * 1024
HEAD_BYTES = 64 * 1024
#: Empty lines tolerated before a request line (RFC 9112, section 2.2).
_EMPTY_LINES = 2

#: What chunk sizes, extensions and ends may take beyond the bytes of the body itself.
_FRAMING_BYTES = 128 * 1024
#: Bytes of chunk extensions one message may carry; they are dropped.
_EXTENSION_BYTES = 16 * 1024
_CHUNK_LINE_BYTES = 1024
_TRAILER_BYTES = 8 * 1024

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"'
#: A size, and extensions without the blanks that RFC 9112, section 7.1.1, calls bad.
_CHUNK_LINE = re.compile(
    rb"([0-9A-Fa-f]{1,16})((?:;%b(?:=(?:%b|%b))?)*)" % (_TOKEN, _TOKEN, _QUOTED)
)
_FIELD_LINE = re.compile(rb"(%b):[\t\x20-\x7e\x80-\xff]*" % _TOKEN)
_NEVER_TRAILERS = frozenset({b"content-length", b"transfer-encoding"})
_END = b"\r\n\r\n"


class HeadBuffer:
    """Gathers bytes until a head is whole. One per connection, empty between messages."""

    __slots__ = ("_head_bytes", "_leading", "_line_bytes", "_tolerated", "held")

    def __init__(
        self,
        empty_lines: int = _EMPTY_LINES,
        line_bytes: int = LINE_BYTES,
        head_bytes: int = HEAD_BYTES,
    ) -> None:
        self.held = bytearray()  # of a head that has begun
        self._leading = 0
        self._tolerated = 2 * empty_lines
        self._line_bytes = line_bytes
        self._head_bytes = head_bytes

    def feed(self, data: bytes) -> tuple[bytes, bytes] | None:
        """(the head with its empty line, what follows it), or None while it is not whole.

        Raises `BadMessage` for a head over a limit or with a line end that is not CRLF.
        """
        if not self.held:
            if self._leading or data[:1] < b"A":
                data = self._skip_empty_lines(data)
            end = data.find(_END)
            if 0 <= end <= self._line_bytes:
                self._leading = 0
                return data[: end + 4], data[end + 4 :]
            if end >= 0:
                return self._cut(data, end)
        at = max(0, len(self.held) - 3)
        self.held += data
        end = self.held.find(_END, at)
        if end < 0:
            self._check_partial(at)
            return None
        whole = bytes(self.held)
        self.held = bytearray()
        return self._cut(whole, end)

    def _cut(self, data: bytes, end: int) -> tuple[bytes, bytes]:
        self._leading = 0
        line = self._line_bytes
        if end > line and (end > self._head_bytes or data.find(b"\r\n", 0, line + 2) < 0):
            raise BadMessage(HEAD_TOO_LARGE, "head or its first line is too long")
        end += 4
        return data[:end], data[end:]

    def _skip_empty_lines(self, data: bytes) -> bytes:
        while data[:1] == (b"\n" if self._leading % 2 else b"\r"):
            data = data[1:]
            self._leading += 1
            if self._leading > self._tolerated:
                raise BadMessage(BAD_REQUEST, "empty lines in place of a head")
        if data and (self._leading % 2 or data[:1] < b"A"):
            raise BadMessage(BAD_REQUEST, "not HTTP")
        return data

    def _check_partial(self, at: int) -> None:
        held, line = self.held, self._line_bytes
        if len(held) > self._head_bytes + 3:  # all of its end but the last byte
            raise BadMessage(HEAD_TOO_LARGE, "head is too long")
        if len(held) > line + 1 and held.find(b"\r\n", 0, line + 2) < 0:
            raise BadMessage(HEAD_TOO_LARGE, "first line is too long")
        if held.count(b"\n", at) != held.count(b"\r\n", max(0, at - 1)):
            raise BadMessage(BAD_REQUEST, "line end that is not CRLF")
        if held and held[0] > 0x7A:
            raise BadMessage(BAD_REQUEST, "not HTTP")


class Body(Protocol):
    """The body of one message, as a counter of its own end."""

    done: bool

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """(bytes of the body, bytes behind it); raises `BadMessage`."""


class LengthBody:
    """A body of a known number of bytes; 0 is the body of a message without one."""

    __slots__ = ("_left", "done")

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = length == 0

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """See `Body`."""
        size = len(data)
        if size < self._left:
            self._left -= size
            return data, b""
        left, self._left, self.done = self._left, 0, True
        return (data, b"") if size == left else (data[:left], data[left:])


class EndOfFileBody:
    """A body that ends where its connection does."""

    __slots__ = ("done",)

    def __init__(self) -> None:
        self.done = False

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """See `Body`."""
        return data, b""


_Step = Callable[["ChunkedBody", bytes, int, list[bytes]], int]


class ChunkedBody:
    """A chunked body. Extensions and trailers are checked, counted and dropped.

    What is not body may take `framing_bytes` more than the body: a body of tiny chunks costs its
    reader far more than its sender.
    """

    __slots__ = ("_extensions", "_held", "_left", "_spare", "_step", "done")

    def __init__(self, framing_bytes: int = _FRAMING_BYTES) -> None:
        self.done = False
        self._spare = framing_bytes
        self._held = b""
        self._left = 0
        self._extensions = 0
        self._step: _Step = ChunkedBody._size_line

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """See `Body`."""
        if self._held:
            data, self._held = self._held + data, b""
        found: list[bytes] = []
        at = 0
        while not self.done:
            after = self._step(self, data, at, found)
            if after < 0:
                self._held = data[at:]
                return b"".join(found), b""
            at = after
        return b"".join(found), data[at:]

    # Each step takes (data, where to go on, body found so far) and returns where it got to, or
    # -1 when it needs more bytes than there are.

    def _size_line(self, data: bytes, at: int, _: list[bytes]) -> int:
        end = data.find(b"\r\n", at, at + _CHUNK_LINE_BYTES)
        if end < 0:
            self._refuse_long_line(data, at, _CHUNK_LINE_BYTES)
            return -1
        match = _CHUNK_LINE.fullmatch(data, at, end)
        if match is None:
            raise BadMessage(BAD_FRAMING, "malformed chunk size")
        self._extensions += len(match[2] or b"")
        if self._extensions > _EXTENSION_BYTES:
            raise BadMessage(BAD_FRAMING, "too many bytes of chunk extensions")
        self._left = int(match[1], 16)
        self._spare += self._left - (end - at) - 4
        if self._spare < 0:
            raise BadMessage(BAD_FRAMING, "far more bytes of chunk framing than of body")
        if self._left:
            self._step = ChunkedBody._chunk
        else:
            self._step = ChunkedBody._trailers
        return end + 2

    def _chunk(self, data: bytes, at: int, found: list[bytes]) -> int:
        part = data[at : at + self._left]
        if not part:
            return -1
        found.append(part)
        self._left -= len(part)
        if self._left == 0:
            self._step = ChunkedBody._chunk_end
        return at + len(part)

    def _chunk_end(self, data: bytes, at: int, _: list[bytes]) -> int:
        end = data[at : at + 2]
        if not b"\r\n".startswith(end):
            raise BadMessage(BAD_FRAMING, "chunk does not end with CRLF")
        if len(end) < 2:
            return -1
        self._step = ChunkedBody._size_line
        return at + 2

    def _trailers(self, data: bytes, at: int, _: list[bytes]) -> int:
        if data.startswith(b"\r\n", at):
            self.done = True
            return at + 2
        end = data.find(_END, at, at + _TRAILER_BYTES)
        if end < 0:
            self._refuse_long_line(data, at, _TRAILER_BYTES)
            return -1
        for line in data[at:end].split(b"\r\n"):
            match = _FIELD_LINE.fullmatch(line)
            if match is None or match[1].lower() in _NEVER_TRAILERS:
                raise BadMessage(BAD_FRAMING, "malformed trailer")
        self.done = True
        return end + 4

    def _refuse_long_line(self, data: bytes, at: int, limit: int) -> None:
        part = data[at:]
        if len(part) >= limit:
            raise BadMessage(BAD_FRAMING, "chunk line or trailers too long")
        if part.count(b"\n") != part.count(b"\r\n"):
            raise BadMessage(BAD_FRAMING, "line end that is not CRLF")
