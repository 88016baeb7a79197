"""The writing end: a system call per record or batch, no buffer, and after construction never an
exception."""

import errno
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Self

from collectors.journal.claim import lock, resume
from collectors.journal.frame import HEADER_BYTES, MAX_PAYLOAD_BYTES, encode, encode_begin
from collectors.journal.segments import Disk, reason_of, segment_path, segment_sizes
from collectors.journal.sync import Syncer

#: How long a journal that cannot grow rests before it tries again.
RETRY_S = 0.5
#: The most that a power cut may take, as long as the disk keeps up.
SYNC_S = 0.5
#: How long loaded records stay on disk when no others follow.
REST_S = 60.0
#: A full journal must leave the loader whole segments to delete.
_SEGMENTS_AT_LEAST = 4


@dataclass(frozen=True, slots=True)
class Stats:
    """What a writer did since it was opened, and what lies on disk now.

    `blocked` is why appends are being refused, None while they are not. `refused` counts appends
    by reason: those of `blocked`, and `too_large`. `sync_errors` counts failed syncs, `cut_errors`
    failed writes whose torn end could not be cut off.
    """

    appended_frames: int
    appended_bytes: int
    refused: Mapping[str, int]
    blocked: str | None
    segments: int
    backlog_bytes: int
    sync_errors: int
    cut_errors: int


