"""What is folded event by event is what folding all of them gives, on both databases."""

import random
from datetime import date
from itertools import count

import pytest
from sqlalchemy import Engine, delete, select, update

from app import db
from app.commands.billing import take
from app.commands.lifecycle import record
from app.commands.recompute import end_what_ended, forget, recompute
from app.domain.scope import Role, Scope
from app.domain.window import DAY_US
from app.models import BilledEvent, Integration, PaymentDay, RevenueStep, Subscription
from tests.app.billing_worlds import DAY_0, bill, changed, moment, started
from tests.app.web_world import integration, partner

EVERYTHING = Scope(Role.ECOSYSTEM, None)
NOW_US = 1_763_646_432_500_000
EPOCH = date(1970, 1, 1).toordinal()
TABLES = (Subscription, RevenueStep, PaymentDay)


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with db.transaction(engine) as session:
        globex = partner("globex", "Globex")
        session.add(globex)
        session.flush()
        session.add(integration(globex, "globex-issues"))
        session.add(integration(globex, "globex-chat"))
    return engine


def told(engine: Engine, events: list[dict], now_us: int = NOW_US):
    with db.transaction(engine) as session:
        return take(session, EVERYTHING, events, now_us=now_us)


def kept(engine: Engine) -> list[list[tuple]]:
    """Every row that was folded."""
    with db.reading(engine) as session:
        return [
            sorted(map(tuple, session.execute(select(*table.__table__.columns))), key=repr)
            for table in TABLES
        ]


def random_events(chance: random.Random, number: int) -> list[dict]:
    kinds = ("trial_started", "subscription_started", "subscription_changed", "invoice_paid",
             "subscription_paused", "subscription_resumed", "subscription_cancelled",
             "invoice_refunded", "usage_charged", "invoice_failed")  # fmt: skip
    found = []
    for _ in range(number):
        kind, place = chance.choice(kinds), chance.randrange(6)
        more: dict = {"customer": chance.choice((None, "cust-a", "cust-b"))}
        if kind not in kinds[4:7]:
            more |= {"amount": chance.choice((0, 990, 4900)), "plan": chance.choice("abc"),
                     "currency": chance.choice(("USD", "EUR"))}  # fmt: skip
        if chance.random() < 0.3:
            more["platform_share_ratio"] = chance.choice((0.1, 0.3))
        if kind.startswith("invoice") and chance.random() < 0.5:
            more["invoice"] = f"in-{chance.randrange(4)}"
        if kind in kinds[:3] and chance.random() < 0.2:
            more["ends_at"] = moment(40)
        event = bill(kind, chance.randrange(18), f"sub-{place}", **more)
        found.append({**event, "integration": chance.choice(("globex-issues", "globex-chat"))})
    return found


@pytest.mark.parametrize("seed", range(2))
def test_event_by_event_in_any_order_is_all_at_once(filled: Engine, seed: int) -> None:
    chance = random.Random(seed)
    events = random_events(chance, 60)
    assert told(filled, events).accepted == 60
    whole = kept(filled)
    assert all(whole)
    assert recompute(filled, NOW_US).mended == 0
    with db.transaction(filled) as session:
        forget(session)
        session.execute(delete(BilledEvent))
    sizes = iter(lambda: chance.randint(1, 7), 0)
    # The order of receipt decides between what contradicts itself, so it is kept; the pieces vary.
    start = 0
    while start < len(events):
        size = next(sizes)
        told(filled, [*events[start : start + size], *chance.sample(events[:start], min(start, 2))])
        start += size
    assert kept(filled) == whole
    assert recompute(filled, NOW_US).mended == 0


def test_events_that_do_not_contradict_each_other_may_come_in_any_order(filled: Engine) -> None:
    chance = random.Random(7)
    seen = set()
    events = []
    for event in random_events(chance, 36):
        key = (event["integration"], event["subscription"], event["type"], event["occurred_at"])
        if key not in seen:
            seen.add(key)
            events.append(event)
    told(filled, events)
    whole = kept(filled)
    with db.transaction(filled) as session:
        forget(session)
        session.execute(delete(BilledEvent))
    chance.shuffle(events)
    for event in events:
        told(filled, [event])
    assert kept(filled) == whole


def test_a_recompute_mends_what_is_not_as_the_events_say(filled: Engine) -> None:
    told(filled, random_events(random.Random(1), 60))
    whole = kept(filled)
    with db.transaction(filled) as session:
        session.execute(update(RevenueStep).values(after_minor=RevenueStep.after_minor + 1))
        session.execute(update(BilledEvent).where(BilledEvent.payment).values(share_minor=-1))
        session.execute(update(Subscription).values(plan="wrong"))
        session.execute(delete(PaymentDay))
    assert recompute(filled, NOW_US).mended > 0
    assert kept(filled)[:2] == whole[:2]
    with db.transaction(filled) as session:
        forget(session)
    assert recompute(filled, NOW_US).mended > 0
    assert kept(filled)[:2] == whole[:2]
    assert recompute(filled, NOW_US).mended == 0


