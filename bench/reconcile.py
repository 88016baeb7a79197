"""How long platform, wire and billing take to be compared for 200,000 installations.

One registry and one metrics store, SQLite: 200 integrations of very different size (Zipf 0.8),
30 days of traffic for each installation, a third of them paying, 200 contradictions among them of
every kind. Compared whole, then again after 1,000 installations had new traffic and events.

    python -m bench.reconcile [installations]
"""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, func, insert, select, update

from app.commands.reconcile import Reconciled, reconcile
from app.db import reading, registry_engine, transaction
from app.domain.funnel import NOTHING
from app.domain.reconcile import Discrepancy
from app.domain.window import DAY_US, HOUR_US, MINUTE_US
from app.migrations import migrate_registry
from app.models import Installation, InstallationFinding, Integration, Partner, Subscription
from app.models.facts import pack
from app.store import schema
from app.store.activity import Activity
from app.store.open import open_store
from app.store.port import Batch, MetricsStore
from bench.common import report

INSTALLATIONS, INTEGRATIONS, DAYS, WRONG = 200_000, 200, 30, 200
WHOLE_TARGET_S = 10.0
NOW_US = 1_795_341_600_000_000
TODAY = NOW_US // DAY_US
_KINDS = tuple(Discrepancy)
Ints = NDArray[np.int64]


def fill(engine: Engine, store: MetricsStore, installations: int) -> Counter[str]:
    """Everything that the witnesses say; how many contradictions of each kind are in it."""
    weights = 1.0 / np.arange(1, INTEGRATIONS + 1) ** 0.8
    sizes = np.maximum((installations * weights / weights.sum()).astype(int), 10)
    wrong: Counter[str] = Counter()
    with transaction(engine) as session:
        partner = Partner(slug="bench", name="Bench", created_us=0, updated_us=0)
        session.add(partner)
        session.flush()
        for number in range(INTEGRATIONS):
            session.add(_integration(partner.id, f"integration-{number:03d}"))
    with reading(engine) as session:
        owners = session.execute(select(Integration.id, Integration.slug)).all()
    for number, (owner, slug) in enumerate(owners):
        kind = _KINDS[number % len(_KINDS)]
        wrong[kind] += WRONG // INTEGRATIONS
        _fill_one(engine, owner, int(sizes[number]), kind)
        for day in range(DAYS):
            store.append(Batch(activity=_traffic(slug, int(sizes[number]), day, kind)))
        store.fold(NOW_US)
    return wrong


def _integration(partner: int, slug: str) -> Integration:
    return Integration(
        partner_id=partner, slug=slug, name=slug, created_us=0, updated_us=0, visibility="public",
        category=None, allow_private_addresses=False, connect_ms=1, first_byte_ms=1, idle_ms=1,
        total_ms=1, body_bytes=1,
    )  # fmt: skip


def _fill_one(engine: Engine, owner: int, size: int, kind: Discrepancy) -> None:
    """Installation 0 is the one that is not as it should be; nobody told of it if it is a guest."""
    rows, paid = [], []
    for number in range(size):
        odd = number == 0
        if odd and kind is Discrepancy.CALLING_WITHOUT_INSTALL:
            continue
        gone = odd and kind.name.startswith("UNINSTALLED")
        rows.append(_row(owner, number, removed_us=NOW_US - 5 * DAY_US if gone else None))
        if odd and kind is Discrepancy.INSTALLED_TWICE:
            rows[-1] |= {"customer": f"customer-{owner}-1", "activated_us": NOW_US - 9 * DAY_US}
        if kind is Discrepancy.PAYING_BUT_SILENT if odd else number % 3 == 0:
            paid.append(_paid(owner, number))
    with transaction(engine) as session:
        session.connection().execute(insert(Installation), rows)
        session.connection().execute(insert(Subscription), paid)


def _row(owner: int, number: int, removed_us: int | None) -> dict[str, Any]:
    since_us = NOW_US - 60 * DAY_US
    return {
        "integration_id": owner, "external_id": f"installation-{number:06d}",
        "customer": f"customer-{owner}-{number}",
        "state": "uninstalled" if removed_us else "active", "entered_us": since_us,
        "activated_us": since_us, "uninstalled_us": removed_us, "last_us": since_us,
        "created_us": since_us, "updated_us": since_us, "facts": pack(NOTHING),
    }  # fmt: skip


def _paid(owner: int, number: int) -> dict[str, Any]:
    since_us = NOW_US - 50 * DAY_US
    name = f"installation-{number:06d}"
    return {
        "integration_id": owner, "external_id": f"subscription-{number}", "installation": name,
        "customer": None, "account": f"i:{name}", "status": "active", "plan": "pro",
        "interval": "month", "every": 1, "quantity": 1, "amount_minor": 4900, "currency": "USD",
        "discount_ppm": 0, "mrr_minor": 4900, "started_us": since_us, "paid_us": since_us,
        "anchor_us": since_us, "last_us": since_us,
    }  # fmt: skip


