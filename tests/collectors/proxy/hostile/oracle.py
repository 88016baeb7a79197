"""A strict reading of HTTP/1 byte streams, to hold the proxy against.

Written from RFC 9110 and RFC 9112 and the policy in docs/http.md alone: it imports nothing of the
product and works the other way round (whole stream, backtracking over text, no state between
bytes). It is slow and meant to be read.
"""

import re
from dataclasses import dataclass, field

METHODS = frozenset(
    b"GET HEAD POST PUT PATCH DELETE OPTIONS PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK "
    b"SEARCH QUERY REPORT MKACTIVITY CHECKOUT MERGE MKCALENDAR BIND REBIND UNBIND ACL LINK "
    b"UNLINK".split()
)
LINE_BYTES, HEAD_BYTES, MOST_FIELDS, BODY_BYTES = 8192, 65536, 100, 10_485_760
CHUNK_LINE_BYTES, EXTENSION_BYTES, TRAILER_BYTES = 1024, 16384, 8192

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TEXT = rb"[\t\x20-\x7e\x80-\xff]*"
_LINE = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e]+) (HTTP/[0-9]\.[0-9])")
_FIELD = re.compile(rb"(" + _TOKEN + rb"):(" + _TEXT + rb")")
_STATUS = re.compile(rb"(HTTP/1\.[01]) ([1-5][0-9][0-9])(?: (" + _TEXT + rb"))?")
_HOST = re.compile(rb"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
_QUOTED = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"'
_EXTENSION = rb"(?:;" + _TOKEN + rb"(?:=(?:" + _TOKEN + rb"|" + _QUOTED + rb"))?)*"
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})(" + _EXTENSION + rb")")

Fields = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True)
class Message:
    """One message. `whole`: its body arrived to its end and is well-formed."""

    start: tuple[bytes, ...]
    fields: Fields
    body: bytes = b""
    chunked: bool = False
    persistent: bool = True
    whole: bool = True


@dataclass(frozen=True)
class Refused:
    """A request not to be passed on, and nothing behind it; answered with one of `statuses`."""

    statuses: frozenset[int]
    message: Message | None = None  # a readable head, and as much of a body as was sound


@dataclass
class Reading:
    """What a stream holds, in order. `left`: "" or what the stream ended in the middle of.

    `doubtful`: it ended inside a head that could no longer become a sound one, so that refusing
    it and waiting for more are both right.
    """

    items: list[Message | Refused] = field(default_factory=list)
    left: str = ""
    partial: Message | None = None
    doubtful: bool = False
    rest: bytes = b""  # what stands behind the last message that this connection may carry


class _Fault(Exception):
    def __init__(self, *statuses: int, body: bytes = b"") -> None:
        self.statuses = frozenset(statuses)
        self.body = body


class _Short(Exception):
    def __init__(self, body: bytes) -> None:
        self.body = body


def requests(stream: bytes, *, spare: int = 0, body_bytes: int = BODY_BYTES) -> Reading:
    """All requests of one connection, whose sender ended it behind `stream`.

    `spare`: what a head may have over the limits, in bytes and in fields.
    """
    found, at = Reading(), 0
    while at < len(stream):
        blank = re.compile(rb"(?:\r\n)*(?:\r\Z)?").match(stream, at)
        assert blank is not None
        if blank.end() - at > 4:
            found.items.append(Refused(frozenset({400})))
            return found
        if blank.end() == len(stream):
            return found
        at = blank.end()
        end = stream.find(b"\r\n\r\n", at)
        if end < 0:
            found.left, found.doubtful = "head", _doubtful(stream[at:])
            return found
        head, faults = _request_head(stream[at:end], spare)
        at = end + 4
        if faults:
            found.items.append(Refused(faults, head))
            return found
        at = _take_body(found, head, stream, at, body_bytes)
        if at < 0:
            return found
        if not found.items[-1].persistent:  # type: ignore[union-attr]
            found.rest = stream[at:]
            return found
    return found


def answers(stream: bytes, methods: list[bytes], *, closed: bool = True) -> Reading:
    """The answers to requests with these methods; interim ones are left out.

    Anything that is no sound answer ends the reading as `Refused`.
    """
    found, at, waiting = Reading(), 0, list(methods)
    while waiting and at < len(stream):
        end = stream.find(b"\r\n\r\n", at)
        if end < 0:
            found.left, found.doubtful = "head", _doubtful(stream[at:])
            return found
        try:
            head = _answer_head(stream[at:end])
            status = int(head.start[1])
            if status < 200:
                at = end + 4
                continue
            bodiless = waiting.pop(0) == b"HEAD" or status in (204, 304)
            body, at = _answer_body(head, stream, end + 4, bodiless=bodiless, closed=closed)
        except _Fault as fault:
            found.items.append(Refused(fault.statuses))
            return found
        except _Short as short:
            found.left, found.partial = "body", _with(head, short.body, whole=False)
            return found
        found.items.append(_with(head, body))
    found.rest = stream[at:]
    return found


