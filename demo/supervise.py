"""Child processes that are started, watched, started again, and ended to the last one.

Each child leads a process group of its own, so its workers end with it; on Linux the kernel ends a
child whose supervisor has died (`PR_SET_PDEATHSIG`), even of a `kill -9`. A child that dies is
started again after a pause that doubles, up to half a minute, and is said in one line.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple

#: From the end's beginning: when to stop asking, and when to stop waiting.
GRACE_S, KILL_S = 6.0, 2.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _STEADY_S = 0.5, 30.0, 60.0
_POLL_S = 0.05
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Spec:
    """One child. `once`: it has work that ends, and exit code 0 says that it is done.
    `aloud`: its output belongs on the terminal."""

    name: str
    command: Sequence[str]
    once: bool = False
    aloud: bool = False


class Streams(NamedTuple):
    """A child's standard streams. None: nothing to read, and our own terminal to write to."""

    given: IO[bytes] | None = None
    said: IO[bytes] | None = None
    complained: IO[bytes] | None = None


_OURS = Streams()


@dataclass(slots=True)
class _Child:
    spec: Spec
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    failures: int = 0
    again_at_s: float | None = None


def pause_s(failures: int, ran_s: float) -> tuple[int, float]:
    """Failures in a row, this one included, and how long to wait before the next start.

    A child that had run for a minute begins anew.
    """
    failures = 1 if ran_s >= _STEADY_S else failures + 1
    return failures, min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(failures - 1, 10))


@dataclass(slots=True)
class Supervisor:
    """`logs` is the folder for the output of quiet children; None: all goes to the terminal."""

    environ: Mapping[str, str]
    say: Say
    logs: Path | None = None
    _children: dict[str, _Child] = field(default_factory=dict)

    def start(self, spec: Spec) -> None:
        """Start a child and watch it from now on."""
        child = self._children[spec.name] = _Child(spec)
        self._launch(child)

    def tend(self) -> None:
        """Notice children that have died, and start those whose pause is over."""
        now_s = time.monotonic()
        for child in self._children.values():
            if child.process is not None and child.process.poll() is not None:
                self._mourn(child, child.process, now_s)
            elif child.again_at_s is not None and now_s >= child.again_at_s:
                self._launch(child)

    def running(self) -> dict[str, int]:
        """The process ids of the children that run, by name."""
        return {
            name: child.process.pid
            for name, child in self._children.items()
            if child.process is not None and child.process.poll() is None
        }

    def last_words(self, name: str) -> str:
        """The last line a quiet child has written."""
        if self.logs is None or not (self.logs / f"{name}.log").exists():
            return ""
        lines = (self.logs / f"{name}.log").read_bytes()[-4096:].decode(errors="replace")
        return (lines.strip().splitlines() or [""])[-1]

    def end(self) -> None:
        """End every child and whatever it has started: asked first, then made to. Takes at most
        `GRACE_S + KILL_S`."""
        leaders = [child.process for child in self._children.values() if child.process is not None]
        for process in reversed(leaders):
            _signal_group(process.pid, signal.SIGTERM)
        _wait_for(leaders, GRACE_S)
        for process in leaders:
            _signal_group(process.pid, signal.SIGKILL)
        _wait_for(leaders, KILL_S)
        self._children.clear()

    def _launch(self, child: _Child) -> None:
        child.again_at_s, child.started_s = None, time.monotonic()
        output = None if child.spec.aloud else self._log(child.spec.name)
        try:
            child.process = launch(child.spec.command, self.environ, Streams(None, output, output))
        finally:
            if output is not None:
                output.close()

    def _log(self, name: str) -> IO[bytes] | None:
        if self.logs is None:
            return None
        self.logs.mkdir(parents=True, exist_ok=True)
        return (self.logs / f"{name}.log").open("ab")

    def _mourn(self, child: _Child, process: subprocess.Popen[bytes], now_s: float) -> None:
        _signal_group(process.pid, signal.SIGKILL)  # its workers do not outlive it
        child.process = None
        if child.spec.once and process.returncode == 0:
            return
        child.failures, pause = pause_s(child.failures, now_s - child.started_s)
        child.again_at_s = now_s + pause
        words = self.last_words(child.spec.name)
        why = f" Its last words: {words}" if words else ""
        how = f"{child.spec.name} ended ({_cause(process.returncode)})"
        self.say(f"{how}; starting it again in {pause:g} s.{why}")


def launch(
    command: Sequence[str],
    environ: Mapping[str, str],
    streams: Streams = _OURS,
) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own that does not outlive this one."""
    parent = os.getpid()
    return subprocess.Popen(  # noqa: S603 - our own commands
        command,
        env=dict(environ),
        stdin=streams.given or subprocess.DEVNULL,
        stdout=streams.said,
        stderr=streams.complained,
        start_new_session=True,
        preexec_fn=lambda: _die_with(parent),  # noqa: PLW1509 - this process has one thread
    )


def _die_with(parent: int) -> None:
    """Ask the kernel to end this process when the thread that started it is gone."""
    if _LIBC is None:
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _signal_group(leader: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # all of the group have ended already
        os.killpg(leader, number)


def _wait_for(processes: Sequence[subprocess.Popen[bytes]], at_most_s: float) -> None:
    deadline_s = time.monotonic() + at_most_s
    while any(process.poll() is None for process in processes):
        if time.monotonic() > deadline_s:
            return
        time.sleep(_POLL_S)


def _cause(code: int) -> str:
    return f"exit {code}" if code >= 0 else signal.Signals(-code).name
