"""Comparing what platform, wire and billing say of installations, and keeping what was found.

`reconcile` goes through the integrations one by one, each in a transaction of its own: whole when
the last whole time is an hour ago, else only what has changed since the last time: installations
with new events or traffic, those of the same customers, and those of which something is found.
What time alone makes true (a grace period that ends) is seen the next whole time.

A finding is opened once, seen again, and closed when it is over; what was found to be over and
comes back is a new one. Nothing is found in exchanges that name no installation.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Engine, Select, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from app.commands.wire_witness import EVER_US, wires
from app.db import reading, transaction
from app.domain.funnel import InstallationState
from app.domain.reconcile import (
    UNSEEN,
    Billing,
    Found,
    Habits,
    Platform,
    Wire,
    judge,
    twice,
)
from app.domain.subscription import Status
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, Window
from app.models import (
    Installation,
    InstallationFinding,
    Integration,
    Reconciliation,
    Subscription,
)
from app.store.port import MetricsStore

#: How often everything is compared.
WHOLE_US = HOUR_US
#: What is loaded later than this after it crossed waits for the next whole time.
LATE_US = 10 * MINUTE_US
_CHUNK = 5_000
_f = InstallationFinding

Key = tuple[str, str]


class Known(NamedTuple):
    """An installation as the platform tells of it."""

    name: str
    customer: str | None
    state: InstallationState
    since_us: int
    uninstalled_us: int | None


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What one go did."""

    integrations: int
    whole: int
    judged: int
    opened: int
    closed: int


class _Owner(NamedTuple):
    id: int
    slug: str
    done: Reconciliation | None


def reconcile(
    engine: Engine,
    store: MetricsStore,
    now_us: int,
    *,
    whole: bool = False,
    only: Collection[str] | None = None,
) -> Reconciled:
    """Compare what is due; `whole`: everything. Raises `Unavailable` when a database is away, with
    the integrations before it done."""
    owners = _owners(engine, only)
    wholly = [each for each in owners if whole or _is_due(each, now_us)]
    partly = [each for each in owners if each not in wholly]
    changed = _changed(engine, store, partly, now_us)
    totals = [0, 0, 0, 0, 0]
    for owner in (*wholly, *(each for each in partly if changed[each.slug])):
        go = _Go(engine, store, owner, now_us)
        done = go.run(None if owner in wholly else changed[owner.slug])
        totals = [a + b for a, b in zip(totals, done, strict=True)]
    return Reconciled(*totals)


def _is_due(owner: "_Owner", now_us: int) -> bool:
    """Whether all of it is to be compared."""
    return owner.done is None or now_us - owner.done.whole_us >= WHOLE_US


def _changed(
    engine: Engine, store: MetricsStore, owners: Sequence["_Owner"], now_us: int
) -> dict[str, set[str]]:
    """By slug, the names that have to be judged again: those with anything new, and with them those
    of which something was found."""
    names: dict[str, set[str]] = {each.slug: set() for each in owners}
    if not owners:
        return names
    since_us = min(each.done.until_us for each in owners if each.done) - LATE_US
    today = store.activity(Window(since_us, now_us + DAY_US), integrations=list(names))
    for who in np.unique(today.who[today.last_us >= since_us]).tolist():
        names[today.integrations[today.owner[who]]].add(today.installations[who])
    slugs = {each.id: each.slug for each in owners}
    told = select(Installation.integration_id, Installation.external_id)
    billed = select(Subscription.integration_id, Subscription.installation)
    found = select(_f.integration_id, _f.installation).where(_f.closed_us.is_(None))
    with reading(engine) as session:
        for statement in (
            told.where(Installation.updated_us >= since_us),
            billed.where(Subscription.last_us >= since_us),
        ):
            for owner, name in session.execute(statement):
                if owner in slugs:
                    names[slugs[owner]].add(name)
        for owner, name in session.execute(found):
            if owner in slugs and names[slugs[owner]]:
                names[slugs[owner]].add(name)
    return names