class Writer:
    """The one writer of the journal in `directory`, to be used from the thread that made it.

    A segment ends at `segment_bytes` or a quarter of `max_bytes`, whichever is less, and the
    segments on disk together at `max_bytes`; a record longer than a segment has one of its own.
    Raises `MidspanError` if the folder cannot be written or another process writes it.
    """

    def __init__(
        self,
        directory: Path,
        segment_bytes: int,
        max_bytes: int,
        *,
        disk: Disk | None = None,
        clock: Callable[[], float] = time.monotonic,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        sync_s: float = SYNC_S,
    ) -> None:
        self._directory = directory
        self._disk = disk or Disk()
        self._clock = clock
        self._segment_bytes = min(segment_bytes, max_bytes // _SEGMENTS_AT_LEAST)
        self._max_bytes = max_bytes
        self._lock = lock(directory)
        self._previous, self._sequence = resume(directory, now_us())
        self._segment = self._end = 0
        self._opened_at = 0.0
        self._descriptor: int | None = None
        self._poisoned = False
        self._blocked: str | None = None
        self._retry_at = 0.0
        self._frames = self._bytes = self._cut_errors = 0
        self._known_sizes: dict[int, int] = {}
        self._refused: Counter[str] = Counter()
        self._syncer = Syncer(directory, self._disk, self._poison, sync_s)

    def append(self, frame_type: int, payload: bytes) -> bool:
        """Record one frame: True once the kernel has it, False if it is not recorded.

        False costs no system call, except for one attempt every `RETRY_S`.
        """
        if len(payload) > MAX_PAYLOAD_BYTES:
            return self._refuse("too_large")
        size = HEADER_BYTES + len(payload)
        sealed = self._descriptor is None or self._poisoned
        full = self._end + size > self._segment_bytes
        if (sealed or full) and (reason := self._next_segment()):
            return self._refuse(reason)
        return self._record([encode(frame_type, self._sequence, payload)]) == 1

    def append_all(self, frame_type: int, payloads: Sequence[bytes]) -> Sequence[bool]:
        """`append` of each, in order, with one system call for all where that can be."""
        count = len(payloads)
        size = count * HEADER_BYTES + sum(map(len, payloads))
        fits = self._end + size <= self._segment_bytes and size <= MAX_PAYLOAD_BYTES
        if count == 1 or not fits or self._descriptor is None or self._poisoned:
            return [self.append(frame_type, payload) for payload in payloads]
        numbered = enumerate(payloads, self._sequence)
        taken = self._record([encode(frame_type, number, each) for number, each in numbered])
        return [True] * taken + [False] * (count - taken)

    def rest(self) -> None:
        """To be called now and then: begin a new segment behind one that has stood for `REST_S`,
        so that the loader can delete it even if no further record comes. With a backlog on disk
        nothing could be deleted, so then it waits."""
        holds_records = self._descriptor is not None and self._segment != self._sequence
        if holds_records and self._clock() - self._opened_at >= REST_S and len(self._sizes()) == 1:
            self._next_segment()

    @property
    def stats(self) -> Stats:
        """The figures of this moment; reads the folder."""
        sizes = self._sizes()
        return Stats(
            appended_frames=self._frames,
            appended_bytes=self._bytes,
            refused=dict(self._refused),
            blocked=self._blocked,
            segments=len(sizes),
            backlog_bytes=sum(sizes.values()),
            sync_errors=self._syncer.errors,
            cut_errors=self._cut_errors,
        )

    def sync(self) -> None:
        """Make what was appended survive a power cut. Blocks; the background thread calls it."""
        self._syncer.sync()

    def close(self) -> None:
        """Sync, and let another writer have the journal; appends are refused from now on."""
        self._seal()
        self._blocked, self._retry_at = "closed", inf
        self._syncer.close()
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _record(self, frames: Sequence[bytes]) -> int:
        """Append records to the open segment; how many, from the first on, are whole in it."""
        begin = self._end
        taken, reason = self._write(frames)
        self._sequence += taken
        self._frames += taken
        self._bytes += self._end - begin
        self._blocked = None
        if reason:
            self._give_up_segment()
            self._block(reason)
            self._refused[reason] += len(frames) - taken
        return taken

    def _write(self, frames: Sequence[bytes]) -> tuple[int, str | None]:
        """Append to the open segment: how many frames are whole in it, and why not all are."""
        assert self._descriptor is not None
        data = b"".join(frames)
        try:
            written = self._disk.write(self._descriptor, data)
        except OSError as error:
            return 0, reason_of(error)
        self._syncer.dirty = True
        if written == len(data):
            self._end += written
            return len(frames), None
        taken = 0
        for frame in frames:
            written -= len(frame)
            if written < 0:
                break
            taken += 1
            self._end += len(frame)
        return taken, "short_write"

    def _next_segment(self) -> str | None:
        """Seal the open segment and open the next one, if it is time to try; why it is not."""
        if self._blocked and self._clock() < self._retry_at:
            return self._blocked
        self._seal()
        if reason := self._open_segment():
            self._block(reason)
            return reason
        return None

    def _open_segment(self) -> str | None:
        """Create the next segment; why it could not be."""
        sizes = self._sizes()
        # One segment alone is never too much: the loader deletes it only behind a newer one.
        if len(sizes) > 1 and sum(sizes.values()) + self._segment_bytes > self._max_bytes:
            return "full"
        try:
            self._descriptor = self._disk.create(segment_path(self._directory, self._sequence))
        except OSError as error:
            if error.errno == errno.EEXIST:  # a segment given up that could not be deleted
                self._sequence += 1
            return reason_of(error)
        self._segment, self._end, self._poisoned = self._sequence, 0, False
        self._opened_at = self._clock()
        self._syncer.opened(self._descriptor)
        _, reason = self._write([encode_begin(self._sequence, self._previous)])
        if reason:
            self._give_up_segment()
        return reason

    def _give_up_segment(self) -> None:
        """Cut the failed write off and seal the segment, or delete it if it holds no record.

        If cutting fails, the torn end stays where it is: no record is ever written behind it.
        """
        assert self._descriptor is not None
        try:
            if self._segment == self._sequence:
                self._disk.unlink(segment_path(self._directory, self._segment))
            else:
                self._disk.truncate(self._descriptor, self._end)
        except OSError:
            self._cut_errors += 1
        self._seal()

    def _seal(self) -> None:
        if self._descriptor is not None:
            self._syncer.sealed(self._descriptor)
            self._descriptor = None
            if self._segment != self._sequence:
                self._previous = self._sequence - 1

    def _sizes(self) -> dict[int, int]:
        # Out of descriptors, say: what was known last is near enough.
        with suppress(OSError):
            self._known_sizes = segment_sizes(self._directory)
        return self._known_sizes

    def _refuse(self, reason: str) -> bool:
        self._refused[reason] += 1
        return False

    def _block(self, reason: str) -> None:
        self._blocked = reason
        self._retry_at = self._clock() + RETRY_S

    def _poison(self) -> None:
        """The open segment has lost pages or its name: leave it with the next record."""
        self._poisoned = True
