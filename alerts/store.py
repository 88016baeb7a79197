"""Where alerts stand, in the registry: read whole, changed by compare-and-set.

A change, its incident and its notifications are one transaction. Of two evaluations that see the
same standing one changes it; the other changes nothing and is told so.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from sqlalchemy import CursorResult, Engine, Row, func, select, text, update
from sqlalchemy.orm import Session

from alerts.changes import Change, Held, Key
from alerts.evaluate import Subject
from alerts.stages import (
    ECOSYSTEM_TEAM,
    THROTTLE_US,
    Around,
    Audience,
    Happened,
    Meaning,
    Muted,
    Planned,
    Receiver,
    plan,
)
from app.commands.telling import drop_steps, tell_over
from app.db import reading, transaction
from app.domain.alert import Event, Standing, State
from app.domain.alert_route import NO_ROUTES, Directory
from app.domain.receiver import Channel
from app.domain.rule import Severity
from app.domain.scope import Role
from app.models import (
    Alert,
    Delivery,
    Incident,
    Integration,
    Notification,
    Partner,
    PartnerContact,
    Silence,
    User,
)

MAIL = Channel.MAIL.value
NOTHING = Meaning()
_COLUMNS = (
    Alert.id, Alert.version, Alert.rule, Alert.series, Alert.integration, Alert.partner,
    Alert.state, Alert.since_us, Alert.incident, Alert.fired_us,
)  # fmt: skip
#: Gives no id for an instance that another evaluation was first to see.
_INSERT = text(
    "INSERT INTO alerts (rule, series, integration, partner, state, since_us, incident, fired_us,"
    " summary, version) VALUES (:rule, :series, :integration, :partner, :state, :since_us,"
    " :incident, :fired_us, :summary, 1) ON CONFLICT (rule, series) DO NOTHING RETURNING id"
)
_OPEN = (State.FIRING, State.RECOVERING)
#: While one of these fires, nothing that is quiet can be told from what is not seen.
_BLINDING = frozenset({"midspan-loader-gone", "midspan-loader-behind"})


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a round: changes that took, and those that another evaluation had made."""

    changed: int = 0
    lost: int = 0
    planned: int = 0


class AlertStore:
    """The registry, as the scheduler sees it. `host` stands behind the @ of message ids."""

    def __init__(self, engine: Engine, host: str) -> None:
        self._engine = engine
        self._host = host

    def held(self) -> dict[Key, Held]:
        """Every rule instance that ever was anything but calm."""
        statement = select(*_COLUMNS, Incident.severity).outerjoin(
            Incident, (Incident.alert_id == Alert.id) & (Incident.number == Alert.incident)
        )
        with reading(self._engine) as session:
            return {Key(row.rule, row.series): _held(row) for row in session.execute(statement)}

    def record(
        self,
        changes: Sequence[Change],
        evidence: Mapping[Key, str],
        now_us: int,
        meant: Meaning = NOTHING,
        directory: Directory = NO_ROUTES,
    ) -> Recorded:
        """Make the changes, loudest first. `evidence` is JSON for each that fires."""
        total = Recorded()
        if not changes:
            return total
        with transaction(self._engine) as session:
            known = around(session, changes, now_us, meant, directory)
            writing = _Writing(session, known, meant, _categories(session), now_us, self._host)
            for change in sorted(changes, key=lambda each: each.severity):
                planned = writing.make(change, evidence.get(change.key, "{}"))
                if planned is None:
                    total = replace(total, lost=total.lost + 1)
                else:
                    total = Recorded(total.changed + 1, total.lost, total.planned + planned)
        return total


