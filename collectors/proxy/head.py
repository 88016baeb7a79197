"""Message heads: from bytes to parts. Pure.

`parse_request_head` and `parse_response_head` take one whole head, in a fresh strict parser, and
raise `BadMessage` for what is not HTTP. `refusal` then says whether a well-formed request may be
passed on at all. What this proxy must act on or must not pass on stands in `special`, by
lower-case name; `fields` holds the rest in the order and spelling in which it came.

`Upgrade` changes nothing here: the parser sees heads only, so a body that follows an upgrade
offer is framed like any other. What it may lead to is decided in `tunnel`.
"""

import re
from functools import lru_cache

import httptools

from collectors.proxy.errors import (
    BAD_CODING,
    BAD_EXPECTATION,
    BAD_FRAMING,
    BAD_HOST,
    BAD_REQUEST,
    BAD_RESPONSE,
    BAD_TARGET,
    BAD_VERSION,
    HEAD_TOO_LARGE,
    LOOP_DETECTED,
    METHOD_NOT_ALLOWED,
    METHOD_UNKNOWN,
)
from collectors.proxy.fields import Lines, Sorted, Special, replaced, sort, tokens, unlisted
from collectors.proxy.verdicts import BadMessage, Refusal

MAX_FIELDS = 100
#: In place of a body's length.
CHUNKED = -1
TO_END_OF_FILE = -2
NO_BODY = -3

_METHODS = (
    "GET HEAD POST PUT PATCH DELETE OPTIONS PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK SEARCH "
    "QUERY REPORT MKACTIVITY CHECKOUT MERGE MKCALENDAR BIND REBIND UNBIND ACL LINK UNLINK"
)
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
METHODS = frozenset(_METHODS.split())
_NAMES = {method.encode(): method for method in METHODS}
_NEVER_METHODS = frozenset({"CONNECT", "TRACE"})

