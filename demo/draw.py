"""History drawn from the model: whole columns of exchanges at once, then records.

A `Block` is a span of the past with a ratio: of `one_in` exchanges the model expects, one is
drawn. What is drawn depends on the seed, the anchor and the block alone, never on when or in which
order blocks are drawn.
"""

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from app.domain.outcome import CONNECT_REFUSED, outcome_of_status
from app.domain.window import SECOND_US, Window
from app.domain.words import Direction, Kind, Outcome
from collectors.proxy.errors import FIRST_BYTE_TIMEOUT, TLS_EXPIRED
from collectors.record import NOT_REACHED
from demo.cast import Flow, Role
from demo.model import (
    RETRY_AFTER_S,
    STATUS,
    Ending,
    Model,
    act_weights,
    installation_weights,
    latency_us,
)
from demo.names import split_act
from demo.noise import Floats, Times

_CELL_US = 15 * SECOND_US
Whole = NDArray[np.int64]


class Block(NamedTuple):
    """A span of history, and of how many exchanges one is drawn."""

    window: Window
    one_in: int


@dataclass(slots=True)
class Columns:
    """Attempts of one flow; every field has shape (n,). Durations are microseconds.

    `act` and `installation` are numbers, `event` numbers the call or delivery, `error` is an index
    into `ERRORS`.
    """

    started_us: Times
    act: Whole
    installation: Whole
    event: Whole
    attempt: Whole
    status: Whole
    outcome: Whole
    error: Whole
    queue_us: Whole
    connect_us: Whole
    tls_us: Whole
    first_byte_us: Whole
    total_us: Whole
    request_bytes: Whole
    response_bytes: Whole


#: The error codes that history knows; 0 is none.
ERRORS = ("", CONNECT_REFUSED, TLS_EXPIRED, FIRST_BYTE_TIMEOUT, "webhook_refused")
_REFUSED, _EXPIRED, _SILENCE, _WEBHOOK_REFUSED = 1, 2, 3, 4


class Called(NamedTuple):
    """Attempts before it is known how they end; every array has shape (n,)."""

    started_us: Times
    act: Whole
    installation: Whole
    event: Whole
    attempt: int

    def part(self, chosen: NDArray[np.bool_], started_us: Times) -> "Called":
        """The next attempts of the chosen ones."""
        columns = (self.act[chosen], self.installation[chosen], self.event[chosen])
        return Called(started_us[chosen], *columns, self.attempt + 1)


def draw(model: Model, role: Role, flow: Flow, block: Block) -> Columns:
    """All attempts of one flow that start in a block, and the retries of its deliveries."""
    key = [model.seed, block.window.start_us // SECOND_US, *role.slug.encode()]
    chance = np.random.default_rng([*key, flow.direction, flow.kind])
    called = _first_attempts(model, role, flow, block, chance)
    parts = [_resolve(model, role, flow, called, chance)]
    if flow.kind is Kind.WEBHOOK:
        # A retry that a sample stands for may not fall where the whole is drawn.
        until_us = model.anchor_us if block.one_in == 1 else block.window.end_us
        for after_s in RETRY_AFTER_S:
            again_us = called.started_us + _jittered(after_s, len(called.started_us), chance)
            failed = (parts[-1].outcome != Outcome.OK) & (again_us < until_us)
            called = called.part(failed, again_us)
            parts.append(_resolve(model, role, flow, called, chance))
    return _joined(parts)


def _first_attempts(
    model: Model, role: Role, flow: Flow, block: Block, chance: Generator
) -> Called:
    cells = np.arange(block.window.start_us, block.window.end_us, _CELL_US, dtype=np.int64)
    lengths = np.minimum(_CELL_US, block.window.end_us - cells)
    expected = model.rate(role, flow, cells) * lengths / SECOND_US / block.one_in
    counts = chance.poisson(expected)
    starts = np.repeat(cells, counts) + chance.integers(0, np.repeat(lengths, counts))
    starts.sort()
    size = len(starts)
    return Called(
        starts,
        chance.choice(len(flow.acts), size, p=act_weights(flow)),
        chance.choice(role.installations, size, p=installation_weights(role)),
        chance.integers(0, 2**62, size),
        1,
    )


def _resolve(model: Model, role: Role, flow: Flow, called: Called, chance: Generator) -> Columns:
    """How each attempt ends: first the answer it would get, then what keeps it from coming."""
    size = len(called.started_us)
    columns = _answered(model, role, flow, called, chance)
    if (flow.direction, flow.kind) == (Direction.OUTBOUND, Kind.REQUEST):
        revoked = model.revoked(role, called.installation, called.started_us)
        columns.status[revoked] = 401
        columns.first_byte_us[revoked] = chance.integers(900, 4_000, size)[revoked]
    _classify(columns, flow.kind)
    limit_us = role.first_byte_ms * 1_000
    late = columns.first_byte_us > limit_us
    if flow.direction is Direction.OUTBOUND:
        late |= model.mute(role, called.started_us)
        _unanswered(columns, late, Outcome.TIMEOUT, _SILENCE)
        columns.total_us[late] = columns.queue_us[late] + limit_us
        _block_connections(model, role, columns, chance)
    return columns


def _answered(model: Model, role: Role, flow: Flow, called: Called, chance: Generator) -> Columns:
    times, size = called.started_us, len(called.started_us)
    pace = np.array([act.pace for act in flow.acts])[called.act]
    normals, tail = chance.standard_normal(size), chance.random(size)
    first_byte = latency_us(model.median_ms(role, flow, times), pace, flow.sigma, normals, tail)
    queue = chance.integers(110, 420, size)
    connect = np.where(chance.random(size) < 0.03, chance.integers(150, 500, size), 0)
    return Columns(
        times, called.act, called.installation, called.event,
        np.full(size, called.attempt, dtype=np.int64),
        _statuses(flow, called.act, _endings(model.mix(role, flow, times), chance)),
        np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64),
        queue, connect, _tls(role, flow, connect), first_byte,
        queue + connect + first_byte + chance.integers(40, 200, size),
        _request_bytes(flow, called.act, chance),
        np.zeros(size, dtype=np.int64) if flow.kind is Kind.WEBHOOK
        else chance.integers(60, 420, size),
    )  # fmt: skip


