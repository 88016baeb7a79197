"""Rollup rows in the database: adding a batch, folding upwards, answering for a window.

Every function works inside a transaction that its caller holds, with the marks read in it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, text

from app.domain.window import DAY_US, HOUR_US, MINUTE_US, WEEK_US, Window, floor
from app.store.backend import Backend, Row
from app.store.cover import Marks, Stretch, cover, widened
from app.store.memory import Memory
from app.store.names import Names
from app.store.port import Rollups
from app.store.state import State, count_change
from app.store.sums import COLUMNS, NUMBERS, Sums, of_rows
from app.store.tables import (
    FIRST_OPERATION_SERIES,
    rollup_days,
    rollup_hours,
    rollup_minutes,
    rollup_weeks,
)

#: Hours and days lie by series: naming the series turns a scan of everything into look-ups.
_BY_SERIES = " series_id IN (SELECT id FROM series) AND"
_FIRST_BY_TIME = "SELECT min(start_minute) FROM {0} WHERE start_minute >= :first"
_FIRST_BY_SERIES = (
    "SELECT min(minute) FROM (SELECT (SELECT min(start_minute) FROM {0} r "
    "WHERE r.series_id = s.id AND r.start_minute >= :first) AS minute FROM series s) AS firsts"
)
#: The minutes of a stretch that have rows, found by leaping from one to the next: a stretch may be
#: far longer than what it holds, and most rows of a minute are of the other level.
_GRID = (
    "WITH RECURSIVE grid(minute) AS ("
    "SELECT min(start_minute) FROM rollup_minutes "
    "WHERE start_minute >= :first AND start_minute < :last "
    "UNION ALL SELECT (SELECT min(start_minute) FROM rollup_minutes "
    "WHERE start_minute > grid.minute AND start_minute < :last) "
    "FROM grid WHERE grid.minute IS NOT NULL) "
)

TABLES = {
    MINUTE_US: rollup_minutes,
    HOUR_US: rollup_hours,
    DAY_US: rollup_days,
    WEEK_US: rollup_weeks,
}
#: What a row of each length is folded from.
_FINER = {HOUR_US: rollup_minutes, DAY_US: rollup_hours, WEEK_US: rollup_days}


def add(connection: Connection, backend: Backend, marks: Marks, sums: Sums) -> None:
    """Add minutes to every table that is complete at their time, so that it stays so."""
    at_us = sums.minutes * MINUTE_US
    kept = {
        MINUTE_US: at_us >= marks.minutes_from_us,
        HOUR_US: (at_us >= marks.hours_from_us) & (at_us < marks.hours_until_us),
        DAY_US: at_us < marks.days_until_us,
        WEEK_US: at_us < marks.weeks_until_us,
    }
    if any(kept[step_us].any() for step_us in (HOUR_US, DAY_US, WEEK_US)):
        count_change(connection)
    for step_us, mask in kept.items():
        if mask.any():
            part = sums if mask.all() else sums.where(mask)
            _merge_in(connection, backend, TABLES[step_us], part.per(step_us // MINUTE_US).merged())


def _merge_in(connection: Connection, backend: Backend, table: Table, sums: Sums) -> None:
    old = of_rows(backend.touched(connection, table, sums.keys.tolist()))
    total = old.joined(sums).merged() if len(old) else sums
    backend.put(connection, table, total.rows())


def fold(connection: Connection, backend: Backend, start_us: int, step_us: int) -> int:
    """Write the rows of one hour, day or week from the next shorter ones; how many rows."""
    source = f"{_FINER[step_us].name} WHERE"
    if step_us != HOUR_US:
        source += _BY_SERIES
    rows = connection.execute(
        text(
            f"SELECT series_id, {start_us // MINUTE_US}, {_summed(backend)} FROM {source} "  # noqa: S608
            "start_minute >= :first AND start_minute < :last GROUP BY series_id"
        ),
        _minutes(Stretch(start_us, start_us + step_us, step_us)),
    )
    folded = of_rows(rows.all()).merged()
    if len(folded):
        backend.put(connection, TABLES[step_us], folded.rows())
        count_change(connection)
    return len(folded)


def first_unfolded(connection: Connection, step_us: int, from_us: int) -> int | None:
    """The start of the first hour, day or week at or after `from_us` that holds rows to fold."""
    first = _FIRST_BY_TIME if step_us == HOUR_US else _FIRST_BY_SERIES
    statement = text(first.format(_FINER[step_us].name))
    minute = connection.execute(statement, {"first": from_us // MINUTE_US}).scalar()
    return None if minute is None else floor(minute * MINUTE_US, step_us)


def answer(
    connection: Connection,
    backend: Backend,
    names: Names,
    *,
    memory: Memory,
    state: State,
    window: Window,
    integrations: Sequence[str] | None,
    operations: bool,
    step_us: int | None,
) -> Rollups:
    """The rows that cover `window`; see `MetricsStore.rollups`."""
    covered = widened(window, state.marks)
    among = None if integrations is None else frozenset(integrations)
    ids = names.ids(operations=operations, integrations=among)
    found: list[tuple[Stretch, Sequence[Row]]] = []
    for part in cover(covered, state.marks, step_us) if ids else ():
        question = Question(part, ids, among is None, operations, step_us)
        key = (part, among, operations, step_us)
        rows = memory.recall(state.version, key)
        if rows is None:
            rows = _select(connection, backend, question)
            if part.resolution_us > MINUTE_US:
                memory.keep(state.version, key, rows)
        found.append((part, rows))
    return _columns(covered, names, found, step_us)


class Question:
    """One stretch of one level, as SQL asks for it."""

    def __init__(
        self, part: Stretch, ids: list[int], everything: bool, operations: bool, step_us: int | None
    ) -> None:
        self.part = part
        self.ids = ids
        self.everything = everything
        self.operations = operations
        self.step_us = step_us

    @property
    def grouping(self) -> tuple[str, bool]:
        """The SQL for a row's minute, and whether rows have to be summed to it."""
        if self.step_us is None:
            return str(self.part.start_us // MINUTE_US), True
        if self.step_us % self.part.resolution_us or self.step_us == self.part.resolution_us:
            return "r.start_minute", False
        step = self.step_us // MINUTE_US
        return f"r.start_minute - r.start_minute % {step}", True

    @property
    def head(self) -> str:
        """What stands before the SELECT."""
        return _GRID if self.part.resolution_us == MINUTE_US else ""

    def source(self, backend: Backend, joined: str = "") -> tuple[str, dict[str, Any]]:
        """The FROM and WHERE that give the rows, called `r`, and what is `joined` to them, with
        their parameters."""
        by_minute = self.part.resolution_us == MINUTE_US
        source = (_by_minute if by_minute else _by_series)(backend, self, joined)
        parameters: dict[str, Any] = _minutes(self.part)
        if ":ids" in source:
            parameters["ids"] = backend.numbers(self.ids)
        return source, parameters


def _select(connection: Connection, backend: Backend, question: Question) -> list[Row]:
    minute, grouped = question.grouping
    columns = _summed(backend) if grouped else ", ".join(f"r.{name}" for name in COLUMNS[2:])
    groups = f" GROUP BY r.series_id, {minute}" if grouped and question.step_us else ""
    if grouped and not question.step_us:
        groups = " GROUP BY r.series_id"
    source, parameters = question.source(backend)
    statement = text(
        f"{question.head}SELECT r.series_id, {minute} AS start_minute, {columns} {source}{groups}"
    )
    return list(connection.execute(statement, parameters).all())


def _by_minute(backend: Backend, question: Question, joined: str) -> str:
    source = (
        f"FROM grid CROSS JOIN {rollup_minutes.name} r{joined} "
        "WHERE r.start_minute = grid.minute AND "
    )
    if not question.everything:
        return source + f"r.series_id IN {backend.among}"
    if question.operations:
        return source + f"r.series_id >= {FIRST_OPERATION_SERIES}"
    return source + f"r.series_id < {FIRST_OPERATION_SERIES}"


def _by_series(backend: Backend, question: Question, joined: str) -> str:
    table = TABLES[question.part.resolution_us]
    return (
        f"FROM {table.name} r{joined} WHERE r.series_id IN {backend.among} "
        "AND r.start_minute >= :first AND r.start_minute < :last"
    )


def _minutes(part: Stretch) -> dict[str, int]:
    return {"first": part.start_us // MINUTE_US, "last": part.end_us // MINUTE_US}


def _summed(backend: Backend) -> str:
    sums = [f"CAST(sum({name}) AS BIGINT)" for name in NUMBERS]
    return ", ".join([*sums, backend.joined.format("tally"), backend.joined.format("latency")])


def _columns(
    window: Window, names: Names, found: list[tuple[Stretch, Sequence[Row]]], step_us: int | None
) -> Rollups:
    sums = of_rows([row for _, rows in found for row in rows])
    lengths = [len(rows) for _, rows in found]
    starts = np.repeat([part.start_us for part, _ in found], lengths).astype(np.int64)
    ends = np.repeat([part.end_us for part, _ in found], lengths).astype(np.int64)
    resolutions = np.repeat([part.resolution_us for part, _ in found], lengths).astype(np.int64)
    t_us = sums.minutes * MINUTE_US
    if step_us is None:
        steps_us = ends - starts
    else:
        # Longer rows than the step stand where no shorter ones are kept.
        steps_us = np.where(step_us % np.maximum(resolutions, 1), resolutions, step_us)
        last_us = np.minimum(t_us + steps_us, ends)
        t_us = np.maximum(t_us, starts)
        steps_us = last_us - t_us
    numbers, series_index = np.unique(sums.keys >> 32, return_inverse=True)
    counts = dict(zip(NUMBERS, np.ascontiguousarray(sums.numbers.T), strict=True))
    return Rollups(
        window,
        tuple(names.series_of[number] for number in numbers.tolist()),
        series_index,
        t_us,
        steps_us,
        tally=sums.tally,
        latency=sums.latency,
        **counts,
    )


def cut(connection: Connection, table: Table, before_us: int, limit: int) -> int:
    """Delete up to `limit` rows that start before `before_us`; how many."""
    old = f"FROM {table.name} WHERE start_minute < :before"
    if table is rollup_hours:
        old += f" AND{_BY_SERIES.removesuffix(' AND')}"
    statement = text(
        f"DELETE FROM {table.name} WHERE (series_id, start_minute) IN "  # noqa: S608
        f"(SELECT series_id, start_minute {old} LIMIT :limit)"
    )
    parameters = {"before": before_us // MINUTE_US, "limit": limit}
    return connection.execute(statement, parameters).rowcount