def end_to_end(message: Message) -> Fields:
    """The fields an intermediary passes on, in order (RFC 9110, section 7.6.1)."""
    hop = set(
        b"connection host content-length transfer-encoding expect te trailer upgrade keep-alive "
        b"proxy-connection proxy-authorization proxy-authenticate http2-settings via "
        b"traceparent tracestate forwarded "
        b"content_length transfer_encoding x_api_key".split()
    )
    kept = set(
        b"authorization cookie set-cookie x-api-key content-type webhook-id webhook-signature "
        b"webhook-timestamp".split()
    )
    gone = hop | (_members(message.fields, b"connection") - kept)
    return tuple(
        (name, value)
        for name, value in message.fields
        if name not in gone and not name.startswith((b"midspan-", b"midspan_", b"x-forwarded-"))
    )


def passed_on(message: Message) -> Fields:
    """`end_to_end` as the next hop gets them: one forward fewer."""
    left = forwards(message)
    fewer = {} if left is None else {b"max-forwards": b"%d" % max(left - 1, 0)}
    return tuple((name, fewer.get(name, value)) for name, value in end_to_end(message))


def forwards(message: Message) -> int | None:
    """How often an OPTIONS request may still be passed on, if it says so (section 7.6.2)."""
    found = [value for name, value in message.fields if name == b"max-forwards"]
    if message.start[0] != b"OPTIONS" or len(found) != 1:
        return None
    return int(found[0]) if re.fullmatch(rb"[0-9]{1,18}", found[0]) else None


def _request_head(raw: bytes, spare: int) -> tuple[Message, frozenset[int]]:
    """(head, the statuses that say what is wrong with it)."""
    line, *rest = raw.split(b"\r\n")
    faults: set[int] = set()
    if len(line) > LINE_BYTES or len(raw) > HEAD_BYTES + spare or len(rest) > MOST_FIELDS + spare:
        faults.add(431)
    parts = _LINE.fullmatch(line)
    if parts is None:
        faults |= {400, 501, 505}  # which of the three is a matter of taste
        method, target, version = b"HEAD" if line.startswith(b"HEAD ") else b"", b"", b""
    else:
        method, target, version = parts.groups()
        if version not in (b"HTTP/1.0", b"HTTP/1.1"):
            faults |= {400, 505}
        if method in (b"CONNECT", b"TRACE"):
            faults.add(405)
        elif method not in METHODS:
            faults |= {400, 501}
        if not _plain(target):
            faults.add(400)
    fields = _fields(rest, faults)
    if any(re.fullmatch(rb"(?i)transfer-encoding:.*\t", line) for line in rest):
        faults |= {400, 501}  # sound, and refused all the same: others misread it
    _judge_fields(fields, version, faults)
    head = Message(
        (method, target, version),
        fields,
        chunked=bool(_values(fields, b"transfer-encoding")),
        persistent=version == b"HTTP/1.1" and b"close" not in _members(fields, b"connection"),
    )
    return head, frozenset(faults)


def _plain(target: bytes) -> bool:
    path = target.partition(b"?")[0]
    return (
        target.startswith(b"/")
        and not target.startswith(b"//")
        and b"#" not in target
        and b"\\" not in target
        and not any(
            re.sub(rb"%2e", b".", segment, flags=re.IGNORECASE) in (b".", b"..")
            for segment in path.split(b"/")
        )
    )


def _fields(lines: list[bytes], faults: set[int]) -> Fields:
    found = []
    for line in lines:
        parts = _FIELD.fullmatch(line)
        if parts is None:
            faults |= {400, 501} if line[:9].lower() == b"transfer-" else {400}
        else:
            found.append((parts[1].lower(), parts[2].strip(b" \t")))
    return tuple(found)


def _judge_fields(fields: Fields, version: bytes, faults: set[int]) -> None:
    hosts = _values(fields, b"host")
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        faults.add(400)
    lengths, codings = _values(fields, b"content-length"), _values(fields, b"transfer-encoding")
    if lengths and (len(lengths) > 1 or not re.fullmatch(rb"[0-9]{1,18}", lengths[0])):
        faults.add(400)
    if codings and [c.lower() for c in codings] != [b"chunked"]:
        faults |= {400, 501}
    if codings and (lengths or version == b"HTTP/1.0"):
        faults.add(400)
    expected = _values(fields, b"expect")
    if expected and [e.lower() for e in expected] != [b"100-continue"]:
        faults.add(417)
    if any(len(_values(fields, name)) > 1 for name in (b"authorization", b"x-api-key")):
        faults.add(400)


def _take_body(found: Reading, head: Message, stream: bytes, at: int, limit: int) -> int:
    """Read the body at `at`, note the message, and say where it ends; -1: nothing can follow."""
    try:
        if head.chunked:
            body, at = _chunked(stream, at, limit)
        else:
            length = int((_values(head.fields, b"content-length") or [b"0"])[0])
            if length > limit:
                raise _Fault(413)
            body, at = stream[at : at + length], at + length
            if at > len(stream):
                raise _Short(body)
    except _Fault as fault:
        partial = _with(head, fault.body, whole=False)
        found.items.append(Refused(fault.statuses, partial))
        return -1
    except _Short as short:
        found.left, found.partial = "body", _with(head, short.body, whole=False)
        return -1
    found.items.append(_with(head, body))
    return at


