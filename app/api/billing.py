"""What the platform, or a Stripe account, tells of money."""

from typing import Any

from flask_smorest import Blueprint

from app import telemetry
from app.api.context import now_us, reading, scope
from app.api.posting import add_route, posted
from app.commands.billing import Taken, take
from app.commands.bills import LONGEST, LONGEST_SLUG, MOST_EVERY, MOST_QUANTITY
from app.db import transaction
from app.domain.billing import MOST_MINOR, BillingType
from app.domain.money import Interval

Json = dict[str, Any]
_TEXT = {"type": "string", "minLength": 1, "maxLength": LONGEST}
_OPTIONAL = {"type": ["string", "null"], "minLength": 1, "maxLength": LONGEST}
_TIME = {"type": "string", "format": "date-time"}
_RATIO = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
_EVENT = {
    "type": "object",
    "required": ["id", "integration", "installation", "type", "occurred_at"],
    "properties": {
        "id": {**_TEXT, "description": "The sender's; sent twice, taken once"},
        "integration": {**_TEXT, "maxLength": LONGEST_SLUG},
        "installation": _TEXT,
        "customer": _OPTIONAL,
        "subscription": {**_OPTIONAL, "description": "Only a payment may be without"},
        "type": {"type": "string", "enum": list(BillingType)},
        "occurred_at": _TIME,
        "plan": _OPTIONAL,
        "interval": {"type": ["string", "null"], "enum": [*Interval, None]},
        "interval_count": {
            "type": ["integer", "null"], "minimum": 1, "maximum": MOST_EVERY,
            "description": "Billed each so many intervals; default: 1",
        },
        "quantity": {"type": ["integer", "null"], "minimum": 0, "maximum": MOST_QUANTITY},
        "amount": {
            "type": ["object", "null"],
            "description": "For one quantity, each time",
            "required": ["amount_minor", "currency"],
            "properties": {
                "amount_minor": {"type": "integer", "minimum": 0, "maximum": MOST_MINOR},
                "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
            },
        },
        "discount_ratio": {**_RATIO, "description": "Taken off the amount"},
        "platform_share_ratio": {**_RATIO, "description": "The platform's part of what is paid"},
        "ends_at": {**_TIME, "type": ["string", "null"], "description": "Ends by itself then"},
        "invoice": {
            **_OPTIONAL,
            "description": "What is paid; a later event of its type takes its place",
        },
    },
}  # fmt: skip


def add_routes(api: Blueprint) -> None:
    """Add them to the blueprint of the API."""
    add_route(api, "/billing-events", post, _EVENT)


def post() -> Json:
    """Take in up to 1,000 events, in any order; one that cannot be taken is named with its reason
    and keeps no other from being taken."""
    events = posted()
    with transaction(reading().engine) as session:
        taken = take(session, scope(), events, now_us=now_us())
    return receipt(taken)


def receipt(taken: Taken) -> Json:
    """What became of events, counted too."""
    counted = {
        "accepted": taken.accepted,
        "duplicate": taken.duplicates,
        "rejected": len(taken.rejected),
    }
    for result, number in counted.items():
        telemetry.count_events("billing", result, number)
    return {
        "accepted": taken.accepted,
        "duplicates": taken.duplicates,
        "rejected": [{"index": each.index, "reason": each.reason} for each in taken.rejected],
    }
