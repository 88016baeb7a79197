"""Setting the stage: what is started in which order, what is said, and how it all ends.

`Stage` holds what both commands share: the wish to stop (a signal), the processes, and steps that
run to their end. Everything it starts it also ends, whatever happens in between.
"""

import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from types import FrameType
from typing import IO

from app.settings import Settings
from demo.ground import DemoError
from demo.processes import Ready, child_environ
from demo.supervise import Spec, Streams, Supervisor, launch

_POLL_S = 0.1
_READY_S = 60.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """Somebody asked us to stop; nothing is wrong."""


class Stage:
    """The processes of one run. Use as a context: leaving it ends them all."""

    def __init__(self, settings: Settings, environ: Mapping[str, str], logs: Path | None) -> None:
        self.settings = settings
        self.environ = child_environ(environ, settings)
        self.supervisor = Supervisor(self.environ, say, logs)
        self._stop = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> "Stage":
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._asked)
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisor.end()
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _asked(self, _number: int, _frame: FrameType | None) -> None:
        self._stop = True

    def pause(self) -> None:
        """A moment, in which children are looked after; raises `Stopped` if we were asked to."""
        if self._stop:
            raise Stopped
        self.supervisor.tend()
        time.sleep(_POLL_S)

    def watch(self) -> None:
        """Look after the children until somebody asks us to stop."""
        while True:
            self.pause()

    def run(self, *arguments: str, typed: str = "") -> str:
        """Run one of our modules to its end, `typed` on its standard input; its standard output.
        `DemoError` if it fails."""
        command = (sys.executable, "-m", *arguments)
        with TemporaryFile() as said, TemporaryFile() as complained, TemporaryFile() as keys:
            keys.write(typed.encode())
            keys.seek(0)
            process = launch(command, self.environ, Streams(keys, said, complained))
            try:
                while process.poll() is None:
                    self.pause()
            finally:
                process.kill()
                process.wait()
            if process.returncode:
                why = _last(_all(complained) or _all(said))
                raise DemoError(f"`python -m {' '.join(arguments)}` failed: {why}")
            return _all(said)

    def start(self, *specs: Spec) -> None:
        """Start children."""
        for spec in specs:
            self.supervisor.start(spec)

    def await_ready(self, name: str, ready: Ready) -> None:
        """Wait until a child answers; `DemoError` with its last words when it does not."""
        deadline_s = time.monotonic() + _READY_S
        while not ready():
            if time.monotonic() > deadline_s:
                words = self.supervisor.last_words(name)
                raise DemoError(f"{name} does not answer after {_READY_S:.0f} s. {words}".strip())
            self.pause()


def say(line: str) -> None:
    """One line for people."""
    print(line, flush=True)


def table(rows: Sequence[tuple[str, str]]) -> None:
    """Lines of two columns."""
    width = max(len(left) for left, _ in rows)
    for left, right in rows:
        say(f"  {left:<{width}}  {right}")


def _all(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _last(output: str) -> str:
    return (output.strip().splitlines() or ["it said nothing"])[-1]