def _traffic(slug: str, size: int, day: int, kind: Discrepancy) -> Activity:
    """A fifth of the installations on an ordinary day, all of them on the first and the last: a
    webhook and calls each."""
    dice = np.random.default_rng((day, size))
    whole = day in (0, DAYS - 1)
    active = np.arange(1, size) if whole else np.unique(dice.integers(1, size, size // 5))
    both = np.concatenate((active, active)).astype(np.int32)
    webhook = np.repeat([1, 0], len(active)).astype(np.int8)
    good = np.ones(len(both), np.int32)
    odd = _odd(kind)
    who = np.concatenate((both, np.zeros(len(odd), np.int32)))
    webhook = np.concatenate((webhook, np.array([each == "webhook" for each in odd], np.int8)))
    well = kind is not Discrepancy.NEVER_ACKNOWLEDGED
    good = np.concatenate((good, np.full(len(odd), int(well), np.int32)))
    number = np.arange(DAYS)[day] - DAYS + 1
    at_us = NOW_US - HOUR_US + number * DAY_US
    if kind is Discrepancy.PAYING_BUT_SILENT and day > 5:
        keep = who > 0
        who, webhook, good = who[keep], webhook[keep], good[keep]
    counts = np.zeros((7, len(who)), np.int32)
    counts[0], counts[1], counts[2] = 1, good, 1 - good
    times = np.full((4, len(who)), at_us)
    times[2:] *= good
    names = tuple(f"installation-{each:06d}" for each in range(size))
    return Activity(
        (slug,), np.zeros(size, np.int32), names, ("",) * size, who, 1 - webhook, webhook,
        np.full(len(who), at_us // DAY_US, np.int32), counts, times,
    ).merged()  # fmt: skip


def _odd(kind: Discrepancy) -> tuple[str, ...]:
    """What crosses for the installation that is not as it should be."""
    if kind in (Discrepancy.NEVER_ACKNOWLEDGED, Discrepancy.ACKNOWLEDGED_NEVER_CALLED,
                Discrepancy.UNINSTALLED_STILL_RECEIVING):  # fmt: skip
        return ("webhook",)
    return ("call",)


def change(engine: Engine, store: MetricsStore, number: int, now_us: int) -> None:
    """New traffic of some and new events of others, spread over the integrations."""
    for place in range(INTEGRATIONS):
        slug = f"integration-{place:03d}"
        some = number // INTEGRATIONS
        names = tuple(f"installation-{each + 1:06d}" for each in range(some))
        counts = np.zeros((7, some), np.int32)
        counts[:2] = 1
        ones = np.ones(some, np.int8)
        store.append(
            Batch(
                activity=Activity(
                    (slug,), np.zeros(some, np.int32), names, ("",) * some,
                    np.arange(some, dtype=np.int32), ones, ones - 1,
                    np.full(some, now_us // DAY_US, np.int32), counts,
                    np.full((4, some), now_us),
                )
            )
        )  # fmt: skip
    with transaction(engine) as session:
        session.execute(
            update(Installation).where(Installation.id % 200 == 0).values(updated_us=now_us)
        )


def timed(name: str, engine: Engine, store: MetricsStore, now_us: int) -> dict[str, Any]:
    """One comparison as a row of the table."""
    begun_s, cpu_s = time.perf_counter(), time.process_time()
    done: Reconciled = reconcile(engine, store, now_us)
    return {
        "compared": name,
        "seconds": round(time.perf_counter() - begun_s, 2),
        "cpu_seconds": round(time.process_time() - cpu_s, 2),
        "judged": done.judged,
        "opened": done.opened,
        "closed": done.closed,
    }


def main() -> None:
    installations = int(sys.argv[1]) if len(sys.argv) > 1 else INSTALLATIONS
    with tempfile.TemporaryDirectory() as folder:
        urls = [f"sqlite:///{Path(folder)}/{name}.db" for name in ("registry", "metrics")]
        migrate_registry(urls[0])
        schema.migrate(urls[1])
        engine, store = registry_engine(urls[0]), open_store(urls[1])
        begun_s = time.perf_counter()
        wrong = fill(engine, store, installations)
        filled_s = time.perf_counter() - begun_s
        rows = [timed("everything", engine, store, NOW_US)]
        change(engine, store, 1_000, NOW_US + MINUTE_US)
        rows.append(timed("what changed", engine, store, NOW_US + 2 * MINUTE_US))
        rows.append(timed("nothing new", engine, store, NOW_US + 40 * MINUTE_US))
        with reading(engine) as session:
            statement = select(InstallationFinding.kind, func.count()).where(
                InstallationFinding.closed_us.is_(None)
            )
            kinds = session.execute(statement.group_by(InstallationFinding.kind)).all()
            found = Counter({row[0]: row[1] for row in kinds})
            total = session.scalar(select(func.count()).select_from(Installation))
        store.close()
        engine.dispose()
    assert found == wrong, f"found {found}, put in {wrong}"
    report(
        "reconcile",
        rows,
        {
            "installations": total,
            "contradictions_put_in_and_found": sum(found.values()),
            "target_whole_seconds": WHOLE_TARGET_S,
            "seconds_to_fill": round(filled_s, 1),
        },
    )


if __name__ == "__main__":
    main()
