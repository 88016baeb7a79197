"""The routing table: everything the proxy and the loader must know about an integration.

The registry publishes it as one JSON file in the home; both read it without a database. Values
only: turning a request into a route is `collectors.proxy.routes`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

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
    """What one integration may send or be sent. None: no limit of that kind."""

    requests_per_second: float | None = None
    burst: int | None = None
    concurrency: int | None = None
    body_bytes: int = 10_485_760


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
    """Read a routing file; `ValueError` when it is not one this version can read."""
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
    except (KeyError, TypeError) as error:
        raise ValueError(f"routing file is damaged: {error!r}") from error


def _route(entry: Mapping[str, Any]) -> Route:
    return Route(
        **{
            **entry,
            "timeouts": Timeouts(**entry["timeouts"]),
            "limits": Limits(**entry["limits"]),
            "inbound_token_sha256": tuple(entry["inbound_token_sha256"]),
            "operations": tuple(entry["operations"]),
        }
    )
