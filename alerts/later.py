"""What is made up for after a round: evidence that is owed, and what is told after all.

An incident that nobody was told of, because it was silenced, explained by a greater one or part of
another, is told of once that reason is gone and it still fires. Nothing is lost by being explained.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Engine, Row, select, update
from sqlalchemy.orm import aliased

from alerts.evidence import AT_ONCE, OWED, pay
from alerts.stages import (
    PASSING,
    Around,
    Audience,
    Happened,
    Meaning,
    Reason,
    muted_by_partner,
    objection,
)
from alerts.store import around
from app.db import reading, transaction
from app.domain.alert import Event, State
from app.domain.alert_route import NO_ROUTES
from app.domain.window import HOUR_US
from app.models import Alert, Delivery, Incident, Notification
from app.queries import Reading

_heard = aliased(Notification)
#: Whether somebody else was told of the incident: then it is part of no other.
_TOLD = (
    select(_heard.id)
    .where(
        _heard.incident_id == Notification.incident_id,
        _heard.event == Event.FIRED,
        _heard.delivery.in_([Delivery.SENT, Delivery.QUEUED]),
    )
    .exists()
)
_WAITING = (
    select(
        Notification.id, Notification.incident_id, Notification.audience, Alert.rule,
        Alert.integration, Alert.partner, Incident.severity, _TOLD.label("told"),
    )
    .join(Incident, Incident.id == Notification.incident_id)
    .join(Alert, Alert.id == Incident.alert_id)
    .where(
        Incident.resolved_us.is_(None),
        Alert.state == State.FIRING,
        Notification.event == Event.FIRED,
        Notification.delivery == Delivery.DROPPED,
        Notification.reason.in_(sorted(PASSING)),
    )
    .order_by(Incident.severity, Notification.incident_id, Notification.id)
)  # fmt: skip


class Owed(NamedTuple):
    """An incident whose evidence is still to be read."""

    incident: int
    evidence: str
    integration: str


def release(engine: Engine, now_us: int, meant: Meaning) -> int:
    """Tell of what goes on although what explained it does not; how many notifications."""
    with reading(engine) as session:
        if session.execute(_WAITING.limit(1)).first() is None:
            return 0
    with transaction(engine) as session:
        waiting = session.execute(_WAITING).all()
        released = _released(waiting, around(session, (), now_us, meant, NO_ROUTES), meant)
        session.execute(
            update(Notification)
            .where(Notification.id.in_(released), Notification.delivery == Delivery.DROPPED)
            .values(
                delivery=Delivery.QUEUED, reason=Reason.EXPLAINED_NO_MORE.value, due_us=now_us,
                done_us=None,
            )
        )  # fmt: skip
    return len(released)


def _released(waiting: Iterable[Row[*tuple[Any, ...]]], known: Around, meant: Meaning) -> list[int]:
    found = []
    for _, rows in groupby(waiting, lambda row: row.incident_id):
        first, *others = rows
        happened = Happened(
            first.rule, first.severity, first.integration, first.partner,
            quiet=first.rule in meant.quiet,
            failing=first.rule in meant.failing and not first.told,
        )  # fmt: skip
        if objection(happened, known) is None:
            quiet = muted_by_partner(happened, known)
            found += [
                row.id
                for row in (first, *others)
                if not (quiet and row.audience == Audience.PARTNER)
            ]
            if happened.failing and happened.integration is not None:
                known.failing[happened.integration] = happened.severity
    return found


def pay_owed(reading_of: Reading, now_us: int) -> int:
    """Read some of the evidence that incidents of the last hour still lack; how much."""
    statement = (
        select(Incident.id, Incident.evidence, Alert.integration)
        .join(Alert, Alert.id == Incident.alert_id)
        .where(
            Incident.fired_us > now_us - HOUR_US,
            Incident.evidence.contains(f'"{OWED}"'),
            Alert.integration.is_not(None),
        )
        .order_by(Incident.severity, Incident.id)
        .limit(AT_ONCE)
    )
    with reading(reading_of.engine) as session:
        rows = session.execute(statement).all()
        owed = [Owed(row.id, row.evidence, row.integration) for row in rows]
    for each in owed:
        evidence = pay(reading_of, each.evidence, each.integration)
        with transaction(reading_of.engine) as session:
            session.execute(
                update(Incident)
                .where(Incident.id == each.incident, Incident.evidence == each.evidence)
                .values(evidence=evidence)
            )
    return len(owed)
