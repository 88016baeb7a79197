"""The registry file of the demo, with the ports that the services were given."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import yaml

from app.domain.words import Kind
from demo.cast import CAST, PLATFORM, Role, first_of_partner
from demo.names import inbound_token
from demo.services import PLATFORM_SERVICE

FUNNEL = ["started", "authorized", "verified", "activated"]
#: After these nobody waits for a step any more.
DEADLINES = {"authorized": "1h", "verified": "30m", "activated": "6h"}


def document(seed: int, ports: Mapping[str, int]) -> str:
    """The YAML text; `ports` maps integration slugs and `platform` to ports of loopback."""
    base = f"http://127.0.0.1:{ports[PLATFORM_SERVICE]}"
    partners = [_partner(role, seed, ports) for role in first_of_partner().values()]
    content = {"platform": {"name": PLATFORM, "api_base_url": base}, "partners": partners}
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def _partner(first: Role, seed: int, ports: Mapping[str, int]) -> dict[str, Any]:
    return {
        "slug": first.partner,
        "name": first.partner_name,
        "contacts": [f"oncall@{first.partner}.example"],
        "integrations": [
            _integration(role, seed, ports[role.slug])
            for role in CAST
            if role.partner == first.partner
        ],
    }


def _integration(role: Role, seed: int, port: int) -> dict[str, Any]:
    scheme = "http" if role.trouble.expired_since_us is None else "https"
    token = inbound_token(seed, role).encode()
    # Its failures are to be seen one by one, not an open circuit in their place.
    seen = {} if role.trouble.expired_since_us is None else {"breaker": "off"}
    return {
        "slug": role.slug,
        "name": role.name,
        "visibility": role.visibility,
        "category": role.category,
        "api_base_url": f"{scheme}://127.0.0.1:{port}",
        "webhook_url": f"{scheme}://127.0.0.1:{port}/hooks/acme",
        "inbound_token_sha256": [sha256(token).hexdigest()],
        "allow_private_addresses": True,
        "timeouts": {
            "connect_ms": 1_000,
            "first_byte_ms": role.first_byte_ms,
            "idle_ms": 30_000,
            "total_ms": 60_000,
        },
        "operations": operations(role),
        "objectives": [
            {"name": "availability", "target": role.availability, "window": "28d"},
            {"name": "latency", "target": 0.95, "threshold_ms": role.threshold_ms, "window": "28d"},
        ],
        "funnel": list(FUNNEL),
        "funnel_deadlines": dict(DEADLINES),
        **seen,
    }


def operations(role: Role) -> list[str]:
    """The route templates the registry knows; an operation its caller names need not be there."""
    return [
        act.name
        for flow in role.flows
        if flow.kind is Kind.REQUEST
        for act in flow.acts
        if not act.told
    ]
