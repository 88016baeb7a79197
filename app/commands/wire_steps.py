"""What `collectors.lifecycle` needs of the registry: its rules, its cursor, who awaits activation.

Events and the cursor behind the exchanges they come from are one transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.commands import lifecycle
from app.commands.bulk import among
from app.commands.lifecycle_event import Sent
from app.domain.funnel import USUAL, Funnel
from app.models import InferenceRule, Installation, Integration, LifecycleCursor
from app.models.funnels import funnels_of

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Cursor:
    """`exchange`: the newest one read. Installations folded before `folded_us` were looked up."""

    exchange: bytes
    folded_us: int


@dataclass(frozen=True, slots=True)
class Entered:
    """An installation that is not activated yet; `folded_us` when its facts last grew."""

    integration: str
    installation: str
    entered_us: int
    folded_us: int


def cursor(session: Session) -> Cursor | None:
    """How far exchanges have been read; None: not at all."""
    row = session.get(LifecycleCursor, 1)
    return None if row is None else Cursor(row.exchange, row.folded_us)


def readers(session: Session) -> dict[str, tuple[Funnel, list[InferenceRule]]]:
    """The funnel and the rules of every current integration, by slug."""
    statement = select(Integration.id, Integration.slug).where(Integration.removed_us.is_(None))
    slugs = {row.id: row.slug for row in session.execute(statement)}
    rules: dict[int, list[InferenceRule]] = {}
    ordered = select(InferenceRule).order_by(InferenceRule.integration_id, InferenceRule.position)
    for rule in session.scalars(ordered):
        rules.setdefault(rule.integration_id, []).append(rule)
    funnels = funnels_of(session)
    return {
        slug: (funnels.get(number, USUAL), rules.get(number, [])) for number, slug in slugs.items()
    }


def entered(session: Session, installations: Iterable[str]) -> dict[Key, int]:
    """When those of these installations entered that are not activated yet."""
    statement = _open().where(among(session, Installation.__table__.c.external_id, installations))
    return {(slug, name): at_us for slug, name, at_us, _ in session.execute(statement)}


def folded_since(session: Session, since_us: int, oldest_us: int, limit: int) -> list[Entered]:
    """Installations that are not activated yet and were folded from `since_us` on, oldest first;
    without those that entered before `oldest_us`."""
    statement = (
        _open()
        .where(Installation.updated_us >= since_us, Installation.entered_us >= oldest_us)
        .order_by(Installation.updated_us, Installation.id)
        .limit(limit)
    )
    return [Entered(*row) for row in session.execute(statement)]


def take(session: Session, sent: Sequence[Sent], reached: Cursor, *, now_us: int) -> int:
    """Keep the events of exchanges up to `reached`, and that they have been read; how many are
    new."""
    known = lifecycle.owners(session, {each.integration for each in sent})
    fits = [
        each
        for each in sent
        if each.integration in known and known[each.integration].funnel.knows(each.event.step)
    ]
    number = lifecycle.store(session, fits, known, now_us=now_us)
    row = session.get(LifecycleCursor, 1) or LifecycleCursor(id=1)
    row.exchange, row.folded_us = reached.exchange, reached.folded_us
    session.add(row)
    return number


def _open() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Integration.slug, Installation.external_id, Installation.entered_us,
            Installation.updated_us,
        )
        .join(Integration, Integration.id == Installation.integration_id)
        .where(Installation.activated_us.is_(None), Installation.entered_us.is_not(None))
    )  # fmt: skip
