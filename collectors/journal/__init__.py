"""The journal: an append-only log of framed records between the proxy and the loader."""

from collectors.journal.frame import BEGIN, EXCHANGE, LOSS, MAX_PAYLOAD_BYTES
from collectors.journal.reader import Position, Reader, ReadResult, Skip
from collectors.journal.segments import journals
from collectors.journal.writer import Stats, Writer

__all__ = [
    "BEGIN",
    "EXCHANGE",
    "LOSS",
    "MAX_PAYLOAD_BYTES",
    "Position",
    "ReadResult",
    "Reader",
    "Skip",
    "Stats",
    "Writer",
    "journals",
]
