"""Stripe's webhook events as billing events.

A subscription of Stripe is one of ours; what installation and customer it belongs to stands in its
`metadata` (`installation`, `customer`, and `platform_share_ratio` if it has one). What Stripe tells
without them (a refund, say) is found by the subscription, the invoice or the customer it names.
Types that move no money and change no subscription are passed over.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.currency import MINOR_DIGITS
from app.domain.money import divided
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
    """Plan and price; of several items billed alike, and with a coupon of a fixed amount, their
    sum."""
    items = thing["items"]["data"]
    prices = [each["price"] for each in items]
    first = prices[0]
    every = {(p["recurring"]["interval"], p["recurring"]["interval_count"]) for p in prices}
    if len(every) > 1 or any(price.get("unit_amount") is None for price in prices):
        raise ValueError("its items are billed at different intervals, or not at a fixed price")
    currency = str(first["currency"]).upper()
    total = sum(each["price"]["unit_amount"] * each.get("quantity", 1) for each in items)
    interval, count = every.pop()
    coupons = _coupons(thing)
    fixed = any(coupon.get("amount_off") for coupon in coupons)
    one = len(items) == 1 and not fixed
    told: Item = {
        "plan": metadata.get("plan") or first.get("nickname") or first.get("lookup_key")
        or first["id"],
        "interval": interval,
        "interval_count": count,
        "quantity": items[0].get("quantity", 1) if one else 1,
        "amount": _amount(
            _reduced(total, coupons, currency) if fixed else first["unit_amount"] if one else total,
            currency,
        ),
        "discount_ratio": 0.0 if fixed else _discount(coupons),
    }  # fmt: skip
    share = metadata.get("platform_share_ratio")
    return told if share is None else {**told, "platform_share_ratio": float(share)}


def _coupons(thing: Object) -> list[Object]:
    """Its coupons, in the order in which they are taken off; what Stripe names without saying what
    it is worth is left out."""
    told = [each for each in thing.get("discounts") or [] if isinstance(each, Mapping)]
    found = []
    for each in told or [thing.get("discount") or {}]:
        coupon = each.get("coupon") or (each.get("source") or {}).get("coupon")
        if isinstance(coupon, Mapping):
            found.append(coupon)
    return found


def _discount(coupons: Iterable[Object]) -> float:
    """The part that coupons of a percentage take off."""
    left = 1.0
    for coupon in coupons:
        left *= 1 - float(coupon.get("percent_off") or 0) / 100
    return round(1 - left, 6)


def _reduced(total: int, coupons: Iterable[Object], currency: str) -> int:
    """What is left of a sum, in Stripe's units; an amount of another currency takes nothing off."""
    left = Fraction(total)
    for coupon in coupons:
        options = coupon.get("currency_options") or {}
        own = coupon if str(coupon.get("currency")).upper() == currency else {}
        amount = (own or options.get(currency.lower()) or {}).get("amount_off")
        left *= 1 - Fraction(str(coupon.get("percent_off") or 0)) / 100
        left -= int(amount or 0)
    return max(divided(left.numerator, left.denominator), 0)


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
