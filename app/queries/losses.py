"""Why installs were lost: those of a cohort counted by step, cause and what failed."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from app.db import reading as registry_session
from app.domain.funnel import LostCause
from app.domain.ids import format_id
from app.domain.lost import Reason
from app.domain.scope import Scope
from app.domain.window import Window
from app.models import Installation, InstallFailure, Integration
from app.queries.reading import Reading
from app.queries.registry import integration_within
from app.telemetry import timed_query


@dataclass(frozen=True, slots=True)
class Loss:
    """Installs that were lost in the same way; `exchange` is the one at which the newest of them
    failed, None: none did."""

    reason: Reason
    exchange: str | None


@timed_query("lost_reasons")
def lost_reasons(reading: Reading, scope: Scope, slug: str, window: Window) -> tuple[Loss, ...]:
    """Of the installs of one integration that entered within `window` those that are lost, as
    `funnel` counts them, most first; `NotFound` outside the scope."""
    integration_within(reading, scope, slug)
    with registry_session(reading.engine) as session:
        rows = _counted(session, slug, window, reading.clock())
        newest = {row.newest for row in rows if row.newest is not None}
        exchanges = _exchanges(session, newest)
    installs: Counter[Reason] = Counter()
    examples: dict[Reason, str | None] = {}
    for row in rows:
        # What is late and was not judged yet has shown no sign of life.
        cause = row.lost_cause or LostCause.STUCK
        ended = (row.what, row.webhook, row.ended) if row.newest else ("", False, "")
        kind = Reason(row.next_step, cause, 0, *ended)
        installs[kind] += row.installs
        examples[kind] = exchanges.get(row.newest)
    found = [Loss(kind._replace(installs=of), examples[kind]) for kind, of in installs.items()]
    return tuple(sorted(found, key=lambda each: (-each.reason.installs, each.reason)))


def _counted(session: Session, slug: str, window: Window, now_us: int) -> Any:
    failure = and_(
        InstallFailure.installation_id == Installation.id,
        Installation.lost_cause == LostCause.FAILED,
    )
    kind = (
        Installation.next_step, Installation.lost_cause, InstallFailure.what,
        InstallFailure.webhook, InstallFailure.ended,
    )  # fmt: skip
    statement = (
        select(
            *kind,
            func.count().label("installs"),
            func.max(InstallFailure.installation_id).label("newest"),
        )
        .select_from(Installation)
        .join(Integration, Integration.id == Installation.integration_id)
        .outerjoin(InstallFailure, failure)
        .where(
            Integration.slug == slug,
            Installation.entered_us >= window.start_us,
            Installation.entered_us < window.end_us,
            Installation.next_step.is_not(None),
            or_(Installation.lost_cause.is_not(None), Installation.due_us <= now_us),
        )
        .group_by(*kind)
    )
    return session.execute(statement).all()


def _exchanges(session: Session, installations: set[int]) -> dict[int | None, str]:
    statement = select(InstallFailure.installation_id, InstallFailure.exchange).where(
        InstallFailure.installation_id.in_(sorted(installations))
    )
    return {number: format_id(exchange) for number, exchange in session.execute(statement)}
