"""Syncing to the disk, in a thread of its own: a sync may take seconds, an append may not."""

import os
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from collectors.journal.segments import Disk


class Syncer:
    """Syncs the open segment, sealed ones and the folder, every `every_s` if that is not 0.

    It alone closes segments, so a descriptor it works on is never another file's. `lost` is
    called, from the thread, when the open segment cannot be synced, since the kernel may have
    dropped its pages and would report success the next time; and when somebody deleted it.
    """

    def __init__(self, folder: Path, disk: Disk, lost: Callable[[], None], every_s: float) -> None:
        self.dirty = False
        self.errors = 0
        self._folder = folder
        self._folder_dirty = False
        self._disk = disk
        self._lost = lost
        self._open: int | None = None
        self._sealed: deque[int] = deque()
        self._one_at_a_time = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        if every_s:
            self._thread = threading.Thread(
                target=self._run, args=(every_s,), name="journal-sync", daemon=True
            )
            self._thread.start()

    def opened(self, descriptor: int) -> None:
        """A segment was created."""
        self._open = descriptor
        self._folder_dirty = True

    def sealed(self, descriptor: int) -> None:
        """The open segment will not grow any more: sync it a last time and close it."""
        self._open = None
        self._sealed.append(descriptor)

    def sync(self) -> None:
        """Sync everything now."""
        with self._one_at_a_time:
            self._sync_folder()
            while self._sealed:
                descriptor = self._sealed.popleft()
                self._datasync(descriptor)
                os.close(descriptor)
            if self.dirty:
                self.dirty = False  # before `_open` is read: a segment opened now sets it again
                if (newest := self._open) is not None:
                    deleted = os.fstat(newest).st_nlink == 0
                    if not self._datasync(newest) or deleted:
                        self._lost()

    def close(self) -> None:
        """Sync everything and end the thread."""
        self._stop.set()
        if self._thread:
            self._thread.join()
        self.sync()

    def _run(self, every_s: float) -> None:
        while not self._stop.wait(every_s):
            self.sync()

    def _sync_folder(self) -> None:
        if self._folder_dirty:
            self._folder_dirty = False
            try:
                self._disk.sync_folder(self._folder)
                self._disk.sync_folder(self._folder.parent)
            except OSError:
                self._folder_dirty = True
                self.errors += 1

    def _datasync(self, descriptor: int) -> bool:
        try:
            self._disk.datasync(descriptor)
        except OSError:
            self.errors += 1
            return False
        return True
