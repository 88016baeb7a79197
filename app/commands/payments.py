"""Payments by day: which of several told of one invoice stands, and the platform's part of it.

A payment that does not say the platform's share has that of its subscription at that time, so this
comes after `ledger`. Sums of days are made anew, whole, for the days that something touched.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from app.commands.ledger import chunks, plain, put
from app.domain.money import share_of
from app.domain.subscription import Subscription as Folded
from app.domain.window import DAY_US
from app.models import BilledEvent, PaymentDay
from app.models.billing import HAS_INVOICE, IS_PAYMENT, LACKS_SHARE


class Share(NamedTuple):
    """What the platform gets of one payment that does not say it itself."""

    number: int
    subscription: str
    day: int
    share_minor: int


def settle(
    session: Session,
    integration_id: int,
    *,
    invoices: Collection[str],
    folded: Mapping[str, Folded],
    days: Collection[int],
) -> None:
    """Bring up to date what was paid: for the invoices and subscriptions that something was told
    of, and the days on which it was."""
    touched = set(days)
    touched |= _stand(session, integration_id, invoices)
    for share in wrong_shares(session, integration_id, folded):
        session.execute(
            update(BilledEvent)
            .where(BilledEvent.number == share.number)
            .values(share_minor=share.share_minor)
        )
        touched.add(share.day)
    sum_days(session, integration_id, touched)


def _stand(session: Session, integration_id: int, invoices: Collection[str]) -> set[int]:
    """Let the newest event of each type stand for an invoice; the days that changes."""
    changed: list[tuple[bool, int]] = []
    days = set[int]()
    for names in chunks(sorted(invoices)):
        statement = select(
            BilledEvent.invoice, BilledEvent.type, BilledEvent.occurred_us, BilledEvent.number,
            BilledEvent.stands,
        ).where(
            BilledEvent.integration_id == integration_id, text(HAS_INVOICE),
            BilledEvent.invoice.in_(names),
        )  # fmt: skip
        for rows in _grouped(session.execute(statement).all()):
            newest = max(rows, key=lambda row: (row.occurred_us, row.number))
            for row in rows:
                if row.stands != (row is newest):
                    changed.append((not row.stands, row.number))
                    days.add(row.occurred_us // DAY_US)
    for stands, number in changed:
        statement_of_one = update(BilledEvent).where(BilledEvent.number == number)
        session.execute(statement_of_one.values(stands=stands))
    return days


def _grouped(rows: Iterable[Any]) -> Iterable[list[Any]]:
    found: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in rows:
        found[row.invoice, row.type].append(row)
    return found.values()


def wrong_shares(
    session: Session, integration_id: int, folded: Mapping[str, Folded]
) -> Iterator[Share]:
    """The payments of these subscriptions whose platform's share is not what it should be."""
    for names in chunks(sorted(folded)):
        statement = select(
            BilledEvent.number, BilledEvent.subscription, BilledEvent.occurred_us,
            BilledEvent.total_minor, BilledEvent.share_minor,
        ).where(
            BilledEvent.integration_id == integration_id, text(LACKS_SHARE),
            BilledEvent.subscription.in_(names),
        )  # fmt: skip
        rows = session.connection().execute(statement).all()
        for number, subscription, at_us, total_minor, kept_minor in rows:
            ppm = share_ppm_at(folded[subscription], at_us)
            share_minor = share_of(total_minor or 0, ppm)
            if share_minor != kept_minor:
                yield Share(number, subscription, at_us // DAY_US, share_minor)


def share_ppm_at(subscription: Folded, at_us: int) -> int:
    """The platform's share that was told by then, else the first one that was; 0: none ever."""
    first = 0
    for stretch in reversed(subscription.stretches):
        if stretch.terms.share_ppm is not None:
            first = stretch.terms.share_ppm
            if stretch.at_us <= at_us:
                break
    return first


def sum_days(session: Session, integration_id: int, days: Collection[int]) -> None:
    """Make the sums of these days anew."""
    for first, last in _runs(days):
        session.execute(
            delete(PaymentDay).where(
                PaymentDay.integration_id == integration_id, PaymentDay.day.between(first, last)
            )
        )
        rows = session.connection().execute(daily_sums(integration_id, first, last)).all()
        if rows:
            put(session, PaymentDay, [(integration_id, *row) for row in rows])


def daily_sums(integration_id: int, first: int, last: int) -> Any:
    """The payments that stand, by day, currency and type, from one day to another."""
    day = (BilledEvent.occurred_us // DAY_US).label("day")
    return (
        select(
            day,
            BilledEvent.currency,
            plain(BilledEvent.type),
            func.count().label("events"),
            func.sum(BilledEvent.total_minor).label("total_minor"),
            func.sum(BilledEvent.share_minor).label("share_minor"),
        )
        .where(
            BilledEvent.integration_id == integration_id,
            text(IS_PAYMENT),
            BilledEvent.stands,
            BilledEvent.occurred_us >= first * DAY_US,
            BilledEvent.occurred_us < (last + 1) * DAY_US,
        )
        .group_by(day, BilledEvent.currency, BilledEvent.type)
    )


def _runs(days: Collection[int]) -> Iterator[tuple[int, int]]:
    """Days that follow each other, as first and last."""
    ordered = sorted(days)
    start = 0
    for index, day in enumerate(ordered):
        if index + 1 == len(ordered) or ordered[index + 1] != day + 1:
            yield ordered[start], day
            start = index + 1
