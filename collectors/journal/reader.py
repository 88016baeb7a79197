"""The reading end: frames in order from a position on, damage skipped and counted."""

import os
from pathlib import Path
from typing import NamedTuple

from app.errors import Unavailable
from collectors.journal.frame import (
    BEGIN_BYTES,
    HEADER_BYTES,
    MAX_PAYLOAD_BYTES,
    Frame,
    decode_begin,
    resync,
    take,
)
from collectors.journal.segments import segment_path, segment_sizes

#: Read at a time; the longest frame fits.
_BLOCK_BYTES = 2 * MAX_PAYLOAD_BYTES


class Position(NamedTuple):
    """Everything before `offset` of `segment` is read; `sequence` is expected next."""

    segment: int
    offset: int
    sequence: int


#: Before everything.
START = Position(0, 0, 0)


class Skip(NamedTuple):
    """What could not be read, and why.

    `reason` is `damaged` (bytes inside a segment), `torn` (the end of a segment that will not
    grow any more) or `missing` (records that the writer knew of and no segment holds). `bytes`
    were passed over, `records` is how many sequence numbers are known to be lost by it.
    """

    reason: str
    segment: int
    offset: int
    bytes: int
    records: int


class ReadResult(NamedTuple):
    """Frames as (type, payload), where to go on, and what was passed over."""

    frames: list[Frame]
    position: Position
    skipped: tuple[Skip, ...]


class Reader:
    """Reads one journal. `position` is where the next `read` starts and may be set back."""

    def __init__(self, directory: Path, position: Position | None = None) -> None:
        self.directory = directory
        self.position = position or START

    def read(self, max_frames: int = 10_000, max_bytes: int = 16 << 20) -> ReadResult:
        """The next frames, at most `max_frames`, ending with the one that reaches `max_bytes`.

        No frames means nothing new yet. Raises `Unavailable` if the disk fails, once all that
        can be read before that place has been.
        """
        batch = _Batch(self.position, max_frames, max_bytes)
        try:
            names = [name for name in self._sizes() if name >= batch.segment]
            for name in names:
                if not batch.drain(self.directory, name, sealed=name != names[-1]):
                    break
        except OSError as error:
            if not batch.frames:
                raise self._unavailable(error) from error
        self.position = batch.position
        return ReadResult(batch.frames, batch.position, tuple(batch.skipped))

    def lag_bytes(self) -> int:
        """Bytes on disk behind the position. Raises `Unavailable` if the disk fails."""
        sizes = self._sizes()
        ahead = sum(size for name, size in sizes.items() if name >= self.position.segment)
        read = self.position.offset if self.position.segment in sizes else 0
        return max(0, ahead - read)

    def drop_loaded(self, position: Position) -> int:
        """Delete the segments wholly before `position`, never the newest; how many.

        Call it only when what lies before `position` is committed. A segment that cannot be
        deleted is tried again the next time.
        """
        dropped = 0
        for name in list(self._sizes())[:-1]:
            if name < position.segment:
                try:
                    segment_path(self.directory, name).unlink()
                except OSError:
                    break
                dropped += 1
        return dropped

    def _sizes(self) -> dict[int, int]:
        try:
            return segment_sizes(self.directory)
        except OSError as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: OSError) -> Unavailable:
        return Unavailable(f"cannot read {self.directory}: {error.strerror}")


class _Batch:
    """One `read` on its way through the segments."""

    def __init__(self, position: Position, max_frames: int, max_bytes: int) -> None:
        self.segment, self.offset, self.sequence = position
        self.frames: list[Frame] = []
        self.skipped: list[Skip] = []
        self._max_frames = max_frames
        self._bytes_left = max_bytes

    @property
    def position(self) -> Position:
        return Position(self.segment, self.offset, self.sequence)

    @property
    def _full(self) -> bool:
        return len(self.frames) >= self._max_frames or self._bytes_left <= 0

    def drain(self, folder: Path, name: int, *, sealed: bool) -> bool:
        """Read the segment `name` on; whether it is finished and the next one may follow."""
        try:
            descriptor = os.open(segment_path(folder, name), os.O_RDONLY)
        except FileNotFoundError:  # the writer gave an empty segment up
            return False
        try:
            size = os.fstat(descriptor).st_size
            if name != self.segment:
                if size < BEGIN_BYTES and not sealed:
                    return False
                self._enter(name, os.pread(descriptor, BEGIN_BYTES, 0))
            while self.offset < size and not self._full:
                wanted = min(_BLOCK_BYTES, size - self.offset)
                data = os.pread(descriptor, wanted, self.offset)
                if self._advance(data):
                    continue
                if len(data) < wanted:
                    # Cut off since; or unreadable, and then reading right there raises.
                    os.pread(descriptor, 1, self.offset + len(data))
                    return False
                if not self._pass_damage(data, size, sealed=sealed):
                    return False
        finally:
            os.close(descriptor)
        return sealed and self.offset >= size

    def _enter(self, name: int, data: bytes) -> None:
        """Step to the segment `name`; what lay between is missing."""
        previous = decode_begin(data, name)
        if previous is not None and 0 < self.sequence <= previous:
            self.skipped.append(Skip("missing", name, 0, 0, previous + 1 - self.sequence))
        self.segment, self.sequence = name, name
        self.offset = 0 if previous is None else BEGIN_BYTES

    def _advance(self, data: bytes) -> bool:
        room = self._max_frames - len(self.frames)
        used, self.sequence = take(
            data, 0, self.sequence, self.frames, limit=room, stop=self._bytes_left
        )
        self.offset += used
        self._bytes_left -= used
        return used > 0

    def _pass_damage(self, data: bytes, size: int, *, sealed: bool) -> bool:
        """Pass what is no frame; False if it may still become one."""
        end = self.offset + len(data)
        # No more records than headers fit can lie before a frame.
        high = self.segment + end // HEADER_BYTES
        passed, sequence = resync(data, 0, self.sequence, high)
        if sequence is not None:
            self._skip("damaged", passed, sequence - self.sequence)
            self.sequence = sequence
        elif end < size:
            self._skip("damaged", passed, 0)
        elif sealed:
            self._skip("torn", len(data), 0)
        else:
            return False
        return True

    def _skip(self, reason: str, passed: int, records: int) -> None:
        self.skipped.append(Skip(reason, self.segment, self.offset, passed, records))
        self.offset += passed
