"""The routing table: everything the proxy and the loader must know about an integration.

The registry publishes it as one JSON file in the home; both read it without a database. Values
only: turning a request into a route is `collectors.proxy.routes`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from app.domain.window import SECOND_US

TABLE_VERSION = 1

#: The integration under which traffic of unknown callers, and to unknown names, is recorded.
#: No registry may use it as a slug.
UNATTRIBUTED = "unattributed"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Milliseconds one exchange may spend in each stage."""

    connect_ms: int = 1_000
    first_byte_ms: int = 10_000
    idle_ms: int = 30_000
    total_ms: int = 60_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one integration may send, and what it may be sent. None: no limit of that kind.

    Each direction is limited on its own. `burst` None: as many as one second's rate. `queue`
    requests may wait up to `queue_ms` for one of `concurrency` places.
    """

    requests_per_second: float | None = None
    burst: int | None = None
    concurrency: int | None = None
    body_bytes: int = 10_485_760
    queue: int = 16
    queue_ms: int = 1_000


@dataclass(frozen=True, slots=True)
class Ramp:
    """A rate that grows: `from_rate` requests per second at `begun_us`, `to_rate` from `over_us`
    later on."""

    from_rate: float
    to_rate: float
    over_us: int
    begun_us: int


@dataclass(frozen=True, slots=True)
class Breaker:
    """When to stop calling: from `error_ratio` of at least `minimum` exchanges in `window_us` on,
    for `open_us`; then `probes` good exchanges in a row close the circuit again."""

    error_ratio: float = 0.5
    minimum: int = 20
    window_us: int = 30 * SECOND_US
    open_us: int = 30 * SECOND_US
    probes: int = 3


class CapturePolicy(StrEnum):
    """Of which exchanges the heads and bodies are kept as evidence."""

    SAMPLE = "sample"  # failures, and a sample of the rest
    FAILURES = "failures"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files on the proxy's machine: whom to trust, and what to show. None: the system's
    authorities, no certificate; a key may lie in the certificate's file."""

    ca_file: str | None = None
    client_cert_file: str | None = None
    client_key_file: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One integration as the wire sees it. A URL that is None has no traffic of that sort."""

    integration: str
    partner: str
    api_base_url: str | None = None
    webhook_url: str | None = None
    inbound_token_sha256: tuple[str, ...] = ()
    allow_private_addresses: bool = False
    timeouts: Timeouts = field(default_factory=Timeouts)
    limits: Limits = field(default_factory=Limits)
    operations: tuple[str, ...] = ()
    ramp: Ramp | None = None
    breaker: Breaker | None = field(default_factory=Breaker)
    paused: bool = False
    capture: CapturePolicy = CapturePolicy.SAMPLE
    tls: TlsFiles = field(default_factory=TlsFiles)


@dataclass(frozen=True, slots=True)
class RouteTable:
    """One published state of the registry. `revision` grows with every change."""

    revision: int
    platform_name: str
    platform_api_base_url: str | None
    routes: tuple[Route, ...]


EMPTY_TABLE = RouteTable(0, "", None, ())


def encode_table(table: RouteTable) -> bytes:
    """The table as the routing file holds it."""
    return json.dumps({"version": TABLE_VERSION, **asdict(table)}, indent=1).encode()


def decode_table(raw: bytes) -> RouteTable:
    """Read a routing file; `ValueError` when it is not one this version can read.

    Proxies run older and newer than the file: what it leaves out has its default, and what this
    version does not know is passed over.
    """
    try:
        document = json.loads(raw)
        if document["version"] != TABLE_VERSION:
            raise ValueError(f"routing file has version {document['version']}")
        return RouteTable(
            document["revision"],
            document["platform_name"],
            document["platform_api_base_url"],
            tuple(_route(entry) for entry in document["routes"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"routing file is damaged: {error!r}") from error


def _route(entry: Mapping[str, Any]) -> Route:
    given = _known(Route, entry)
    for name, shape in _SHAPES.items():
        if given.get(name) is not None:
            given[name] = shape(**_known(shape, given[name]))
    for name in ("inbound_token_sha256", "operations"):
        given[name] = tuple(given.get(name, ()))
    given["capture"] = CapturePolicy(given.get("capture", CapturePolicy.SAMPLE))
    return Route(**given)


def _known(shape: type, given: Mapping[str, Any]) -> dict[str, Any]:
    names = {each.name for each in fields(shape)}
    return {name: value for name, value in given.items() if name in names}


_SHAPES: dict[str, type] = {
    "timeouts": Timeouts,
    "limits": Limits,
    "ramp": Ramp,
    "breaker": Breaker,
    "tls": TlsFiles,
}
