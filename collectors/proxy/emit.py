"""Message heads: from parts to bytes, in one canonical spelling. Pure.

Nothing of a received head is copied as it stands: method, target, status, every field and above
all the framing are written anew, so two readers of what leaves here cannot disagree on it.
"""

from collectors.proxy.head import CHUNKED, NO_BODY, RequestHead, ResponseHead

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_CHUNKED_LINE = b"Transfer-Encoding: chunked\r\n"
LAST_CHUNK = b"0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """One chunk; nothing for no data, because an empty chunk would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def via_line(pseudonym: bytes) -> bytes:
    """The line by which this proxy names itself."""
    return b"Via: 1.1 %b\r\n" % pseudonym


def opening(authority: bytes) -> bytes:
    """What follows the target of every request to `authority`, up to the end of its Host line."""
    return b" HTTP/1.1\r\nHost: " + authority


def request_head(head: RequestHead, target: bytes, opened: bytes, own: bytes, via: bytes) -> bytes:
    """The head to send upstream: `opened` by `opening`; `own` and `via` are whole header lines."""
    out = [head.method.encode(), b" ", target, opened, *head.fields, b"\r\n"]
    length = head.body_length
    if length == CHUNKED:
        out.append(_CHUNKED_LINE)
    elif length or head.method in _WITH_BODY:
        out.append(b"Content-Length: %d\r\n" % length)
    if b"via" in head.special:
        _add_via(out, head.special[b"via"])
    out += (via, own, b"\r\n")
    return b"".join(out)


def response_head(
    head: ResponseHead, length: int, minor: int, *, close: bool, own: bytes, via: bytes
) -> bytes:
    """The head to send to a caller that speaks HTTP/1.`minor`.

    `length` is the framing towards the caller: bytes, `CHUNKED`, `TO_END_OF_FILE`, or `NO_BODY`.
    """
    out = [b"HTTP/1.1 %d " % head.status, head.reason, *head.fields, b"\r\n"]
    if length >= 0:
        out.append(b"Content-Length: %d\r\n" % length)
    elif length == CHUNKED:
        out.append(_CHUNKED_LINE)
    elif length == NO_BODY and head.status != 204:
        _add_declared_length(out, head)
    if b"via" in head.special:
        _add_via(out, head.special[b"via"])
    out += (via, own, b"Connection: close\r\n\r\n" if close or minor == 0 else b"\r\n")
    return b"".join(out)


def switching_head(head: ResponseHead, own: bytes) -> bytes:
    """A 101; `own` are whole header lines, those that agree to the upgrade among them."""
    return b"".join([b"HTTP/1.1 101 ", head.reason, *head.fields, b"\r\n", own, b"\r\n"])


def interim_head(head: ResponseHead) -> bytes:
    """An interim (1xx) answer."""
    return b"".join([b"HTTP/1.1 %d " % head.status, head.reason, *head.fields, b"\r\n\r\n"])


def _add_declared_length(out: list[bytes], head: ResponseHead) -> None:
    """The length that the body would have had, where the upstream named it (RFC 9110, 8.6)."""
    declared = head.special.get(b"content-length")
    if declared:
        out.append(b"Content-Length: %d\r\n" % int(declared[0]))


def _add_via(out: list[bytes], received: list[bytes]) -> None:
    for value in received:
        out += (b"Via: ", value, b"\r\n")
