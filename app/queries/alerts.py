"""What fires and what fired, who was told and why or why not, and what is silenced."""

import json
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select
from sqlalchemy.orm import selectinload

from app.db import looking_up
from app.db import reading as registry_session
from app.domain.alert import State
from app.domain.scope import Scope
from app.domain.window import Window
from app.errors import NotFound
from app.models import Alert, Incident, Notification, Silence
from app.queries.reading import Reading
from app.queries.registry import integration_within
from app.queries.results import (
    IncidentTime,
    IncidentView,
    NotificationView,
    Page,
    SilenceView,
)
from app.telemetry import timed_query

MOST = 200
#: Where the scheduler says what its newest round did, below the home.
STATUS = Path("status") / "alerts.json"


@timed_query("alerts")
def incidents(
    reading: Reading,
    scope: Scope,
    *,
    integration: str | None = None,
    open_only: bool = False,
    before: int | None = None,
    limit: int = 50,
) -> Page[IncidentView]:
    """Incidents within the scope, newest first; `before` is the number of the last one seen.

    A partner sees those about its own integrations, and of each only who of its own was told.
    """
    statement = _within(scope).order_by(Incident.id.desc()).limit(min(limit, MOST) + 1)
    if integration is not None:
        statement = statement.where(Alert.integration == integration)
    if open_only:
        statement = statement.where(Incident.resolved_us.is_(None))
    if before is not None:
        statement = statement.where(Incident.id < before)
    with registry_session(reading.engine) as session:
        found = [incident_view(each, scope) for each in session.scalars(statement)]
    page, more = found[:limit], len(found) > limit
    return Page(tuple(page), str(page[-1].id) if more else None)


@timed_query("alert")
def incident(reading: Reading, scope: Scope, number: int) -> IncidentView:
    """One; `NotFound` when there is none within the scope."""
    with registry_session(reading.engine) as session:
        found = session.scalars(_within(scope).where(Incident.id == number)).one_or_none()
        if found is None:
            raise NotFound(f"no incident {number}")
        return incident_view(found, scope)


@timed_query("firing")
def firing(reading: Reading, scope: Scope) -> int:
    """How many incidents within the scope are not over."""
    statement = (
        select(func.count())
        .select_from(Incident)
        .join(Alert, Alert.id == Incident.alert_id)
        .where(Incident.resolved_us.is_(None), *_reach(scope))
    )
    with registry_session(reading.engine) as session:
        return session.scalar(statement) or 0


@timed_query("alerts_during")
def during(reading: Reading, scope: Scope, slug: str, window: Window) -> list[IncidentTime]:
    """Incidents about one integration that were on within a window, oldest first; `NotFound`
    outside the scope."""
    integration_within(reading, scope, slug)
    known = {"slug": slug, "start_us": window.start_us, "end_us": window.end_us}
    with looking_up(reading.engine) as connection:
        return [
            IncidentTime(number, severity.value, summary, fired_us, resolved_us, acked is not None)
            for number, severity, summary, fired_us, resolved_us, acked in connection.execute(
                _during(scope), known
            )
        ]


@lru_cache(maxsize=256)
def _during(scope: Scope) -> Select[*tuple[Any, ...]]:
    """Made once for a scope: every look at the charts asks."""
    columns = (Incident.id, Incident.severity, Incident.summary, Incident.fired_us,
               Incident.resolved_us, Incident.acked_us)  # fmt: skip
    return (
        select(*columns)
        .join(Alert, Alert.id == Incident.alert_id)
        .where(
            Alert.integration == bindparam("slug"),
            Incident.fired_us < bindparam("end_us"),
            or_(Incident.resolved_us.is_(None), Incident.resolved_us > bindparam("start_us")),
            *_reach(scope),
        )
        .order_by(Incident.fired_us, Incident.id)
        .limit(MOST)
    )


def evaluated_us(home: Path) -> int | None:
    """When the rules were last evaluated; None when that cannot be told."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return int(json.loads((home / STATUS).read_bytes())["evaluated_us"])
    return None


@timed_query("silences")
def silences(reading: Reading, scope: Scope) -> list[SilenceView]:
    """Those in force or to come within the scope, soonest over first."""
    now_us = reading.clock()
    statement = select(Silence).where(Silence.ends_us > now_us).order_by(Silence.ends_us)
    if scope.partners is not None:
        statement = statement.where(
            or_(
                Silence.partner.in_(sorted(scope.partners)),
                Silence.integration.in_(sorted(scope.integrations)),
            )
        )
    with registry_session(reading.engine) as session:
        return [silence_view(each) for each in session.scalars(statement.limit(MOST))]


def _within(scope: Scope) -> Select[Incident]:
    return (
        select(Incident)
        .join(Alert, Alert.id == Incident.alert_id)
        .where(*_reach(scope))
        .options(selectinload(Incident.alert), selectinload(Incident.notifications))
    )


def _reach(scope: Scope) -> tuple[ColumnElement[bool], ...]:
    if scope.partners is None:
        return ()
    return (
        or_(
            Alert.partner.in_(sorted(scope.partners)),
            Alert.integration.in_(sorted(scope.integrations)),
        ),
    )


def incident_view(row: Incident, scope: Scope) -> IncidentView:
    """One row in words."""
    everything = scope.partners is None
    return IncidentView(
        id=row.id,
        rule=row.alert.rule,
        series=row.alert.series,
        integration=row.alert.integration,
        partner=row.alert.partner,
        severity=row.severity.value,
        state=_state(row),
        summary=row.summary,
        fired_us=row.fired_us,
        resolved_us=row.resolved_us,
        acked_us=row.acked_us,
        acked_by=row.acked_by,
        evidence=row.evidence,
        closed_by=row.closed_by,
        notifications=tuple(
            notification_view(each)
            for each in row.notifications
            if everything or each.audience == "partner"
        ),
    )


def _state(row: Incident) -> str:
    over = row.resolved_us is not None or row.number != row.alert.incident
    return State.RESOLVED.value if over else row.alert.state.value


def notification_view(row: Notification) -> NotificationView:
    """One row in words."""
    return NotificationView(
        event=row.event.value,
        receiver=row.receiver,
        channel=row.channel,
        address=row.address,
        delivery=row.delivery.value,
        reason=row.reason,
        attempts=row.attempts,
        at_us=row.done_us or row.created_us,
        error=row.error or None,
    )


def silence_view(row: Silence) -> SilenceView:
    """One row in words."""
    return SilenceView(
        id=row.id,
        rule=row.rule,
        integration=row.integration,
        partner=row.partner,
        starts_us=row.starts_us,
        ends_us=row.ends_us,
        created_by=row.created_by,
        comment=row.comment,
        partners_only=row.partners_only,
    )
