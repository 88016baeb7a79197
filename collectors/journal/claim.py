"""Taking a journal over: the lock that keeps others out, and where the last writer ended."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from app.errors import MidspanError, Unavailable
from collectors.journal.frame import HEADER_BYTES
from collectors.journal.reader import Position, Reader
from collectors.journal.segments import segment_sizes


def lock(directory: Path) -> int:
    """Make the folder and take its lock, which the kernel frees when the process ends.

    Returns the descriptor that holds it. Raises `MidspanError` if the folder cannot be written or
    another process holds the lock.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise MidspanError(
            f"cannot write the journal {directory}: {error.strerror}; make it writable"
            " or set MIDSPAN_HOME"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise MidspanError(
            f"the journal {directory} is being written by another process; stop that one first"
        ) from error
    return descriptor


def resume(directory: Path, now_us: int) -> tuple[int, int]:
    """The last sequence of the writer before, and the first of this one.

    A writer's sequences begin at the clock's microseconds, so they lie behind all that were ever
    used here, even if a power cut or a person removed segments that are already loaded.
    """
    sizes = segment_sizes(directory)
    if not sizes:
        return 0, now_us
    newest = max(sizes)
    reader = Reader(directory, Position(newest - 1, 0, 0))
    with suppress(Unavailable):  # a bad disk: the loader will meet it and say so
        while reader.read().frames:
            pass
    last = max(newest, reader.position.sequence) - 1
    return last, max(now_us, newest + sizes[newest] // HEADER_BYTES + 1)
