"""Taking a partner's own list of installations: whole, in place of the last one, or not at all.

A list comes in one piece (posted) or page by page (pulled); `Listing` adds it up and refuses it by
name as soon as it cannot be whole and true. What was refused is noted beside the list that stands.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Table, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from app.commands import event_fields as fields
from app.commands.bulk import upsert
from app.domain.partner_list import ListFailure, ListState
from app.domain.window import MINUTE_US
from app.errors import Refused
from app.models import Integration, ListSource, PartnerList, PartnerListItem

#: The most installations of one list.
MOST = 200_000
#: After a failure a list is pulled again so soon, or sooner where it is pulled more often.
AGAIN_US = 15 * MINUTE_US
_lists: Table = PartnerList.__table__  # type: ignore[assignment]
_KEYS = frozenset({"installation", "state"})
_LONGEST = 500


class ListRefused(Refused):
    """A list that is not taken, with the name of the reason."""

    def __init__(self, failure: ListFailure, message: str) -> None:
        super().__init__(message)
        self.failure = failure


class Listing:
    """A list while it is read."""

    def __init__(self) -> None:
        self._found: dict[str, ListState] = {}
        self._total: int | None = None

    def add(self, items: Iterable[Any], total: int | None = None) -> None:
        """Add items; `total`: how many the whole list says to have. `ListRefused` for the first one
        that cannot be."""
        self._says(total)
        for raw in items:
            index = len(self._found)
            try:
                if not isinstance(raw, dict):
                    raise ValueError("not an object with keys")
                name, state = _item(fields.entries(raw, _KEYS))
            except ValueError as error:
                raise ListRefused(ListFailure.BAD_ITEM, f"item {index}: {error}") from None
            self._add(name, state)

    def whole(self) -> dict[str, ListState]:
        """The list, by name, once nothing follows."""
        if self._total is not None and self._total != len(self._found):
            raise self._differs(f"{len(self._found):,}")
        return self._found

    def _says(self, total: int | None) -> None:
        if total is None:
            return
        if self._total not in {None, total}:
            raise self._differs(f"then {total:,}")
        self._total = total

    def _add(self, name: str, state: ListState) -> None:
        index = len(self._found)
        if name in self._found:
            said = f"item {index}: installation {fields.shown(name)} is there twice"
            raise ListRefused(ListFailure.REPEATED, said)
        if index >= MOST:
            raise ListRefused(ListFailure.TOO_LARGE, f"a list has at most {MOST:,} installations")
        if self._total is not None and index >= self._total:
            raise self._differs("more")
        self._found[name] = state

    def _differs(self, found: str) -> ListRefused:
        said = f"says that it has {self._total:,} installations and has {found}"
        return ListRefused(ListFailure.COUNT_DIFFERS, said)


def read(items: Sequence[Any], total: int | None) -> dict[str, ListState]:
    """A list that came in one piece, by name; `ListRefused`."""
    if len(items) > MOST:
        said = f"a list has at most {MOST:,} installations, this one {len(items):,}"
        raise ListRefused(ListFailure.TOO_LARGE, said)
    listing = Listing()
    listing.add(items, total)
    return listing.whole()


class Source(NamedTuple):
    """Where the list of an integration is pulled from; `private`: addresses inside the network are
    allowed. `tried_us`: when it was tried last, None: never."""

    slug: str
    url: str
    token_file: str | None
    private: bool
    tried_us: int | None


def take(session: Session, slug: str, listed: Mapping[str, ListState], *, now_us: int) -> None:
    """Put `listed` in the place of the list before."""
    owner = _owner(session, slug)
    session.execute(delete(PartnerListItem).where(PartnerListItem.integration_id == owner))
    rows = [
        {"integration_id": owner, "installation": name, "state": state.value}
        for name, state in listed.items()
    ]
    if rows:
        session.connection().execute(insert(PartnerListItem), rows)
    session.merge(PartnerList(integration_id=owner, taken_us=now_us, tried_us=now_us, failure=None))


def note(session: Session, slug: str, failure: ListFailure, said: str, *, now_us: int) -> None:
    """Say that a list was not taken; the one before stands."""
    owner = _owner(session, slug)
    row = session.get(PartnerList, owner)
    if row is None:
        row = PartnerList(integration_id=owner, taken_us=None)
        session.add(row)
    row.tried_us, row.failure = now_us, f"{failure}: {said}"[:_LONGEST]


def due(session: Session, now_us: int) -> list[Source]:
    """The lists of current integrations that are to be pulled now, those that wait longest first:
    never tried, tried `every_us` ago, or not taken and tried a quarter of an hour ago."""
    kept = PartnerList
    statement = (
        select(
            Integration.slug, ListSource.url, ListSource.token_file,
            Integration.allow_private_addresses, kept.tried_us,
        )
        .join(ListSource, ListSource.integration_id == Integration.id)
        .outerjoin(kept, kept.integration_id == Integration.id)
        .where(
            Integration.removed_us.is_(None),
            or_(
                kept.tried_us.is_(None),
                kept.tried_us <= now_us - ListSource.every_us,
                kept.failure.is_not(None) & (kept.tried_us <= now_us - AGAIN_US),
            ),
        )
        .order_by(kept.tried_us.is_not(None), kept.tried_us, Integration.slug)
    )  # fmt: skip
    return [Source._make(row) for row in session.execute(statement)]


def claim(session: Session, source: Source, *, now_us: int) -> bool:
    """Whether this caller is to pull it: nobody else has tried since `source` was read. Who is cut
    off while at it is known by the failure that stays."""
    owner = _owner(session, source.slug)
    failure = f"{ListFailure.UNDER_WAY}: it is being read, or the reading was cut off"
    values = {"tried_us": now_us, "failure": failure}
    statement: Any
    if source.tried_us is None:
        row = upsert(session, _lists).values(integration_id=owner, **values)
        statement = row.on_conflict_do_nothing(index_elements=["integration_id"])
    else:
        untried = (_lists.c.integration_id == owner) & (_lists.c.tried_us == source.tried_us)
        statement = update(_lists).where(untried).values(**values)
    return bool(session.connection().execute(statement).rowcount == 1)


def _owner(session: Session, slug: str) -> int:
    return session.scalars(select(Integration.id).where(Integration.slug == slug)).one()


def _item(given: Mapping[str, Any]) -> tuple[str, ListState]:
    name = fields.needed(given, "installation", 200)
    state = fields.needed(given, "state", 20)
    if state not in tuple(ListState):
        raise ValueError(f"unknown state {fields.shown(state)}: one of {', '.join(ListState)}")
    return name, ListState(state)
