"""From a settled exchange to its record: counted once, journaled or counted as shed.

`record` is called once per exchange, before the last bytes of its answer are written, and `commit`
before they leave: the records of one turn of the loop are journaled together. Neither waits nor
fails: what the journal does not take is kept as a count by minute, integration, direction and
kind, and journaled as losses as soon as the journal takes frames again. At every moment that a
reader can see, proxied = recorded + shed.
"""

from collections.abc import Callable, Sequence
from typing import Protocol
from zlib import crc32

import msgspec

from app.domain.route import CapturePolicy
from app.domain.window import HOUR_US, MINUTE_US, floor
from app.domain.words import Outcome
from collectors.proxy.context import Context
from collectors.proxy.fields import Lines, each
from collectors.proxy.head import RequestHead, ResponseHead
from collectors.proxy.metrics import CAPTURED, FAILED, LOSSES, PROXIED, RECORDED, SHED
from collectors.proxy.routes import Destination
from collectors.record import Capture, Exchange, Loss

EXCHANGE_FRAME, LOSS_FRAME = 1, 2
_OK = Outcome.OK
_DETAIL_CHARS = 500
#: The most that is kept of one header: enough for any credential.
_VALUE_BYTES = 4096
#: Above so many separate counts of lost exchanges, they are kept by hour instead of by minute.
_FINE_LOSSES = 50_000

_LossKey = tuple[int, str, int, int]


class Journal(Protocol):
    """Where records go."""

    def append(self, frame_type: int, payload: bytes) -> bool:
        """True: the kernel has it. False: it is not recorded."""

    def append_all(self, frame_type: int, payloads: Sequence[bytes]) -> Sequence[bool]:
        """`append` of each, in order."""


class Settled(Protocol):
    """What a record is made of; durations in microseconds, see `collectors.record.Exchange`."""

    id: bytes
    started_us: int
    destination: Destination
    context: Context
    head: RequestHead
    answer: ResponseHead | None
    status: int
    queue_us: int
    connect_us: int
    tls_us: int
    first_byte_us: int
    total_us: int
    request_bytes: int
    response_bytes: int
    request_start: bytes
    response_start: bytes
    trace_id: str


class Tap:
    """The one place where exchanges are counted and recorded."""

    def __init__(
        self, journal: Journal, counts: list[int], capture_ratio: float, soon: Callable[[], None]
    ) -> None:
        """`soon` sees to it that `commit` is called by the end of the loop's turn."""
        self._journal = journal
        self._soon = soon
        self._records: list[bytes] = []
        self._about: list[tuple[int, Destination, bool]] = []
        self._counts = counts
        self._capture_below = int(capture_ratio * 2**32)
        self._encode = msgspec.msgpack.Encoder().encode
        self._losses: dict[_LossKey, int] = {}

    def record(self, live: Settled, outcome: Outcome, code: str, detail: str) -> None:
        """Count one exchange and make its record."""
        found, context = live.destination, live.context
        captured = self._captured(live.id, outcome, found.party.capture)
        if not self._records:
            self._soon()
        record = self._encode(
            Exchange(
                live.id,
                live.started_us,
                found.direction,
                found.kind,
                found.party.integration,
                context.installation,
                context.customer,
                context.operation,
                found.topic,
                live.head.method,
                found.path,
                live.status,
                outcome,
                code,
                detail[:_DETAIL_CHARS],
                live.queue_us,
                live.connect_us,
                live.tls_us,
                live.first_byte_us,
                live.total_us,
                live.request_bytes,
                live.response_bytes,
                context.delivery,
                context.attempt,
                live.trace_id,
                _capture(live) if captured else None,
            )
        )
        self._records.append(record)
        self._about.append((live.started_us, found, captured))
        if code:
            self._counts[FAILED[code]] += 1

    def commit(self) -> None:
        """Journal the records made since the last time, or count them as shed."""
        if not self._records:
            return
        records, self._records = self._records, []
        about, self._about = self._about, []
        counts = self._counts
        taken = self._journal.append_all(EXCHANGE_FRAME, records)
        for (started_us, found, captured), recorded in zip(about, taken, strict=True):
            direction = found.direction
            counts[PROXIED + direction] += 1
            if recorded:
                counts[RECORDED + direction] += 1
                counts[CAPTURED] += captured
            else:
                counts[SHED + direction] += 1
                self._lose(started_us, found)

    @property
    def pending(self) -> int:
        """Shed exchanges that are not yet journaled as lost."""
        return sum(self._losses.values())

    def flush_losses(self) -> bool:
        """Journal what was shed, as far as the journal takes it; whether nothing is left."""
        for key, count in list(self._losses.items()):
            payload = self._encode(Loss(*key, count))
            if not self._journal.append(LOSS_FRAME, payload):
                break
            del self._losses[key]
        self._counts[LOSSES] = self.pending
        return not self._losses

    def _captured(self, exchange_id: bytes, outcome: Outcome, policy: CapturePolicy) -> bool:
        if outcome == _OK:
            return crc32(exchange_id) < self._capture_below and policy is CapturePolicy.SAMPLE
        return policy is not CapturePolicy.NONE

    def _lose(self, started_us: int, found: Destination) -> None:
        step_us = MINUTE_US if len(self._losses) < _FINE_LOSSES else HOUR_US
        key = (
            floor(started_us, step_us),
            found.party.integration,
            int(found.direction),
            int(found.kind),
        )
        self._losses[key] = self._losses.get(key, 0) + 1
        self._counts[LOSSES] += 1


def _capture(live: Settled) -> Capture:
    return Capture(
        _headers(live.head.fields),
        live.request_start,
        _headers(live.answer.fields) if live.answer else [],
        live.response_start,
        live.head.query,
    )


def _headers(lines: Lines) -> list[tuple[str, str]]:
    return [
        (name.decode("latin-1"), value[:_VALUE_BYTES].decode("latin-1"))
        for _, name, value in each(lines)
    ]
