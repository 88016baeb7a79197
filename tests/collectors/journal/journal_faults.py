"""A disk with a capacity, with errors on demand and with power cuts; and a clock set by hand.

The files are real: only the faults are added.
"""

import errno
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

from collectors.journal import Position, Reader, Skip, Writer
from collectors.journal.segments import Disk

SEGMENT_BYTES = 400
ROOMY = 1 << 30
SECTOR_BYTES = 512


class HandClock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class FaultyDisk(Disk):
    def __init__(self, capacity_bytes: int | None = None) -> None:
        self.left = capacity_bytes
        self.failing: dict[str, int] = {}
        self.calls: list[str] = []
        self.durable: dict[Path, int] = {}
        self._paths: dict[int, Path] = {}
        self._synced: dict[Path, int] = {}

    def write(self, descriptor: int, data: bytes) -> int:
        self._call("write")
        if self.left is None:
            return os.write(descriptor, data)
        if not self.left:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = os.write(descriptor, data[: self.left])
        self.left -= written
        return written

    def truncate(self, descriptor: int, size: int) -> None:
        self._call("truncate")
        self._give_back(os.fstat(descriptor).st_size - size)
        os.ftruncate(descriptor, size)

    def unlink(self, path: Path) -> None:
        self._call("unlink")
        self._give_back(path.stat().st_size)
        path.unlink()

    def create(self, path: Path) -> int:
        self._call("create")
        descriptor = super().create(path)
        self._paths[descriptor] = path
        self._synced[path] = 0
        return descriptor

    def datasync(self, descriptor: int) -> None:
        self._call("datasync")
        path = self._paths[descriptor]
        self._synced[path] = os.fstat(descriptor).st_size
        if path in self.durable:
            self.durable[path] = self._synced[path]

    def sync_folder(self, folder: Path) -> None:
        self._call("sync_folder")
        names = {path for path in self._synced if path.parent == folder}
        self.durable |= {path: self._synced[path] for path in names}

    def cut_power(self, folder: Path, rng: random.Random) -> None:
        """Lose names that were not synced; of bytes that were not, a tail or random sectors."""
        for path in folder.glob("*.seg"):
            if path not in self.durable:
                path.unlink()
                continue
            data = bytearray(path.read_bytes())
            kept = self.durable[path]
            if rng.random() < 0.5:
                del data[kept + rng.randint(0, len(data) - kept) :]
            else:
                for at in range(kept, len(data), SECTOR_BYTES):
                    if rng.random() < 0.5:
                        end = min(at + SECTOR_BYTES, len(data))
                        data[at:end] = bytes(end - at)
            path.write_bytes(data)

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self.failing:
            raise OSError(self.failing[name], os.strerror(self.failing[name]))

    def _give_back(self, count: int) -> None:
        if self.left is not None:
            self.left += count


def open_writer(
    folder: Path,
    disk: Disk | None = None,
    clock: Callable[[], float] | None = None,
    segment_bytes: int = SEGMENT_BYTES,
    max_bytes: int = ROOMY,
    now_us: int = 1_000_000,
) -> Writer:
    """A writer without a thread: `sync` is called by the test."""
    return Writer(
        folder,
        segment_bytes,
        max_bytes,
        disk=disk,
        clock=clock or HandClock(),
        now_us=lambda: now_us,
        sync_s=0,
    )


def read_all(
    folder: Path, position: Position | None = None, max_frames: int = 10_000
) -> tuple[list[bytes], list[Skip], Position]:
    """Payloads, skips and the position after reading to the end."""
    reader = Reader(folder, position)
    payloads, skips = [], []
    while True:
        result = reader.read(max_frames)
        payloads += [payload for _, payload in result.frames]
        skips += result.skipped
        if not result.frames:
            return payloads, skips, result.position


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.seg"))


def kill(writer: Writer) -> None:
    """Leave a writer as the kernel leaves that of a killed process: closed, nothing synced."""
    opened = writer._syncer._open
    for descriptor in (writer._lock, *writer._syncer._sealed, *([opened] if opened else [])):
        os.close(descriptor)


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.01)
