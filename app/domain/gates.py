"""What a proxy worker says about its gates: circuits that are not closed, and holds.

One JSON file for each worker, `<home>/status/gates-<worker>.json`. A gate that is not in it lets
exchanges through as usual. While there is something in it, it is written again every
`BEAT_US`: a file with states that is older than `STALE_US` is of a worker that is gone.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from app.domain.window import SECOND_US

VERSION = 1
FILES = "gates-*.json"
BEAT_US = 5 * SECOND_US
STALE_US = 15 * SECOND_US

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half_open"


@dataclass(frozen=True, slots=True)
class GateState:
    """One integration in one direction, as one worker keeps it. Times are µs since 1970.

    `circuit` is closed, open, or half_open (a few exchanges go through to see how they fare);
    `since_us` when it was last closed, `until_us` when it is tried again, `failed` of `counted`
    exchanges what opened it. `held_until_us`: the service asked with `Retry-After`, and an answer
    of `held_status`, not to be called until then; `held_installations` so many asked for
    themselves only.
    """

    integration: str
    direction: str
    circuit: str = CLOSED
    since_us: int | None = None
    until_us: int | None = None
    failed: int = 0
    counted: int = 0
    held_until_us: int | None = None
    held_status: int | None = None
    held_installations: int = 0


def encode_gates(updated_us: int, states: Sequence[GateState]) -> bytes:
    """What the file holds."""
    gates = [asdict(state) for state in states]
    return json.dumps({"version": VERSION, "updated_us": updated_us, "gates": gates}).encode()


def decode_gates(raw: bytes, now_us: int) -> list[GateState]:
    """The states of a worker that is there; `ValueError` for a file that is none."""
    try:
        document = json.loads(raw)
        if document["version"] != VERSION:
            raise ValueError(f"gates file has version {document['version']}")
        if now_us - document["updated_us"] > STALE_US:
            return []
        known = {each.name for each in fields(GateState)}
        return [
            GateState(**{name: value for name, value in gate.items() if name in known})
            for gate in document["gates"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"gates file is damaged: {error!r}") from error


def merged(states: Sequence[GateState]) -> list[GateState]:
    """One state for each integration and direction: the worst of its workers', since the first.

    Sorted by integration and direction.
    """
    found: dict[tuple[str, str], GateState] = {}
    for state in sorted(states, key=lambda each: (each.integration, each.direction)):
        key = state.integration, state.direction
        found[key] = _worse(found[key], state) if key in found else state
    return list(found.values())


_WORST = (CLOSED, HALF_OPEN, OPEN)


def _worse(one: GateState, other: GateState) -> GateState:
    first, second = sorted((one, other), key=lambda each: _WORST.index(each.circuit))
    since = [each.since_us for each in (one, other) if each.since_us is not None]
    held = max(one, other, key=lambda each: each.held_until_us or 0)
    return GateState(
        second.integration,
        second.direction,
        second.circuit,
        min(since) if since else None,
        second.until_us,
        first.failed + second.failed,
        first.counted + second.counted,
        held.held_until_us,
        held.held_status,
        max(one.held_installations, other.held_installations),
    )
