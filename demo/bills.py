"""What customers of the demo's partners pay: billing events as a pure function of seed and time.

Every installation has a subscription with a life of its own: a trial, a plan, sometimes an upgrade,
a pause or an end. The past is told once, when the home is filled; live, every few minutes somebody
pays or changes a plan. Prices are in three currencies, converted by rates that wander.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np

from app.domain.window import DAY_US, MINUTE_US, SECOND_US
from demo import names
from demo.cast import CAST, Role
from demo.model import Model
from demo.noise import hashed, wave

Event = dict[str, Any]
#: Something is paid or changed live once in so long.
LIVE_US = 3 * MINUTE_US
_SHARE = 0.2
_OLDEST_DAYS, _YOUNG_RATIO = 420, 0.3
_PLANS = (("starter", 900), ("pro", 2900), ("team", 7900))
#: Nobody was ever charged for this one: its page shows how to begin.
_FREE_OF_CHARGE = frozenset({"wayne-alerts"})
_RATES = {"USD": (1.04, 0.08), "GBP": (0.83, 0.05)}
RATES_BASE = "EUR"


def earning() -> list[Role]:
    """Those who are paid."""
    return [r for r in CAST if r.visibility != "internal" and r.slug not in _FREE_OF_CHARGE]


def past(model: Model) -> list[Event]:
    """Everything up to the start of the demo, oldest first."""
    found = [
        event
        for role in earning()
        for number in range(role.installations)
        for event in _life(model, role, number)
    ]
    return sorted(found, key=lambda event: str(event["occurred_at"]))


def live(model: Model, slot: int) -> Event:
    """What happens in one slot of `LIVE_US` after the start."""
    roles = earning()
    role = roles[int(_chance(model, "live/role", slot) * len(roles))]
    number = int(_chance(model, "live/who", slot) * role.installations)
    at_us = slot * LIVE_US
    told = _event(model, role, number, f"live-{slot}", at_us)
    if _chance(model, "live/what", slot) < 0.75:
        amount = _PLANS[int(_chance(model, "live/plan", slot) * 3)][1]
        return {**told, "type": "invoice_paid", "invoice": f"in-live-{slot}",
                "amount": _amount(model, role, number, amount)}  # fmt: skip
    seats = 1 + int(_chance(model, "live/seats", slot) * 6)
    return {**told, "type": "subscription_changed", "quantity": seats}


def rates(anchor_us: int, days: int) -> Iterator[tuple[str, str, str]]:
    """Date, currency and rate of each of the last days."""
    last = anchor_us // DAY_US
    for day in range(last - days, last + 1):
        for currency, (middle, swing) in _RATES.items():
            line = wave(7, currency, np.array([day * DAY_US]), 30 * DAY_US)[0]
            yield _moment(day * DAY_US)[:10], currency, f"{middle + swing * (line - 0.5):.4f}"


def _life(model: Model, role: Role, number: int) -> Iterator[Event]:
    def chance(what: str) -> float:
        return _chance(model, f"{role.slug}/{what}", number)

    reach = 90 if chance("young") < _YOUNG_RATIO else _OLDEST_DAYS
    begun_us = model.anchor_us - int((1 + chance("age") * (reach - 1)) * DAY_US)
    lived = (model.anchor_us - begun_us) / DAY_US
    if chance("trial") < 0.6:
        yield _event(model, role, number, "trial", begun_us) | {"type": "trial_started"}
        begun_us += 14 * DAY_US
        if lived < 14 or chance("declined") < 0.25:
            return
    plan, amount = _PLANS[int(chance("plan") ** 1.4 * 3)]
    free = chance("free") < 0.12
    yearly = chance("yearly") < 0.2
    terms = {
        "plan": "free" if free else plan,
        "interval": "year" if yearly else "month",
        "quantity": 1 + int(chance("seats") * 5) if plan == "team" else 1,
        "amount": _amount(model, role, number, 0 if free else amount * (10 if yearly else 1)),
        "platform_share_ratio": _SHARE,
    }
    yield _event(model, role, number, "start", begun_us) | terms | {"type": "subscription_started"}
    ends_us = begun_us + int((20 + chance("until") * 500) * DAY_US)
    for name, kind, likely, more in (
        ("upgrade", "subscription_changed", 0.25, {"quantity": 2 + int(chance("more") * 6)}),
        ("pause", "subscription_paused", 0.05, {}),
        ("end", "subscription_cancelled", 0.45, {}),
    ):
        at_us = ends_us if name == "end" else begun_us + int(chance(f"{name}/at") * 300 * DAY_US)
        if chance(name) < likely and at_us < min(model.anchor_us, ends_us + 1):
            yield _event(model, role, number, name, at_us) | {"type": kind, **more}
    if not free:
        yield from _payments(model, role, number, begun_us, min(ends_us, model.anchor_us))


def _payments(
    model: Model, role: Role, number: int, begun_us: int, ends_us: int
) -> Iterator[Event]:
    amount = _PLANS[int(_chance(model, f"{role.slug}/plan", number) ** 1.4 * 3)][1]
    for month in range((ends_us - begun_us) // (30 * DAY_US) + 1):
        at_us = begun_us + month * 30 * DAY_US
        if at_us >= ends_us:
            return
        luck = _chance(model, f"{role.slug}/luck/{month}", number)
        kind = "invoice_failed" if luck < 0.03 else "invoice_paid"
        told = _event(model, role, number, f"invoice-{month}", at_us)
        paid = {"amount": _amount(model, role, number, amount), "invoice": f"in-{told['id']}"}
        yield told | paid | {"type": kind}
        if luck > 0.98 and at_us + 2 * DAY_US < ends_us:
            back = _event(model, role, number, f"refund-{month}", at_us + 2 * DAY_US)
            yield back | paid | {"type": "invoice_refunded"}


def _event(model: Model, role: Role, number: int, what: str, at_us: int) -> Event:
    return {
        "id": f"bill-{number:03d}-{what}",
        "integration": role.slug,
        "installation": names.installation(role, number),
        "customer": names.customer(role, number),
        "subscription": f"sub-{role.slug.split('-')[0]}-{number:03d}",
        "occurred_at": _moment(at_us),
    }


def _amount(model: Model, role: Role, number: int, amount_minor: int) -> Event:
    luck = _chance(model, f"{role.slug}/currency", number)
    currency = "EUR" if luck < 0.16 else "GBP" if luck < 0.22 else "USD"
    return {"amount_minor": amount_minor, "currency": currency}


def _moment(at_us: int) -> str:
    return datetime.fromtimestamp(at_us // SECOND_US, UTC).isoformat()


def _chance(model: Model, name: str, number: int) -> float:
    return float(hashed(model.seed, f"bill/{name}", np.array([number], dtype=np.int64))[0])
