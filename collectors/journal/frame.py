"""The frame: one record on disk, and the search for the next one behind damage. Pure.

A frame is 20 bytes of header and its payload, numbers little-endian:

    crc32 u32 | "MJ1" | type u8 | payload bytes u32 | sequence u64 | payload

The checksum covers everything behind itself and starts from a seed that is not zero, so a run of
zeros (what a file system may leave behind a power cut) never passes.
"""

import struct
from zlib import crc32

#: Frame types. A reader hands on what it does not know; the loader counts it.
BEGIN = 0
EXCHANGE = 1
LOSS = 2

#: The most a payload may have.
MAX_PAYLOAD_BYTES = 1 << 20

_MAGIC = b"MJ1"
_TAG = int.from_bytes(_MAGIC, "little")
_SEED = 0x4D69_6473
_FRAME = struct.Struct("<IIIQ")
_COVERED = struct.Struct("<IIQ")
_CRC = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_CRC_BYTES = _CRC.size

HEADER_BYTES = _FRAME.size
#: The frame that opens every segment.
BEGIN_BYTES = HEADER_BYTES + _U64.size

Frame = tuple[int, bytes]


def encode(frame_type: int, sequence: int, payload: bytes) -> bytes:
    """One frame. `frame_type` is 0 to 255, `payload` at most `MAX_PAYLOAD_BYTES`."""
    covered = _COVERED.pack(_TAG | frame_type << 24, len(payload), sequence) + payload
    return _CRC.pack(crc32(covered, _SEED)) + covered


def encode_begin(first: int, previous: int) -> bytes:
    """The frame that opens the segment of `first`; `previous` is the last sequence before it."""
    return encode(BEGIN, first, _U64.pack(previous))


def decode_begin(data: bytes, first: int) -> int | None:
    """The sequence before the segment of `first`; None if `data` does not open it soundly."""
    frames: list[Frame] = []
    take(data, 0, first, frames, limit=1, stop=1)
    if frames and frames[0][0] == BEGIN and len(frames[0][1]) == _U64.size:
        return int(_U64.unpack(frames[0][1])[0])
    return None


def take(
    data: bytes, offset: int, sequence: int, frames: list[Frame], *, limit: int, stop: int
) -> tuple[int, int]:
    """Append to `frames` the sound frames that follow each other from `offset` and `sequence` on.

    Ends after `limit` frames, at the first frame that begins at or behind `stop`, and at
    whatever is not the whole sound frame with the next sequence. Returns the offset and the
    sequence to go on with.
    """
    unpack, append, size = _FRAME.unpack_from, frames.append, len(data)
    last = min(size - HEADER_BYTES, stop - 1)
    for _ in range(limit):
        if offset > last:
            break
        crc, tag, length, found = unpack(data, offset)
        start = offset + HEADER_BYTES
        end = start + length
        if found != sequence or end > size:
            break
        if crc32(data[offset + _CRC_BYTES : end], _SEED) != crc:
            break
        append((tag >> 24, data[start:end]))
        offset = end
        sequence += 1
    return offset, sequence


def resync(data: bytes, start: int, low: int, high: int) -> tuple[int, int | None]:
    """Where the next sound frame with a sequence from `low` to `high` begins, at or behind `start`.

    (offset, sequence) if there is one. Otherwise (offset, None): no frame begins before
    `offset`, and what follows is too short to tell. The bounds on the sequence keep a payload
    that contains the image of a frame from being taken for one.
    """
    size = len(data)
    undecided = max(start, size - HEADER_BYTES + 1)
    at = data.find(_MAGIC, start + _CRC_BYTES)
    while 0 <= at <= size - HEADER_BYTES + _CRC_BYTES:
        offset = at - _CRC_BYTES
        crc, _, length, sequence = _FRAME.unpack_from(data, offset)
        if low <= sequence <= high and length <= MAX_PAYLOAD_BYTES:
            end = offset + HEADER_BYTES + length
            if end > size:
                undecided = min(undecided, offset)
            elif crc32(data[offset + _CRC_BYTES : end], _SEED) == crc:
                return offset, sequence
        at = data.find(_MAGIC, at + 1)
    return undecided, None
