"""Accounts at both ends of a period, counted by the database, against each read by itself."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable

import pytest
from sqlalchemy import Engine, select

from app import db
from app.commands.billing import take
from app.domain.retention import Days, Holding
from app.domain.revenue import Movement, Step
from app.domain.scope import Role, Scope
from app.models import Integration, RevenueStep, Subscription
from app.queries import revenue_rows
from tests.app.billing_worlds import DAY_0, bill
from tests.app.domain.revenue_checks import day_of, holding
from tests.app.web_world import integration, partner

EVERYTHING = Scope(Role.ECOSYSTEM, None)
KINDS = (
    "trial_started", "subscription_started", "subscription_changed", "subscription_paused",
    "subscription_resumed", "subscription_cancelled",
)  # fmt: skip
FIRST = day_of(DAY_0.date().isoformat())
NOW_US = (FIRST + 400) * 86_400_000_000
SPANS = [(0, 1), (0, 30), (5, 12), (11, 14), (10, 40), (39, 40), (0, 400), (60, 61)]


def history(chance: random.Random, account: int) -> Iterable[dict]:
    """Most pay in one currency; one in five in any."""
    currencies = ("USD", "EUR", "SEK") if account % 5 == 0 else (chance.choice(("USD", "EUR")),)
    for _ in range(chance.randrange(1, 7)):
        kind = chance.choice(KINDS)
        more: dict = {}
        if kind in KINDS[:3] and chance.random() < 0.9:
            more = {
                "amount": chance.choice((0, 990, 4900)), "currency": chance.choice(currencies),
                "plan": "pro", "interval": chance.choice(("month", "year")),
            }  # fmt: skip
        elif kind == "subscription_started":
            more = {"amount": 0, "currency": chance.choice(currencies)}
        place = f"{account}-{chance.randrange(2)}"
        yield bill(kind, chance.randrange(40), f"sub-{place}", customer=f"cust-{account}", **more)


def steps(connection) -> dict[str, list[Step]]:
    table = RevenueStep
    found = defaultdict(list)
    for account, *row in connection.execute(
        select(
            table.account, table.currency, table.day, table.until_day, table.before_minor,
            table.after_minor, table.kind, table.active, table.cycle, table.anchor_day,
        )
    ):  # fmt: skip
        found[account].append(Step(*row))
    return found


def counted(holdings: Iterable[Holding]) -> Counter:
    """Those who pay at an end, by all that retention looks at."""
    found: Counter = Counter()
    for each in holdings:
        opening = {name: amount for name, amount in each.opening.items() if amount}
        closing = {name: amount for name, amount in each.closing.items() if amount}
        stays = each.stays or bool(closing)
        due = (each.cycle, each.anchor_day if each.cycle else 0) if opening else (0, 0)
        if opening or closing:
            key = (frozenset(opening.items()), frozenset(closing.items()), stays, due)
            found[key] += each.number
    return found


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with db.transaction(engine) as session:
        globex = partner("globex", "Globex")
        session.add(globex)
        session.flush()
        session.add(integration(globex, "globex-issues"))
    return engine


@pytest.mark.parametrize("seed", range(2))
def test_accounts_counted_together_are_those_that_are_read_one_by_one(filled, seed):
    chance = random.Random(seed)
    events = [event for account in range(60) for event in history(chance, account)]
    with db.transaction(filled) as session:
        assert take(session, EVERYTHING, events, now_us=NOW_US).rejected == ()
    with db.looking_up(filled) as connection:
        number = connection.scalar(select(Integration.id))
        known = steps(connection)
        kinds = {step.kind for its in known.values() for step in its}
        assert kinds >= {Movement.NEW, Movement.CONTRACTION, Movement.CHURN, Movement.STILL}
        for first, end in SPANS:
            days = Days(FIRST + first, FIRST + end)
            each = counted(holding(its, days) for its in known.values())
            assert counted(revenue_rows.holdings(connection, number, days)) == each, days


@pytest.mark.parametrize("seed", range(2))
def test_trials_that_converted_are_counted_like_one_by_one(filled, seed):
    chance = random.Random(seed)
    events = [event for account in range(60) for event in history(chance, account)]
    with db.transaction(filled) as session:
        take(session, EVERYTHING, events, now_us=NOW_US)
    with db.looking_up(filled) as connection:
        number = connection.scalar(select(Integration.id))
        table = Subscription
        rows = connection.execute(select(table.account, table.trial_us, table.paid_us)).all()
        for first, end in SPANS:
            days = Days(FIRST + first, FIRST + end)
            began: dict[str, int] = {}
            for account, trial_us, _ in rows:
                if trial_us and days.first <= trial_us // 86_400_000_000 < days.end:
                    began[account] = min(trial_us, began.get(account, trial_us))
            won = {name for name, _, paid_us in rows if (paid_us or 0) >= began.get(name, NOW_US)}
            found = revenue_rows.trial_conversion(connection, number, days)
            terms = (found.numerator, found.denominator) if found else (0, 0)
            assert terms == (len(won), len(began)), days
