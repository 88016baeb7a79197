"""Header fields, sorted as they are read: passed on, acted on, or dropped. Pure."""

#: A field as it came: lower-case name, name, value without surrounding blanks.
Field = tuple[bytes, bytes, bytes]
#: What this proxy acts on or must not pass on: values in order, by lower-case name.
Special = dict[bytes, list[bytes]]

#: Acted on, or hop-by-hop (RFC 9110, section 7.6.1): not passed on as they came.
_SPECIAL = frozenset(
    b"host connection content-length transfer-encoding expect te trailer upgrade keep-alive "
    b"proxy-connection proxy-authorization proxy-authenticate http2-settings "
    b"traceparent tracestate via x-forwarded-for x-forwarded-host x-forwarded-proto "
    b"forwarded".split()
)
#: Looked at, and passed on as well.
_LOOKED_AT = frozenset(b"authorization x-api-key webhook-id".split())
#: Names that some back-ends read as their twins with a dash: dropped.
_TWINS = frozenset(b"content_length transfer_encoding x_api_key".split())
#: Not removed even where a Connection header lists them: that would change what the message means.
_END_TO_END = frozenset(
    b"authorization cookie set-cookie x-api-key content-type "
    b"webhook-id webhook-signature webhook-timestamp".split()
)
_OWN, _OWN_TWIN = b"midspan-", b"midspan_"

# Where a field goes.
_PASS, _ACT, _BOTH, _DROP, _KEEP = 0, 1, 2, 3, 4

#: Names seen so far, as spelt, with where they go; bounded, because callers choose names.
_known: dict[bytes, tuple[bytes, int]] = {}
_MOST_KNOWN = 4096


class Sorter:
    """What a parser calls. `count` is of all fields, also dropped ones; `own` are the proxy's."""

    __slots__ = ("count", "fields", "own", "special", "status", "target")

    def __init__(self) -> None:
        self.target = b""
        self.status = b""
        self.count = 0
        self.fields: list[Field] = []
        self.special: Special = {}
        self.own: Special = {}

    def on_url(self, url: bytes) -> None:
        """Part of the request target."""
        self.target += url

    def on_status(self, status: bytes) -> None:
        """Part of the reason phrase."""
        self.status += status

    def on_header(self, name: bytes, value: bytes) -> None:
        """One field; the parser leaves blanks behind its value."""
        self.count += 1
        lower, place = _known.get(name) or _learn(name)
        if value[-1:] in b" \t":
            value = value.rstrip(b" \t")
        if place:
            if place != _DROP:
                kept = self.own if place == _KEEP else self.special
                kept.setdefault(lower, []).append(value)
            if place != _BOTH:
                return
        self.fields.append((lower, name, value))


def tokens(values: list[bytes]) -> frozenset[bytes]:
    """The lower-case members of comma-separated lists."""
    return frozenset(token.strip(b" \t").lower() for v in values for token in v.split(b","))


def unlisted(fields: list[Field], connection: list[bytes]) -> list[Field]:
    """The fields that may pass a hop whose Connection headers are these."""
    listed = tokens(connection) - _END_TO_END
    return [field for field in fields if field[0] not in listed]


def _learn(name: bytes) -> tuple[bytes, int]:
    lower = name.lower()
    found = lower, _place(lower)
    if len(_known) < _MOST_KNOWN:
        _known[name] = found
    return found


def _place(lower: bytes) -> int:
    if lower in _LOOKED_AT:
        return _BOTH
    if lower in _SPECIAL:
        return _ACT
    if lower.startswith(_OWN):
        return _KEEP
    if lower in _TWINS or lower.startswith(_OWN_TWIN):
        return _DROP
    return _PASS
