"""The counts of each day's installs, kept so that a funnel need not look at installations.

Whoever changes an installation says which days are stale, in the same transaction; `refresh` makes
stale days anew, and those in which an install has become late since. A question that meets a stale
day counts its installations itself, so numbers are right before `refresh` came by.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import Table, bindparam, select, text, update
from sqlalchemy.orm import Session

from app.commands.bulk import insert_rows
from app.domain.window import DAY_US
from app.models import FunnelDay
from app.models.funnels import DayCounts, day_counts, funnels_of, installs_statement

_days: Table = FunnelDay.__table__  # type: ignore[assignment]


def day_of(at_us: int) -> int:
    """The UTC day of a moment, in days since 1970."""
    return at_us // DAY_US


def stale(session: Session, days: Collection[tuple[int, int]]) -> None:
    """Say of (integration id, day) that an installation which entered then has changed."""
    rows = [(owner, day, True, b"", b"") for owner, day in sorted(days)]
    columns = ("integration_id", "day", "stale", "counts", "parts")
    insert_rows(session, _days, columns, rows, _MARK_STALE)


_MARK_STALE = (
    "ON CONFLICT (integration_id, day) DO UPDATE SET stale = true WHERE NOT funnel_days.stale"
)


def refresh(session: Session, *, now_us: int, limit: int = 500) -> int:
    """Make up to `limit` days anew that are stale or in which an install has become late; how
    many. Days are locked first: what changes meanwhile makes them stale again."""
    chosen = _due(session, now_us, limit)
    funnels = funnels_of(session, {owner for owner, _day in chosen})
    installs = [
        install
        for day, owners in _by_day(chosen).items()
        for install in session.execute(
            installs_statement(owners, day * DAY_US, (day + 1) * DAY_US)
        ).all()
    ]
    counted = day_counts(installs, funnels, now_us)
    rows = [
        {"owner": key[0], "on": key[1], **counted.get(key, _NOTHING)._asdict()} for key in chosen
    ]
    if rows:
        session.connection().execute(_REFRESH, rows)
    return len(rows)


_NOTHING = DayCounts(None, b"", b"")
_REFRESH = (
    update(_days)
    .where(_days.c.integration_id == bindparam("owner"), _days.c.day == bindparam("on"))
    .values(
        stale=False,
        due_us=bindparam("due_us"),
        counts=bindparam("counts"),
        parts=bindparam("parts"),
    )
)


def _due(session: Session, now_us: int, limit: int) -> list[tuple[int, int]]:
    found: dict[tuple[int, int], None] = {}
    # Two questions, because each has an index of its own.
    for where in (text("stale"), FunnelDay.due_us <= now_us):
        statement = select(FunnelDay.integration_id, FunnelDay.day).where(where).limit(limit)
        for owner, day in session.execute(statement.with_for_update()):
            found[owner, day] = None
    return list(found)[:limit]


def _by_day(chosen: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for owner, day in chosen:
        found.setdefault(day, []).append(owner)
    return found


def all_stale(session: Session, integration_id: int) -> None:
    """Say so of every day of an integration."""
    session.execute(
        update(FunnelDay)
        .where(FunnelDay.integration_id == integration_id)
        .values(stale=True)
        .execution_options(synchronize_session=False)
    )
