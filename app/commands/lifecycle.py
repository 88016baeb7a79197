"""Taking in lifecycle events: what was sent is kept, and folded into where installations stand.

`record` takes an array of whatever was posted and stores, in one transaction, every event that
makes sense and is new; each other one is named with its reason or counted as a duplicate. An id is
an integration's own and belongs to the first event that carried it: a later one with the same id
is a duplicate, whatever it says. The work goes by columns and not by events: a thousand of them
cost some ten statements.

Events are taken in one after another, so that two calls about one installation add up. `refold`
reads what is known again by another funnel.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Row, Table, func, select, text
from sqlalchemy.orm import Session

from app.commands import event_fields as fields
from app.commands import funnel_days
from app.commands.bulk import among, insert_rows, update_rows
from app.commands.ledger import follow_installations, hold
from app.commands.lifecycle_event import Sent, read_event
from app.commands.registry_funnel import unknown_step
from app.domain.funnel import NOTHING, Event, Facts, Funnel, Standing, fold, standing
from app.domain.revenue import STANDS
from app.models import Installation, Integration, LifecycleEvent, Subscription
from app.models.facts import pack, unpack
from app.models.funnels import funnels_of

_LOCK_KEY = 0x4D69_6473_7061_6E02  # any fixed number; names our advisory lock in PostgreSQL
_SLICE = 5_000
_installations: Table = Installation.__table__  # type: ignore[assignment]
_events: Table = LifecycleEvent.__table__  # type: ignore[assignment]
Key = tuple[int, str]
Known = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Rejection:
    """Which event of an array was not taken, and why."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an array: how many are new, how many were known, and the rest by name."""

    accepted: int
    duplicates: int
    rejected: tuple[Rejection, ...]


class Owner(NamedTuple):
    """An integration that events may name."""

    id: int
    funnel: Funnel


def record(session: Session, events: Sequence[Any], *, now_us: int) -> Receipt:
    """Take in what was posted. Whatever an element is, it rejects at most itself."""
    read = [read_event(each, now_us) for each in events]
    found = owners(session, {each.integration for each in read if isinstance(each, Sent)})
    taken: list[Sent] = []
    rejected: list[Rejection] = []
    for index, each in enumerate(read):
        reason = each if isinstance(each, str) else _fault(each, found)
        if reason is not None:
            rejected.append(Rejection(index, reason))
        elif isinstance(each, Sent):
            taken.append(each)
    accepted = store(session, taken, found, now_us=now_us)
    return Receipt(accepted, len(taken) - accepted, tuple(rejected))


def store(
    session: Session, sent: Sequence[Sent], known: Mapping[str, Owner], *, now_us: int
) -> int:
    """Keep what is new of events that name steps of `known` integrations; how many that are."""
    if not sent:
        return 0
    _take_turn(session)
    fresh = _keep(session, sent, known, now_us)
    if fresh:
        _fold(session, fresh.values(), known, now_us)
        _tell_ledger(session, fresh, now_us)
    return len(fresh)


def _tell_ledger(session: Session, fresh: Mapping[Key, Sent], now_us: int) -> None:
    """What an installation pays depends on whether it is installed, and on whose it is."""
    told: dict[int, dict[str, bool]] = {}
    for (owner, _), sent in fresh.items():
        came_or_went = sent.event.step in STANDS
        if came_or_went or sent.event.customer is not None:
            known = told.setdefault(owner, {})
            known[sent.installation] = came_or_went or known.get(sent.installation, False)
    hold(session, told)
    names = {name for installations in told.values() for name in installations}
    paying = select(Subscription.integration_id, Subscription.installation).where(
        among(session, Subscription.__table__.c.integration_id, told),
        among(session, Subscription.__table__.c.installation, names),
    )
    # Few of the installations of a batch pay, and those of many integrations are asked for at once.
    for owner in sorted({row.integration_id for row in session.execute(paying)}):
        follow_installations(session, owner, told[owner], now_us)


def owners(session: Session, slugs: Iterable[str]) -> dict[str, Owner]:
    """The integrations of these slugs, those that left the registry file included."""
    named = among(session, Integration.__table__.c.slug, slugs)
    statement = select(Integration.id, Integration.slug).where(named)
    ids = {slug: number for number, slug in session.connection().execute(statement)}
    funnels = funnels_of(session, ids.values())
    return {slug: Owner(number, funnels[number]) for slug, number in ids.items()}


def refold(session: Session, ids: Iterable[int], *, now_us: int) -> None:
    """Read the facts of integrations by their funnels of now, after these have changed."""
    funnels = funnels_of(session, ids)
    _take_turn(session)
    for number, funnel in funnels.items():
        after = 0
        while rows := _slice(session, number, after):
            after = rows[-1].id
            _write(session, [_Change(row, number, row.external_id, unpack(row.facts), funnel)
                             for row in rows], now_us)  # fmt: skip
        funnel_days.all_stale(session, number)


def _fault(sent: Sent, known: Mapping[str, Owner]) -> str | None:
    owner = known.get(sent.integration)
    if owner is None:
        return f"unknown integration {fields.shown(sent.integration)}"
    if not owner.funnel.knows(sent.event.step):
        return unknown_step(sent.event.step, owner.funnel.steps)
    return None


