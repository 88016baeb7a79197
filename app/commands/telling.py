"""What follows from an incident being taken or over, for the notifications about it.

The notification that an incident began is the record of who was told: from its rows comes who is
told the rest, by the same way and in the transaction that changes the incident.
"""

from collections.abc import Collection
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain.alert import Event
from app.domain.receiver import Channel
from app.models import Delivery, Notification

#: Where an alarm rings on until somebody says that it is taken.
RINGING = frozenset({Channel.PAGERDUTY.value})


class Follow(StrEnum):
    """Why a notification follows another one, or why it does not."""

    IT_IS_OVER = "it_is_over"
    NEVER_TOLD = "never_told"
    SOMEBODY_HAS_IT = "somebody_has_it"
    NOT_NEEDED = "not_needed"


def tell_taken(session: Session, incident: int, now_us: int) -> None:
    """Somebody has it: tell where it rings, and drop the steps of its escalation."""
    drop_steps(session, incident, now_us)
    for row in _heard(session, incident):
        if row.channel in RINGING and _told(row):
            _follow(session, row, Event.ACKNOWLEDGED, Follow.SOMEBODY_HAS_IT, now_us)


def tell_over(session: Session, incident: int, now_us: int) -> int:
    """It is over: tell whoever was told that it began; how many notifications that makes."""
    drop_steps(session, incident, now_us)
    heard = _heard(session, incident)
    for row in heard:
        reason = Follow.IT_IS_OVER if _told(row) else Follow.NEVER_TOLD
        _follow(session, row, Event.RESOLVED, reason, now_us)
    return len(heard)


def drop_steps(session: Session, incident: int, now_us: int) -> None:
    """Drop the steps of its escalation that nobody began to carry out."""
    session.execute(
        update(Notification)
        .where(
            Notification.incident_id == incident,
            Notification.delivery == Delivery.QUEUED,
            Notification.level > 0,
            Notification.attempts == 0,
            Notification.leased_us.is_(None),
        )
        .values(delivery=Delivery.DROPPED, reason=Follow.NOT_NEEDED.value, done_us=now_us)
    )


def _heard(session: Session, incident: int) -> Collection[Notification]:
    """Of each address the notification that it began: the first that was told, else any."""
    rows = session.scalars(
        select(Notification)
        .where(Notification.incident_id == incident, Notification.event == Event.FIRED)
        .order_by(Notification.level, Notification.id)
    )
    found: dict[tuple[str, str], Notification] = {}
    for row in rows:
        known = found.get((row.channel, row.address))
        if known is None or (_told(row) and not _told(known)):
            found[row.channel, row.address] = row
    return found.values()


def _told(row: Notification) -> bool:
    return row.delivery in (Delivery.SENT, Delivery.QUEUED)


def _follow(
    session: Session, heard: Notification, event: Event, reason: Follow, now_us: int
) -> None:
    dropped = reason == Follow.NEVER_TOLD
    session.add(
        Notification(
            incident_id=heard.incident_id,
            event=event,
            receiver=heard.receiver,
            audience=heard.audience,
            channel=heard.channel,
            address=heard.address,
            message_id=heard.message_id.replace(f".{Event.FIRED}.", f".{event}.", 1),
            delivery=Delivery.DROPPED if dropped else Delivery.QUEUED,
            reason=reason.value,
            attempts=0,
            due_us=now_us,
            created_us=now_us,
            done_us=now_us if dropped else None,
            error="",
        )
    )