@dataclass(frozen=True, slots=True)
class _Writing:
    """One transaction in which changes are made."""

    session: Session
    around: Around
    meant: Meaning
    categories: Mapping[str, str]
    now_us: int
    host: str

    def make(self, change: Change, evidence: str) -> int | None:
        """Make a change; how many notifications it planned, None if somebody was first."""
        row_id = _set(self.session, change)
        if row_id is None:
            return None
        if change.event is None:
            return 0
        incident = _incident(self.session, change, row_id, evidence, self.now_us)
        if change.event == Event.RESOLVED:
            return self._over(incident)
        happened = Happened(
            rule=change.key.rule,
            severity=incident.severity,
            integration=change.subject.integration,
            partner=change.subject.partner,
            quiet=change.key.rule in self.meant.quiet,
            failing=change.key.rule in self.meant.failing,
            fault=main_fault(evidence),
            category=self.categories.get(change.subject.integration or ""),
            own=self.meant.own.get(change.key.rule, ()),
        )
        planned = plan(happened, self.around)
        self.session.add_all(self._row(incident, each) for each in planned)
        self.session.flush()
        return len(planned)

    def _over(self, incident: Incident) -> int:
        """It is over; whoever said so before has told everybody."""
        if incident.resolved_us is not None:
            return 0
        incident.resolved_us = self.now_us
        return tell_over(self.session, incident.id, self.now_us)

    def _row(self, incident: Incident, planned: Planned) -> Notification:
        receiver = planned.receiver
        return Notification(
            incident_id=incident.id,
            event=Event.FIRED,
            level=planned.level,
            receiver=receiver.name,
            audience=receiver.audience.value,
            channel=receiver.channel,
            address=receiver.address,
            message_id=message_id(incident.id, planned, self.host),
            delivery=Delivery.DROPPED if planned.dropped else Delivery.QUEUED,
            reason=planned.reason.value,
            attempts=0,
            due_us=self.now_us + planned.after_us,
            created_us=self.now_us,
            done_us=self.now_us if planned.dropped else None,
            error="",
        )


def message_id(incident: int, planned: Planned, host: str) -> str:
    """The same for the same incident, address and step, whoever computes it."""
    receiver, step = planned.receiver, f"-{planned.level}" if planned.level else ""
    digest = hashlib.sha256(f"{receiver.channel}:{receiver.address}".encode()).hexdigest()[:16]
    return f"<incident-{incident}.{Event.FIRED}.{digest}{step}@{host}>"


def main_fault(evidence: str) -> str | None:
    """Who has to act in most of what failed, by the evidence; None where it does not say."""
    faults = json.loads(evidence).get("now", {}).get("by_fault", {})
    failed = {name: count for name, count in faults.items() if count and name != "none"}
    return max(failed, key=failed.__getitem__) if failed else None


def _held(row: Row[*tuple[Any, ...]]) -> Held:
    operation = row.series.partition(" operation=")[2]
    return Held(
        row.id,
        row.version,
        Standing(row.state, row.since_us, row.incident, row.fired_us),
        Subject(row.series, row.integration, row.partner, operation),
        row.severity or Severity.P4,
    )


def _set(session: Session, change: Change) -> int | None:
    """Write the new standing; the row's id, None if somebody else changed it first."""
    values = {
        "state": change.standing.state,
        "since_us": change.standing.since_us,
        "incident": change.standing.incident,
        "fired_us": change.standing.fired_us,
        "summary": change.verdict.summary,
    }
    if change.held is None:
        return _insert(session, change, values)
    result = session.execute(
        update(Alert)
        .where(Alert.id == change.held.id, Alert.version == change.held.version)
        .values(version=change.held.version + 1, **values)
    )
    return change.held.id if cast("CursorResult[Any]", result).rowcount == 1 else None


def _insert(session: Session, change: Change, values: dict[str, Any]) -> int | None:
    row_id: int | None = session.scalar(
        _INSERT,
        {
            "rule": change.key.rule,
            "series": change.key.series,
            "integration": change.subject.integration,
            "partner": change.subject.partner,
            **values,
            "state": change.standing.state.value,
        },
    )
    return row_id


def _incident(
    session: Session, change: Change, row_id: int, evidence: str, now_us: int
) -> Incident:
    if change.event == Event.FIRED:
        _outgrow(session, change, now_us)
        incident = Incident(
            alert_id=row_id,
            number=change.standing.incident,
            severity=change.severity,
            fired_us=now_us,
            summary=change.verdict.summary,
            evidence=evidence,
        )
        session.add(incident)
        session.flush()
        return incident
    return session.scalars(
        select(Incident).where(
            Incident.alert_id == row_id, Incident.number == change.standing.incident
        )
    ).one()