#: The longest name that DNS has, a port, and room for brackets.
_HOST_BYTES = 272
_HOST = re.compile(rb"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
#: A target in which there is nothing to look at twice.
_PLAIN_TARGET = re.compile(rb"/(?:[^/#\\.%][^#\\.%]*)?")
_DOT_SEGMENT = re.compile(rb"/(?:\.|%2[eE]){1,2}(?:/|$)")
_JUST_KEEP_ALIVE = [b"keep-alive"]
_LENGTH_DIGITS = 18
_BODILESS = frozenset({204, 304})
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?")
#: Status lines and hosts that are remembered: there are few, and whoever sends more pays for it.
_LINES_KNOWN = 512
#: x of HTTP/1.x.
_MINORS = {b"HTTP/1.1": 1, b"HTTP/1.0": 0}


class _Unheard:
    """Whom a parser tells nothing: it judges a head, which is then cut into its lines."""

    __slots__ = ()


_UNHEARD = _Unheard()


class Head:
    """What request and response heads have in common.

    `minor` is x of HTTP/1.x; `persistent` whether the sender will go on using the connection,
    which HTTP/1.0 never does here.
    """

    __slots__ = ("fields", "minor", "persistent", "special")

    minor: int
    fields: Lines
    special: Special
    persistent: bool

    def _look_at_hop(self) -> None:
        """Do what the Connection header says. `BadMessage` for a length that is none."""
        for length in self.special.get(b"content-length", ()):
            if not length.isdigit() or len(length) > _LENGTH_DIGITS:
                raise BadMessage(BAD_FRAMING, "Content-Length is not a number")
        connection = self.special.get(b"connection")
        if connection is not None and connection != _JUST_KEEP_ALIVE:
            self.persistent = self.minor == 1 and b"close" not in tokens(connection)
            self.fields = unlisted(self.fields, connection)


class RequestHead(Head):
    """A well-formed request head.

    `body_length` is in bytes, or `CHUNKED`; `own` are the fields meant for this proxy; `last_hop`
    says that it may go no further than here (RFC 9110, section 7.6.2).
    """

    __slots__ = ("body_length", "last_hop", "method", "own", "path", "query", "target")

    def __init__(self, method: str, target: bytes, minor: int, parts: Sorted) -> None:
        self.method = method
        self.target = target
        self.path, _, self.query = target.partition(b"?")
        self.minor = minor
        self.fields, special, self.own = parts
        self.special = special
        self.body_length = 0
        self.last_hop = False
        self.persistent = minor == 1
        if len(special) > 1 or b"host" not in special:
            self._look_at_hop()
            self.body_length = _body_length(special)
            if method == "OPTIONS" and b"max-forwards" in special:
                self._count_hop(special[b"max-forwards"])

    def _count_hop(self, forwards: list[bytes]) -> None:
        if len(forwards) == 1 and forwards[0].isdigit() and len(forwards[0]) <= _LENGTH_DIGITS:
            left = int(forwards[0])
            self.last_hop = left == 0
            self.fields = replaced(self.fields, b"max-forwards", b"%d" % max(left - 1, 0))

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again without harm (RFC 9110, section 9.2.2)."""
        return self.method in _IDEMPOTENT and self.body_length == 0

    @property
    def expects_continue(self) -> bool:
        """Whether the caller waits for `100 Continue` before it sends its body."""
        return self.minor == 1 and b"expect" in self.special


class ResponseHead(Head):
    """A well-formed response head."""

    __slots__ = ("reason", "status")

    def __init__(self, status: int, reason: bytes, minor: int, parts: Sorted) -> None:
        self.status = status
        self.reason = reason
        self.minor = minor
        self.fields, self.special, _ = parts
        self.persistent = minor == 1
        if self.special:
            self._look_at_hop()


def parse_request_head(raw: bytes, most_fields: int = MAX_FIELDS) -> RequestHead:
    """The parts of a whole request head; `BadMessage` if it is not well-formed."""
    try:
        httptools.HttpRequestParser(_UNHEARD).feed_data(raw)
    except httptools.HttpParserUpgrade:
        pass
    except httptools.HttpParserInvalidMethodError:
        raise BadMessage(METHOD_UNKNOWN, "no such method") from None
    except httptools.HttpParserError as error:
        framing = "Content-Length" in str(error) or "Transfer-Encoding" in str(error)
        raise BadMessage(BAD_FRAMING if framing else BAD_REQUEST, str(error)) from None
    lines = raw.split(b"\r\n")
    method, target, minor = _request_line(lines[0])
    if len(lines) > most_fields + 3:
        raise BadMessage(HEAD_TOO_LARGE, f"over {most_fields} headers")
    return RequestHead(method, target, minor, sort(lines[1:-2]))


def parse_response_head(raw: bytes) -> ResponseHead:
    """The parts of a whole response head; `BadMessage` if it is not one to pass on."""
    parser = httptools.HttpResponseParser(_UNHEARD)
    try:
        parser.feed_data(raw)
    except httptools.HttpParserUpgrade:
        pass  # a 101: whether anybody asked for it is not to be seen here
    except httptools.HttpParserError as error:
        switched = parser.get_status_code() == 101
        detail = "101 without an Upgrade" if switched else str(error)
        raise BadMessage(BAD_RESPONSE, detail) from None
    lines = raw.split(b"\r\n")
    status, reason, minor = _status_line(lines[0])
    if len(lines) > MAX_FIELDS + 3:
        raise BadMessage(BAD_RESPONSE, f"over {MAX_FIELDS} headers")
    return ResponseHead(status, reason, minor, sort(lines[1:-2]))


def refusal(head: RequestHead, pseudonym: bytes) -> Refusal | None:
    """Why a well-formed request must not be passed on, whatever its route; None if it may be.

    `pseudonym` is this proxy's name in Via headers.
    """
    special = head.special
    if head.method not in METHODS:
        known = head.method in _NEVER_METHODS
        return Refusal(METHOD_NOT_ALLOWED if known else METHOD_UNKNOWN, head.method)
    hosts = special.get(b"host", ())
    if len(hosts) != 1 or len(hosts[0]) > _HOST_BYTES or not _is_host(hosts[0]):
        return Refusal(BAD_HOST, f"{len(hosts)} Host headers" if len(hosts) != 1 else "bad Host")
    refused = None if _PLAIN_TARGET.fullmatch(head.target) else _refuse_target(head)
    if refused is not None or len(special) == 1:  # the Host
        return refused
    return (
        (_refuse_coding(head) if b"transfer-encoding" in special else None)
        or (_refuse_expect(special[b"expect"]) if b"expect" in special else None)
        or _refuse_repeats(special)
        or (_refuse_loop(special[b"via"], pseudonym) if b"via" in special else None)
    )


def response_length(head: ResponseHead, method: str) -> int:
    """How the body of an answer to `method` ends (RFC 9112, section 6.3).

    Bytes, `CHUNKED`, `TO_END_OF_FILE`, or `NO_BODY` where there can be none.

    Raises `BadMessage` for a coding other than chunked, and for one in HTTP/1.0.
    """
    codings = head.special.get(b"transfer-encoding")
    if codings and (head.minor == 0 or [c.lower() for c in codings] != [b"chunked"]):
        raise BadMessage(BAD_RESPONSE, "transfer coding other than chunked")
    if method == "HEAD" or head.status < 200 or head.status in _BODILESS:
        return NO_BODY
    if codings:
        return CHUNKED
    length = head.special.get(b"content-length")
    return int(length[0]) if length else TO_END_OF_FILE


def _request_line(start: bytes) -> tuple[str, bytes, int]:
    """Method, target and minor version of a sound request line."""
    parts = start.split(b" ")  # the parser takes more than one blank for one
    minor = _MINORS.get(parts[2]) if len(parts) == 3 else None
    # The parser reads `GET /x LF` as HTTP/0.9, and a field in what follows.
    if minor is None or b"\n" in start:
        raise BadMessage(BAD_VERSION, "neither HTTP/1.1 nor HTTP/1.0, or not one blank before it")
    return _NAMES.get(parts[0]) or parts[0].decode(), parts[1], minor


@lru_cache(_LINES_KNOWN)
def _status_line(start: bytes) -> tuple[int, bytes, int]:
    """Status, reason and minor version of a sound status line."""
    match = _STATUS_LINE.fullmatch(start)
    if match is None:
        raise BadMessage(BAD_RESPONSE, "impossible version, status or reason")
    return int(match[2]), match[3] or b"", int(match[1])


@lru_cache(_LINES_KNOWN)
def _is_host(value: bytes) -> bool:
    return _HOST.fullmatch(value) is not None


def _body_length(special: Special) -> int:
    if b"transfer-encoding" in special:
        return CHUNKED
    if b"content-length" in special:
        return int(special[b"content-length"][0])
    return 0


def _refuse_target(head: RequestHead) -> Refusal | None:
    target = head.target
    if target[:1] != b"/" or target[:2] == b"//":
        return Refusal(BAD_TARGET, "not in origin form")
    dotted = b"." in target or b"%2" in target
    if b"#" in target or b"\\" in target or (dotted and _DOT_SEGMENT.search(head.path)):
        return Refusal(BAD_TARGET, "fragment, backslash or dot segment")
    return None


def _refuse_coding(head: RequestHead) -> Refusal | None:
    if head.minor == 0:
        return Refusal(BAD_FRAMING, "transfer coding in HTTP/1.0")
    if [coding.lower() for coding in head.special[b"transfer-encoding"]] != [b"chunked"]:
        return Refusal(BAD_CODING, "transfer coding other than chunked")
    return None


def _refuse_expect(values: list[bytes]) -> Refusal | None:
    if [value.lower() for value in values] != [b"100-continue"]:
        return Refusal(BAD_EXPECTATION, "expects something other than 100-continue")
    return None


def _refuse_repeats(special: Special) -> Refusal | None:
    for name in (b"authorization", b"x-api-key"):
        if len(special.get(name, ())) > 1:
            return Refusal(BAD_REQUEST, f"more than one {name.decode()} header")
    return None


def _refuse_loop(via: list[bytes], pseudonym: bytes) -> Refusal | None:
    if any(pseudonym in value.split() for line in via for value in line.split(b",")):
        return Refusal(LOOP_DETECTED, "the Via header names this proxy")
    return None
