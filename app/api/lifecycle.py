"""What the platform tells of installations."""

from dataclasses import asdict
from typing import Any

from flask_smorest import Blueprint

from app import telemetry
from app.api.context import now_us, reading
from app.api.posting import add_route, posted
from app.commands.lifecycle import record
from app.db import transaction

Json = dict[str, Any]
_TEXT = {"type": "string", "minLength": 1}
_OPTIONAL = {"type": ["string", "null"]}
_EVENT = {
    "type": "object",
    "required": ["id", "integration", "installation", "step", "occurred_at"],
    "properties": {
        "id": {**_TEXT, "maxLength": 200, "description": "The sender's; sent twice, taken once"},
        "integration": {**_TEXT, "maxLength": 63},
        "installation": {**_TEXT, "maxLength": 200},
        "customer": {**_OPTIONAL, "maxLength": 200},
        "step": {
            **_TEXT,
            "maxLength": 63,
            "description": "One of the integration's funnel, or uninstalled, suspended, resumed, "
            "reinstalled, declined",
        },
        "occurred_at": {"type": "string", "format": "date-time"},
        "plan": {**_OPTIONAL, "maxLength": 100},
        "source": {**_OPTIONAL, "maxLength": 100},
        "reason": {**_OPTIONAL, "maxLength": 500},
    },
}


def add_routes(api: Blueprint) -> None:
    """Add them to the blueprint of the API."""
    add_route(api, "/lifecycle-events", post, _EVENT)


def post() -> Json:
    """Take in up to 1,000 events, in any order; one that cannot be taken is named with its reason
    and keeps no other from being taken."""
    events = posted()
    with transaction(reading().engine) as session:
        receipt = record(session, events, now_us=now_us())
    counted = {
        "accepted": receipt.accepted,
        "duplicate": receipt.duplicates,
        "rejected": len(receipt.rejected),
    }
    for result, number in counted.items():
        telemetry.count_events("lifecycle", result, number)
    return {
        "accepted": receipt.accepted,
        "duplicates": receipt.duplicates,
        "rejected": [asdict(each) for each in receipt.rejected],
    }
