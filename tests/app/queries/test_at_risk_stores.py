"""What those at risk pay, read from both databases: of one integration and of several."""

from types import SimpleNamespace

import numpy as np
import pytest
from sqlalchemy import Engine

from app import db, queries
from app.commands.billing import take
from app.domain.scope import Role, Scope
from app.domain.window import DAY_US, Window
from app.queries import Reading
from app.store.day_counts import DayCounts
from tests.app.billing_worlds import DAY_0, started
from tests.app.web_world import SLUGS, integration, partner

EVERYTHING = Scope(Role.ECOSYSTEM, None)
NOW_US = int(DAY_0.timestamp()) * 1_000_000 + 20 * DAY_US
WEEK = Window(NOW_US - 7 * DAY_US, NOW_US)
PAYERS = 1_500


@pytest.fixture
def paid(engine: Engine) -> Engine:
    """Two integrations that as many pay for, each in two currencies."""
    with db.transaction(engine) as session:
        globex = partner("globex", "Globex")
        session.add(globex)
        session.flush()
        session.add_all(integration(globex, slug) for slug in SLUGS[:2])
        session.flush()
        for slug in SLUGS[:2]:
            events = [
                started(n % 9, f"sub-{n}", 100, integration=slug,
                        **({"currency": "EUR"} if n % 3 == 0 else {}))
                for n in range(PAYERS)
            ]  # fmt: skip
            for at in range(0, PAYERS, 500):
                done = take(session, EVERYTHING, events[at : at + 500], now_us=NOW_US)
                assert done.rejected == ()
    return engine


def met(*slugs: str) -> SimpleNamespace:
    """Of every second payer, and of one that no registry can name, half of what crossed failed."""
    names = [*(f"inst-{n}" for n in range(0, PAYERS, 2)), "nobody", "no\0body"]
    size = len(names) * len(slugs)
    forty, none = np.full(size, 20, np.int32), np.zeros(size, np.int32)
    told = DayCounts(
        slugs,
        np.repeat(np.arange(len(slugs), dtype=np.int32), len(names)),
        tuple(names) * len(slugs),
        ("",) * size,
        np.arange(size, dtype=np.int32),
        np.full(size, NOW_US // DAY_US - 1, np.int32),
        {"good": forty, "bad": forty, "partner_faults": forty, "network_faults": none},
    )
    return SimpleNamespace(day_counts=lambda *_, **__: told)


@pytest.mark.parametrize("asked", [SLUGS[:1], SLUGS[:2]], ids=["one", "several"])
def test_what_many_pay_is_added_up(paid, asked):
    reading = Reading(paid, met(*asked), lambda: NOW_US)
    if len(asked) == 1:
        found = {SLUGS[0]: queries.at_risk(reading, EVERYTHING, SLUGS[0], WEEK)}
    else:
        found = queries.at_risk_of_all(reading, EVERYTHING, WEEK)
    for slug in asked:
        risk = found[slug]
        assert (risk.currency, risk.installations) == ("USD", PAYERS // 2)
        assert risk.at_risk_minor == 100 * PAYERS // 2 * 2 // 3, "every third pays in euros"
        assert risk.unconverted == ("EUR",)
