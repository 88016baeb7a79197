"""Installations one by one: where each stands, what is stuck now, and where witnesses disagree.

An installation is addressed by its integration's slug, a colon and what the platform calls it
(`globex-issues:inst-7`), because the platform's names are unique only within an integration. The
bare name will do where it means one installation within the caller's scope.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from app.db import reading as registry_session
from app.domain.funnel import InstallationState, LostCause
from app.domain.ids import format_id
from app.domain.lost import Crossed, advice
from app.domain.reconcile import Discrepancy
from app.domain.scope import Scope
from app.domain.window import DAY_US
from app.errors import BadQuery, NotFound
from app.models import (
    Installation,
    InstallationFinding,
    InstallFailure,
    Integration,
    Partner,
    Reconciliation,
)
from app.queries.reading import Reading
from app.queries.registry import integration_within, storable, within
from app.queries.results import Page
from app.telemetry import timed_query

MAX_LIMIT = 500
_NONE = "no installation of that name"
#: What is late for longer is lost, not stuck.
STUCK_US = 7 * DAY_US


@dataclass(frozen=True, slots=True)
class FailureView:
    """The exchange at which an install failed; `exchange` is its id."""

    exchange: str
    started_us: int
    what: str
    webhook: bool
    ended: str
    fault: str


@dataclass(frozen=True, slots=True)
class InstallationView:
    """One installation. Times are µs; None: not reached, not told. `next_step` is what it awaits
    until `due_us`, or was lost at; `lost_cause` why it did not go on, `advice` what to do ("":
    nothing)."""

    id: str
    integration: str
    installation: str
    customer: str | None
    state: str
    plan: str | None
    source: str | None
    reason: str | None
    entered_us: int | None
    activated_us: int | None
    uninstalled_us: int | None
    next_step: str | None
    due_us: int | None
    lost_cause: str | None
    failure: FailureView | None
    last_event_us: int
    advice: str = ""


@dataclass(frozen=True, slots=True)
class FindingView:
    """One contradiction. `closed_us` None: it lasts. `evidence`: numbers and texts by name; times
    end in `_us`."""

    integration: str
    installation: str
    kind: str
    since_us: int
    opened_us: int
    seen_us: int
    closed_us: int | None
    evidence: dict[str, int | str]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What witnesses disagree about. `counts`: all that last, by kind. `compared_us`: when all
    `installations` were compared last, None: not yet."""

    items: tuple[FindingView, ...]
    counts: dict[str, int]
    compared_us: int | None
    installations: int


