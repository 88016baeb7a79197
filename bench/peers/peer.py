"""What a measured proxy is: how to get it, how to start it, what it costs."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.stack import ROOT, wait_until

#: Python peers live in a place of their own: their pins are not ours.
PEERS = ROOT / ".peers"
_TICKS = os.sysconf("SC_CLK_TCK")


class Missing(Exception):
    """A peer that cannot be had here, and why, in a few words."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one run of a peer happens: its folder, its port, and whom it stands before."""

    folder: Path
    port: int
    upstream: int


def accepts(port: int) -> bool:
    """Whether somebody listens on `port`."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Peer:
    """`command` makes a command line (and may write files into the place's folder).

    `path` is what stands before the upstream's own path in a request to it; `ready` says of its
    port whether all of it has begun.
    """

    name: str
    get: Callable[[], None]
    command: Callable[[Place], list[str]]
    path: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[int], bool] = accepts


class Running:
    """A started peer, pinned to `cpus`."""

    def __init__(self, peer: Peer, place: Place, cpus: str) -> None:
        self.name, self.path, self.port = peer.name, peer.path, place.port
        self.ready = peer.ready
        with (place.folder / "output.log").open("wb") as log:
            self._process = subprocess.Popen(
                ["taskset", "-c", cpus, *peer.command(place)],
                cwd=ROOT, env={**os.environ, **peer.environment},
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def stop_running(self) -> None:
        """Take it off the processor until `go_on`, so that it disturbs nobody else's turn."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.killpg(self._process.pid, signal.SIGCONT)

    def cpu_s(self) -> float:
        """Processor seconds of all its processes so far."""
        return sum(_cpu_ticks(pid) for pid in self._pids()) / _TICKS

    def memory_mib(self) -> float:
        """Proportional memory of all its processes."""
        return sum(_pss_kib(pid) for pid in self._pids()) / 1024

    def close(self) -> None:
        self.go_on()
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _pids(self) -> list[int]:
        listed = subprocess.run(
            ["ps", "-o", "pid=", "-s", str(self._process.pid)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return [int(pid) for pid in listed.stdout.split()]


def debian(package: str, program: str) -> Callable[[], None]:
    """A way to get a program from Debian's packages."""

    def get() -> None:
        if shutil.which(program) or _apt(package):
            return
        raise Missing(f"Debian package {package} cannot be installed here")

    return get


def wheel(*requirements: str) -> Callable[[], None]:
    """A way to get wheels into `PEERS`."""

    def get() -> None:
        if not (PEERS / "bin" / "pip").exists():
            subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
        done = subprocess.run(
            [PEERS / "bin" / "pip", "install", "--quiet", *requirements],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise Missing(f"pip install {' '.join(requirements)}: {done.stderr.strip()[-200:]}")

    return get


def wait_ready(running: Running, seconds: float = 30.0) -> None:
    """Return once all of it answers; `Missing` if it ends or never does."""
    try:
        wait_until(lambda: not running.alive or running.ready(running.port), running.name, seconds)
    except TimeoutError as error:
        raise Missing(str(error)) from None
    if not running.alive:
        raise Missing("it ended as soon as it was started; see output.log")
    time.sleep(0.2)


def _apt(package: str) -> bool:
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    command = [*sudo, "apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for attempt in (command, [*sudo, "apt-get", "update", "-qq"], command):
        try:
            done = subprocess.run(attempt, env=environment, capture_output=True, check=False)
        except FileNotFoundError:
            return False
        if attempt is command and done.returncode == 0:
            return True
    return False


def _cpu_ticks(pid: int) -> int:
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(after_name[11]) + int(after_name[12])


def _pss_kib(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
