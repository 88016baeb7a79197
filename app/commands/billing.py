"""Taking billing events in, and what follows from them, in one transaction.

An event is kept as it was told. One whose id its integration knows already is a duplicate, whatever
it says; one that cannot be read is rejected, with its place and the reason, and holds up no other.
An installation that nobody told of yet is no reason: the event is kept, and is matched once
somebody does.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from app.commands import event_fields, ledger, payments, stripe_events
from app.commands.bills import read
from app.domain.billing import PAYMENTS, BillingEvent
from app.domain.money import share_of
from app.domain.scope import Scope
from app.domain.window import DAY_US
from app.models import BilledEvent, Integration, Partner, Visibility


@dataclass(frozen=True, slots=True)
class Rejection:
    """One event that was not taken: its place among those sent, and why."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the events of one call."""

    accepted: int
    duplicates: int
    rejected: tuple[Rejection, ...]


def take(session: Session, scope: Scope, items: Sequence[object], *, now_us: int) -> Taken:
    """Take these events in; integrations outside the scope are unknown ones."""
    sound, rejected = judge(session, scope, items, now_us)
    ledger.hold(session, sound)
    accepted = sum(
        _keep(session, integration_id, events, now_us)
        for integration_id, events in sorted(sound.items())
    )
    told = sum(map(len, sound.values()))
    return Taken(accepted, told - accepted, rejected)


def take_stripe(session: Session, scope: Scope, slug: str, event: Any, *, now_us: int) -> Taken:
    """Take in what one of Stripe's events tells of an integration."""
    try:
        items = stripe_events.items_of(event, slug)
    except ValueError as error:
        return Taken(0, 0, (Rejection(0, str(error)),))
    owner = _owners(session, scope, [slug]).get(slug)
    if isinstance(owner, int):
        items = [stripe_events.placed(session, owner, item) for item in items]
    return take(session, scope, items, now_us=now_us)


def judge(
    session: Session, scope: Scope, items: Sequence[object], now_us: int
) -> tuple[dict[int, list[BillingEvent]], tuple[Rejection, ...]]:
    """The events that can be taken, by the id of their integration, and the others; nothing is
    written."""
    sound, rejected = _sound(items, now_us)
    owners = _owners(session, scope, {event.integration for event in sound.values()})
    by_integration: dict[int, list[BillingEvent]] = defaultdict(list)
    for index, event in sound.items():
        owner = owners.get(event.integration)
        if isinstance(owner, int):
            by_integration[owner].append(event)
        else:
            reason = owner or f"unknown integration {event_fields.shown(event.integration)}"
            rejected.append(Rejection(index, reason))
    return by_integration, tuple(sorted(rejected, key=lambda each: each.index))


def known_ids(session: Session, integration_id: int, ids: Sequence[str]) -> set[str]:
    """Those of these ids that an integration has events of."""
    found = set[str]()
    for some in ledger.chunks(ids):
        statement = select(BilledEvent.event_id).where(
            BilledEvent.integration_id == integration_id, BilledEvent.event_id.in_(some)
        )
        found.update(session.scalars(statement))
    return found


def _sound(items: Iterable[object], now_us: int) -> tuple[dict[int, BillingEvent], list[Rejection]]:
    sound: dict[int, BillingEvent] = {}
    rejected: list[Rejection] = []
    for index, item in enumerate(items):
        try:
            sound[index] = read(item, now_us)
        except ValueError as error:
            rejected.append(Rejection(index, str(error)))
    return sound, rejected


def _owners(session: Session, scope: Scope, slugs: Iterable[str]) -> dict[str, int | str]:
    """The ids of integrations, or why one of them has no money."""
    found: dict[str, int | str] = {}
    for some in ledger.chunks(sorted(set(slugs))):
        statement = (
            select(Integration.id, Integration.slug, Integration.visibility, Partner.slug)
            .join(Partner)
            .where(Integration.slug.in_(some))
        )
        for number, slug, visibility, partner in session.execute(statement):
            if not scope.reaches(slug, partner):
                continue
            internal = visibility is Visibility.INTERNAL
            found[slug] = f"{slug} is internal: nobody pays for it" if internal else number
    return found


def _keep(
    session: Session, integration_id: int, events: Sequence[BillingEvent], now_us: int
) -> int:
    """Keep what is new of one integration, and fold it; how many that is."""
    known = known_ids(session, integration_id, [event.id for event in events])
    fresh: dict[str, BillingEvent] = {}
    for event in events:
        if event.id not in known:
            fresh.setdefault(event.id, event)
    if not fresh:
        return 0
    rows = [_row(integration_id, event, now_us) for event in fresh.values()]
    session.connection().execute(insert(cast(Table, BilledEvent.__table__)), rows)
    _follow(session, integration_id, fresh.values(), now_us)
    return len(fresh)


def _follow(
    session: Session, integration_id: int, events: Iterable[BillingEvent], now_us: int
) -> None:
    """What new events mean for subscriptions, revenue and the sums of payments."""
    changed, sharing, invoices, days = set[str](), set[str](), set[str](), set[int]()
    for event in events:
        if event.type not in PAYMENTS:
            changed.add(event.subscription)
            continue
        days.add(event.occurred_us // DAY_US)
        if event.invoice is not None:
            invoices.add(event.invoice)
        if event.share_ppm is None and event.subscription:
            sharing.add(event.subscription)
    folded = ledger.refold(session, integration_id, changed, now_us).folded if changed else {}
    if sharing - folded.keys():
        more = ledger.book_of(session, integration_id, sharing - folded.keys(), now_us)
        folded = folded | more.folded
    payments.settle(session, integration_id, invoices=invoices, folded=folded, days=days)


def _row(integration_id: int, event: BillingEvent, now_us: int) -> Mapping[str, Any]:
    payment = event.type in PAYMENTS
    quantity = 1 if event.quantity is None else event.quantity
    total = (event.amount_minor or 0) * quantity if payment else None
    share = share_of(total, event.share_ppm or 0) if total is not None else None
    return {
        "integration_id": integration_id, "event_id": event.id, "type": event.type,
        "payment": payment, "subscription": event.subscription,
        "installation": event.installation, "customer": event.customer,
        "occurred_us": event.occurred_us, "plan": event.plan, "interval": event.interval,
        "every": event.every, "quantity": event.quantity, "amount_minor": event.amount_minor,
        "currency": event.currency, "discount_ppm": event.discount_ppm,
        "share_ppm": event.share_ppm, "ends_us": event.ends_us, "invoice": event.invoice,
        "received_us": now_us, "stands": True, "total_minor": total, "share_minor": share,
    }  # fmt: skip
