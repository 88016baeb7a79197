"""How a partner's own list differs from what the platform tells."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import select

from app.db import reading as registry_session
from app.domain.partner_list import Difference, ListDifference, ListState, differences
from app.domain.scope import Scope
from app.models import Installation, Integration, PartnerList, PartnerListItem
from app.queries.reading import Reading
from app.queries.registry import integration_within
from app.telemetry import timed_query


@dataclass(frozen=True, slots=True)
class ListView:
    """The newest list against the platform's. `taken_us` None: there is none, and nothing to
    compare. `counts`: all differences by kind."""

    taken_us: int | None
    listed: int
    counts: dict[str, int]
    items: tuple[Difference, ...]


@timed_query("partner_list")
def partner_list(reading: Reading, scope: Scope, slug: str, limit: int = 500) -> ListView:
    """The first `limit` differences, by name; `NotFound` outside the scope."""
    integration_within(reading, scope, slug)
    with registry_session(reading.engine) as session:
        owner = session.scalar(select(Integration.id).where(Integration.slug == slug))
        known = session.get(PartnerList, owner or 0)
        if known is None or known.taken_us is None:
            return ListView(None, 0, {each.value: 0 for each in ListDifference}, ())
        here = select(Installation.external_id, Installation.state).where(
            Installation.integration_id == owner
        )
        there = select(PartnerListItem.installation, PartnerListItem.state).where(
            PartnerListItem.integration_id == owner
        )
        listed = {name: ListState(state) for name, state in session.execute(there)}
        found = differences({name: state for name, state in session.execute(here)}, listed)  # noqa: C416
    counts = Counter(each.kind for each in found)
    return ListView(
        known.taken_us, len(listed), {each.value: counts[each] for each in ListDifference},
        tuple(found[:limit]),
    )  # fmt: skip
