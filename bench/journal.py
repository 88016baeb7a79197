"""How fast the journal takes records and gives them back, one by one, on one core.

Appending is one system call per record, as in the proxy, with the syncing thread at work; reading
checks every frame. Each figure is the best of several runs. A rate is of the wall clock; the
microseconds are of the processor's time, which others who want the core disturb less.

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
        append_s, append_cpu_s = best_of(lambda: append_all(writer, payload))
    gc.collect()
    gc.freeze()  # as the loader does
    scan_s, scan_cpu_s = best_of(lambda: scan_all(folder))
    gc.unfreeze()
    return {
        "payload bytes": payload_bytes,
        "appends/s": RECORDS / append_s,
        "CPU us per append": append_cpu_s / RECORDS * 1e6,
        "scans/s": RUNS * RECORDS / scan_s,
        "CPU us per scan": scan_cpu_s / RUNS / RECORDS * 1e6,
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


def best_of(work: Callable[[], None]) -> tuple[float, float]:
    """Wall and processor seconds of the best of several runs."""
    wall, cpu = [], []
    for _ in range(RUNS):
        begun = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - begun[0])
        cpu.append(time.process_time() - begun[1])
    return min(wall), min(cpu)


if __name__ == "__main__":
    main()
