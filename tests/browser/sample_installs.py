"""What the platform tells of the installs of the sample's first integration, over ten weeks."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import Engine

from app.commands.lifecycle import record
from app.commands.reconcile import reconcile
from app.db import transaction
from app.domain.window import DAY_US, HOUR_US, MINUTE_US
from app.store.port import MetricsStore

SLUG = "globex-issues"
_STEPS = ("started", "redirected", "authorized", "verified", "activated")
_SOURCES = ("directory", "docs", "campaign")
_PLANS = ("free", "pro", "team")
_REASONS = ("too many notifications", "moved to another tool", "trial ended", None)


def install(engine: Engine, now_us: int, installs: int = 150) -> None:
    """Tell it; the last six hours' installs stand still before they are verified."""
    events = [each for number in range(installs) for each in _life(number, now_us)]
    with transaction(engine) as session:
        told = record(session, events, now_us=now_us)
    assert not told.rejected, told.rejected


def compare(engine: Engine, store: MetricsStore, now_us: int) -> None:
    """Find what platform, wire and billing disagree about; once the traffic is there."""
    reconcile(engine, store, now_us, whole=True)


def _life(number: int, now_us: int) -> Iterator[dict]:
    chance = random.Random(1000 + number)
    at_us = now_us - int(chance.random() ** 1.4 * 70 * DAY_US) - HOUR_US
    plan, source = chance.choice(_PLANS), chance.choices(_SOURCES, (6, 3, 2))[0]

    def told(step: str, reason: str | None = None) -> dict:
        return {
            "id": f"{number}-{step}", "integration": SLUG, "installation": f"inst-{number}",
            "customer": f"cust-{number}", "step": step, "plan": plan, "source": source,
            "occurred_at": datetime.fromtimestamp(at_us / 1_000_000, UTC).isoformat(),
            **({"reason": reason} if reason else {}),
        }  # fmt: skip

    for step in _STEPS:
        stands = step == "verified" and now_us - at_us < 30 * HOUR_US
        if at_us > now_us or stands or (step != "started" and chance.random() < 0.09):
            return
        yield told(step)
        at_us += int(chance.lognormvariate(2.2, 1.3) * MINUTE_US)
    at_us += int(chance.expovariate(1 / 60) * DAY_US)
    if at_us < now_us:
        yield told("uninstalled", chance.choice(_REASONS))
