"""Where a request goes: the routing table, compiled, and the decision. Pure.

A caller never names an upstream: it names an integration (outbound) or proves to be one
(inbound), and everything about the connection comes from the table.

What is made or read for every exchange is a `msgspec.Struct`: made in a quarter of a named tuple's
time.
"""

from collections.abc import Iterable
from dataclasses import astuple
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import msgspec

from app.domain.route import (
    EMPTY_TABLE,
    UNATTRIBUTED,
    CapturePolicy,
    Limits,
    Route,
    RouteTable,
    Timeouts,
)
from app.domain.words import Direction, Kind
from collectors.proxy.emit import opening
from collectors.proxy.errors import (
    BAD_TARGET,
    METHOD_NOT_ALLOWED,
    NO_SUCH_INTEGRATION,
    NO_SUCH_PATH,
    NO_URL_CONFIGURED,
)
from collectors.proxy.verdicts import Refusal

_NS_PER_MS = 1_000_000
_WEBHOOKS = b"/-/webhooks/"
_RESERVED = b"/-/"
_TOPIC_CHARS = 256
_PATH_CHARS = 2048
_OUTBOUND, _INBOUND, _REQUEST, _WEBHOOK = (
    Direction.OUTBOUND, Direction.INBOUND, Kind.REQUEST, Kind.WEBHOOK
)  # fmt: skip


class Trust(NamedTuple):
    """Files with what TLS trusts and shows. None: the machine's authorities, no certificate."""

    ca_file: str | None = None
    client_cert_file: str | None = None
    client_key_file: str | None = None


NO_FILES = Trust()


class Origin(NamedTuple):
    """What a connection is made to, and under which permission: the key of the pool."""

    tls: bool
    host: str
    port: int
    private: bool
    trust: Trust = NO_FILES


class Endpoint(msgspec.Struct, frozen=True, gc=False):
    """A configured URL, ready to be joined with what the caller asks for.

    `base` is the path without slashes at its end, `opened` the Host line, see `emit.opening`.
    """

    origin: Origin
    authority: bytes
    path: bytes
    query: bytes
    base: bytes
    opened: bytes


class Allowance(NamedTuple):
    """The route's timeouts and its wait for a place, in nanoseconds."""

    connect_ns: int
    first_byte_ns: int
    idle_ns: int
    total_ns: int
    queue_ns: int


class Party(msgspec.Struct, frozen=True, gc=False):
    """One integration, compiled."""

    integration: str
    api: Endpoint | None
    webhook: Endpoint | None
    allowance: Allowance
    limits: Limits
    capture: CapturePolicy = CapturePolicy.SAMPLE


class Destination(msgspec.Struct, frozen=True, gc=False):
    """Who an exchange belongs to and what it is. `path` is what is recorded: without query,
    without the integration's name, cut to 2048 characters."""

    party: Party
    direction: Direction
    kind: Kind
    topic: str
    path: str


class Routed(msgspec.Struct, frozen=True, gc=False):
    """A request that has somewhere to go; `target` is the one to ask upstream for."""

    destination: Destination
    endpoint: Endpoint
    target: bytes


class Router:
    """A routing table, compiled. Immutable; a new table is a new router."""

    def __init__(self, table: RouteTable) -> None:
        self.revision = table.revision
        self.routes = table.routes
        parties = [_party(route) for route in table.routes]
        self._by_slug = {party.integration.encode(): party for party in parties}
        self._by_token = {
            token.lower(): party
            for route, party in zip(table.routes, parties, strict=True)
            for token in route.inbound_token_sha256
        }
        self._platform = _endpoint(table.platform_api_base_url, private=True)

    def outbound(
        self, method: str, path: bytes, query: bytes
    ) -> tuple[Destination, Routed | Refusal]:
        """Where a request of the platform goes; `path` begins with a slash."""
        slug, slash, tail = path[1:].partition(b"/")
        party, rest = self._by_slug.get(slug), slash + tail
        if party is None:
            stray = _destination(_STRANGER, _OUTBOUND, _REQUEST, path)
            return stray, Refusal(NO_SUCH_INTEGRATION, slug[:80].decode("latin-1"))
        if rest.startswith(_RESERVED):
            return _webhook(party, method, rest, query)
        found = _destination(party, _OUTBOUND, _REQUEST, rest or b"/")
        if party.api is None:
            return found, Refusal(NO_URL_CONFIGURED, "no api_base_url")
        return found, _routed(found, party.api, rest, query)

    def inbound(
        self, tokens: Iterable[bytes], path: bytes, query: bytes
    ) -> tuple[Destination, Routed | Refusal]:
        """Where a request of a partner goes: to the platform, whoever asks."""
        found = _destination(self._caller(tokens), _INBOUND, _REQUEST, path)
        if self._platform is None:
            return found, Refusal(NO_URL_CONFIGURED, "the platform has no api_base_url")
        return found, _routed(found, self._platform, path, query)

    def _caller(self, tokens: Iterable[bytes]) -> Party:
        for token in tokens:
            party = self._by_token.get(sha256(token).hexdigest())
            if party is not None:
                return party
        return _STRANGER


