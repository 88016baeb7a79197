"""The files of one journal: their names, their sizes, and the disk they lie on."""

import errno
import os
import re
from pathlib import Path

_NAME = re.compile(r"(\d{20})\.seg")

_REASONS = {
    errno.ENOSPC: "no_space",
    errno.EDQUOT: "quota",
    errno.EFBIG: "file_too_large",
    errno.EIO: "io_error",
    errno.EROFS: "read_only",
    errno.EACCES: "denied",
    errno.EPERM: "denied",
    errno.ENOENT: "folder_gone",
    errno.EMFILE: "too_many_files",
    errno.ENFILE: "too_many_files",
}


class Disk:
    """What a journal asks of the operating system. A test puts a faulty one in its place."""

    write = staticmethod(os.write)
    truncate = staticmethod(os.ftruncate)
    unlink = staticmethod(os.unlink)
    datasync = staticmethod(getattr(os, "fdatasync", os.fsync))

    def create(self, path: Path) -> int:
        """A descriptor on a new file of the owner's; `FileExistsError` if it is there already."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)

    def sync_folder(self, folder: Path) -> None:
        """Make the names in `folder` survive a power cut."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def reason_of(error: OSError) -> str:
    """The word by which a failure of the disk is counted and shown."""
    number = error.errno or 0
    return _REASONS.get(number) or errno.errorcode.get(number, "unknown").lower()


def segment_path(folder: Path, first: int) -> Path:
    """The file whose first record has the sequence `first`."""
    return folder / f"{first:020d}.seg"


def segment_sizes(folder: Path) -> dict[int, int]:
    """Size in bytes by first sequence, oldest segment first; empty if there is no such folder."""
    found = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if match := _NAME.fullmatch(entry.name):
                    found[int(match[1])] = _size(entry)
    except FileNotFoundError:
        return {}
    return dict(sorted(found.items()))


def journals(root: Path) -> list[Path]:
    """The folders of the journals under `root`, by name."""
    try:
        return sorted(path for path in root.iterdir() if path.is_dir())
    except FileNotFoundError:
        return []


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except FileNotFoundError:  # dropped by the loader since the folder was read
        return 0
