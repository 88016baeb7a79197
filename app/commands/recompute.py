"""Making everything anew that follows from billing events, and mending what differs.

Each night all of it is folded again from the events and compared with what is kept. Only what
differs is written, a few accounts at a time, so that nobody else waits long for the registry. What
was kept event by event is the same already: a difference is a defect, or what an older version
folded by other rules, and is counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, delete, select, text
from sqlalchemy.orm import Session

from app.commands import ledger, payments
from app.db import reading, transaction
from app.models import BilledEvent, PaymentDay, RevenueStep, Subscription
from app.models.base import Base
from app.models.billing import IS_RUNNING_OUT

#: Subscriptions folded in one transaction.
_TOGETHER = 1_000
_FIRST_DAY, _LAST_DAY = 0, 100_000


@dataclass(frozen=True, slots=True)
class Recomputed:
    """How many subscriptions and days of payments there are, and how many were not as they should
    be."""

    subscriptions: int = 0
    days: int = 0
    mended: int = 0

    def __add__(self, other: "Recomputed") -> "Recomputed":
        return Recomputed(
            self.subscriptions + other.subscriptions,
            self.days + other.days,
            self.mended + other.mended,
        )


def recompute(engine: Engine, now_us: int) -> Recomputed:
    """Fold everything again and mend what differs."""
    with reading(engine) as session:
        ids = session.scalars(select(BilledEvent.integration_id).distinct()).all()
    done = Recomputed()
    for integration_id in ids:
        done += _integration(engine, integration_id, now_us)
    return done


def end_what_ended(engine: Engine, now_us: int) -> int:
    """Fold again the subscriptions that ended by themselves since; how many those are."""
    with reading(engine) as session:
        due = session.execute(
            select(Subscription.integration_id, Subscription.external_id).where(
                text(IS_RUNNING_OUT), Subscription.ends_us <= now_us
            )
        ).all()
    for integration_id in sorted({row.integration_id for row in due}):
        names = [row.external_id for row in due if row.integration_id == integration_id]
        _refold(engine, integration_id, names, now_us)
    return len(due)


def _integration(engine: Engine, integration_id: int, now_us: int) -> Recomputed:
    with reading(engine) as session:
        if not _is_folded(session, integration_id):
            number, wrong = None, set[str]()
        else:
            book = ledger.book_of(session, integration_id, None, now_us)
            number, wrong = len(book.folded), _wrong(session, integration_id, book)
    if number is None or len(wrong) > _TOGETHER:
        number = _rewrite(engine, integration_id, now_us)
        mended = number
    else:
        _refold(engine, integration_id, sorted(wrong), now_us)
        mended = len(wrong)
    with reading(engine) as session:
        days, astray = _wrong_days(session, integration_id)
    if astray:
        with transaction(engine) as session:
            ledger.hold(session, [integration_id])
            # In one piece: many days make many statements, and the others are summed as they are.
            payments.sum_days(session, integration_id, range(min(astray), max(astray) + 1))
    return Recomputed(number, days, mended + len(astray))


def _is_folded(session: Session, integration_id: int) -> bool:
    one = select(Subscription.external_id).where(Subscription.integration_id == integration_id)
    return session.scalar(one.limit(1)) is not None


def _wrong(session: Session, integration_id: int, book: ledger.Book) -> set[str]:
    """The subscriptions that are not, or whose payments are not, as the events say."""
    shares = payments.wrong_shares(session, integration_id, book.folded)
    return _wrong_subscriptions(session, integration_id, book) | {
        share.subscription for share in shares
    }


def _rewrite(engine: Engine, integration_id: int, now_us: int) -> int:
    """Write everything of an integration down anew, in one piece; how many subscriptions."""
    with transaction(engine) as session:
        ledger.hold(session, [integration_id])
        book = ledger.book_of(session, integration_id, None, now_us)
        ledger.rewrite(session, integration_id, book)
        payments.settle(session, integration_id, invoices=(), folded=book.folded, days=())
        return len(book.folded)


def _refold(engine: Engine, integration_id: int, names: Sequence[str], now_us: int) -> None:
    for start in range(0, len(names), _TOGETHER):
        with transaction(engine) as session:
            ledger.hold(session, [integration_id])
            book = ledger.refold(session, integration_id, names[start : start + _TOGETHER], now_us)
            payments.settle(session, integration_id, invoices=(), folded=book.folded, days=())


def _wrong_subscriptions(session: Session, integration_id: int, book: ledger.Book) -> set[str]:
    """Those whose row, or whose account's revenue, is not what their events say."""
    differ = set(book.subscription_rows(integration_id))
    differ -= _kept(session, Subscription, integration_id)
    wrong: set[str] = {name for _, name, *_ in differ}
    accounts = _wrong_accounts(session, integration_id, book)
    return wrong | {name for name, account in book.accounts.items() if account in accounts}


def _wrong_accounts(session: Session, integration_id: int, book: ledger.Book) -> set[str]:
    differ = set(book.step_rows(integration_id))
    differ ^= _kept(session, RevenueStep, integration_id)
    return {account for _, account, *_ in differ}


def _kept(session: Session, table: type[Base], integration_id: int) -> set[ledger.Row]:
    columns = table.__table__.columns
    mine = columns["integration_id"] == integration_id
    statement = select(*map(ledger.plain, columns)).where(mine)
    return set(map(tuple, session.connection().execute(statement)))


def _wrong_days(session: Session, integration_id: int) -> tuple[int, set[int]]:
    """How many days have payments, and those whose sums are not those of their events."""
    connection = session.connection()
    sums = connection.execute(payments.daily_sums(integration_id, _FIRST_DAY, _LAST_DAY))
    wanted = {(integration_id, *row[:3], *map(int, row[3:])) for row in sums}
    differ = wanted ^ _kept(session, PaymentDay, integration_id)
    return len({day for _, day, *_ in wanted}), {day for _, day, *_ in differ}


def forget(session: Session) -> None:
    """Throw away all that was folded; `recompute` makes it again."""
    for table in (Subscription, RevenueStep, PaymentDay):
        session.execute(delete(table))
