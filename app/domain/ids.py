"""Exchange ids: 16 bytes, ordered by time, printed as a UUID.

An id is a UUID version 7 (RFC 9562, section 5.7) whose `rand_a` field carries the fraction of
the millisecond (method 3 of section 6.2), so ids sort by start time to about a quarter of a
microsecond and a time range is an id range. The other 62 bits are 30 random bits drawn once per
process and a 32-bit counter: two exchanges of one process never share an id, and two processes
that start in the same microsecond collide with a probability of 2^-30.
"""

from struct import Struct
from uuid import UUID

_ID = Struct(">QQ")
_FRACTION = 4096  # steps of `rand_a` within one millisecond
_VERSION = 0x7000
_VARIANT = 0x8000_0000_0000_0000
_COUNTER_MASK = 0xFFFF_FFFF
_NODE_MASK = 0x3FFF_FFFF


def exchange_id(start_us: int, node: int, counter: int) -> bytes:
    """The id of the exchange that started at `start_us` (µs since 1970).

    `node` is the process's 30 random bits, `counter` its running number.
    """
    millis, micros = divmod(start_us, 1000)
    high = millis << 16 | _VERSION | micros * _FRACTION // 1000
    return _ID.pack(high, _VARIANT | (node & _NODE_MASK) << 32 | counter & _COUNTER_MASK)


def id_floor(at_us: int) -> bytes:
    """The smallest possible id of an exchange that started at or after `at_us`."""
    return exchange_id(at_us, 0, 0)


def format_id(raw: bytes) -> str:
    """The printed form, as in the `Midspan-Exchange` header and in permalinks."""
    return format_hex(raw.hex())


def format_hex(text: str) -> str:
    """The printed form of an id that is in hexadecimal already."""
    # Four times as fast as going through UUID, and once per exchange.
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def parse_id(text: str) -> bytes:
    """The 16 bytes of a printed id; `ValueError` for anything else."""
    return UUID(text).bytes