def _owners(engine: Engine, only: Collection[str] | None) -> list[_Owner]:
    statement = (
        select(Integration.id, Integration.slug, Reconciliation)
        .outerjoin(Reconciliation, Reconciliation.integration_id == Integration.id)
        .order_by(Integration.slug)
    )
    if only is not None:
        statement = statement.where(Integration.slug.in_(sorted(only)))
    with reading(engine) as session:
        return [_Owner(*row) for row in session.execute(statement)]


class _Go:
    """One integration, compared once."""

    def __init__(self, engine: Engine, store: MetricsStore, owner: _Owner, now_us: int) -> None:
        self._engine, self._store, self._now_us = engine, store, now_us
        self._owner = owner
        self._whole = True

    def run(self, names: set[str] | None) -> tuple[int, int, int, int, int]:
        """Judge `names` (None: all). Integrations, whole ones, installations judged, findings
        opened and closed."""
        self._whole = names is None
        known = self._known(names)
        if names is not None:
            names |= {each.name for each in known}
        seen, seen_us = self._wires(names)
        habits = self._habits(known, seen, seen_us)
        paying = self._paying(names)
        found = self._judged(known, seen, paying, habits)
        judged = {each.name for each in known} | seen.keys() | paying.keys() | (names or set())
        with transaction(self._engine) as session:
            opened, closed = self._keep(session, found, None if self._whole else judged)
            self._note(session, habits, len(judged))
        return 1, int(self._whole), len(judged), opened, closed

    def _known(self, names: set[str] | None) -> list[Known]:
        """Those of `names` (None: all), and those of the same customers."""
        with reading(self._engine) as session:
            if names is None:
                return _rows(session, self._owner.id)
            found = _among(session, self._owner.id, Installation.external_id, names)
            customers = {each.customer for each in found if each.customer is not None}
            found += _among(session, self._owner.id, Installation.customer, customers)
        return list({each.name: each for each in found}.values())

    def _wires(self, names: set[str] | None) -> tuple[dict[str, Wire], int | None]:
        asked = None if names is None else sorted(names)
        activity = self._store.activity(
            Window(0, EVER_US), integrations=[self._owner.slug], installations=asked
        )
        first_us = int(activity.first_us.min()) if len(activity) else None
        return wires(activity), first_us

    def _paying(self, names: set[str] | None) -> dict[str, int]:
        """Since when each of `names` (None: all) is paid for."""
        paid = _paid(self._owner.id)
        asked = [paid]
        if names is not None:
            chunks = _chunks(sorted(names))
            asked = [paid.where(Subscription.installation.in_(part)) for part in chunks]
        with reading(self._engine) as session:
            return {row[0]: row[1] for each in asked for row in session.execute(each)}

    def _habits(self, known: list[Known], seen: Mapping[str, Wire], seen_us: int | None) -> Habits:
        """What is usual, as the last whole time found it and this one adds to it."""
        told_us = min((each.since_us for each in known), default=None)
        calls = any(wire.calls for wire in seen.values())
        done = self._owner.done
        if self._whole or done is None:
            return Habits(told_us, seen_us, calls)
        return Habits(
            _least(done.told_us, told_us), _least(done.seen_us, seen_us), done.calls or calls
        )

    def _judged(
        self,
        known: list[Known],
        seen: Mapping[str, Wire],
        paying: Mapping[str, int],
        habits: Habits,
    ) -> dict[Key, Found]:
        now_us = self._now_us
        platforms = {
            each.name: Platform(each.state, each.since_us, each.uninstalled_us, each.customer)
            for each in known
        }
        found: dict[Key, Found] = {}
        for name in platforms.keys() | seen.keys() | paying.keys():
            wire, billing = seen.get(name, UNSEEN), Billing(paying.get(name))
            for each in judge(platforms.get(name), wire, billing, habits, now_us):
                found[name, each.kind] = each
        for name, each in _twice(known, now_us):
            found[name, each.kind] = each
        return found

    def _keep(
        self, session: Session, found: Mapping[Key, Found], judged: Collection[str] | None
    ) -> tuple[int, int]:
        """Open what is new, see again what lasts, close what is over; `judged` None: all were."""
        statement = select(_f.id, _f.installation, _f.kind, _f.evidence, _f.since_us).where(
            _f.integration_id == self._owner.id, _f.closed_us.is_(None)
        )
        before = {(row.installation, row.kind): row for row in session.execute(statement)}
        new = [self._row(key, found[key]) for key in found.keys() - before.keys()]
        over = [
            row.id
            for key, row in before.items()
            if key not in found and (judged is None or key[0] in judged)
        ]
        again = [
            {
                "row_id": row.id,
                "seen_us": self._now_us,
                "since_us": found[key].since_us,
                "evidence": json.dumps(found[key].evidence),
            }
            for key, row in before.items()
            if key in found
        ]
        connection = session.connection()
        if new:
            connection.execute(insert(_f), new)
        if again:
            connection.execute(_AGAIN, again)
        for part in _chunks(over):
            session.execute(update(_f).where(_f.id.in_(part)).values(closed_us=self._now_us))
        return len(new), len(over)

    def _row(self, key: Key, found: Found) -> dict[str, Any]:
        return {
            "integration_id": self._owner.id,
            "installation": key[0],
            "kind": key[1],
            "since_us": found.since_us,
            "opened_us": self._now_us,
            "seen_us": self._now_us,
            "evidence": json.dumps(found.evidence),
        }

    def _note(self, session: Session, habits: Habits, judged: int) -> None:
        values: dict[str, Any] = {
            "until_us": self._now_us,
            "told_us": habits.told_us,
            "seen_us": habits.seen_us,
            "calls": habits.calls,
        }
        if self._whole:
            values |= {"whole_us": self._now_us, "installations": judged}
        if self._owner.done is None:
            session.add(Reconciliation(integration_id=self._owner.id, **values))
        else:
            session.execute(
                update(Reconciliation)
                .where(Reconciliation.integration_id == self._owner.id)
                .values(**values)
            )


