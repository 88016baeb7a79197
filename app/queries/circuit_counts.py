"""How much of what opens an integration's circuit is used up: what alert rules ask."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select

from app.db import reading as registry_session
from app.domain.route import Breaker
from app.domain.window import Window
from app.domain.words import Direction, Fault, Outcome, Word
from app.models import Integration
from app.models.wire import WireRules
from app.queries.counting import add_up
from app.queries.reading import Reading
from app.telemetry import timed_query

_ANSWERED: list[Word] = [Outcome.OK, Outcome.CLIENT_ERROR]
_FAILED: list[Word] = [
    Outcome.SERVER_ERROR, Outcome.TIMEOUT, Outcome.CONNECT_ERROR, Outcome.DNS_ERROR,
    Outcome.TLS_ERROR, Outcome.PROTOCOL_ERROR,
]  # fmt: skip
_THEIRS: list[Word] = [Fault.PARTNER, Fault.NETWORK]


@dataclass(frozen=True, slots=True)
class CircuitCounts:
    """The platform's calls to one integration that its breaker looks at, how many of them failed,
    and the share of failures from which on it opens."""

    failed: int
    counted: int
    opens_ratio: float

    @property
    def used_ratio(self) -> float:
        """How much of that share is reached: 1 opens the circuit."""
        return self.failed / self.counted / self.opens_ratio if self.counted else 0.0


@timed_query("circuit_counts")
def circuit_counts(
    reading: Reading, slugs: Sequence[str], window: Window
) -> dict[str, CircuitCounts]:
    """By slug, of integrations that have a breaker and were called within the window. Failed is
    what the breaker calls so (docs/registry.md). Asked by the scheduler alone: it has no scope."""
    opens = _opens(reading)
    rollups = reading.store.rollups(window, integrations=list(slugs))
    row_of = {slug: row for row, slug in enumerate(slugs)}
    spare = len(slugs)  # calls by the partner say nothing about its own circuit
    rows = np.array(
        [
            row_of[each.integration] if each.direction == Direction.OUTBOUND else spare
            for each in rollups.series
        ],
        dtype=np.int64,
    )[rollups.series_index]
    cube = add_up(rollups, rows, spare + 1).cube
    failed = cube[:, _FAILED][:, :, _THEIRS].sum(axis=(1, 2, 3)).tolist()
    well = cube[:, _ANSWERED].sum(axis=(1, 2, 3)).tolist()
    return {
        slug: CircuitCounts(failed[row], failed[row] + well[row], opens[slug])
        for slug, row in row_of.items()
        if slug in opens and failed[row] + well[row]
    }


def _opens(reading: Reading) -> dict[str, float]:
    """The share of failures that opens each circuit; an integration without rules has the usual."""
    statement = select(
        Integration.slug, WireRules.integration_id, WireRules.breaker_error_ratio
    ).outerjoin(WireRules)
    with registry_session(reading.engine) as session:
        rows = session.execute(statement).all()
    found = {
        row.slug: row.breaker_error_ratio if row.integration_id else Breaker().error_ratio
        for row in rows
    }
    return {slug: ratio for slug, ratio in found.items() if ratio is not None}
