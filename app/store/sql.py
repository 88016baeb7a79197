"""The metrics store over SQL: every method of the Protocol as one transaction.

What a transaction does is said here; how a database does it, in `sqlite` and `postgres`; which
rows meet and what they become, in `sums` and `cover`, which are pure.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Connection, Table, select, text

from app.domain.ids import id_floor
from app.domain.window import DAY_US, HOUR_US, Window, floor
from app.errors import StoreRefused
from app.store import exchanges as raw
from app.store import rollups as rolled
from app.store import schema, state
from app.store.backend import Backend
from app.store.cover import Marks
from app.store.evidence import pack, unpack
from app.store.names import Names, Settled
from app.store.port import (
    Batch,
    ExchangeFilter,
    Position,
    Retention,
    Rollups,
    StoredCapture,
    StoredExchange,
)
from app.store.sums import of_sums
from app.store.tables import (
    captures,
    exchanges,
    journal_positions,
    rollup_hours,
    rollup_minutes,
)

_POSITION = text(
    'INSERT INTO journal_positions (journal, segment, "offset", sequence) '
    "VALUES (:journal, :segment, :offset, :sequence) ON CONFLICT (journal) DO UPDATE "
    'SET segment = excluded.segment, "offset" = excluded."offset", sequence = excluded.sequence'
)


class SqlStore:
    """A `MetricsStore` on one SQL database. Safe to share between threads."""

    def __init__(self, backend: Backend, *, read_only: bool = False) -> None:
        self._backend = backend
        self._read_only = read_only
        self._names = Names()
        self._checked = False

    def append(self, batch: Batch) -> None:
        """Take a batch whole or not at all; see the Protocol."""
        batch = self._backend.prepare(batch)
        with self._writing() as (connection, marks):
            settled = Settled(self._names, batch)
            settled.write(connection, self._backend)
            self._insert(connection, batch, settled)
            if batch.sums:
                sums = of_sums(batch.sums, settled.series.__getitem__)
                rolled.add(connection, self._backend, marks, sums)
            for journal, position in batch.positions.items():
                _move(connection, journal, position)

    def positions(self) -> dict[str, Position]:
        """Where each journal stands."""
        with self._reading() as (connection, _):
            rows = connection.execute(select(journal_positions))
            return {journal: Position(*position) for journal, *position in rows}

    def operations(self) -> dict[tuple[str, int, int], frozenset[str]]:
        """The operation names in use by (integration, direction, kind)."""
        with self._reading():
            return self._names.in_use()

    def fold(self, now_us: int) -> int:
        """Fold hours, then days, each in a transaction of its own; how many rows were written."""
        with self._reading() as (_, marks):
            pass
        written = 0
        while marks.hours_until_us < floor(now_us, HOUR_US):
            marks, count = self._fold_hour(floor(now_us, HOUR_US))
            written += count
        while marks.days_until_us < floor(marks.hours_until_us, DAY_US):
            marks, count = self._fold_day()
            written += count
        return written

    def expire(self, now_us: int, retention: Retention, limit: int = 20_000) -> int:
        """Delete up to `limit` rows of each kind; what is folded stays, minutes and hours go."""
        with self._writing() as (connection, marks):
            aged = _aged(marks, now_us, retention)
            state.write(connection, aged)
            return (
                _cut(connection, exchanges, now_us - retention.exchanges_us, limit)
                + _cut(connection, captures, now_us - retention.captures_us, limit)
                + rolled.cut(connection, rollup_minutes, aged.minutes_from_us, limit)
                + rolled.cut(connection, rollup_hours, aged.hours_from_us, limit)
            )

    def rollups(
        self,
        window: Window,
        *,
        integrations: Sequence[str] | None = None,
        operations: bool = False,
        step_us: int | None = None,
    ) -> Rollups:
        """The rows that together cover `window`; see the Protocol."""
        with self._reading() as (connection, marks):
            return rolled.answer(
                connection,
                self._backend,
                self._names,
                marks,
                window,
                integrations=integrations,
                operations=operations,
                step_us=step_us,
            )

    def find(
        self, where: ExchangeFilter, *, before: bytes | None = None, limit: int = 50
    ) -> list[StoredExchange]:
        """Newest first, only ids smaller than `before`."""
        with self._reading() as (connection, _):
            return raw.find(connection, self._names, where, before, limit)

    def get(self, exchange_id: bytes) -> tuple[StoredExchange, StoredCapture | None] | None:
        """One exchange with its capture, if both are still kept."""
        with self._reading() as (connection, _):
            row = connection.execute(
                select(exchanges).where(exchanges.c.id == exchange_id)
            ).one_or_none()
            body = connection.execute(
                select(captures.c.body).where(captures.c.id == exchange_id)
            ).scalar_one_or_none()
        if row is None:
            return None
        return raw.from_row(row, self._names), unpack(exchange_id, body) if body else None

    def iterate(self, window: Window, batch: int = 10_000) -> Iterator[list[StoredExchange]]:
        """All exchanges of a window, oldest first; each list is a transaction of its own, so that
        a slow reader holds nothing up."""
        after = b""
        while True:
            with self._reading() as (connection, _):
                found = raw.page(connection, self._names, window, after, batch)
            if found:
                yield found
                after = found[-1].id
            if len(found) < batch:
                return

    def newest_us(self) -> int | None:
        """The start of the newest exchange stored."""
        statement = select(exchanges.c.started_us).order_by(exchanges.c.id.desc()).limit(1)
        with self._reading() as (connection, _):
            return connection.execute(statement).scalar_one_or_none()

    def close(self) -> None:
        """Give connections back."""
        self._backend.engine.dispose()

    def check(self) -> None:
        """`SchemaError` unless the database has exactly the tables of this code."""
        with self._reading():
            pass

    @contextmanager
    def _reading(self) -> Iterator[tuple[Connection, Marks]]:
        with self._backend.reading() as connection:
            yield connection, self._begin(connection)

    @contextmanager
    def _writing(self) -> Iterator[tuple[Connection, Marks]]:
        if self._read_only:
            raise StoreRefused(f"{self._backend.name} was opened for reading only")
        with self._backend.writing() as connection:
            yield connection, self._begin(connection)

    def _begin(self, connection: Connection) -> Marks:
        if not self._checked:
            schema.require(connection, self._backend.name)
            self._checked = True
        marks, last = state.read(connection)
        self._names.refresh(connection, last)
        return marks

    def _insert(self, connection: Connection, batch: Batch, settled: Settled) -> None:
        self._backend.insert(connection, exchanges, raw.to_rows(batch.exchanges, settled))
        bodies = [(each.id, pack(each)) for each in batch.captures]
        self._backend.insert(connection, captures, bodies)

    def _fold_hour(self, until_us: int) -> tuple[Marks, int]:
        """Fold the next hour that holds anything, or find that there is none before `until_us`."""
        with self._writing() as (connection, marks):
            start_us = rolled.first_unfolded(connection, HOUR_US, marks.hours_until_us)
            count = 0
            if start_us is not None and start_us < until_us:
                count = rolled.fold(connection, self._backend, start_us, HOUR_US)
                until_us = start_us + HOUR_US
            moved = replace(marks, hours_until_us=max(until_us, marks.hours_until_us))
            state.write(connection, moved)
            return moved, count

    def _fold_day(self) -> tuple[Marks, int]:
        """The same for the next day whose hours are all folded."""
        with self._writing() as (connection, marks):
            until_us = floor(marks.hours_until_us, DAY_US)
            start_us = rolled.first_unfolded(connection, DAY_US, marks.days_until_us)
            count = 0
            if start_us is not None and start_us < until_us:
                count = rolled.fold(connection, self._backend, start_us, DAY_US)
                until_us = start_us + DAY_US
            moved = replace(marks, days_until_us=max(until_us, marks.days_until_us))
            state.write(connection, moved)
            return moved, count


def _aged(marks: Marks, now_us: int, retention: Retention) -> Marks:
    """The marks at `now_us`: they only move on, never past what is folded, and hours are kept as
    long as minutes at the least."""
    minutes_us = min(floor(now_us - retention.minutes_us, HOUR_US), marks.hours_until_us)
    minutes_from_us = max(minutes_us, marks.minutes_from_us)
    hours_us = min(now_us - retention.hours_us, marks.days_until_us, minutes_from_us)
    return replace(
        marks,
        minutes_from_us=minutes_from_us,
        hours_from_us=max(floor(hours_us, DAY_US), marks.hours_from_us),
    )


def _move(connection: Connection, journal: str, position: Position) -> None:
    values = {
        "journal": journal,
        "segment": position.segment,
        "offset": position.offset,
        "sequence": position.sequence,
    }
    connection.execute(_POSITION, values)


def _cut(connection: Connection, table: Table, before_us: int, limit: int) -> int:
    """Delete up to `limit` rows of exchanges that started before `before_us`, oldest first."""
    oldest = select(table.c.id).where(table.c.id < id_floor(max(before_us, 0))).order_by(table.c.id)
    return connection.execute(table.delete().where(table.c.id.in_(oldest.limit(limit)))).rowcount
