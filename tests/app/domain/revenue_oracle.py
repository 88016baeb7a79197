"""Revenue by brute force: every subscription asked anew at the end of every day.

It shares no rule with `app.domain`: events are replayed one by one up to each moment, MRR is an
exact fraction, and every number is counted from a table of days, accounts and currencies.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

DAY_US = 86_400_000_000
KINDS = ("new", "expansion", "contraction", "churn", "reactivation")
ORDER = (
    "trial_started", "subscription_started", "subscription_changed", "subscription_paused",
    "subscription_resumed", "subscription_cancelled",
)  # fmt: skip
A_MONTH = {
    "day": Fraction(365, 12), "week": Fraction(52, 12), "month": Fraction(1),
    "year": Fraction(1, 12),
}  # fmt: skip


@dataclass
class Event:
    """One event of a subscription, as it was received."""

    number: int
    type: str
    at_us: int
    told: dict = field(default_factory=dict)


@dataclass
class History:
    """Subscriptions of one account: their events, and when each's installation was away."""

    subscriptions: dict[str, list[Event]]
    away: dict[str, list[tuple[int, int | None]]]
    until_day: int


def state(events: Iterable[Event], at_us: int) -> dict:
    """How a subscription stands at a moment."""
    it = {"status": None, "quantity": 1, "every": 1, "amount": 0, "discount": Fraction(0),
          "interval": "month", "currency": None, "ends": None, "before": "active",
          "anchor": 0}  # fmt: skip
    heard: dict = {}
    for event in events:
        kept = heard.get((event.at_us, event.type))
        if kept is None or kept.number < event.number:
            heard[event.at_us, event.type] = event
    for (when, _), event in sorted(
        heard.items(), key=lambda pair: (pair[0][0], ORDER.index(pair[0][1]))
    ):
        if when > at_us:
            break
        if it["ends"] is not None and it["ends"] < when and alive(it):
            it.update(status="expired", ends=None)
        apply(it, event)
    if it["ends"] is not None and it["ends"] <= at_us and alive(it):
        it.update(status="expired", ends=None)
    return it


def alive(it: dict) -> bool:
    return it["status"] in ("trialing", "active", "paused")


def apply(it: dict, event: Event) -> None:  # noqa: C901 - one branch for each type
    told, kind = event.told, event.type
    if kind == "trial_started":
        if it["status"] not in ("active", "paused"):
            begin(it, event, "trialing")
    elif kind == "subscription_started":
        begin(it, event, "active")
    elif kind == "subscription_cancelled":
        if it["status"] is None:
            begin(it, event, "cancelled")
        it.update(status="cancelled", ends=None)
    elif it["status"] is None:
        begin(it, event, "active")
        if kind == "subscription_paused":
            it.update(status="paused", before="active")
    elif kind == "subscription_changed" and it["status"] != "cancelled":
        before = it["interval"], it["every"]
        it.update({name: told[name] for name in told if name != "ends"})
        if before != (it["interval"], it["every"]):
            it["anchor"] = event.at_us
        if "ends" in told:
            it["ends"] = told["ends"]
            if it["status"] == "expired":
                it.update(status="active", anchor=event.at_us)
    elif kind == "subscription_paused" and it["status"] in ("trialing", "active"):
        it.update(before=it["status"], status="paused")
    elif kind == "subscription_resumed":
        if it["status"] == "paused":
            it["status"] = it["before"]
        elif not alive(it):
            it.update(status="active", anchor=event.at_us)
        if "ends" in told:
            it["ends"] = told["ends"]


def begin(it: dict, event: Event, status: str) -> None:
    it.update(status=status, ends=None, discount=Fraction(0), quantity=1, every=1)
    it.update(event.told, anchor=event.at_us)


def worth(it: dict) -> int:
    exact = it["amount"] * it["quantity"] * (1 - it["discount"]) * A_MONTH[it["interval"]]
    return round(exact / it["every"])


@dataclass
class Table:
    """What an account pays by day (its end) and currency, and whether it is active."""

    paid: list[dict[str, int]]
    active: list[bool]
    #: How often it is due, in months and since which day; 0: within a month.
    due: list[tuple[int, int]]


def table(history: History) -> Table:
    paid, active, due = [], [], []
    for day in range(history.until_day):
        end = (day + 1) * DAY_US - 1
        amounts: dict[str, int] = defaultdict(int)
        lives, cycles = False, []
        for name, events in history.subscriptions.items():
            it = state(events, end)
            gone = any(
                start <= end and (stop is None or end < stop)
                for start, stop in history.away.get(name, ())
            )
            if it["status"] != "active" or gone:
                continue
            lives = True
            if worth(it):
                amounts[it["currency"]] += worth(it)
                months = round(it["every"] / A_MONTH[it["interval"]])
                anchor = it["anchor"] // DAY_US
                cycles.append((months, anchor) if months > 1 else (0, 0))
        paid.append(dict(amounts))
        active.append(lives)
        due.append(min(cycles, default=(0, 0)))
    return Table(paid, active, due)


