"""What the metrics store needs beside new rows: hours and days folded, old rows deleted.

Runs in a thread of its own. Each step is a short transaction with a rest behind it, so loading,
which waits for the same write lock, comes in between; a step that finds the store away is done
again the next time.
"""

from collections.abc import Callable

from app import logs
from app.errors import StoreUnavailable
from app.store.port import MetricsStore, Retention
from collectors.loader.status import Status

#: Rows of each kind deleted in one transaction; some 20 ms.
SLICE_ROWS = 5_000
#: Between two slices, for the loader.
REST_S = 0.1


class Upkeep:
    """Folds and expires. `rest(seconds)` waits and says whether to stop."""

    def __init__(
        self,
        store: MetricsStore,
        retention: Retention,
        status: Status,
        rest: Callable[[float], bool],
    ) -> None:
        self._store = store
        self._retention = retention
        self._status = status
        self._rest = rest
        self._log = logs.get("upkeep")

    def run(self, now_us: int) -> None:
        """Everything that is due at `now_us`."""
        try:
            folded = self._store.fold(now_us)
            self._status.folded += folded
            if folded:
                self._log.info("rollups_folded", rows=folded)
            while (expired := self._store.expire(now_us, self._retention, SLICE_ROWS)) > 0:
                self._status.expired += expired
                if expired < SLICE_ROWS or self._rest(REST_S):
                    break
        except StoreUnavailable:
            self._status.failures["upkeep_postponed"] += 1
