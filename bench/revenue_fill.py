"""A registry with three years of billing, filled once in a throw-away folder."""

import sqlite3
from pathlib import Path

import numpy as np

from app.db import registry_engine, transaction
from app.domain.funnel import NOTHING
from app.domain.window import DAY_US, HOUR_US
from app.migrations import migrate_registry
from app.models import ExchangeRate, Integration, Partner
from app.models.facts import pack

INTEGRATIONS, INSTALLATIONS, DAYS = 200, 100_000, 3 * 365
END_DAY = 20_600
_PRICES = np.array([0, 900, 2900, 7900, 34_800])
_COLUMNS = (
    "integration_id, event_id, type, payment, subscription, installation, customer, occurred_us,"
    " plan, interval, every, quantity, amount_minor, currency, discount_ppm, share_ppm, ends_us,"
    " invoice, received_us, stands, total_minor, share_minor"
)
_INSTALLED = (
    "INSERT INTO installations (integration_id, external_id, customer, state, plan, source,"
    " entered_us, activated_us, uninstalled_us, last_us, created_us, updated_us, facts)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_SOURCES = ("directory", "search", "partner", "ad", None)
_NO_FACTS = pack(NOTHING)
Row = tuple[object, ...]


def fill(path: Path) -> int:
    """Make the registry at `path`; how many events it has."""
    url = f"sqlite:///{path}"
    if not path.exists():
        migrate_registry(url)
        engine = registry_engine(url)
        with transaction(engine) as session:
            _integrations(session)
        engine.dispose()
        _events(path)
    with sqlite3.connect(path) as database:
        return int(database.execute("SELECT count(*) FROM billing_events").fetchone()[0])


def _integrations(session) -> None:
    session.add_all(
        Partner(id=number + 1, slug=f"p-{number:03d}", name="P", created_us=0, updated_us=0)
        for number in range(INTEGRATIONS)
    )
    session.flush()
    session.add_all(
        Integration(
            id=number + 1, partner_id=number + 1, slug=f"int-{number:03d}", name="I",
            visibility="public", category=f"kind-{number % 12}", allow_private_addresses=False,
            connect_ms=1, first_byte_ms=1, idle_ms=1, total_ms=1, body_bytes=1, created_us=0,
            updated_us=0,
        )
        for number in range(INTEGRATIONS)
    )  # fmt: skip
    session.add_all(
        ExchangeRate(base="EUR", currency=name, day=END_DAY - back, value=value)
        for back in range(DAYS)
        for name, value in (("USD", "1.0823"), ("GBP", "0.8412"))
    )


def _events(path: Path) -> None:
    chance = np.random.default_rng(7)
    # A few integrations have most of the installations, as in a directory.
    weights = 1 / np.arange(1, INTEGRATIONS + 1) ** 0.9
    owners = chance.choice(INTEGRATIONS, INSTALLATIONS, p=weights / weights.sum()) + 1
    begun = END_DAY - chance.integers(1, DAYS, INSTALLATIONS)
    lengths = np.minimum(chance.exponential(600, INSTALLATIONS).astype(int) + 5, END_DAY - begun)
    plans = chance.integers(0, len(_PRICES), INSTALLATIONS)
    money = chance.choice(["USD", "EUR", "GBP"], INSTALLATIONS, p=[0.75, 0.18, 0.07])
    ended = begun + lengths < END_DAY
    activated = chance.random(INSTALLATIONS) < 0.9
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA synchronous = OFF")
        marks = ", ".join("?" * 22)
        for start in range(0, INSTALLATIONS, 5_000):
            rows: list[Row] = []
            for number in range(start, start + 5_000):
                known = (int(owners[number]), number, int(begun[number]), int(lengths[number]))
                rows += _life(*known, int(plans[number]), str(money[number]), chance)
            statement = f"INSERT INTO billing_events ({_COLUMNS}) VALUES ({marks})"
            database.executemany(statement, rows)
        database.executemany(_INSTALLED, [
            _installed(*each) for each in zip(
                range(INSTALLATIONS), owners.tolist(), begun.tolist(), (begun + lengths).tolist(),
                plans.tolist(), ended.tolist(), activated.tolist(), strict=True,
            )
        ])  # fmt: skip
    database.close()


def _installed(
    number: int, owner: int, begun: int, end: int, plan: int, ended: bool, activated: bool
) -> Row:
    entered_us = begun * DAY_US
    return (
        owner, f"i-{number}", f"c-{number}",
        "uninstalled" if ended else "active" if activated else "installing", f"plan-{plan}",
        _SOURCES[number % len(_SOURCES)], entered_us,
        entered_us + (1 + number % 50) * HOUR_US if activated else None,
        end * DAY_US if ended else None, entered_us, entered_us, entered_us, _NO_FACTS,
    )  # fmt: skip


def _life(owner: int, number: int, begun: int, length: int, plan: int, money: str, chance):
    price, yearly = int(_PRICES[plan]), plan == 4
    marks = chance.random(6)

    def row(kind: str, day: float, amount: int | None, *, payment: bool = False) -> Row:
        total = amount if payment else None
        return (
            owner, f"b-{number}-{kind}-{day}", kind, payment, f"s-{number}", f"i-{number}",
            f"c-{number}", int(day * DAY_US), f"plan-{plan}", "year" if yearly else "month", 1, 1,
            amount, None if amount is None else money, 0, 200_000, None,
            f"in-{number}-{day}" if payment else None, 0, True, total,
            None if total is None else total // 5,
        )  # fmt: skip

    if marks[0] < 0.5:
        yield row("trial_started", max(begun - 14, 1), price)
    yield row("subscription_started", begun, price)
    for place, mark in enumerate(marks[1:4]):
        day = begun + int(mark * length) + 1
        if mark < 0.55 and day < begun + length:
            yield row("subscription_changed", day + place / 10, int(_PRICES[1 + place]))
    if marks[4] < 0.1 and length > 60:
        yield row("subscription_paused", begun + 30, None)
        yield row("subscription_resumed", begun + 45, None)
    if begun + length < END_DAY:
        yield row("subscription_cancelled", begun + length, None)
    if price:
        step = 365 if yearly else 30
        for day in range(begun, begun + length, step):
            yield row("invoice_paid", day, price, payment=True)
