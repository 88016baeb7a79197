"""How soon an exchange can be seen: from the last byte of its answer to its count in the API.

500 exchanges a second cross a real proxy for a minute, while the health endpoint is asked over
and over. The k-th answered exchange is visible at the first reply that counts at least k. That
includes the reply's own query and travel, and errs on the slow side: an exchange is never seen
earlier than it is counted.
"""

import itertools
import tempfile
import threading
import time
from bisect import bisect_left
from pathlib import Path

import numpy as np
import uvloop

from bench.common import report
from bench.load import Ledger, drive
from bench.stack import Stack, Upstream, wait_until

SECONDS = 60
PER_SECOND = 500
TARGET_P99_S = 2.0
_POLL_PAUSE_S = 0.02


class Watcher(threading.Thread):
    """Asks the API how many exchanges it knows of, until told to stop."""

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self._stack = stack
        self.stopped = threading.Event()
        self.times_s: list[float] = []
        self.counts: list[int] = []

    def run(self) -> None:
        while not self.stopped.wait(_POLL_PAUSE_S):
            count = self._stack.proxied("fresh")
            self.times_s.append(time.perf_counter())
            self.counts.append(count)


def freshness_s(ledger: Ledger, watcher: Watcher) -> list[float]:
    """Seconds from each answer to the first reply that counts it, in order of answering."""
    done = sorted(answer.done_s for answer in ledger.answered())
    seen = (bisect_left(watcher.counts, count) for count in range(1, len(done) + 1))
    return [watcher.times_s[at] - done_s for at, done_s in zip(seen, done, strict=True)]


def main() -> None:
    upstream = Upstream()
    paths = itertools.repeat("/fresh/s/200/d/5/b/500/n/{nonce}", SECONDS * PER_SECOND)
    with (
        tempfile.TemporaryDirectory() as home,
        Stack(Path(home), {"fresh": upstream.url}) as stack,
    ):
        watcher = Watcher(stack)
        watcher.start()
        load = drive("127.0.0.1", stack.outbound_port, paths, connections=32, per_second=PER_SECOND)
        ledger = uvloop.run(load)
        total = len(ledger.answered())
        wait_until(lambda: watcher.counts[-1] >= total, "every exchange to be counted")
        watcher.stopped.set()
        watcher.join()
    upstream.close()
    waits_s = freshness_s(ledger, watcher)
    p50_s, p99_s, worst_s = np.quantile(waits_s, (0.5, 0.99, 1.0), method="lower")
    report(
        "freshness",
        [
            {"figure": "p50", "seconds": round(float(p50_s), 3), "target": ""},
            {"figure": "p99", "seconds": round(float(p99_s), 3), "target": f"< {TARGET_P99_S}"},
            {"figure": "worst", "seconds": round(float(worst_s), 3), "target": ""},
        ],
        {"exchanges": total, "per_second": PER_SECOND, "replies": len(watcher.counts)},
    )


if __name__ == "__main__":
    main()