def movements(account: Table, day: int) -> list[tuple[str, str, int]]:
    """Kind, currency and size of what changed from the end of the day before."""
    before = account.paid[day - 1] if day else {}
    after = account.paid[day]
    had_paid = any(account.paid[:day])
    was_active = day > 0 and account.active[day - 1]
    found = []
    for currency in {*before, *after}:
        old, new = before.get(currency, 0), after.get(currency, 0)
        if new > old:
            if before:
                kind = "expansion"
            elif not had_paid:
                kind = "new"
            else:
                kind = "expansion" if was_active else "reactivation"
            found.append((kind, currency, new - old))
        elif new < old:
            kind = "contraction" if account.active[day] else "churn"
            found.append((kind, currency, old - new))
    return found


def is_due(cycle: tuple[int, int], first: int, end: int) -> bool:
    """Whether one of the days from `first` is a renewal, asked of each."""
    months, anchor = cycle
    if not months:
        return True
    start = date(1970, 1, 1) + timedelta(days=anchor)
    for day in range(max(first, anchor + 1), end):
        on = date(1970, 1, 1) + timedelta(days=day)
        passed = (on.year - start.year) * 12 + on.month - start.month
        last = (on.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        if passed > 0 and passed % months == 0 and on.day == min(start.day, last.day):
            return True
    return False


def figures(accounts: Sequence[Table], first: int, end: int, rates: dict[str, Fraction]) -> dict:
    """Numerators and denominators of the ratios over some days."""
    opened = kept = held = Fraction(0)
    lost = could = 0
    shrunk = base = Fraction(0)
    customers = 0
    for account in accounts:
        before = account.paid[first - 1] if first else {}
        after = account.paid[end - 1]
        customers += bool(after)
        if not before:
            continue
        old = sum(amount * rates[name] for name, amount in before.items())
        new = sum(amount * rates[name] for name, amount in after.items())
        opened, kept, held = opened + old, kept + min(old, new), held + new
        gone = not after and not account.active[end - 1]
        due = is_due(account.due[first - 1], first, end)
        if due or gone:
            could, lost = could + 1, lost + gone
        if due or new < old:
            base, shrunk = base + old, shrunk + max(old - new, Fraction(0))
    return {
        "grr": (round(kept), round(opened)), "nrr": (round(held), round(opened)),
        "logo_churn": (lost, could), "revenue_churn": (round(shrunk), round(base)),
        "customers": customers,
    }  # fmt: skip


def random_history(chance: random.Random, until_day: int = 130) -> History:
    """Some subscriptions of one account, with whatever may be told of them."""
    numbers = iter(range(10_000))
    subscriptions, away = {}, {}
    for place in range(chance.choice((1, 1, 1, 2, 3))):
        name = f"sub-{place}"
        events = [random_event(chance, next(numbers), until_day)
                  for _ in range(chance.randint(1, 7))]  # fmt: skip
        if chance.random() < 0.8:
            first = min(event.at_us for event in events)
            events.append(Event(next(numbers), "subscription_started", first, random_terms(chance)))
        chance.shuffle(events)
        subscriptions[name] = events
        if chance.random() < 0.3:
            start = chance.randrange(until_day * DAY_US)
            back = chance.choice((None, start + chance.randrange(1, 20 * DAY_US)))
            away[name] = [(start, back)]
    return History(subscriptions, away, until_day)


def random_event(chance: random.Random, number: int, until_day: int) -> Event:
    kind = chance.choice((*ORDER, "subscription_changed", "subscription_changed"))
    # Few moments, so that some of them meet.
    at_us = chance.randrange(until_day * 3) * DAY_US // 3
    told = random_terms(chance) if kind in ORDER[:3] else {}
    if kind == "subscription_changed":
        told = {name: value for name, value in told.items() if chance.random() < 0.5}
        if "amount" in told or "currency" in told:
            told = {**random_terms(chance), **told}
    if kind in ORDER[:3] and chance.random() < 0.15:
        told["ends"] = at_us + chance.randrange(1, 60 * DAY_US)
    return Event(number, kind, at_us, told)


def random_terms(chance: random.Random) -> dict:
    return {
        "amount": chance.choice((0, 1, 990, 4900, 9999, 58_800, 123_457)),
        "currency": chance.choice(("USD", "USD", "EUR", "JPY")),
        "interval": chance.choice(("month", "month", "year", "week", "day")),
        "every": chance.choice((1, 1, 1, 3)),
        "quantity": chance.choice((0, 1, 1, 3)),
        "discount": chance.choice((Fraction(0), Fraction(0), Fraction(1, 10), Fraction(1))),
    }
