"""The outbox: which notification is due, who has it in hand, and what became of it.

A notification is leased before it is sent and marked after, so a sender that dies in between is
followed by another with the same message id once the lease is over. Nobody is told that an
incident is over before being told that it began; if both wait for longer than `_OVERTAKEN_US`,
only the end is still worth a message.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Engine, func, or_, select, update
from sqlalchemy.orm import Session, aliased, joinedload

from app.db import reading, transaction
from app.domain.alert import Event
from app.domain.rule import Severity
from app.domain.window import HOUR_US, SECOND_US
from app.models import Delivery, Incident, Notification

LEASE_US = 120 * SECOND_US
_OVERTAKEN_US = HOUR_US
#: Why a notification that was planned is not sent after all.
OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything that a message about one event of one incident may say."""

    id: int
    message_id: str
    thread_id: str
    event: Event
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


class Outbox:
    """The notifications of the registry, as whoever sends them sees them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def lease(self, now_us: int, most: int) -> list[Letter]:
        """Take up to `most` that are due into our hands, loudest and oldest first."""
        with transaction(self._engine) as session:
            _overtake(session, now_us)
            ids = list(session.scalars(_due(now_us).limit(most)))
            taken = [number for number in ids if _take(session, number, now_us)]
            return [_letter(session, number) for number in taken]

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

    def lately_failed(self, since_us: int) -> int:
        """How many notifications were given up since then."""
        statement = select(func.count()).where(
            Notification.delivery == Delivery.FAILED, Notification.done_us >= since_us
        )
        with reading(self._engine) as session:
            return session.scalar(statement) or 0

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
        Notification.due_us <= now_us,
        or_(Notification.leased_us.is_(None), Notification.leased_us < now_us),
    )


def _due(now_us: int) -> Any:
    first = aliased(Notification)
    begun_first = ~(
        select(first.id)
        .where(
            first.incident_id == Notification.incident_id,
            first.channel == Notification.channel,
            first.address == Notification.address,
            first.event == Event.FIRED,
            first.delivery == Delivery.QUEUED,
        )
        .exists()
    )
    return (
        select(Notification.id)
        .join(Incident, Incident.id == Notification.incident_id)
        .where(*_waiting(now_us), or_(Notification.event == Event.FIRED, begun_first))
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
    """Drop what says that an incident began, where the end of it waits too and long has."""
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
            Notification.event == Event.FIRED,
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
        Notification.delivery.in_([Delivery.SENT, Delivery.QUEUED]),
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
    return Letter(
        id=row.id,
        message_id=row.message_id,
        thread_id=thread,
        event=row.event,
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
    )
