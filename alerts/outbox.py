"""The outbox: which notification is due, who has it in hand, and what became of it.

A notification is leased before it is sent and marked after, so a sender that dies in between is
followed by another with the same message id once the lease is over. What is said to one address
about one incident goes out in its order; if its end waits with the rest for longer than
`_OVERTAKEN_US`, only the end is still worth a message.

A clock that is set back leaves leases and retries in what is now the future: those that are further
off than any can be are taken at once, and a first attempt waits for no hour.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Engine,
    Select,
    and_,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased, joinedload

from app.db import reading, transaction
from app.domain.alert import Event
from app.domain.rule import Severity
from app.domain.window import HOUR_US, MINUTE_US, SECOND_US
from app.models import Delivery, Incident, Notification

LEASE_US = 120 * SECOND_US
#: No retry is put off for longer, whatever a receiver asks for.
LONGEST_RETRY_US = 15 * MINUTE_US
_OVERTAKEN_US = HOUR_US
#: A message that waits for longer does not arrive, whatever becomes of it.
_STUCK_US = 10 * MINUTE_US
#: Why a notification that was planned is not sent after all.
OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything that a message about one event of one incident may say."""

    id: int
    message_id: str
    thread_id: str
    event: Event
    level: int
    audience: str
    channel: str
    address: str
    receiver: str
    attempts: int
    incident: int
    rule: str
    severity: Severity
    integration: str | None
    partner: str | None
    summary: str
    evidence: str
    fired_us: int
    resolved_us: int | None
    others: tuple[str, ...]
    #: The next step of the escalation while nobody takes it: when, and which receiver.
    next_step: tuple[int, str] | None = None


