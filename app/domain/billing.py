"""Billing events: what a sender may say of a subscription and of what is paid for it.

An event says what is so from `occurred_us` on. Amounts are for one quantity. `app.commands.bills`
reads one from outside.
"""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.money import Interval

#: No event and no subscription is worth more than this many minor units, so that no sum leaves 64
#: bits.
MOST_MINOR = 10**12


class BillingType(StrEnum):
    """What happened."""

    TRIAL_STARTED = "trial_started"
    SUBSCRIPTION_STARTED = "subscription_started"
    SUBSCRIPTION_CHANGED = "subscription_changed"
    SUBSCRIPTION_PAUSED = "subscription_paused"
    SUBSCRIPTION_RESUMED = "subscription_resumed"
    SUBSCRIPTION_CANCELLED = "subscription_cancelled"
    INVOICE_PAID = "invoice_paid"
    INVOICE_FAILED = "invoice_failed"
    INVOICE_REFUNDED = "invoice_refunded"
    USAGE_CHARGED = "usage_charged"


#: What is money that moved, and changes no subscription.
PAYMENTS = frozenset(
    {
        BillingType.INVOICE_PAID,
        BillingType.INVOICE_FAILED,
        BillingType.INVOICE_REFUNDED,
        BillingType.USAGE_CHARGED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingEvent:
    """One event as its sender told it; None: it did not say. `every`: billed every so many
    intervals. `ends_us`: it ends then by itself. `invoice`: what is paid, failed or refunded."""

    id: str
    integration: str
    installation: str
    customer: str | None
    subscription: str
    type: BillingType
    occurred_us: int
    plan: str | None = None
    interval: Interval | None = None
    every: int | None = None
    quantity: int | None = None
    amount_minor: int | None = None
    currency: str | None = None
    discount_ppm: int | None = None
    share_ppm: int | None = None
    ends_us: int | None = None
    invoice: str | None = None