@timed_query("installations")
def list_installations(
    reading: Reading,
    scope: Scope,
    *,
    integration: str | None = None,
    state: InstallationState | None = None,
    customer: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[InstallationView]:
    """Within the scope, newest first. `NotFound` for an integration outside it, `BadQuery` for a
    cursor that is none of this list."""
    statement = _statement(scope).order_by(Installation.id.desc()).limit(limit + 1)
    if integration is not None:
        integration_within(reading, scope, integration)
        statement = statement.where(Integration.slug == integration)
    if state is not None:
        statement = statement.where(Installation.state == state)
    if not storable(customer):
        return Page((), None)
    if customer is not None:
        statement = statement.where(Installation.customer == customer)
    if cursor is not None:
        statement = statement.where(Installation.id < _decode(cursor))
    with registry_session(reading.engine) as session:
        rows = session.execute(statement).all()
    more = _encode(rows[limit - 1].id) if len(rows) > limit else None
    now_us = reading.clock()
    return Page(tuple(_view(row, now_us) for row in rows[:limit]), more)


@timed_query("installation")
def get_installation(reading: Reading, scope: Scope, address: str) -> InstallationView:
    """One; `NotFound` when there is none of that address within the scope, or several."""
    slug, _, name = address.partition(":")
    if not storable(address):
        raise NotFound(_NONE)
    statement = _statement(scope)
    with registry_session(reading.engine) as session:
        whole = statement.where(Integration.slug == slug, Installation.external_id == name)
        rows = session.execute(whole).all() if name else []
        if not rows:
            bare = statement.where(Installation.external_id == address)
            rows = session.execute(bare.limit(2)).all()
    if len(rows) > 1:
        raise NotFound("several integrations have one: say which, such as globex-issues:inst-7")
    if not rows:
        raise NotFound(_NONE)
    return _view(rows[0], reading.clock())


@timed_query("stuck")
def stuck(
    reading: Reading, scope: Scope, slug: str | None = None, limit: int = 100
) -> tuple[list[InstallationView], int]:
    """Installs that have not reached their next step although it was due within the last
    `STUCK_US`, oldest first, and how many there are."""
    now_us = reading.clock()
    late = (
        Installation.due_us <= now_us,
        Installation.due_us > now_us - STUCK_US,
        Installation.state == InstallationState.INSTALLING,
    )
    statement = _statement(scope).where(*late).order_by(Installation.due_us, Installation.id)
    number = (
        select(func.count())
        .select_from(Installation)
        .join(Integration, Integration.id == Installation.integration_id)
        .join(Partner)
        .where(*late, *within(scope))
    )
    if slug is not None:
        integration_within(reading, scope, slug)
        statement = statement.where(Integration.slug == slug)
        number = number.where(Integration.slug == slug)
    with registry_session(reading.engine) as session:
        rows = session.execute(statement.limit(limit)).all()
        return [_view(row, now_us) for row in rows], session.scalar(number) or 0


@timed_query("reconciliation")
def reconciliation(
    reading: Reading,
    scope: Scope,
    slug: str,
    *,
    kind: Discrepancy | None = None,
    over: bool = False,
    limit: int = 500,
) -> Reconciled:
    """What lasts (`over`: what is over) of one integration, the oldest first."""
    integration_within(reading, scope, slug)
    mine = Integration.slug == slug
    lasting = InstallationFinding.closed_us.is_(None)
    statement = _findings().where(mine, ~lasting if over else lasting)
    if kind is not None:
        statement = statement.where(InstallationFinding.kind == kind.value)
    numbers = (
        select(InstallationFinding.kind, func.count())
        .join(Integration, Integration.id == InstallationFinding.integration_id)
        .where(mine, lasting)
        .group_by(InstallationFinding.kind)
    )
    with registry_session(reading.engine) as session:
        rows = session.execute(statement.limit(limit)).all()
        counts = dict(session.execute(numbers).all())
        done = session.scalar(
            select(Reconciliation)
            .join(Integration, Integration.id == Reconciliation.integration_id)
            .where(mine)
        )
    return Reconciled(
        tuple(_finding(row) for row in rows),
        {each.value: counts.get(each.value, 0) for each in Discrepancy},
        done.whole_us if done else None,
        done.installations if done else 0,
    )


def findings_of(session: Session, slug: str, installation: str) -> list[FindingView]:
    """All of one installation, those that are over included, oldest first."""
    statement = _findings().where(
        Integration.slug == slug, InstallationFinding.installation == installation
    )
    return [_finding(row) for row in session.execute(statement.limit(MAX_LIMIT))]


def _findings() -> Select[*tuple[Any, ...]]:
    columns = (
        InstallationFinding.installation, InstallationFinding.kind, InstallationFinding.since_us,
        InstallationFinding.opened_us, InstallationFinding.seen_us, InstallationFinding.closed_us,
        InstallationFinding.evidence, Integration.slug,
    )  # fmt: skip
    return (
        select(*columns)
        .join(Integration, Integration.id == InstallationFinding.integration_id)
        .order_by(InstallationFinding.since_us, InstallationFinding.id)
    )


def _finding(row: Row[Any]) -> FindingView:
    return FindingView(
        row.slug, row.installation, row.kind, row.since_us, row.opened_us, row.seen_us,
        row.closed_us, json.loads(row.evidence),
    )  # fmt: skip


_COLUMNS = (
    Installation.id, Installation.external_id, Installation.customer, Installation.state,
    Installation.plan, Installation.source, Installation.reason, Installation.entered_us,
    Installation.activated_us, Installation.uninstalled_us, Installation.next_step,
    Installation.due_us, Installation.lost_cause, Installation.last_us, Integration.slug,
    InstallFailure.exchange, InstallFailure.step, InstallFailure.started_us, InstallFailure.what,
    InstallFailure.webhook, InstallFailure.ended, InstallFailure.fault,
)  # fmt: skip


def _statement(scope: Scope) -> Select[*tuple[Any, ...]]:
    return (
        select(*_COLUMNS)
        .join(Integration, Integration.id == Installation.integration_id)
        .join(Partner)
        .outerjoin(InstallFailure, InstallFailure.installation_id == Installation.id)
        .where(*within(scope))
    )


def _view(row: Row[Any], now_us: int) -> InstallationView:
    late = row.due_us is not None and row.due_us <= now_us
    failed = None
    if row.lost_cause is LostCause.FAILED and row.exchange is not None:
        failed = Crossed(row.exchange, row.started_us, row.what, row.webhook, row.ended, row.fault)
    return InstallationView(
        id=f"{row.slug}:{row.external_id}",
        integration=row.slug,
        installation=row.external_id,
        customer=row.customer,
        state=row.state.value,
        plan=row.plan,
        source=row.source,
        reason=row.reason,
        entered_us=row.entered_us,
        activated_us=row.activated_us,
        uninstalled_us=row.uninstalled_us,
        next_step=row.next_step,
        due_us=row.due_us,
        lost_cause=row.lost_cause.value if row.lost_cause else None,
        failure=_failure(failed) if failed else None,
        last_event_us=row.last_us,
        advice=advice(row.lost_cause, failed, row.next_step) if late and row.next_step else "",
    )


def _failure(failed: Crossed) -> FailureView:
    return FailureView(
        format_id(failed.exchange), failed.started_us, failed.what, failed.webhook, failed.ended,
        failed.fault,
    )  # fmt: skip


def _encode(number: int) -> str:
    return base64.urlsafe_b64encode(str(number).encode()).decode().rstrip("=")


def _decode(cursor: str) -> int:
    try:
        number = int(base64.b64decode(cursor + "==", altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        number = -1
    if not 0 <= number < 2**31 or _encode(number) != cursor:
        raise BadQuery("cursor", "not a cursor of this list: take `next` of the page before")
    return number