def _outgrow(session: Session, change: Change, now_us: int) -> None:
    """End the incident that a louder one takes the place of; its end tells nobody."""
    if change.held is None or not change.held.standing.open:
        return
    ended = session.scalar(
        update(Incident)
        .where(
            Incident.alert_id == change.held.id,
            Incident.number == change.held.standing.incident,
            Incident.resolved_us.is_(None),
        )
        .values(resolved_us=now_us)
        .returning(Incident.id)
    )
    if ended is not None:
        drop_steps(session, ended, now_us)


def around(
    session: Session,
    changes: Sequence[Change],
    now_us: int,
    meant: Meaning,
    directory: Directory,
) -> Around:
    """What is known when these changes are passed on."""
    opened = {each.key.rule for each in changes if each.event == Event.FIRED}
    opened |= set(session.scalars(select(Alert.rule).where(Alert.state.in_(_OPEN)).distinct()))
    return Around(
        receivers=_receivers(session),
        directory=directory,
        now_us=now_us,
        muted=_muted(session, now_us),
        platform_out=bool(meant.explaining & opened),
        blind=bool(_BLINDING & opened),
        failing=_failing(session, meant),
        sent_lately=_sent_lately(session, now_us),
    )


def _failing(session: Session, meant: Meaning) -> dict[str, Severity]:
    """The integrations that somebody was told fail, and how loudly."""
    statement = (
        select(Alert.integration, func.min(Incident.severity).label("severity"))
        .join(Incident, Incident.alert_id == Alert.id)
        .join(Notification, Notification.incident_id == Incident.id)
        .where(
            Incident.resolved_us.is_(None),
            Alert.integration.is_not(None),
            Alert.rule.in_(sorted(meant.failing)),
            Notification.event == Event.FIRED,
            Notification.delivery.in_([Delivery.SENT, Delivery.QUEUED]),
        )
        .group_by(Alert.integration)
    )
    return {str(row.integration): Severity(row.severity) for row in session.execute(statement)}


def _receivers(session: Session) -> list[Receiver]:
    """The default ones: every ecosystem user for all, a partner's contacts for its own."""
    users = session.scalars(
        select(User.email).where(User.role == Role.ECOSYSTEM, User.disabled_us.is_(None))
    )
    found = [Receiver(ECOSYSTEM_TEAM, Audience.ECOSYSTEM, MAIL, email) for email in sorted(users)]
    contacts = session.execute(
        select(Partner.slug, PartnerContact.email)
        .join(PartnerContact, PartnerContact.partner_id == Partner.id)
        .where(Partner.removed_us.is_(None))
        .order_by(Partner.slug, PartnerContact.position)
    )
    return found + [
        Receiver(f"contacts of {slug}", Audience.PARTNER, MAIL, email, slug)
        for slug, email in contacts
    ]


def _categories(session: Session) -> dict[str, str]:
    rows = session.execute(
        select(Integration.slug, Integration.category).where(Integration.category.is_not(None))
    )
    return {row.slug: row.category or "" for row in rows}


def _muted(session: Session, now_us: int) -> list[Muted]:
    rows = session.scalars(
        select(Silence).where(Silence.starts_us <= now_us, Silence.ends_us > now_us)
    )
    return [Muted(row.rule, row.integration, row.partner, row.partners_only) for row in rows]


def _sent_lately(session: Session, now_us: int) -> dict[str, int]:
    rows = session.execute(
        select(Notification.address, func.count().label("sent"))
        .where(
            Notification.created_us > now_us - THROTTLE_US,
            Notification.event == Event.FIRED,
            Notification.level == 0,
            Notification.delivery != Delivery.DROPPED,
        )
        .group_by(Notification.address)
    )
    return {row.address: row.sent for row in rows}
