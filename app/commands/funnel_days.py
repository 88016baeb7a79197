"""The counts of each day's installs, kept so that a funnel need not look at installations.

Whoever changes an installation says which days are stale, in the same transaction; `refresh` makes
stale days anew, and those in which an install has become late since. A question that meets a stale
day counts its installations itself, so numbers are right before `refresh` came by.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Table, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.domain.window import DAY_US
from app.models import FunnelDay

_days: Table = FunnelDay.__table__  # type: ignore[assignment]
#: The same statement in both dialects, whose types know nothing of each other.
_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def day_of(at_us: int) -> int:
    """The UTC day of a moment, in days since 1970."""
    return at_us // DAY_US


def stale(session: Session, days: Collection[tuple[int, int]]) -> None:
    """Say of (integration id, day) that an installation which entered then has changed."""
    if not days:
        return
    rows = [
        {"integration_id": owner, "day": day, "stale": True, "counts": b"", "parts": b""}
        for owner, day in sorted(days)
    ]
    made = _INSERTS[session.get_bind().dialect.name](_days)
    mark = made.on_conflict_do_update(
        index_elements=["integration_id", "day"], set_={"stale": True}, where=~_days.c.stale
    )
    session.connection().execute(mark, rows)


def all_stale(session: Session, integration_id: int) -> None:
    """Say so of every day of an integration."""
    session.execute(
        update(FunnelDay)
        .where(FunnelDay.integration_id == integration_id)
        .values(stale=True)
        .execution_options(synchronize_session=False)
    )
