"""Taking a partner's own list of installations: whole, in place of the last one, or not at all."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.commands import event_fields as fields
from app.domain.partner_list import ListState
from app.errors import Refused
from app.models import Integration, PartnerList, PartnerListItem

#: The most installations of one list.
MOST = 200_000
_KEYS = frozenset({"installation", "state"})


def read(items: Sequence[Any], total: int | None) -> dict[str, ListState]:
    """The list, by name. `Refused` for the first item that cannot be, for a name that is there
    twice, and for a list that is not as long as it says."""
    if len(items) > MOST:
        raise Refused(f"a list has at most {MOST:,} installations, this one {len(items):,}")
    if total is not None and total != len(items):
        raise Refused(f"says that it has {total:,} installations and has {len(items):,}")
    found: dict[str, ListState] = {}
    for index, raw in enumerate(items):
        try:
            if not isinstance(raw, dict):
                raise ValueError("not an object with keys")
            name, state = _item(fields.entries(raw, _KEYS))
        except ValueError as error:
            raise Refused(f"item {index}: {error}") from None
        if name in found:
            raise Refused(f"item {index}: installation {fields.shown(name)} is there twice")
        found[name] = state
    return found


def take(session: Session, slug: str, listed: Mapping[str, ListState], *, now_us: int) -> None:
    """Put `listed` in the place of the list before."""
    owner = session.scalars(select(Integration.id).where(Integration.slug == slug)).one()
    session.execute(delete(PartnerListItem).where(PartnerListItem.integration_id == owner))
    rows = [
        {"integration_id": owner, "installation": name, "state": state.value}
        for name, state in listed.items()
    ]
    if rows:
        session.connection().execute(insert(PartnerListItem), rows)
    session.merge(PartnerList(integration_id=owner, taken_us=now_us, tried_us=now_us, failure=None))


def _item(given: Mapping[str, Any]) -> tuple[str, ListState]:
    name = fields.needed(given, "installation", 200)
    state = fields.needed(given, "state", 20)
    if state not in tuple(ListState):
        raise ValueError(f"unknown state {fields.shown(state)}: one of {', '.join(ListState)}")
    return name, ListState(state)
