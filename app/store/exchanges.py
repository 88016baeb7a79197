"""Raw exchanges in the database: how a question about them becomes SQL, and a row an exchange."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, or_, select, text, union_all

from app.domain.ids import id_floor
from app.domain.window import Window
from app.domain.words import Outcome, Verdict
from app.store.backend import Row
from app.store.names import Names, Settled
from app.store.port import ExchangeFilter, StoredExchange
from app.store.tables import FAILED, exchanges

_c = exchanges.c
#: Up to so many integrations are looked up one by one along their own index; a question about more
#: reads all exchanges from the newest on and leaves out those of others.
_FEW = 32
_EQUAL = (
    "direction", "kind", "verdict", "fault", "installation", "customer", "topic", "status",
    "method", "error", "delivery", "trace_id",
)  # fmt: skip


class Span(NamedTuple):
    """Only ids smaller than `before` and greater than `after`; None: no end."""

    before: bytes | None = None
    after: bytes | None = None


def to_rows(batch: Iterable[StoredExchange], settled: Settled) -> list[Row]:
    """Exchanges as rows: the two names become numbers, everything else is as it is."""
    who, what = settled.integrations, settled.operations
    return [each[:4] + (who[each[4]], what[each[5]]) + each[6:] for each in batch]  # noqa: RUF005


def from_row(row: Row, names: Names) -> StoredExchange:
    """A row as an exchange."""
    integration, operation = names.slug_of[row[4]], names.operation_of[row[5]]
    return StoredExchange._make((*row[:4], integration, operation, *row[6:]))


def find(
    connection: Connection,
    names: Names,
    where: ExchangeFilter,
    span: Span,
    *,
    limit: int,
    oldest_first: bool = False,
) -> list[StoredExchange]:
    """Newest first unless told otherwise; see `MetricsStore.find`."""
    conditions = _conditions(names, where)
    if conditions is None or limit <= 0:
        return []
    conditions += _within(span)
    order = _Order(limit, oldest_first=oldest_first)
    statement = _ordered(_owners(names, where), conditions, order)
    return [from_row(row, names) for row in connection.execute(statement).all()]


def horizon(
    connection: Connection, names: Names, where: ExchangeFilter, before: bytes | None, rows: int
) -> bytes | None:
    """See `MetricsStore.horizon`. Of a few integrations each is looked through along its own index
    as far as the busiest of them; the ids alone are read."""
    owners = _owners(names, where)
    conditions = [*_in_window(where), *_within(Span(before))]
    if _only_failures(where):
        conditions.append(text(FAILED))  # type: ignore[arg-type]
    few = owners if owners is not None and len(owners) <= _FEW else [None]
    found = []
    for owner in few:
        mine = conditions if owner is None else [*conditions, _c.integration_id == owner]
        statement = select(_c.id).where(*mine).order_by(_c.id.desc()).offset(rows // len(few))
        found.append(connection.execute(statement.limit(1)).scalar_one_or_none())
    return max((each for each in found if each is not None), default=None)


def page(
    connection: Connection, names: Names, window: Window, after: bytes, limit: int
) -> list[StoredExchange]:
    """Oldest first, ids greater than `after`."""
    statement = (
        select(exchanges)
        .where(_c.id > after, _c.id >= id_floor(window.start_us), _c.id < id_floor(window.end_us))
        .order_by(_c.id)
        .limit(limit)
    )
    return [from_row(row, names) for row in connection.execute(statement).all()]


class _Order:
    """How many, and from which end."""

    def __init__(self, limit: int, *, oldest_first: bool) -> None:
        self._limit = limit
        self._oldest_first = oldest_first

    def cut(self, statement: Select[Any], column: ColumnElement[bytes]) -> Select[Any]:
        ordered = column.asc() if self._oldest_first else column.desc()
        return statement.order_by(ordered).limit(self._limit)


def _ordered(
    owners: list[int] | None, conditions: list[ColumnElement[bool]], order: _Order
) -> Select[Any]:
    every = select(exchanges).where(*conditions)
    if owners is None or len(owners) > _FEW:
        mine = every if owners is None else every.where(_c.integration_id.in_(owners))
        return order.cut(mine, _c.id)
    if len(owners) == 1:
        return order.cut(every.where(_c.integration_id == owners[0]), _c.id)
    parts = [
        select(order.cut(every.where(_c.integration_id == owner), _c.id).subquery())
        for owner in owners
    ]
    united = union_all(*parts).subquery()
    return order.cut(select(united), united.c.id)


def _within(span: Span) -> list[ColumnElement[bool]]:
    found = [] if span.before is None else [_c.id < span.before]
    return found if span.after is None else [*found, _c.id > span.after]


def _in_window(where: ExchangeFilter) -> list[ColumnElement[bool]]:
    if where.window is None:
        return []
    return [_c.id >= id_floor(where.window.start_us), _c.id < id_floor(where.window.end_us)]


def _owners(names: Names, where: ExchangeFilter) -> list[int] | None:
    if where.integrations is None:
        return None
    return [
        names.integrations[slug] for slug in set(where.integrations) & names.integrations.keys()
    ]


def _conditions(names: Names, where: ExchangeFilter) -> list[ColumnElement[bool]] | None:
    """What every row has to fulfil, or None when no row can."""
    if where.integrations is not None and not _owners(names, where):
        return None
    found: list[ColumnElement[bool]] = [
        _c[name] == getattr(where, name) for name in _EQUAL if getattr(where, name) is not None
    ]
    found += _in_window(where)
    if where.least_us is not None:
        found.append(_c.total_us >= where.least_us)
    if where.outcomes is not None:
        found.append(_c.outcome.in_(where.outcomes))
    if where.operation is not None:
        if where.operation not in names.operations:
            return None
        found.append(_c.operation_id == names.operations[where.operation])
    if where.text is not None:
        found.append(_contains(where.text))
    if _only_failures(where):
        found.append(text(FAILED))  # type: ignore[arg-type]  # lets the partial index be used
    return found


def _contains(sought: str) -> ColumnElement[bool]:
    columns = (_c.error, _c.error_detail, _c.path)
    return or_(*(column.icontains(sought, autoescape=True) for column in columns))


def _only_failures(where: ExchangeFilter) -> bool:
    """Whether every match has an outcome other than ok: the good ones are exactly the ok ones."""
    failed = where.outcomes is not None and Outcome.OK not in where.outcomes
    return failed or where.verdict in (Verdict.BAD, Verdict.EXCLUDED)
