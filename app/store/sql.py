"""The metrics store over SQL: every method of the Protocol as one transaction.

What a transaction does is said here; how a database does it, in `sqlite` and `postgres`; which
rows meet and what they become, in `sums` and `cover`, which are pure.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Connection, Table, select, text

from app.domain.ids import id_floor
from app.domain.window import DAY_US, HOUR_US, WEEK_US, Window, floor
from app.errors import StoreRefused
from app.store import activity_parts, groups, schema, state
from app.store import exchanges as raw
from app.store import rollups as rolled
from app.store import traffic as crossed
from app.store.activity import COUNTS, Activity
from app.store.backend import Backend
from app.store.cover import Marks
from app.store.day_counts import DayCounts
from app.store.evidence import pack, unpack
from app.store.memory import Memory
from app.store.names import Names, Settled
from app.store.port import (
    Batch,
    ExchangeFilter,
    Position,
    Retention,
    Rollups,
    StoredCapture,
    StoredErrorGroup,
    StoredExchange,
    Traffic,
)
from app.store.state import State
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

_UNTIL = {HOUR_US: "hours_until_us", DAY_US: "days_until_us", WEEK_US: "weeks_until_us"}


class SqlStore:
    """A `MetricsStore` on one SQL database. Safe to share between threads."""

    def __init__(self, backend: Backend, *, read_only: bool = False) -> None:
        self._backend = backend
        self._read_only = read_only
        self._names = Names()
        self._memory = Memory()
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
            if batch.errors:
                groups.add(connection, self._names, settled, batch.errors)
            if len(batch.activity):
                activity_parts.add(connection, self._backend, settled, batch.activity)
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
        """Fold hours, then days, then weeks, each in a transaction of its own; how many rows."""
        self._merge_activity(now_us)
        return (
            self._fold(HOUR_US, lambda marks: now_us)
            + self._fold(DAY_US, lambda marks: marks.hours_until_us)
            + self._fold(WEEK_US, lambda marks: marks.days_until_us)
        )

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
                + groups.cut(connection, aged.hours_from_us, now_us, limit)
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
        with self._reading() as (connection, current):
            return rolled.answer(
                connection,
                self._backend,
                self._names,
                memory=self._memory,
                state=current,
                window=window,
                integrations=integrations,
                operations=operations,
                step_us=step_us,
            )

    def traffic(
        self, window: Window, step_us: int, *, integrations: Sequence[str] | None = None
    ) -> Traffic:
        """How much crossed in every step; see the Protocol."""
        with self._reading() as (connection, current):
            return crossed.answer(
                connection,
                self._backend,
                self._names,
                memory=self._memory,
                state=current,
                window=window,
                integrations=integrations,
                step_us=step_us,
            )

    def activity(
        self,
        window: Window,
        *,
        integrations: Sequence[str] | None = None,
        installations: Sequence[str] | None = None,
    ) -> Activity:
        """What each installation did on each day; see the Protocol."""
        with self._reading() as (connection, _):
            return activity_parts.find(
                connection,
                self._names,
                window,
                integrations=integrations,
                installations=installations,
            )

    def day_counts(
        self,
        window: Window,
        *,
        integrations: Sequence[str] | None = None,
        columns: Sequence[str] = COUNTS,
        failing: bool = False,
    ) -> DayCounts:
        """The same, to be added up; see the Protocol."""
        with self._reading() as (connection, _):
            return activity_parts.counted(
                connection,
                self._names,
                window,
                integrations=integrations,
                columns=columns,
                failing=failing,
            )

    def find(
        self,
        where: ExchangeFilter,
        *,
        before: bytes | None = None,
        after: bytes | None = None,
        limit: int = 50,
        oldest_first: bool = False,
    ) -> list[StoredExchange]:
        """Newest first unless told otherwise; see the Protocol."""
        span = raw.Span(before, after)
        with self._reading() as (connection, _):
            return raw.find(
                connection, self._names, where, span, limit=limit, oldest_first=oldest_first
            )

    def horizon(
        self, where: ExchangeFilter, *, before: bytes | None = None, rows: int = 50_000
    ) -> bytes | None:
        """Where a search ends that looks at about `rows` exchanges; see the Protocol."""
        with self._reading() as (connection, _):
            return raw.horizon(connection, self._names, where, before, rows)

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

    def error_groups(
        self, integration: str, window: Window, step_us: int
    ) -> list[StoredErrorGroup]:
        """The error groups of an integration; see the Protocol."""
        with self._reading() as (connection, _):
            return groups.find(
                connection,
                self._backend,
                self._names,
                integration=integration,
                window=window,
                step_us=step_us,
            )

    def failing_groups(
        self, integrations: Sequence[str], hours: Window, seen_us: int
    ) -> list[StoredErrorGroup]:
        """The error groups of integrations that go on; see the Protocol."""
        with self._reading() as (connection, _):
            return groups.failing(
                connection, self._names, integrations=integrations, hours=hours, seen_us=seen_us
            )

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
    def _reading(self) -> Iterator[tuple[Connection, State]]:
        with self._backend.reading() as connection:
            yield connection, self._begin(connection)

    @contextmanager
    def _writing(self) -> Iterator[tuple[Connection, Marks]]:
        if self._read_only:
            raise StoreRefused(f"{self._backend.name} was opened for reading only")
        with self._backend.writing() as connection:
            yield connection, self._begin(connection).marks

    def _begin(self, connection: Connection) -> State:
        if not self._checked:
            schema.require(connection, self._backend.name)
            self._checked = True
        found = state.read(connection)
        self._names.refresh(connection, found.last)
        return found

    def _insert(self, connection: Connection, batch: Batch, settled: Settled) -> None:
        self._backend.insert(connection, exchanges, raw.to_rows(batch.exchanges, settled))
        bodies = [(each.id, pack(each)) for each in batch.captures]
        self._backend.insert(connection, captures, bodies)

    def _merge_activity(self, now_us: int) -> None:
        with self._reading() as (connection, _):
            found = activity_parts.candidates(connection, now_us)
        for owner, period in found:
            merged = True
            while merged:
                with self._writing() as (connection, _):
                    merged = activity_parts.merge(connection, self._backend, owner, period, now_us)

    def _fold(self, step_us: int, limit_of: Callable[[Marks], int]) -> int:
        """Fold all steps that end by what `limit_of` says, skipping those without rows."""
        with self._reading() as (_, found):
            marks = found.marks
        written = 0
        while _until(marks, step_us) < floor(limit_of(marks), step_us):
            with self._writing() as (connection, current):
                start_us = rolled.first_unfolded(connection, step_us, _until(current, step_us))
                until_us = floor(limit_of(current), step_us)
                if start_us is not None and start_us < until_us:
                    written += rolled.fold(connection, self._backend, start_us, step_us)
                    until_us = start_us + step_us
                marks = _folded(current, step_us, until_us)
                state.write(connection, marks)
        return written


def _until(marks: Marks, step_us: int) -> int:
    value: int = getattr(marks, _UNTIL[step_us])
    return value


def _folded(marks: Marks, step_us: int, until_us: int) -> Marks:
    """The marks once everything before `until_us` is folded; they never move back."""
    return replace(marks, **{_UNTIL[step_us]: max(until_us, _until(marks, step_us))})


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
