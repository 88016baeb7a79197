"""Header fields, sorted as they are read: passed on, acted on, or dropped. Pure."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

#: A field to pass on: lower-case name, name, value without surrounding blanks.
Field = tuple[bytes, bytes, bytes]
#: The fields to pass on, in order, each written anew: CRLF, name, colon, blank and value.
Lines = list[bytes]
#: What this proxy acts on or must not pass on: values in order, by lower-case name.
Special = dict[bytes, list[bytes]]
#: The fields to pass on, those to act on, and those meant for this proxy.
Sorted = tuple[Lines, Special, Special]

#: Acted on, or hop-by-hop (RFC 9110, section 7.6.1): not passed on as they came.
_SPECIAL = frozenset(
    b"host connection content-length transfer-encoding expect te trailer upgrade keep-alive "
    b"proxy-connection proxy-authorization proxy-authenticate http2-settings "
    b"traceparent tracestate via forwarded".split()
)
#: About the caller: written anew, see `collectors.proxy.forwarded`.
_ABOUT_CALLER = b"x-forwarded-"
#: Looked at, and passed on as well.
_LOOKED_AT = frozenset(b"authorization x-api-key webhook-id max-forwards".split())
#: Names that some back-ends read as their twins with a dash: dropped.
_TWINS = frozenset(b"content_length transfer_encoding x_api_key".split())
#: Not removed even where a Connection header lists them: that would change what the message means.
_END_TO_END = frozenset(
    b"authorization cookie set-cookie x-api-key content-type "
    b"webhook-id webhook-signature webhook-timestamp".split()
)
_OWN, _OWN_TWIN = b"midspan-", b"midspan_"

#: What to do with a field of some name: how its line begins if it is passed on, else nothing;
#: where it is put aside; its name in lower case.
_Place = tuple[bytes, int, bytes]
_NOWHERE, _TO_ACT_ON, _FOR_US = 0, 1, 2

#: A header line, read: how it is passed on, if it is; where else it goes, lower-case name, value.
_Read = tuple[bytes, int, bytes, bytes]

#: Names seen so far, as spelt; bounded in number and length, because callers choose names.
_known: dict[bytes, _Place] = {}
_MOST_KNOWN, _LONGEST_KNOWN = 4096, 64
#: Lines that were read last: most lines of a head stood in the one before.
_LINES_KNOWN, _LONGEST_LINE_KNOWN = 1024, 512


def sort(lines: list[bytes]) -> Sorted:
    """Header lines that a parser found to be sound, without their ends, by what becomes of them."""
    passed: Lines = []
    special: Special = {}
    own: Special = {}
    short = max(map(len, lines), default=0) <= _LONGEST_LINE_KNOWN
    for written, aside, lower, value in map(_read_known if short else _read, lines):
        if written:
            passed.append(written)
        if aside:
            kept = special if aside == _TO_ACT_ON else own
            if lower in kept:
                kept[lower].append(value)
            else:
                kept[lower] = [value]
    return passed, special, own


def each(lines: Lines) -> Iterator[Field]:
    """The fields of `lines`, one by one."""
    for line in lines:
        name, _, value = line[2:].partition(b": ")
        yield name.lower(), name, value


def tokens(values: Iterable[bytes]) -> frozenset[bytes]:
    """The lower-case members of comma-separated lists."""
    return frozenset(token.strip(b" \t").lower() for v in values for token in v.split(b","))


def unlisted(lines: Lines, connection: list[bytes]) -> Lines:
    """The fields that may pass a hop whose Connection headers are these."""
    listed = tokens(connection) - _END_TO_END
    return [line for line, field in zip(lines, each(lines), strict=True) if field[0] not in listed]


def replaced(lines: Lines, name: bytes, value: bytes) -> Lines:
    """`lines` with `value` in every field of the lower-case `name`."""
    return [
        _opening(spelt) + value if lower == name else line
        for line, (lower, spelt, _) in zip(lines, each(lines), strict=True)
    ]


def _read(line: bytes) -> _Read:
    name, _, value = line.partition(b":")
    value = value.strip(b" \t")
    opening, aside, lower = _known.get(name) or _learn(name)
    return opening and opening + value, aside, lower, value


_read_known = lru_cache(_LINES_KNOWN)(_read)


def _learn(name: bytes) -> _Place:
    found = _place(name, name.lower())
    if len(_known) < _MOST_KNOWN and len(name) <= _LONGEST_KNOWN:
        _known[name] = found
    return found


def _opening(name: bytes) -> bytes:
    return b"\r\n%b: " % name


def _place(name: bytes, lower: bytes) -> _Place:
    if lower in _LOOKED_AT:
        return _opening(name), _TO_ACT_ON, lower
    if lower in _SPECIAL or lower.startswith(_ABOUT_CALLER):
        return b"", _TO_ACT_ON, lower
    if lower.startswith(_OWN):
        return b"", _FOR_US, lower
    if lower in _TWINS or lower.startswith(_OWN_TWIN):
        return b"", _NOWHERE, lower
    return _opening(name), _NOWHERE, lower
