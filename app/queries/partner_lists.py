"""How a partner's own list differs from what the platform tells."""

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import reading as registry_session
from app.domain.partner_list import Difference, ListDifference, ListState, differences
from app.domain.scope import Scope
from app.models import Installation, Integration, ListSource, PartnerList, PartnerListItem
from app.queries.reading import Reading
from app.queries.registry import integration_within
from app.telemetry import timed_query


class Failure(NamedTuple):
    """Why a list was not taken: a word of `ListFailure`, and what was wrong with this one."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class ListView:
    """The newest list against the platform's. `taken_us` None: there is none, and nothing to
    compare. `tried_us`: posted or pulled last, and `failure` why that one was not taken.
    `every_us` None: it is not pulled. `counts`: all differences by kind."""

    taken_us: int | None
    tried_us: int | None
    failure: Failure | None
    every_us: int | None
    listed: int
    counts: dict[str, int]
    items: tuple[Difference, ...]


@timed_query("partner_list")
def partner_list(reading: Reading, scope: Scope, slug: str, limit: int = 500) -> ListView:
    """The first `limit` differences, by name; `NotFound` outside the scope."""
    integration_within(reading, scope, slug)
    with registry_session(reading.engine) as session:
        owner = session.scalar(select(Integration.id).where(Integration.slug == slug)) or 0
        known = session.get(PartnerList, owner) or PartnerList()
        every_us = session.scalar(
            select(ListSource.every_us).where(ListSource.integration_id == owner)
        )
        listed, found = _compared(session, owner) if known.taken_us else ({}, [])
    counts = Counter(each.kind for each in found)
    return ListView(
        known.taken_us, known.tried_us, _failure(known.failure), every_us, len(listed),
        {each.value: counts[each] for each in ListDifference}, tuple(found[:limit]),
    )  # fmt: skip


def _compared(session: Session, owner: int) -> tuple[dict[str, ListState], list[Difference]]:
    """The list, and all in which it differs."""
    here = select(Installation.external_id, Installation.state).where(
        Installation.integration_id == owner
    )
    there = select(PartnerListItem.installation, PartnerListItem.state).where(
        PartnerListItem.integration_id == owner
    )
    listed = {name: ListState(state) for name, state in session.execute(there)}
    return listed, differences({name: state for name, state in session.execute(here)}, listed)  # noqa: C416


def _failure(kept: str | None) -> Failure | None:
    if kept is None:
        return None
    reason, _, detail = kept.partition(": ")
    return Failure(reason, detail)