def _take_turn(session: Session) -> None:
    """Wait until nobody else takes in events. On SQLite the write transaction is that already."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})"))


def _keep(
    session: Session, sent: Sequence[Sent], known: Mapping[str, Owner], now_us: int
) -> dict[Key, Sent]:
    """Insert those whose ids nobody used before, the first of each."""
    found: dict[Key, Sent] = {}
    for each in sent:
        found.setdefault((known[each.integration].id, each.event.id), each)
    newest = session.scalar(select(func.max(LifecycleEvent.number))) or 0
    rows = [_event_row(key[0], each, now_us) for key, each in found.items()]
    kept = insert_rows(session, _events, _EVENT, rows, _KNOWN_ID)
    return found if kept == len(found) else _without_known(session, found, newest)


def _without_known(session: Session, found: dict[Key, Sent], newest: int) -> dict[Key, Sent]:
    """Those that were not there when `newest` was the newest event."""
    statement = select(LifecycleEvent.integration_id, LifecycleEvent.event_id).where(
        LifecycleEvent.number <= newest,
        among(session, _events.c.event_id, {event_id for _owner, event_id in found}),
    )
    there = {(row.integration_id, row.event_id) for row in session.execute(statement)}
    return {key: each for key, each in found.items() if key not in there}


def _event_row(owner: int, sent: Sent, now_us: int) -> tuple[Any, ...]:
    """Values of `_EVENT`."""
    own_id, step, at_us, customer, plan, source, reason = sent.event
    return (
        owner, own_id, sent.installation, customer, step, at_us, plan, source, reason, now_us,
    )  # fmt: skip


class _Change(NamedTuple):
    """An installation as it is to be; `row` None: it is new."""

    row: Known | None
    owner: int
    external_id: str
    facts: Facts
    funnel: Funnel


def _fold(session: Session, sent: Iterable[Sent], known: Mapping[str, Owner], now_us: int) -> None:
    told: dict[Key, list[Event]] = {}
    funnels: dict[int, Funnel] = {}
    for each in sent:
        owner = known[each.integration]
        funnels[owner.id] = owner.funnel
        told.setdefault((owner.id, each.installation), []).append(each.event)
    rows = _rows(session, {name for _owner, name in told})
    changes = []
    for key, events in told.items():
        row = rows.get(key)
        facts = fold(unpack(row.facts) if row else NOTHING, events)
        changes.append(_Change(row, *key, facts, funnels[key[0]]))
    _write(session, changes, now_us)


_KNOWN: tuple[Any, ...] = (
    Installation.id, Installation.integration_id, Installation.external_id,
    Installation.entered_us, Installation.next_step, Installation.due_us, Installation.lost_cause,
    Installation.facts,
)  # fmt: skip


def _rows(session: Session, names: Iterable[str]) -> dict[Key, Known]:
    statement = select(*_KNOWN).where(among(session, _installations.c.external_id, names))
    rows = session.connection().execute(statement)
    return {(row.integration_id, row.external_id): row for row in rows}


def _slice(session: Session, owner: int, after: int) -> Sequence[Known]:
    statement = (
        select(*_KNOWN)
        .where(Installation.integration_id == owner, Installation.id > after)
        .order_by(Installation.id)
        .limit(_SLICE)
    )
    return session.execute(statement).all()


def _write(session: Session, changes: Sequence[_Change], now_us: int) -> None:
    """Write installations down, and that the days they entered on are to be counted anew."""
    made, changed, moved = [], [], []
    days: set[tuple[int, int]] = set()
    for each in changes:
        stands = standing(each.facts, each.funnel)
        entries = (stands.entered_us, each.row.entered_us if each.row else None)
        days |= {(each.owner, funnel_days.day_of(at_us)) for at_us in entries if at_us is not None}
        values = _values(each, stands, now_us)
        if each.row is None:
            made.append((*values, stands.entered_us, each.owner, each.external_id, now_us))
            continue
        changed.append((*values, each.row.id))
        if each.row.entered_us != stands.entered_us:
            moved.append((stands.entered_us, each.row.id))
    insert_rows(session, _installations, (*_FOLDED, *_MADE), made)
    update_rows(session, _installations, _FOLDED, changed)
    # It hardly ever moves, and has an index that would be written each time.
    update_rows(session, _installations, ("entered_us",), moved)
    funnel_days.stale(session, days)


#: Of an id, and of nothing else: another clash is a fault, and must not pass for a duplicate.
_KNOWN_ID = "ON CONFLICT (event_id, integration_id) DO NOTHING"
_EVENT = (
    "integration_id", "event_id", "installation", "customer", "step", "occurred_us", "plan",
    "source", "reason", "received_us",
)  # fmt: skip
_FOLDED = (
    "state", "activated_us", "uninstalled_us", "next_step", "due_us", "lost_cause",
    "reason", "customer", "plan", "source", "last_us", "updated_us", "facts",
)  # fmt: skip
_MADE = ("entered_us", "integration_id", "external_id", "created_us")


def _values(change: _Change, stands: Standing, now_us: int) -> tuple[Any, ...]:
    """Values of `_FOLDED`."""
    row, facts, lost = change.row, change.facts, stands.lost
    if lost is None and row and (row.next_step, row.due_us) == (stands.next_step, stands.due_us):
        lost = row.lost_cause if stands.due_us is not None else None
    return (
        stands.state.value, stands.activated_us, stands.uninstalled_us,
        stands.next_step, stands.due_us, lost.value if lost else None, stands.reason,
        *(told.word if told else None for told in (facts.customer, facts.plan, facts.source)),
        facts.last_us, now_us, pack(facts),
    )  # fmt: skip
