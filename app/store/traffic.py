"""How much crossed, step by step, for many integrations at once: what a sparkline needs.

The rows are those of `rollups`, summed to the integration inside the database and read without
their sparse counts, which are most of a row.
"""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, text

from app.domain.window import MINUTE_US, Window, ceil, floor
from app.store.backend import Backend, Row
from app.store.cover import cover, widened
from app.store.memory import Memory
from app.store.names import Names
from app.store.port import Traffic
from app.store.rollups import Question
from app.store.state import State

_SUMS = "CAST(sum(r.exchanges + r.shed) AS BIGINT), CAST(sum(r.bad) AS BIGINT)"


def answer(
    connection: Connection,
    backend: Backend,
    names: Names,
    *,
    memory: Memory,
    state: State,
    window: Window,
    integrations: Sequence[str] | None,
    step_us: int,
) -> Traffic:
    """The sums of every step of `window`; see `MetricsStore.traffic`."""
    covered = widened(window, state.marks)
    among = None if integrations is None else frozenset(integrations)
    ids = names.ids(operations=False, integrations=among)
    found: list[Row] = []
    for part in cover(covered, state.marks, step_us) if ids else ():
        key = ("traffic", part, among, step_us)
        rows = memory.recall(state.version, key)
        if rows is None:
            question = Question(part, ids, among is None, False, step_us)
            rows = _select(connection, backend, question)
            if part.resolution_us > MINUTE_US:
                memory.keep(state.version, key, rows)
        found.extend(rows)
    return _matrix(covered, names, found, step_us)


def _select(connection: Connection, backend: Backend, question: Question) -> list[Row]:
    step = (question.step_us or MINUTE_US) // MINUTE_US
    minute = f"r.start_minute - r.start_minute % {step}"
    source, parameters = question.source(backend, " JOIN series s ON s.id = r.series_id")
    statement = text(
        f"{question.head}SELECT s.integration_id, {minute} AS step, {_SUMS} "
        f"{source} GROUP BY s.integration_id, {minute}"
    )
    return list(connection.execute(statement, parameters).all())


def _matrix(window: Window, names: Names, rows: Sequence[Row], step_us: int) -> Traffic:
    first_us = floor(window.start_us, step_us)
    steps = (ceil(window.end_us, step_us) - first_us) // step_us
    numbers = sorted({row[0] for row in rows})
    place = {number: at for at, number in enumerate(numbers)}
    shape = (len(numbers), steps)
    exchanges, bad = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for number, minute, crossed, failed in rows:
        at = place[number], max((minute * MINUTE_US - first_us) // step_us, 0)
        exchanges[at] += crossed
        bad[at] += failed
    slugs = tuple(names.slug_of[number] for number in numbers)
    return Traffic(window, step_us, slugs, exchanges, bad)
