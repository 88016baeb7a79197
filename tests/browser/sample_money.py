"""What the customers of the sample's first integration pay, in three currencies."""

import random
from datetime import UTC, datetime

from sqlalchemy import Engine

from app.auth.caller import own_scope
from app.commands.billing import take
from app.db import transaction
from app.domain.window import DAY_US
from app.models import ExchangeRate

SLUG = "globex-issues"
_PLANS = (("Free", 0), ("Starter", 900), ("Pro", 2900), ("Team", 7900))


def pay(engine: Engine, now_us: int, customers: int = 70) -> None:
    """Tell it, and the rate of one of the other two currencies."""
    with transaction(engine) as session:
        rate = ExchangeRate(base="EUR", currency="USD", day=now_us // DAY_US - 1, value="1.0823")
        session.add(rate)
        events = [event for number in range(customers) for event in _life(number, now_us)]
        taken = take(session, own_scope(), events, now_us=now_us)
        assert not taken.rejected, taken.rejected


def _life(number: int, now_us: int):
    chance = random.Random(number)
    days = chance.randrange(3, 200)
    plan, price = chance.choice(_PLANS)
    currency = chance.choices(("USD", "EUR", "GBP"), (8, 2, 1))[0]

    def told(kind: str, ago: float, amount: int | None = None, **more) -> dict:
        at = datetime.fromtimestamp((now_us - int(ago * DAY_US)) / 1_000_000, UTC)
        money = {"amount": {"amount_minor": amount, "currency": currency}}
        return {
            "id": f"{number}-{kind}-{ago}", "integration": SLUG, "installation": f"inst-{number}",
            "customer": f"cust-{number}", "subscription": f"sub-{number}", "type": kind,
            "occurred_at": at.isoformat(), **(money if amount is not None else {}), **more,
        }  # fmt: skip

    if chance.random() < 0.5:
        yield told("trial_started", days + 14)
    yield told("subscription_started", days, price, plan=plan, interval="month",
               platform_share_ratio=0.2)  # fmt: skip
    if chance.random() < 0.4:
        plan, price = chance.choice(_PLANS)
        yield told("subscription_changed", days * 0.6, price, plan=plan)
    if price:
        for ago in range(days, 0, -30):
            yield told("invoice_paid" if chance.random() < 0.95 else "invoice_failed", ago, price)
    if chance.random() < 0.25:
        yield told("subscription_cancelled", days * 0.2)
