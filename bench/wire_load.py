"""The two load generators of `bench.proxy`, both C programs from Debian: wrk for how much, h2load
for how late at a steady rate."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CONNECTIONS = 32
_POST = 'wrk.method = "POST"\nwrk.body = string.rep("x", {bytes})\n'
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_COUNT = re.compile(r"(\d+) requests in ([\d.]+)(m?s)")
_BAD = re.compile(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)")


class LoadFailed(Exception):
    """A generator that did not do its work; the text says what it printed."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """What wrk got through."""

    requests: int
    per_second: float


@dataclass(frozen=True, slots=True)
class Latency:
    """What h2load met at a steady rate; microseconds, and how much of the rate was kept."""

    p50_us: float
    p99_us: float
    kept_ratio: float


def throughput(
    url: str, seconds: float, cpus: str, folder: Path, post_bytes: int = 0
) -> Throughput:
    """As much as `CONNECTIONS` keep-alive connections get through; `LoadFailed` on any error."""
    command = ["taskset", "-c", cpus, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s"]
    if post_bytes:
        script = folder / f"post-{post_bytes}.lua"
        script.write_text(_POST.format(bytes=post_bytes))
        command += ["-s", str(script)]
    printed = _run([*command, url], seconds)
    bad, count, rate = _BAD.search(printed), _COUNT.search(printed), _RATE.search(printed)
    if bad or count is None or rate is None:
        raise LoadFailed(printed)
    return Throughput(int(count[1]), float(rate[1]))


def latency(url: str, per_second: float, seconds: float, cpus: str, folder: Path) -> Latency:
    """How long requests take that are sent at a steady rate, whatever became of the others."""
    log = folder / "h2load.log"
    log.unlink(missing_ok=True)
    _run(
        [
            "taskset", "-c", cpus, "h2load", "--h1", f"-c{CONNECTIONS}", "-t1",
            f"-D{seconds:.0f}", "--warm-up-time=1", f"--rps={per_second / CONNECTIONS:.3f}",
            f"--log-file={log}", url,
        ],
        seconds,
    )  # fmt: skip
    found = np.loadtxt(log, dtype=np.int64, ndmin=2)
    if not len(found) or (found[:, 1] != 200).any():
        raise LoadFailed(f"{url}: no answers, or answers other than 200")
    p50_us, p99_us = np.quantile(found[:, 2], (0.5, 0.99))
    return Latency(float(p50_us), float(p99_us), len(found) / (per_second * seconds))


def _run(command: list[str], seconds: float) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=seconds * 2 + 30
    )
    if done.returncode:
        raise LoadFailed(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout
