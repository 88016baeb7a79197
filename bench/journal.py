"""How fast the journal takes records and gives them back, one by one, on one core.

Appending is one system call per record, as in the proxy, with the syncing thread at work; reading
checks every frame. Each figure is the best of several runs, which is what the code can do when
nobody else wants the core.

    python -m bench.journal
"""

import gc
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.common import report
from collectors.journal import EXCHANGE, Reader, Writer

RECORDS = 100_000
RUNS = 7
PAYLOAD_BYTES = (60, 200, 1_000)
SEGMENT_BYTES = 64 << 20
TARGET_SCANS_PER_SECOND = 1_000_000


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        rows = [measure(Path(home) / f"{size}", size) for size in PAYLOAD_BYTES]
    report(
        "journal",
        rows,
        {"records": RECORDS, "runs": RUNS, "target_scans/s": TARGET_SCANS_PER_SECOND},
    )


def measure(folder: Path, payload_bytes: int) -> dict[str, Any]:
    payload = b"x" * payload_bytes
    with Writer(folder, SEGMENT_BYTES, RUNS * RECORDS * (payload_bytes + 64) + (1 << 30)) as writer:
        append_s = [timed(lambda: append_all(writer, payload)) for _ in range(RUNS)]
    gc.collect()
    gc.freeze()  # as the loader does
    scan_s = [timed(lambda: scan_all(folder)) for _ in range(RUNS)]
    gc.unfreeze()
    return {
        "payload bytes": payload_bytes,
        "appends/s": RECORDS / min(append_s),
        "us per append": min(append_s) / RECORDS * 1e6,
        "scans/s": RUNS * RECORDS / min(scan_s),
        "scanned MB/s": RUNS * RECORDS * payload_bytes / min(scan_s) / 1e6,
    }


def append_all(writer: Writer, payload: bytes) -> None:
    for _ in range(RECORDS):
        if not writer.append(EXCHANGE, payload):
            raise SystemExit(f"the journal refused: {writer.stats.blocked}")


def scan_all(folder: Path) -> None:
    reader, count = Reader(folder), 0
    while frames := reader.read().frames:
        count += len(frames)
    if count != RUNS * RECORDS:
        raise SystemExit(f"read {count} records of {RUNS * RECORDS}")


def timed(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