def stray(direction: Direction, path: bytes = b"") -> Destination:
    """Under what a request is recorded that was refused before it was routed."""
    return _destination(_STRANGER, direction, _REQUEST, path)


def _webhook(
    party: Party, method: str, rest: bytes, query: bytes
) -> tuple[Destination, Routed | Refusal]:
    if not rest.startswith(_WEBHOOKS) or len(rest) == len(_WEBHOOKS):
        found = _destination(party, _OUTBOUND, _REQUEST, rest)
        return found, Refusal(NO_SUCH_PATH, "no topic" if rest == _WEBHOOKS else "reserved path")
    topic = unquote(rest[len(_WEBHOOKS) :].decode("latin-1"), errors="replace")[:_TOPIC_CHARS]
    found = _destination(party, _OUTBOUND, _WEBHOOK, rest, topic)
    if method != "POST":
        return found, Refusal(METHOD_NOT_ALLOWED, method, allow="POST")
    if party.webhook is None:
        return found, Refusal(NO_URL_CONFIGURED, "no webhook_url")
    return found, Routed(found, party.webhook, _target(party.webhook, b"", query))


def _routed(found: Destination, endpoint: Endpoint, path: bytes, query: bytes) -> Routed | Refusal:
    target = _target(endpoint, path, query)
    if target.startswith(b"//"):
        return Refusal(BAD_TARGET, "two slashes where the path begins")
    return Routed(found, endpoint, target)


def _target(endpoint: Endpoint, path: bytes, query: bytes) -> bytes:
    """The configured path with the caller's behind it, and both queries."""
    target = endpoint.base + path if path else endpoint.path or b"/"
    if endpoint.query:
        query = endpoint.query + b"&" + query if query else endpoint.query
    return target + b"?" + query if query else target


def _destination(
    party: Party, direction: Direction, kind: Kind, path: bytes, topic: str = ""
) -> Destination:
    return Destination(party, direction, kind, topic, path[:_PATH_CHARS].decode("latin-1"))


def _party(route: Route) -> Party:
    private, trust = route.allow_private_addresses, Trust(*astuple(route.tls))
    return Party(
        route.integration,
        _endpoint(route.api_base_url, private=private, trust=trust),
        _endpoint(route.webhook_url, private=private, trust=trust),
        _allowance(route.timeouts, route.limits),
        route.limits,
        route.capture,
    )


def _endpoint(url: str | None, *, private: bool, trust: Trust = NO_FILES) -> Endpoint | None:
    if url is None:
        return None
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    port = parts.port or (443 if tls else 80)
    host = (parts.hostname or "").lower()
    shown = f"[{host}]" if ":" in host else host
    authority = shown if port == (443 if tls else 80) else f"{shown}:{port}"
    origin = Origin(tls, host, port, private, trust)
    path = (parts.path or "/").encode()
    return Endpoint(
        origin,
        authority.encode(),
        path,
        parts.query.encode(),
        path.rstrip(b"/"),
        opening(authority.encode()),
    )


def _allowance(timeouts: Timeouts, limits: Limits) -> Allowance:
    return Allowance(
        timeouts.connect_ms * _NS_PER_MS,
        timeouts.first_byte_ms * _NS_PER_MS,
        timeouts.idle_ms * _NS_PER_MS,
        timeouts.total_ms * _NS_PER_MS,
        limits.queue_ms * _NS_PER_MS,
    )


_STRANGER = Party(UNATTRIBUTED, None, None, _allowance(Timeouts(), Limits()), Limits())
EMPTY_ROUTER = Router(EMPTY_TABLE)