def _chunked(stream: bytes, at: int, limit: int) -> tuple[bytes, int]:
    body, extensions = b"", 0
    while True:
        line, at = _line(stream, at, CHUNK_LINE_BYTES, body)
        parts = _CHUNK.fullmatch(line)
        if parts is None:
            raise _Fault(400, body=body)
        extensions += len(parts[2])
        if extensions > EXTENSION_BYTES:
            raise _Fault(400, body=body)
        size = int(parts[1], 16)
        if size == 0:
            return body, _trailers(stream, at, body)
        body += stream[at : at + size]
        if len(body) > limit:
            raise _Fault(413, body=body)
        at += size
        end = stream[at : at + 2]
        if not b"\r\n".startswith(end):
            raise _Fault(400, body=body)
        if len(end) < 2:
            raise _Short(body)
        at += 2


def _trailers(stream: bytes, at: int, body: bytes) -> int:
    """Where they end. They are judged when all are there; `at` is behind the last chunk's line."""
    end = stream.find(b"\r\n\r\n", at - 2)
    section = stream[at : end + 2 if end >= 0 else len(stream)]
    if len(section) + 2 * (end >= 0) > TRAILER_BYTES - (end < 0):
        raise _Fault(400, body=body)
    if end < 0:
        if re.search(rb"(?<!\r)\n", section):
            raise _Fault(400, body=body)
        raise _Short(body)
    for line in section.split(b"\r\n")[:-1]:
        parts = _FIELD.fullmatch(line)
        if parts is None or parts[1].lower() in (b"content-length", b"transfer-encoding"):
            raise _Fault(400, body=body)
    return end + 4


def _line(stream: bytes, at: int, limit: int, body: bytes) -> tuple[bytes, int]:
    """The line at `at` without its end, and where the next begins."""
    end = stream.find(b"\n", at)
    line = stream[at : end if end >= 0 else len(stream)]
    if len(line) > limit - 2 + (end >= 0):
        raise _Fault(400, body=body)
    if end < 0:
        raise _Short(body)
    if line[-1:] != b"\r":
        raise _Fault(400, body=body)
    return line[:-1], end + 1


def _answer_head(raw: bytes) -> Message:
    line, *rest = raw.split(b"\r\n")
    parts = _STATUS.fullmatch(line)
    faults: set[int] = set()
    fields = _fields(rest, faults)
    if parts is None or faults or parts[2] == b"101" or len(raw) > HEAD_BYTES:
        raise _Fault(502)
    if len(rest) > MOST_FIELDS or len(line) > LINE_BYTES:
        raise _Fault(502)
    version, status, reason = parts[1], parts[2], parts[3] or b""
    lengths, codings = _values(fields, b"content-length"), _values(fields, b"transfer-encoding")
    if lengths and (len(lengths) > 1 or not re.fullmatch(rb"[0-9]{1,18}", lengths[0])):
        raise _Fault(502)
    if codings and ([c.lower() for c in codings] != [b"chunked"] or version == b"HTTP/1.0"):
        raise _Fault(502)
    if codings and lengths:
        raise _Fault(502)
    keeps = version == b"HTTP/1.1" and b"close" not in _members(fields, b"connection")
    return Message((version, status, reason), fields, chunked=bool(codings), persistent=keeps)


def _answer_body(
    head: Message, stream: bytes, at: int, *, bodiless: bool, closed: bool
) -> tuple[bytes, int]:
    if bodiless:
        return b"", at
    if head.chunked:
        try:
            return _chunked(stream, at, 1 << 62)
        except _Fault as fault:
            raise _Fault(502, body=fault.body) from None
    lengths = _values(head.fields, b"content-length")
    if lengths:
        body = stream[at : at + int(lengths[0])]
        if len(body) < int(lengths[0]):
            raise _Short(body)
        return body, at + len(body)
    if not closed:
        raise _Short(stream[at:])
    return stream[at:], len(stream)


def _doubtful(raw: bytes) -> bool:
    """Whether no bytes behind these could make them a sound head."""
    return bool(
        re.search(rb"(?<!\r)\n|[^\n]\r[^\n]|^\r[^\n]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", raw)
        or not re.match(rb"[A-Za-z]", raw)
        or len(raw) > LINE_BYTES
    )


def _values(fields: Fields, name: bytes) -> list[bytes]:
    return [value for other, value in fields if other == name]


def _members(fields: Fields, name: bytes) -> set[bytes]:
    lines = _values(fields, name)
    return {part.strip(b" \t").lower() for line in lines for part in line.split(b",")}


def _with(head: Message, body: bytes, *, whole: bool = True) -> Message:
    return Message(head.start, head.fields, body, head.chunked, head.persistent, whole)