def _tls(role: Role, flow: Flow, connect_us: Whole) -> Whole:
    """Handshakes: with new connections to a host that has a certificate."""
    if role.trouble.expired_since_us is None or flow.direction is Direction.INBOUND:
        return np.full(len(connect_us), NOT_REACHED, dtype=np.int64)
    found: Whole = connect_us * 10
    return found


def _endings(mix: Floats, chance: Generator) -> Whole:
    drawn = chance.random(mix.shape[1])
    found: Whole = (drawn >= np.cumsum(mix, axis=0)[:-1]).sum(axis=0)
    return found


def _statuses(flow: Flow, acts: Whole, endings: Whole) -> Whole:
    if flow.kind is Kind.WEBHOOK:
        fine = np.full(len(acts), 202, dtype=np.int64)
    else:
        posts = [201 if split_act(act.name)[0] == "POST" else 200 for act in flow.acts]
        fine = np.array(posts, dtype=np.int64)[acts]
    table = np.array([STATUS.get(ending, 0) for ending in Ending], dtype=np.int64)
    found: Whole = np.where(endings == Ending.OK, fine, table[endings])
    return found


def _request_bytes(flow: Flow, acts: Whole, chance: Generator) -> Whole:
    bodiless = [split_act(act.name)[0] == "GET" for act in flow.acts]
    sizes = chance.integers(130, 420, len(acts))
    found: Whole = np.where(np.array(bodiless)[acts], 0, sizes)
    return found


def _classify(columns: Columns, kind: Kind) -> None:
    for status in np.unique(columns.status).tolist():
        outcome, error = outcome_of_status(kind, status)
        here = columns.status == status
        columns.outcome[here], columns.error[here] = outcome, ERRORS.index(error)


def _block_connections(model: Model, role: Role, columns: Columns, chance: Generator) -> None:
    size = len(columns.started_us)
    down = model.down(role, columns.started_us)
    expired = model.expired(role, columns.started_us)
    _unanswered(columns, down, Outcome.CONNECT_ERROR, _REFUSED)
    _unanswered(columns, expired, Outcome.TLS_ERROR, _EXPIRED)
    columns.total_us[down] = chance.integers(400, 1_500, size)[down]
    columns.total_us[expired] = chance.integers(3_000, 8_000, size)[expired]
    for stage in (columns.queue_us, columns.connect_us, columns.tls_us):
        stage[down | expired] = NOT_REACHED


def _unanswered(columns: Columns, here: NDArray[np.bool_], outcome: Outcome, error: int) -> None:
    columns.status[here], columns.outcome[here], columns.error[here] = 0, outcome, error
    columns.first_byte_us[here], columns.response_bytes[here] = NOT_REACHED, 0


def _jittered(after_s: float, size: int, chance: Generator) -> Whole:
    found: Whole = (after_s * SECOND_US * chance.uniform(0.8, 1.2, size)).astype(np.int64)
    return found


def _joined(parts: list[Columns]) -> Columns:
    joined = [
        np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Columns)
    ]
    order = np.argsort(joined[0], kind="stable")
    return Columns(*(column[order] for column in joined))
