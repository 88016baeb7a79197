"""How many installs are stuck now, against how many usually are: what alert rules ask."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from app.db import reading as registry_session
from app.domain.funnel import InstallationState
from app.domain.lost import Crossed, reasons, sentence
from app.domain.window import DAY_US
from app.models import Installation, InstallFailure, Integration
from app.queries.reading import Reading
from app.telemetry import timed_query

#: How far back is looked for what is usual.
USUAL_US = 28 * DAY_US
_MOST = 2_000


@dataclass(frozen=True, slots=True)
class StuckCounts:
    """Installs of one integration whose next step was due within a window and did not come
    (`late`), and those that were activated in it (`went_on`); the same of the time before. `why`
    is the sentence of the step at which most are late."""

    late: int
    went_on: int
    usual_late: int
    usual_on: int
    why: str = ""


@timed_query("stuck_counts")
def stuck_counts(
    reading: Reading, now_us: int, windows: Iterable[tuple[int, int]]
) -> dict[tuple[str, int], StuckCounts]:
    """By slug and window, of `windows` (length, least number): those integrations in which at
    least so many are late. Asked by no caller but the scheduler: it has no scope."""
    found: dict[tuple[str, int], StuckCounts] = {}
    with registry_session(reading.engine) as session:
        for window_us, least in windows:
            for owner, slug, late in _late(session, now_us - window_us, now_us):
                if late >= least:
                    found[slug, window_us] = _counts(session, owner, now_us, window_us, late)
    return found


def _late(session: Session, start_us: int, end_us: int) -> list[tuple[int, str, int]]:
    statement = (
        select(Integration.id, Integration.slug, func.count())
        .join(Installation, Installation.integration_id == Integration.id)
        .where(_due(start_us, end_us))
        .group_by(Integration.id, Integration.slug)
    )
    return [(owner, slug, late) for owner, slug, late in session.execute(statement)]


def _due(start_us: int, end_us: int) -> ColumnElement[bool]:
    return and_(
        Installation.due_us > start_us,
        Installation.due_us <= end_us,
        Installation.state == InstallationState.INSTALLING,
    )


def _counts(session: Session, owner: int, now_us: int, window_us: int, late: int) -> StuckCounts:
    start_us = now_us - window_us
    mine = Installation.integration_id == owner
    on = select(func.count()).select_from(Installation)
    before = session.scalar(on.where(mine, _due(start_us - USUAL_US, start_us))) or 0
    activated = (
        session.scalar(
            on.where(mine, Installation.activated_us > begin, Installation.activated_us <= end)
        )
        or 0
        for begin, end in ((start_us, now_us), (start_us - USUAL_US, start_us))
    )
    went_on, usual_on = activated
    return StuckCounts(late, went_on, before, usual_on, _why(session, owner, start_us, now_us))


def _why(session: Session, owner: int, start_us: int, end_us: int) -> str:
    """What most of those are stuck at that are late at the step where most are."""
    statement = (
        select(
            Installation.next_step, Installation.lost_cause, InstallFailure.exchange,
            InstallFailure.started_us, InstallFailure.what, InstallFailure.webhook,
            InstallFailure.ended, InstallFailure.fault,
        )
        .outerjoin(InstallFailure, InstallFailure.installation_id == Installation.id)
        .where(
            Installation.integration_id == owner,
            Installation.lost_cause.is_not(None),
            _due(start_us, end_us),
        )
        .limit(_MOST)
    )  # fmt: skip
    rows = session.execute(statement).all()
    found = reasons(
        (row.next_step, row.lost_cause, Crossed(*row[2:]) if row.exchange else None) for row in rows
    )
    if not found:
        return ""
    steps = [row.next_step for row in rows]
    return sentence(max(sorted(set(steps)), key=steps.count), found)