def test_what_ends_by_itself_has_ended_when_its_time_has_come(filled: Engine) -> None:
    told(filled, [started(1, ends_at=moment(30))])
    with db.reading(filled) as session:
        assert session.scalars(select(Subscription.status)).all() == ["active"]
    assert end_what_ended(filled, NOW_US) == 0
    later_us = NOW_US + 20 * DAY_US
    assert end_what_ended(filled, later_us) == 1
    assert end_what_ended(filled, later_us) == 0
    with db.reading(filled) as session:
        row = session.scalars(select(Subscription)).one()
        assert (row.status, row.mrr_minor, row.ends_us) == ("expired", 0, None)
        steps = session.scalars(select(RevenueStep.kind).order_by(RevenueStep.day)).all()
    assert steps == ["new", "churn"]
    told(filled, [changed(29, ends_at=moment(60))], later_us)
    with db.reading(filled) as session:
        assert session.scalars(select(Subscription.status)).all() == ["active"], "it was renewed"


def test_two_installations_of_one_customer_are_one_account(filled: Engine) -> None:
    told(filled, [started(1, "sub-1", customer="acme"), started(2, "sub-2", customer=None)])
    assert accounts(filled) == ["c:acme", "i:inst-2"]
    told(filled, [changed(3, "sub-2", customer="acme", amount=9900)])
    assert accounts(filled) == ["c:acme"]
    with db.reading(filled) as session:
        kinds = session.scalars(select(RevenueStep.kind).order_by(RevenueStep.day)).all()
    assert kinds == ["new", "expansion", "expansion"], "the second one is no new customer"


def accounts(engine: Engine) -> list[str]:
    with db.reading(engine) as session:
        return sorted(set(session.scalars(select(RevenueStep.account))))


def test_ids_belong_to_an_integration(filled: Engine) -> None:
    one = started(1)
    other = {**one, "integration": "globex-chat"}
    assert told(filled, [one, other]).accepted == 2
    assert told(filled, [one, other]).duplicates == 2


def test_many_subscriptions_are_taken_at_once(filled: Engine) -> None:
    numbers = count()
    events = [started(next(numbers) % 18, f"sub-{place}") for place in range(1000)]
    assert told(filled, events).accepted == 1000
    with db.reading(filled) as session:
        assert len(session.scalars(select(Subscription.external_id)).all()) == 1000
        assert session.scalar(select(Integration.slug).join(BilledEvent).limit(1))


def lived(engine: Engine, step: str, day: float, installation: str = "inst-1", **more) -> None:
    """Tell a step of the life of an installation."""
    event = {
        "id": f"evt-{installation}-{step}-{day}", "integration": "globex-issues",
        "installation": installation, "step": step, "occurred_at": moment(day), **more,
    }  # fmt: skip
    with db.transaction(engine) as session:
        assert record(session, [event], now_us=NOW_US).accepted == 1


def moved(engine: Engine) -> list[tuple[str, int]]:
    with db.reading(engine) as session:
        rows = session.execute(
            select(RevenueStep.kind, RevenueStep.day).order_by(RevenueStep.day)
        ).all()
    return [(kind.value, day - DAY_0.toordinal() + EPOCH) for kind, day in rows]


def test_what_is_uninstalled_is_paid_for_no_more_whoever_tells_first(filled: Engine) -> None:
    lived(filled, "uninstalled", 5)
    told(filled, [started(1)])
    assert moved(filled) == [("new", 1), ("churn", 5)]
    lived(filled, "reinstalled", 8)
    lived(filled, "suspended", 10)
    assert moved(filled) == [("new", 1), ("churn", 5), ("reactivation", 8), ("churn", 10)]
    lived(filled, "resumed", 9)
    assert len(moved(filled)) == 4, "what came before the suspension does not end it"
    lived(filled, "resumed", 12)
    assert moved(filled)[-1] == ("reactivation", 12)
    assert recompute(filled, NOW_US).mended == 0


def test_a_customer_that_is_told_by_lifecycle_alone_owns_what_is_paid(filled: Engine) -> None:
    told(filled, [started(1, customer=None), started(2, "sub-2", customer="acme")])
    assert accounts(filled) == ["c:acme", "i:inst-1"]
    lived(filled, "started", 1, customer="acme")
    assert accounts(filled) == ["c:acme"]
    assert recompute(filled, NOW_US).mended == 0
