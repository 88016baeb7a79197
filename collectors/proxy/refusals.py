"""The codes of what is refused to protect a side, and what an entry of the error table is."""

from dataclasses import dataclass

from app.domain import outcome as codes
from app.domain.words import Outcome

PAUSED = codes.PAUSED
CIRCUIT_OPEN = codes.CIRCUIT_OPEN
RETRY_AFTER_HOLD = codes.RETRY_AFTER_HOLD
RATE_LIMIT_HOLD = "rate_limit_hold"
RATE_LIMITED = "rate_limited"
CONCURRENCY_FULL = "concurrency_full"
TOO_MANY_CONNECTIONS = "too_many_connections"


@dataclass(frozen=True, slots=True)
class Entry:
    """One code. `status` is what the proxy answers if it still can; 0: there is nobody to answer,
    or the other side's own answer was passed on."""

    outcome: Outcome
    status: int
    meaning: str
    remedy: str


_R = Outcome.REJECTED

REFUSALS: dict[str, Entry] = {
    TOO_MANY_CONNECTIONS: Entry(
        _R,
        503,
        "The listener has as many connections as it may.",
        "Reuse connections and close idle ones, add workers, or raise MIDSPAN_CONNECTIONS.",
    ),
    PAUSED: Entry(
        _R,
        503,
        "The registry lets nothing through for this integration.",
        "Remove paused from the integration when it may go on.",
    ),
    CIRCUIT_OPEN: Entry(
        _R,
        503,
        "Too many of the last exchanges failed, so no more are sent for a while.",
        "Mend what fails, see the exchanges before; the circuit closes by itself.",
    ),
    RETRY_AFTER_HOLD: Entry(
        _R,
        503,
        "The service answered 503 and asked with Retry-After not to be called until then.",
        "Wait for the time in Retry-After; ask the service why it was unavailable.",
    ),
    RATE_LIMIT_HOLD: Entry(
        _R,
        429,
        "The service answered 429 and asked with Retry-After not to be called until then.",
        "Wait for the time in Retry-After; send more slowly.",
    ),
    RATE_LIMITED: Entry(
        _R,
        429,
        "More requests per second than the integration's limits or its ramp allow.",
        "Send more slowly, or raise limits.requests_per_second, limits.burst or ramp.",
    ),
    CONCURRENCY_FULL: Entry(
        _R,
        429,
        "All places of limits.concurrency were taken, and the queue was full or too slow.",
        "Send fewer requests at a time, or raise limits.concurrency, queue or queue_ms.",
    ),
}
