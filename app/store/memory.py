"""Answers that were read from hours, days and weeks before, kept while they are still right.

Every transaction that changes such rows counts `folded_version` on, and every answer reads it in
its own snapshot: what was remembered under the same version is what the database would say again.
Live traffic only adds minutes, so between two full hours a page that is looked at again reads just
those. While a back-fill runs, versions come and go and nothing is remembered for long.
"""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from threading import Lock

from app.store.backend import Row

#: Rows remembered at most, of about half a kilobyte each; the longest unused go first.
MAX_ROWS = 50_000


class Memory:
    """Rows by question, of one version. Safe to share between threads."""

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self._lock = Lock()
        self._max_rows = max_rows
        self._version = -1
        self._rows = 0
        self._kept: OrderedDict[Hashable, Sequence[Row]] = OrderedDict()

    def recall(self, version: int, question: Hashable) -> Sequence[Row] | None:
        """What `question` was answered with under `version`; None: not known."""
        with self._lock:
            if version > self._version:
                self._version, self._rows = version, 0
                self._kept.clear()
            if version < self._version or question not in self._kept:
                return None
            self._kept.move_to_end(question)
            return self._kept[question]

    def keep(self, version: int, question: Hashable, rows: Sequence[Row]) -> None:
        """Remember an answer, unless a newer version is known or it is too large."""
        with self._lock:
            known = question in self._kept
            if version != self._version or known or len(rows) > self._max_rows:
                return
            self._kept[question] = rows
            self._rows += len(rows)
            while self._rows > self._max_rows:
                _, oldest = self._kept.popitem(last=False)
                self._rows -= len(oldest)
