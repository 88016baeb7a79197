"""Stripe's webhook events as billing events.

A subscription of Stripe is one of ours; what installation and customer it belongs to stands in its
`metadata` (`installation`, `customer`, and `platform_share_ratio` if it has one). What Stripe tells
without them (a refund, say) is found by the subscription, the invoice or the customer it names.
Types that move no money and change no subscription are passed over.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.currency import MINOR_DIGITS
from app.models import BilledEvent

Object = Mapping[str, Any]
Item = dict[str, Any]
#: Currencies that Stripe tells in hundredths although their minor unit is the whole.
_HUNDREDTHS = frozenset({"ISK", "UGX"})
_ENDED = frozenset({"canceled", "incomplete_expired"})
_HELD = frozenset({"paused", "unpaid"})
_WAITING = frozenset({"incomplete"})


def items_of(event: Object, integration: str) -> list[Item]:
    """The billing events that one of Stripe's is, as the API takes them; `ValueError` with the
    reason when it cannot be told as such."""
    try:
        kind, thing = str(event["type"]), event["data"]["object"]
        told = {
            "id": f"stripe:{event['id']}",
            "integration": integration,
            "occurred_at": datetime.fromtimestamp(int(event["created"]), UTC).isoformat(),
        }
        if kind.startswith("customer.subscription."):
            before = event["data"].get("previous_attributes") or {}
            return _subscription(kind.rpartition(".")[2], thing, before, told)
        if kind in _PAYMENTS:
            return [_payment(kind, thing, told)]
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError, OSError) as error:
        raise ValueError(f"not a Stripe event as we know it: {error}") from None
    return []


def placed(session: Session, integration_id: int, item: Item) -> Item:
    """The event with the installation and subscription that an earlier one names, where it names
    none."""
    invoice = item.pop("paid_invoice", None)
    if item.get("installation"):
        return item
    hints = (
        (BilledEvent.subscription, item.get("subscription")),
        (BilledEvent.invoice, invoice or item.get("invoice")),
        (BilledEvent.customer, item.get("customer")),
    )
    for column, value in hints:
        found = (
            value
            and session.execute(
                select(BilledEvent.installation, BilledEvent.subscription)
                .where(BilledEvent.integration_id == integration_id, column == value)
                .order_by(BilledEvent.number.desc())
                .limit(1)
            ).first()
        )
        if found:
            known = item.get("subscription") or found.subscription or None
            return {**item, "installation": found.installation, "subscription": known}
    return item


def _subscription(verb: str, thing: Object, before: Object, told: Item) -> list[Item]:
    metadata = thing.get("metadata") or {}
    told = {
        **told,
        "subscription": thing["id"],
        "installation": metadata.get("installation"),
        "customer": metadata.get("customer") or _id(thing.get("customer")),
    }
    status = "canceled" if verb == "deleted" else thing.get("status")
    if status in _WAITING:
        return []
    if status in _ENDED:
        return [{**told, "type": "subscription_cancelled"}]
    terms = _terms(thing, metadata)
    if verb == "created" or before.get("status") in {*_WAITING, "trialing"}:
        began = "trial_started" if status == "trialing" else "subscription_started"
        return [{**told, **terms, "type": began}]
    held = status in _HELD or bool(thing.get("pause_collection"))
    was_held = before.get("status") in _HELD or bool(before.get("pause_collection"))
    found = [{**told, **terms, "type": "subscription_changed"}]
    if held or was_held or verb == "resumed":
        turn = "subscription_paused" if held else "subscription_resumed"
        found.append({**told, "id": f"{told['id']}:2", "type": turn})
    return found


def _terms(thing: Object, metadata: Object) -> Item:
    """Plan and price; of several items billed alike their sum."""
    items = thing["items"]["data"]
    prices = [each["price"] for each in items]
    first = prices[0]
    every = {(p["recurring"]["interval"], p["recurring"]["interval_count"]) for p in prices}
    if len(every) > 1 or any(price.get("unit_amount") is None for price in prices):
        raise ValueError("its items are billed at different intervals, or not at a fixed price")
    currency = str(first["currency"]).upper()
    one = len(items) == 1
    total = sum(each["price"]["unit_amount"] * each.get("quantity", 1) for each in items)
    interval, count = every.pop()
    told: Item = {
        "plan": metadata.get("plan") or first.get("nickname") or first.get("lookup_key")
        or first["id"],
        "interval": interval,
        "interval_count": count,
        "quantity": items[0].get("quantity", 1) if one else 1,
        "amount": _amount(first["unit_amount"] if one else total, currency),
        "discount_ratio": _discount(thing),
    }  # fmt: skip
    share = metadata.get("platform_share_ratio")
    return told if share is None else {**told, "platform_share_ratio": float(share)}


def _discount(thing: Object) -> float:
    """What its coupons take off; one of a fixed amount is told by Stripe with its invoices only."""
    discounts = [thing.get("discount"), *(thing.get("discounts") or [])]
    left = 1.0
    for each in discounts:
        coupon = each.get("coupon") if isinstance(each, Mapping) else None
        if isinstance(coupon, Mapping) and coupon.get("percent_off"):
            left *= 1 - float(coupon["percent_off"]) / 100
    return round(1 - left, 6)


_PAYMENTS = {
    "invoice.paid": ("invoice_paid", "amount_paid"),
    "invoice.payment_failed": ("invoice_failed", "amount_due"),
    "charge.refunded": ("invoice_refunded", "amount_refunded"),
}


def _payment(kind: str, thing: Object, told: Item) -> Item:
    name, field = _PAYMENTS[kind]
    parent = (thing.get("parent") or {}).get("subscription_details") or {}
    details = parent or thing.get("subscription_details") or {}
    metadata = {**(details.get("metadata") or {}), **(thing.get("metadata") or {})}
    subscription = _id(thing.get("subscription")) or _id(details.get("subscription"))
    refund = name == "invoice_refunded"
    return {
        **told,
        "type": name,
        "invoice": thing["id"],
        "subscription": subscription,
        "installation": metadata.get("installation"),
        "customer": metadata.get("customer") or _id(thing.get("customer")),
        "amount": _amount(thing[field], str(thing["currency"]).upper()),
        **({"paid_invoice": _id(thing.get("invoice"))} if refund else {}),
    }


def _amount(amount: int, currency: str) -> Item:
    whole = currency in _HUNDREDTHS and MINOR_DIGITS[currency] == 0
    return {"amount_minor": amount // 100 if whole else amount, "currency": currency}


def _id(value: object) -> str | None:
    """What Stripe tells as an id or as the thing itself."""
    found = value.get("id") if isinstance(value, Mapping) else value
    return found if isinstance(found, str) and found else None
