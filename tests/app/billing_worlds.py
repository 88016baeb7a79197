"""Billing events as a platform tells them."""

from datetime import UTC, datetime, timedelta
from itertools import count

from tests.app.web_world import SLUGS

_counter = count(1)
#: A Saturday; what a test calls day 0.
DAY_0 = datetime(2025, 11, 1, tzinfo=UTC)


def moment(day: float) -> str:
    """Noon of a day, counted from `DAY_0`."""
    return (DAY_0 + timedelta(days=day, hours=12)).isoformat().replace("+00:00", "Z")


def bill(type_: str, day: float = 0, subscription: str = "sub-1", **more: object) -> dict:
    """An event about a subscription whose customer and installation are called like it."""
    amount = more.pop("amount", None)
    currency = more.pop("currency", "USD")
    told = {} if amount is None else {"amount": {"amount_minor": amount, "currency": currency}}
    if type_ == "subscription_started":
        told |= {"interval": "month", "plan": "pro"}
    return {
        "id": f"bill-{next(_counter)}", "integration": SLUGS[0], "type": type_,
        "installation": subscription.replace("sub", "inst"),
        "customer": subscription.replace("sub", "cust"),
        "subscription": subscription, "occurred_at": moment(day), **told, **more,
    }  # fmt: skip


def started(day: float, subscription: str = "sub-1", amount: int = 4900, **more: object) -> dict:
    return bill("subscription_started", day, subscription, amount=amount, **more)


def changed(day: float, subscription: str = "sub-1", amount: int = 4900, **more: object) -> dict:
    return bill("subscription_changed", day, subscription, amount=amount, **more)


def cancelled(day: float, subscription: str = "sub-1", **more: object) -> dict:
    return bill("subscription_cancelled", day, subscription, **more)


def post(world, events: object, role: str = "ecosystem"):
    """Post them to the API."""
    return world.app.test_client().post(
        "/api/v1/billing-events", json=events, headers=world.bearer(role)
    )


def revenue_of(world, first: float = 0, end: float = 30, role: str = "ecosystem", **query) -> dict:
    """What the API says of some days."""
    asked = {"from": moment(first - 0.5), "to": moment(end - 0.5), **query}
    answer = world.api(f"/integrations/{SLUGS[0]}/revenue", role, query_string=asked)
    assert answer.status_code == 200, answer.text
    return answer.json
