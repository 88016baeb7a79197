"""Reading one billing event from outside: what was sent becomes a value, or a reason.

What a type does not need may be left out. A key that is not known is refused, not ignored: a
misspelt one would make another amount without a word.
"""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from app.commands import event_fields as fields
from app.domain.billing import MOST_MINOR, PAYMENTS, BillingEvent, BillingType
from app.domain.currency import MINOR_DIGITS
from app.domain.money import PPM, Interval

W = TypeVar("W", bound=StrEnum)
Given = Mapping[str, Any]
KEYS = frozenset(
    {
        "id", "integration", "installation", "customer", "subscription", "type", "occurred_at",
        "plan", "interval", "interval_count", "quantity", "amount", "platform_share_ratio",
        "discount_ratio", "ends_at", "invoice",
    }
)  # fmt: skip
LONGEST, LONGEST_SLUG = 200, 63
MOST_QUANTITY, MOST_EVERY = 10**6, 120
#: Until when a subscription may be told to end, microseconds: the year 2200.
_LATEST_US = 7_258_118_400_000_000


def read(item: object, now_us: int) -> BillingEvent:
    """The event that a piece of JSON is; `ValueError` with the first thing that is wrong."""
    given = fields.entries(item, KEYS)
    kind = _word(given, "type", BillingType)
    if kind is None:
        raise ValueError("lacks 'type'")
    payment = kind in PAYMENTS
    amount_minor, currency = _amount(given)
    ends_us = None if given.get("ends_at") is None else fields.moment(given, "ends_at", _LATEST_US)
    event = BillingEvent(
        id=fields.needed(given, "id", LONGEST),
        integration=fields.needed(given, "integration", LONGEST_SLUG),
        installation=fields.needed(given, "installation", LONGEST),
        customer=fields.optional(given, "customer", LONGEST),
        subscription=(fields.optional(given, "subscription", LONGEST) or "") if payment
        else fields.needed(given, "subscription", LONGEST),
        type=kind,
        occurred_us=fields.moment(given, "occurred_at", now_us),
        plan=fields.optional(given, "plan", LONGEST),
        interval=_word(given, "interval", Interval),
        every=_whole(given, "interval_count", 1, MOST_EVERY),
        quantity=_whole(given, "quantity", 0, MOST_QUANTITY),
        amount_minor=amount_minor,
        currency=currency,
        discount_ppm=_millionths(given, "discount_ratio"),
        share_ppm=_millionths(given, "platform_share_ratio"),
        ends_us=ends_us,
        invoice=fields.optional(given, "invoice", LONGEST),
    )  # fmt: skip
    _check(event)
    return event


def _check(event: BillingEvent) -> None:
    started = event.type is BillingType.SUBSCRIPTION_STARTED
    if (started or event.type in PAYMENTS) and event.amount_minor is None:
        raise ValueError(f"{event.type} lacks 'amount'")
    if started and event.interval is None:
        raise ValueError(f"{event.type} lacks 'interval'")
    quantity = 1 if event.quantity is None else event.quantity
    if (event.amount_minor or 0) * quantity > MOST_MINOR:
        raise ValueError(f"more than {MOST_MINOR:,} minor units")
    if event.ends_us is not None and event.ends_us <= event.occurred_us:
        raise ValueError("'ends_at' is not after 'occurred_at'")


def _amount(given: Given) -> tuple[int | None, str | None]:
    parts = given.get("amount")
    if parts is None:
        return None, None
    if not isinstance(parts, dict) or parts.keys() != {"amount_minor", "currency"}:
        raise ValueError("'amount' is not an object of 'amount_minor' and 'currency'")
    currency = parts["currency"]
    if not isinstance(currency, str) or currency not in MINOR_DIGITS:
        raise ValueError(f"unknown currency {_named(currency)}: a code of ISO 4217, such as USD")
    amount_minor = _whole(parts, "amount_minor", 0, MOST_MINOR)
    if amount_minor is None:
        raise ValueError("lacks 'amount_minor'")
    return amount_minor, currency


def _word(given: Given, key: str, words: type[W]) -> W | None:
    value = given.get(key)
    if value is None:
        return None
    try:
        return words(value)
    except ValueError:
        known = [word.value for word in words]
        near = fields.hint(value, known) if isinstance(value, str) else ""
        choices = near or f": one of {', '.join(known)}"
        raise ValueError(f"unknown {key} {_named(value)}{choices}") from None


def _whole(given: Given, key: str, low: int, high: int) -> int | None:
    """A whole number; 3.0 is one, too."""
    value = given.get(key)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{key!r} is not a whole number")
    if value < 0:
        raise ValueError(f"{key!r} is negative")
    if not low <= value <= high:
        raise ValueError(f"{key!r} is not from {low} to {high:,}")
    return value


def _millionths(given: Given, key: str) -> int | None:
    """A ratio from 0 to 1, in whole millionths."""
    value = given.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key!r} is not a number")
    if not math.isfinite(value) or not 0 <= value <= 1:
        raise ValueError(f"{key!r} is not from 0 to 1")
    return round(value * PPM)


def _named(value: object) -> str:
    return fields.shown(value) if isinstance(value, str) else f"of type {type(value).__name__}"