_AGAIN = (
    update(_f.__table__)  # type: ignore[arg-type]
    .where(_f.__table__.c.id == bindparam("row_id"))
    .values(
        seen_us=bindparam("seen_us"),
        since_us=bindparam("since_us"),
        evidence=bindparam("evidence"),
    )
)


_COLUMNS = (
    Installation.external_id,
    Installation.customer,
    Installation.state,
    func.coalesce(Installation.activated_us, Installation.entered_us, Installation.created_us),
    Installation.uninstalled_us,
)


def _paid(owner: int) -> Select[*tuple[Any, ...]]:
    """Installations with a running subscription for money, and since when."""
    return (
        select(Subscription.installation, func.min(Subscription.paid_us))
        .where(
            Subscription.integration_id == owner,
            Subscription.status == Status.ACTIVE,
            Subscription.paid_us.is_not(None),
            Subscription.amount_minor > 0,
        )
        .group_by(Subscription.installation)
    )


def _rows(session: Session, owner: int, *where: Any) -> list[Known]:
    statement = select(*_COLUMNS).where(Installation.integration_id == owner, *where)
    return [Known._make(row) for row in session.execute(statement)]


def _among(session: Session, owner: int, column: Any, values: Iterable[str]) -> list[Known]:
    return [
        each for part in _chunks(sorted(values)) for each in _rows(session, owner, column.in_(part))
    ]


def _chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    remaining = iter(values)
    while part := list(islice(remaining, _CHUNK)):
        yield part


def _twice(known: Iterable[Known], now_us: int) -> Iterator[tuple[str, Found]]:
    groups: dict[str, list[tuple[str, int]]] = {}
    for each in known:
        if each.state is InstallationState.ACTIVE and each.customer is not None:
            groups.setdefault(each.customer, []).append((each.name, each.since_us))
    for active in groups.values():
        if len(active) > 1:
            yield from twice(active, now_us)


def _least(*times_us: int | None) -> int | None:
    return min((each for each in times_us if each is not None), default=None)
