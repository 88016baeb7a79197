"""The routing file, watched: read at the start, taken anew whenever it changes."""

import os
from pathlib import Path

from app import logs
from app.domain.route import decode_table
from collectors.proxy.metrics import TABLES_DAMAGED, TABLES_READ
from collectors.proxy.routes import Router


class TableFile:
    """What is at a path, compared with what was read last. A damaged file changes nothing."""

    def __init__(self, path: Path, counts: list[int]) -> None:
        self._path = path
        self._counts = counts
        self._seen: tuple[int, int, int] | None = None
        self._log = logs.get("routes")

    def changed(self) -> Router | None:
        """The new router if the file changed and is sound, else None. Blocks for a `stat`."""
        try:
            status = os.stat(self._path)
        except OSError:
            return None
        seen = (status.st_mtime_ns, status.st_size, status.st_ino)
        if seen == self._seen:
            return None
        self._seen = seen
        try:
            router = Router(decode_table(self._path.read_bytes()))
        except (OSError, ValueError, AttributeError, TypeError) as error:
            self._counts[TABLES_DAMAGED] += 1
            self._log.error("routes_damaged", path=str(self._path), error=str(error)[:300])
            return None
        self._counts[TABLES_READ] += 1
        self._log.info("routes_taken", revision=router.revision)
        return router
