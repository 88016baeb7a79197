"""Keeping subscriptions and revenue as their events say: the only writer of what is folded.

`refold` makes anew whatever follows from the events of some subscriptions: their rows, and the
revenue of every account that has one of them. It reads all their events, so it does not matter in
what order they came or how often it runs; `app.commands.recompute` is the same for all of them.
Whoever calls it holds the integration (`hold`), so that no two fold the same account at once.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar, cast

from sqlalchemy import Enum, String, Table, delete, select, text, type_coerce
from sqlalchemy.orm import Session

from app.commands.bulk import among, insert_rows
from app.domain.billing import BillingType
from app.domain.money import Interval
from app.domain.revenue import STANDS, Line, Span, absences, line, steps
from app.domain.subscription import Said, fold
from app.domain.subscription import Subscription as Folded
from app.models import (
    BilledEvent,
    Installation,
    Integration,
    LifecycleEvent,
    RevenueStep,
    Subscription,
)
from app.models.base import Base
from app.models.billing import IS_STATE

T = TypeVar("T")
#: Values in one list of a query.
MANY = 500
_SAID = (
    BilledEvent.number, BilledEvent.type, BilledEvent.occurred_us, BilledEvent.installation,
    BilledEvent.customer, BilledEvent.plan, BilledEvent.interval, BilledEvent.every,
    BilledEvent.quantity, BilledEvent.amount_minor, BilledEvent.currency,
    BilledEvent.discount_ppm, BilledEvent.share_ppm, BilledEvent.ends_us,
)  # fmt: skip
_TYPES = {each.value: each for each in BillingType}
_INTERVALS: dict[str | None, Interval | None] = {each.value: each for each in Interval}
_INTERVALS[None] = None
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """What follows from the events of some subscriptions: each of them, its account and its line,
    by its name."""

    folded: dict[str, Folded]
    accounts: dict[str, str]
    lines: dict[str, Line]

    def subscription_rows(self, integration_id: int) -> Iterator[Row]:
        """The rows of `subscriptions`, in the order of its columns."""
        for name, each in self.folded.items():
            terms = each.terms
            yield (
                integration_id, name, each.installation, each.customer, self.accounts[name],
                each.status.value, terms.plan, terms.interval.value, terms.every, terms.quantity,
                terms.amount_minor, terms.currency, terms.discount_ppm, terms.share_ppm,
                self.lines[name][-1][1].mrr_minor, each.trial_us, each.started_us, each.paid_us,
                each.ended_us, each.ends_us, each.anchor_us, each.last_us,
            )  # fmt: skip

    def step_rows(self, integration_id: int) -> Iterator[Row]:
        """The rows of `revenue_steps`, in the order of its columns."""
        grouped: dict[str, list[Line]] = defaultdict(list)
        for name in sorted(self.lines):
            grouped[self.accounts[name]].append(self.lines[name])
        for account, lines in grouped.items():
            for step in steps(lines):
                yield integration_id, account, *step[:5], step.kind.value, *step[6:]


def hold(session: Session, integration_ids: Iterable[int]) -> None:
    """Keep others from folding what belongs to these integrations until the transaction ends. On
    SQLite the write transaction does that already."""
    if session.get_bind().dialect.name == "sqlite":
        return
    rows = (
        select(Integration.id)
        .where(among(session, Integration.__table__.c.id, integration_ids))
        .order_by(Integration.id)
    )
    session.execute(rows.with_for_update(key_share=True)).all()


def refold(
    session: Session, integration_id: int, subscriptions: Collection[str], now_us: int
) -> Book:
    """Make anew what follows from the events of these subscriptions, and of all others of the
    accounts that they belong to or belonged to."""
    book, accounts = _gathered(session, integration_id, subscriptions, now_us)
    for names in chunks(sorted(book.folded)):
        session.execute(
            delete(Subscription).where(
                Subscription.integration_id == integration_id, Subscription.external_id.in_(names)
            )
        )
    for some in chunks(sorted(accounts)):
        session.execute(
            delete(RevenueStep).where(
                RevenueStep.integration_id == integration_id, RevenueStep.account.in_(some)
            )
        )
    put(session, Subscription, book.subscription_rows(integration_id))
    put(session, RevenueStep, book.step_rows(integration_id))
    return book


def rewrite(session: Session, integration_id: int, book: Book) -> None:
    """Put what follows from all events of an integration in place of what there is."""
    for table in (Subscription, RevenueStep):
        session.execute(delete(table).where(table.integration_id == integration_id))
    put(session, Subscription, book.subscription_rows(integration_id))
    put(session, RevenueStep, book.step_rows(integration_id))


def follow_installations(
    session: Session, integration_id: int, told: Mapping[str, bool], now_us: int
) -> None:
    """Fold again what lifecycle events about these installations may change: whatever they pay, if
    one came or went (True), else only what nobody told the customer of."""
    hold(session, [integration_id])
    names = set[str]()
    for some in chunks(sorted(told)):
        statement = select(
            Subscription.external_id, Subscription.installation, Subscription.customer
        ).where(Subscription.integration_id == integration_id, Subscription.installation.in_(some))
        for name, installation, customer in session.execute(statement):
            if told[installation] or customer is None:
                names.add(name)
    if names:
        refold(session, integration_id, names, now_us)


def book_of(
    session: Session, integration_id: int, subscriptions: Collection[str] | None, now_us: int
) -> Book:
    """What follows from the events of these subscriptions, read and not written; None: of all."""
    folded: dict[str, Folded] = {}
    for name, events in _told(session, integration_id, subscriptions):
        found = fold(events, now_us)
        if found is not None:
            folded[name] = found
    installations = {each.installation for each in folded.values()}
    wanted = None if subscriptions is None else installations
    away = _absences(session, integration_id, wanted)
    owners = _customers(session, integration_id, wanted)
    return Book(
        folded,
        {name: _account(each, owners) for name, each in folded.items()},
        {
            name: line(each.stretches, away.get(each.installation, ()))
            for name, each in folded.items()
        },
    )


def _gathered(
    session: Session, integration_id: int, subscriptions: Collection[str], now_us: int
) -> tuple[Book, set[str]]:
    """The book of these subscriptions and of whatever shares an account with them, and all those
    accounts, the earlier ones too."""
    book, accounts = Book({}, {}, {}), set[str]()
    wanted = set(subscriptions)
    while wanted:
        more = book_of(session, integration_id, wanted, now_us)
        book.folded.update(more.folded)
        book.accounts.update(more.accounts)
        book.lines.update(more.lines)
        fresh = {*more.accounts.values(), *_known_accounts(session, integration_id, wanted)}
        wanted = _of_accounts(session, integration_id, fresh - accounts) - book.folded.keys()
        accounts |= fresh
    return book, accounts


def _told(
    session: Session, integration_id: int, subscriptions: Collection[str] | None
) -> Iterator[tuple[str, list[Said]]]:
    """The events of each subscription."""
    statement = (
        select(BilledEvent.subscription, *map(plain, _SAID))
        .where(BilledEvent.integration_id == integration_id, text(IS_STATE))
        .order_by(BilledEvent.subscription)
    )
    for names in _lists(subscriptions):
        some = statement if names is None else statement.where(BilledEvent.subscription.in_(names))
        found = session.connection().execute(some)
        for name, rows in groupby(found, itemgetter(0)):
            yield name, [
                Said(number, _TYPES[word], at_us, installation, customer, plan,
                     _INTERVALS[interval], *rest)
                for _, number, word, at_us, installation, customer, plan, interval, *rest in rows
            ]  # fmt: skip


def _absences(
    session: Session, integration_id: int, installations: Collection[str] | None
) -> dict[str, list[Span]]:
    """When installations were not installed; those that always were, and those that nobody ever
    told of, are left out."""
    told: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    statement = select(
        LifecycleEvent.installation, LifecycleEvent.occurred_us, LifecycleEvent.event_id,
        LifecycleEvent.step,
    ).where(
        LifecycleEvent.integration_id == integration_id, LifecycleEvent.step.in_(sorted(STANDS))
    )  # fmt: skip
    for names in _lists(installations):
        some = statement if names is None else statement.where(
            LifecycleEvent.installation.in_(names)
        )  # fmt: skip
        for installation, at_us, event_id, step in session.execute(some):
            told[installation].append((at_us, event_id, step))
    return {name: found for name, events in told.items() if (found := absences(events))}


def _customers(
    session: Session, integration_id: int, installations: Collection[str] | None
) -> dict[str, str]:
    """Whose installations are, as far as lifecycle told."""
    found: dict[str, str] = {}
    statement = select(Installation.external_id, Installation.customer).where(
        Installation.integration_id == integration_id, Installation.customer.is_not(None)
    )
    for names in _lists(installations):
        some = statement if names is None else statement.where(Installation.external_id.in_(names))
        found.update((name, customer) for name, customer in session.execute(some) if customer)
    return found


def _account(subscription: Folded, owners: dict[str, str]) -> str:
    customer = subscription.customer or owners.get(subscription.installation)
    return f"c:{customer}" if customer else f"i:{subscription.installation}"


def _known_accounts(
    session: Session, integration_id: int, subscriptions: Collection[str]
) -> set[str]:
    found = set[str]()
    for names in chunks(sorted(subscriptions)):
        statement = select(Subscription.account).where(
            Subscription.integration_id == integration_id, Subscription.external_id.in_(names)
        )
        found.update(session.scalars(statement))
    return found


def _of_accounts(session: Session, integration_id: int, accounts: Collection[str]) -> set[str]:
    found = set[str]()
    for some in chunks(sorted(accounts)):
        statement = select(Subscription.external_id).where(
            Subscription.integration_id == integration_id, Subscription.account.in_(some)
        )
        found.update(session.scalars(statement))
    return found


def put(session: Session, table: type[Base], rows: Iterable[Row]) -> None:
    """Insert rows, in the order of the table's columns and with their words as text."""
    known = cast(Table, table.__table__)
    insert_rows(session, known, known.columns.keys(), list(rows))


def plain(column: Any) -> Any:
    """A column, its words as the text that they are: what looks at each would take longer than the
    database."""
    return type_coerce(column, String) if isinstance(column.type, Enum) else column


def _lists(names: Collection[str] | None) -> Iterator[Sequence[str] | None]:
    """Names in lists that a query can take; None: whatever they are."""
    if names is None:
        yield None
    else:
        yield from chunks(sorted(names))


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Lists that a query can take."""
    for start in range(0, len(values), MANY):
        yield values[start : start + MANY]
