"""Alerts: where each rule instance stands, what happened in each incident, and who was told.

A change of state, the incident that it opens or closes and the notifications that follow from it
are written in one transaction (`app.commands.alerting`), so that nobody is told of what did not
happen and nothing happens that nobody is told of. An incident keeps its evidence for good: numbers
and samples as they were, when exchanges and captures are long gone.
"""

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.alert import Event, State
from app.domain.rule import Severity
from app.models.base import Base, words_type

_Id = BigInteger().with_variant(Integer, "sqlite")


class Delivery(StrEnum):
    """Where a notification stands."""

    QUEUED = "queued"
    SENT = "sent"
    DROPPED = "dropped"
    FAILED = "failed"


class Alert(Base):
    """One rule instance. `version` is compared and set: of two evaluations one wins."""

    __tablename__ = "alerts"
    __table_args__ = (UniqueConstraint("rule", "series"),)

    id: Mapped[int] = mapped_column(_Id, primary_key=True, comment="Internal; never shown")
    rule: Mapped[str] = mapped_column(String(100), comment="Name of the rule")
    series: Mapped[str] = mapped_column(
        String(500), comment="What it is about: integration, partner, operation, or midspan"
    )
    integration: Mapped[str | None] = mapped_column(
        String(63), index=True, comment="Slug of the integration; NULL: it is about none"
    )
    partner: Mapped[str | None] = mapped_column(
        String(63), index=True, comment="Slug of the partner who may see it; NULL: none may"
    )
    state: Mapped[State] = mapped_column(words_type(State, "state"), comment="Where it stands")
    since_us: Mapped[int] = mapped_column(
        BigInteger, comment="In this state since, microseconds since 1970 UTC"
    )
    incident: Mapped[int] = mapped_column(comment="How often it fired; 0: never")
    fired_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="The newest incident began, microseconds since 1970 UTC; NULL: none did"
    )
    summary: Mapped[str] = mapped_column(
        Text, comment="What the last evaluation found, in one sentence"
    )
    version: Mapped[int] = mapped_column(comment="Counts the changes of this row")

    incidents: Mapped[list["Incident"]] = relationship(
        back_populates="alert", order_by="Incident.number"
    )


class Incident(Base):
    """One time that a rule instance fired, with its evidence as it was then."""

    __tablename__ = "incidents"
    __table_args__ = (
        UniqueConstraint("alert_id", "number"),
        CheckConstraint("(acked_us IS NULL) = (acked_by IS NULL)", name="ack_whole"),
        Index(
            "ix_incidents_open",
            "fired_us",
            sqlite_where=text("resolved_us IS NULL"),
            postgresql_where=text("resolved_us IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True, comment="Its number, for people")
    alert_id: Mapped[int] = mapped_column(
        ForeignKey("alerts.id", ondelete="CASCADE"), comment="Which rule instance"
    )
    number: Mapped[int] = mapped_column(comment="Its place among those of the instance, from 1")
    severity: Mapped[Severity] = mapped_column(
        words_type(Severity, "severity"), comment="P1 to P4, the loudest it had"
    )
    fired_us: Mapped[int] = mapped_column(
        BigInteger, index=True, comment="Began, microseconds since 1970 UTC"
    )
    resolved_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Over, microseconds since 1970 UTC; NULL: it goes on"
    )
    summary: Mapped[str] = mapped_column(Text, comment="What was found when it fired")
    evidence: Mapped[str] = mapped_column(
        Text, comment="Numbers, chart points and sample exchanges as they were then, JSON"
    )
    acked_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Somebody took it, microseconds since 1970 UTC; NULL: nobody did"
    )
    acked_by: Mapped[str | None] = mapped_column(String(300), comment="Who took it")
    closed_by: Mapped[str | None] = mapped_column(
        String(300), comment="Who said that it is over; NULL: an evaluation found so, or it goes on"
    )

    alert: Mapped[Alert] = relationship(back_populates="incidents")
    notifications: Mapped[list["Notification"]] = relationship(order_by="Notification.id")


class Notification(Base):
    """One message to one address about one event of an incident: the outbox and the record.

    A message that is sent again is the same row and carries the same `message_id`. A row that is
    `dropped` was never sent, and `reason` says why.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("incident_id", "event", "channel", "address", "level"),
        Index(
            "ix_notifications_due",
            "due_us",
            sqlite_where=text("delivery = 'queued'"),
            postgresql_where=text("delivery = 'queued'"),
        ),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True, comment="Order of planning")
    incident_id: Mapped[int] = mapped_column(
        ForeignKey("incidents.id", ondelete="CASCADE"), index=True, comment="About which incident"
    )
    event: Mapped[Event] = mapped_column(
        words_type(Event, "event"), comment="fired, acknowledged or resolved"
    )
    level: Mapped[int] = mapped_column(
        default=0, server_default="0", comment="0: told at once; else the step of the escalation"
    )
    receiver: Mapped[str] = mapped_column(String(100), comment="Name of the receiver")
    audience: Mapped[str] = mapped_column(
        String(20), comment="Who reads it: on_call, ecosystem or partner"
    )
    channel: Mapped[str] = mapped_column(String(20), comment="mail, slack, pagerduty or webhook")
    address: Mapped[str] = mapped_column(
        String(500), comment="Where to: an address, or the name of a secret that holds it"
    )
    message_id: Mapped[str] = mapped_column(
        String(300), unique=True, comment="The same at every attempt"
    )
    delivery: Mapped[Delivery] = mapped_column(
        words_type(Delivery, "delivery"), comment="queued, sent, dropped or failed"
    )
    reason: Mapped[str] = mapped_column(
        String(63), comment="Why it is sent or was dropped, one of the named reasons"
    )
    attempts: Mapped[int] = mapped_column(comment="How often it was tried")
    due_us: Mapped[int] = mapped_column(
        BigInteger, comment="Not tried before, microseconds since 1970 UTC"
    )
    leased_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="In somebody's hands until then, microseconds; NULL: in nobody's"
    )
    created_us: Mapped[int] = mapped_column(
        BigInteger, comment="Planned, microseconds since 1970 UTC"
    )
    done_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Sent, dropped or given up, microseconds; NULL: still queued"
    )
    error: Mapped[str] = mapped_column(Text, comment="What the last failed attempt said")


class Silence(Base):
    """A time in which nobody is told of what it matches. Ended early, it stays as history."""

    __tablename__ = "silences"
    __table_args__ = (CheckConstraint("ends_us > starts_us", name="ends_after_start"),)

    id: Mapped[int] = mapped_column(_Id, primary_key=True, comment="Its number, for people")
    rule: Mapped[str | None] = mapped_column(
        String(100), comment="Only alerts of this rule; NULL: of all"
    )
    integration: Mapped[str | None] = mapped_column(
        String(63), comment="Only alerts about this integration; NULL: about all"
    )
    partner: Mapped[str | None] = mapped_column(
        String(63), comment="Only alerts about this partner's integrations; NULL: about all"
    )
    starts_us: Mapped[int] = mapped_column(BigInteger, comment="From, microseconds since 1970 UTC")
    ends_us: Mapped[int] = mapped_column(
        BigInteger, index=True, comment="Until, microseconds since 1970 UTC"
    )
    partners_only: Mapped[bool] = mapped_column(
        default=False, server_default=false(),
        comment="Made by a partner: the platform's people are told all the same",
    )  # fmt: skip
    created_by: Mapped[str] = mapped_column(String(300), comment="Who made it")
    comment: Mapped[str] = mapped_column(Text, comment="Why")


class PartnerRule(Base):
    """A rule that a partner wrote for its own integrations, and whom it tells."""

    __tablename__ = "partner_rules"
    __table_args__ = (UniqueConstraint("partner_id", "name"),)

    id: Mapped[int] = mapped_column(_Id, primary_key=True, comment="Internal; never shown")
    partner_id: Mapped[int] = mapped_column(
        ForeignKey("partners.id", ondelete="CASCADE"), comment="Whose"
    )
    name: Mapped[str] = mapped_column(String(36), comment="Its name among those of the partner")
    text: Mapped[str] = mapped_column(Text, comment="One rule as a rule file has it")
    addresses: Mapped[str] = mapped_column(Text, comment="Mail addresses to tell, one a line")
    updated_us: Mapped[int] = mapped_column(
        BigInteger, comment="Last written, microseconds since 1970 UTC"
    )
    updated_by: Mapped[str] = mapped_column(String(300), comment="Who wrote it")


class ReceiverTest(Base):
    """The newest test message to a receiver: asked for by somebody, sent by the scheduler."""

    __tablename__ = "receiver_tests"

    receiver: Mapped[str] = mapped_column(
        String(100), primary_key=True, comment="Name of the receiver"
    )
    asked_us: Mapped[int] = mapped_column(
        BigInteger, comment="Asked for, microseconds since 1970 UTC"
    )
    asked_by: Mapped[str] = mapped_column(String(300), comment="Who asked")
    done_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Tried, microseconds since 1970 UTC; NULL: it waits"
    )
    error: Mapped[str] = mapped_column(Text, comment="What went wrong; empty: it arrived")
