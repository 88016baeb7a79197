"""The numbers that stand for integrations, operations and series in one database.

`Names` mirrors what is committed and nothing else: it is only ever read from the database, at the
start of a transaction, before that transaction writes. So it is right after a rollback, and knows
what other processes added. Rows are never changed or deleted, and writers take turns, so numbers
are committed in rising order and reading on from the greatest known one is enough.

`settle` gives numbers to what a batch brings for the first time; they reach the mirror with the
next transaction, once they are committed.
"""

from collections.abc import Iterable
from threading import Lock

from sqlalchemy import Connection, Table, text

from app.domain.operation import OTHER
from app.store.backend import Backend, Row
from app.store.port import Batch, Series
from app.store.state import Last
from app.store.tables import FIRST_OPERATION_SERIES, integration_names, operation_names, series

_SERIES = text(
    "SELECT id, integration_id, direction, kind, operation_id FROM series "
    "WHERE (id > :whole AND id < :first) OR id > :operations"
).bindparams(first=FIRST_OPERATION_SERIES)


class Names:
    """All three dictionaries, both ways."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.integrations: dict[str, int] = {}
        self.operations: dict[str, int] = {}
        self.series: dict[Series, int] = {}
        self.slug_of: dict[int, str] = {}
        self.operation_of: dict[int, str] = {}
        self.series_of: dict[int, Series] = {}
        #: The series of one level (with operations or whole) of an integration, or of all (None).
        self._ids: dict[tuple[bool, str | None], list[int]] = {}
        self._last = Last(None, None, None, None)

    def refresh(self, connection: Connection, last: Last) -> None:
        """Read what was added since, up to `last`. Call before the transaction writes."""
        with self._lock:
            if last == self._last:
                return
            _read_on(connection, integration_names, self.integrations, self.slug_of)
            _read_on(connection, operation_names, self.operations, self.operation_of)
            known = {
                "whole": self._last.whole_series or 0,
                "operations": self._last.operation_series or FIRST_OPERATION_SERIES - 1,
            }
            for number, integration, direction, kind, operation in connection.execute(
                _SERIES, known
            ):
                found = Series(
                    self.slug_of[integration], direction, kind, self.operation_of[operation]
                )
                self.series_of[number] = found
                self.series[found] = number
                self._list(number, found.integration)
            for numbers in self._ids.values():
                numbers.sort()
            self._last = last

    def ids(self, *, operations: bool, integrations: frozenset[str] | None) -> list[int]:
        """The series of one level, ascending; `integrations` None: of all."""
        wanted = (None,) if integrations is None else integrations
        with self._lock:
            return sorted(
                number for slug in wanted for number in self._ids.get((operations, slug), ())
            )

    def _list(self, number: int, integration: str) -> None:
        level = number >= FIRST_OPERATION_SERIES
        for owner in (integration, None):
            self._ids.setdefault((level, owner), []).append(number)

    def in_use(self) -> dict[tuple[str, int, int], frozenset[str]]:
        """Operation names by (integration, direction, kind)."""
        found: dict[tuple[str, int, int], set[str]] = {}
        with self._lock:
            for each in self.series:
                if each.operation:
                    found.setdefault(each[:3], set()).add(each.operation)
        return {key: frozenset(names) for key, names in found.items()}


class Settled:
    """The numbers of everything one batch names, old and new."""

    def __init__(self, names: Names, batch: Batch) -> None:
        wanted = {each.series for each in batch.sums}
        slugs = {each.integration for each in batch.exchanges}
        operations = {each.operation for each in batch.exchanges}
        slugs |= set(batch.activity.integrations)
        if batch.errors:
            slugs |= {each.group.integration for each in batch.errors}
            operations |= {OTHER, *(each.group.operation for each in batch.errors)}
        self.integrations, self._slugs = _number(
            names.integrations, slugs.union(each.integration for each in wanted)
        )
        self.operations, self._operations = _number(
            names.operations, operations.union(each.operation for each in wanted)
        )
        self._series = _number_series(names, wanted)
        self.series = {**names.series, **self._series} if self._series else names.series

    def write(self, connection: Connection, backend: Backend) -> None:
        """Insert what is new."""
        backend.insert(connection, integration_names, _pairs(self._slugs))
        backend.insert(connection, operation_names, _pairs(self._operations))
        rows = [
            (
                number,
                self.integrations[each.integration],
                each.direction,
                each.kind,
                self.operations[each.operation],
            )
            for each, number in self._series.items()
        ]
        backend.insert(connection, series, rows)


def _read_on(
    connection: Connection, table: Table, ids: dict[str, int], names: dict[int, str]
) -> None:
    statement = table.select().where(table.c.id > len(ids))
    for number, name in connection.execute(statement):
        names[number] = name
        ids[name] = number


def _number(known: dict[str, int], wanted: Iterable[str]) -> tuple[dict[str, int], dict[str, int]]:
    """All numbers and the new ones; numbers have no gaps, because unused ones are given again."""
    first = len(known) + 1
    new = {name: first + i for i, name in enumerate(sorted(set(wanted) - known.keys()))}
    return ({**known, **new} if new else known), new


def _number_series(names: Names, wanted: Iterable[Series]) -> dict[Series, int]:
    new = sorted(set(wanted) - names.series.keys())
    if not new:
        return {}
    of_operations = sum(number >= FIRST_OPERATION_SERIES for number in names.series_of)
    following = {
        False: len(names.series_of) - of_operations + 1,
        True: FIRST_OPERATION_SERIES + of_operations,
    }
    found = {}
    for each in new:
        level = bool(each.operation)
        found[each] = following[level]
        following[level] += 1
    return found


def _pairs(new: dict[str, int]) -> list[Row]:
    return [(number, name) for name, number in new.items()]