class Outbox:
    """The notifications of the registry, as whoever sends them sees them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def lease(self, now_us: int, most: int, channels: Collection[str]) -> list[Letter]:
        """Take up to `most` that are due by these channels into our hands, loudest and oldest
        first."""
        due = _due(now_us, channels)
        with reading(self._engine) as session:
            # Asked without the lock of a writer: mostly there is nothing to do.
            if session.scalar(due.limit(1)) is None:
                return []
        with transaction(self._engine) as session:
            _overtake(session, now_us)
            ids = list(session.scalars(due.limit(most)))
            taken = [number for number in ids if _take(session, number, now_us)]
            return [_letter(session, number) for number in taken]

    def release(self, letters: Collection[Letter]) -> None:
        """Give back what was leased and not tried."""
        with transaction(self._engine) as session:
            session.execute(
                update(Notification)
                .where(
                    Notification.id.in_([each.id for each in letters]),
                    Notification.delivery == Delivery.QUEUED,
                )
                .values(leased_us=None)
            )

    def sent(self, letter: Letter, now_us: int) -> None:
        """It was taken by whoever carries it on."""
        self._settle(letter, delivery=Delivery.SENT, done_us=now_us, leased_us=None, error="")

    def failed(self, letter: Letter, error: str, now_us: int, retry_us: int | None) -> None:
        """It was not. `retry_us`: when to try again; None: never, trying again cannot help."""
        if retry_us is None:
            self._settle(
                letter, delivery=Delivery.FAILED, done_us=now_us, leased_us=None, error=error
            )
        else:
            self._settle(letter, due_us=retry_us, leased_us=None, error=error)

    def undelivered(self, now_us: int) -> int:
        """How many notifications were given up in the last hour, or have been tried in vain for
        long."""
        given_up = and_(
            Notification.delivery == Delivery.FAILED, Notification.done_us >= now_us - HOUR_US
        )
        stuck = and_(
            Notification.delivery == Delivery.QUEUED,
            Notification.attempts > 0,
            Notification.created_us < now_us - _STUCK_US,
        )
        with reading(self._engine) as session:
            return session.scalar(select(func.count()).where(or_(given_up, stuck))) or 0

    def _settle(self, letter: Letter, **values: Any) -> None:
        with transaction(self._engine) as session:
            session.execute(
                update(Notification)
                .where(Notification.id == letter.id, Notification.delivery == Delivery.QUEUED)
                .values(attempts=letter.attempts + 1, **values)
            )


def _waiting(now_us: int) -> Sequence[ColumnElement[bool]]:
    return (
        Notification.delivery == Delivery.QUEUED,
        or_(
            Notification.due_us <= now_us,
            and_(Notification.level == 0, Notification.attempts == 0),
            and_(Notification.attempts > 0, Notification.due_us > now_us + LONGEST_RETRY_US),
        ),
        or_(
            Notification.leased_us.is_(None),
            ~Notification.leased_us.between(now_us, now_us + LEASE_US),
        ),
    )


def _due(now_us: int, channels: Collection[str]) -> Select[Any]:
    first = aliased(Notification)
    in_order = ~(
        select(first.id)
        .where(
            first.incident_id == Notification.incident_id,
            first.channel == Notification.channel,
            first.address == Notification.address,
            first.id < Notification.id,
            first.delivery == Delivery.QUEUED,
        )
        .exists()
    )
    return (
        select(Notification.id)
        .join(Incident, Incident.id == Notification.incident_id)
        .where(*_waiting(now_us), Notification.channel.in_(channels), in_order)
        .order_by(Incident.severity, Notification.id)
    )


def _take(session: Session, number: int, now_us: int) -> bool:
    result = session.execute(
        update(Notification)
        .where(Notification.id == number, *_waiting(now_us))
        .values(leased_us=now_us + LEASE_US)
    )
    return cast("CursorResult[Any]", result).rowcount == 1


def _overtake(session: Session, now_us: int) -> None:
    """Drop what was said of an incident before its end, where the end waits too and long has."""
    end = aliased(Notification)
    over = (
        select(end.id)
        .where(
            end.incident_id == Notification.incident_id,
            end.channel == Notification.channel,
            end.address == Notification.address,
            end.event == Event.RESOLVED,
            end.delivery == Delivery.QUEUED,
        )
        .exists()
    )
    session.execute(
        update(Notification)
        .where(
            *_waiting(now_us),
            Notification.event != Event.RESOLVED,
            Notification.created_us < now_us - _OVERTAKEN_US,
            over,
        )
        .values(delivery=Delivery.DROPPED, reason=OVERTAKEN, done_us=now_us)
        .execution_options(synchronize_session=False)
    )


def _letter(session: Session, number: int) -> Letter:
    row = session.get_one(Notification, number)
    incident = session.get_one(Incident, row.incident_id, options=[joinedload(Incident.alert)])
    beside = select(Notification.event, Notification.message_id, Notification.address).where(
        Notification.incident_id == incident.id,
        Notification.channel == row.channel,
        or_(
            Notification.delivery == Delivery.SENT,
            and_(Notification.delivery == Delivery.QUEUED, Notification.level == 0),
        ),
    )
    others = session.execute(beside).all()
    thread = next(
        (
            each.message_id
            for each in others
            if each.event == Event.FIRED and each.address == row.address
        ),
        row.message_id,
    )
    upcoming = session.execute(
        select(Notification.due_us, Notification.receiver)
        .where(
            Notification.incident_id == incident.id,
            Notification.level > row.level,
            Notification.delivery == Delivery.QUEUED,
        )
        .order_by(Notification.level)
        .limit(1)
    ).first()
    return Letter(
        id=row.id,
        message_id=row.message_id,
        thread_id=thread,
        event=row.event,
        level=row.level,
        audience=row.audience,
        channel=row.channel,
        address=row.address,
        receiver=row.receiver,
        attempts=row.attempts,
        incident=incident.id,
        rule=incident.alert.rule,
        severity=incident.severity,
        integration=incident.alert.integration,
        partner=incident.alert.partner,
        summary=incident.summary,
        evidence=incident.evidence,
        fired_us=incident.fired_us,
        resolved_us=incident.resolved_us,
        others=tuple(sorted({each.address for each in others} - {row.address})),
        next_step=(upcoming.due_us, upcoming.receiver) if upcoming else None,
    )
