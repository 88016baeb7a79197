"""A worker as its parent sees it: a process of its own that says when it serves.

It is started as a program and not forked, so that a worker that is started later runs the code and
reads the settings of that moment. It is handed its listening sockets, and one end of a pipe, to
which it writes a byte once it accepts connections.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

from collectors.proxy.listening import Listeners

#: The exit code of a worker that could not begin and has said why.
CANNOT_BEGIN = 78


class Child:
    """One worker process. `index` names its journal, `listeners` are its parent's copies."""

    def __init__(self, index: int, listeners: Listeners) -> None:
        self.index = index
        self.listeners = listeners
        self.began = time.monotonic()
        self.ready = False
        ours, theirs = os.pipe()
        os.set_blocking(ours, False)
        self._pipe: int | None = ours
        outbound = [s.fileno() for s in listeners.outbound]
        inbound = [s.fileno() for s in listeners.inbound]
        command = [sys.executable, "-m", "collectors", "worker", str(index), str(os.getpid())]
        command += [str(theirs), _joined(outbound), _joined(inbound)]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                command, stdin=subprocess.DEVNULL, pass_fds=[theirs, *outbound, *inbound]
            )
        except OSError:
            os.close(ours)
            raise
        finally:
            os.close(theirs)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def look(self) -> int | None:
        """Notice whether it serves, or has ended: its exit code, negative if by a signal."""
        if self._pipe is not None and not self.ready:
            with suppress(BlockingIOError):
                self.ready = os.read(self._pipe, 1) != b""
        code = self._process.poll()
        if self._pipe is not None and (self.ready or code is not None):
            os.close(self._pipe)
            self._pipe = None
        return code

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        self._process.send_signal(number)


def _joined(descriptors: list[int]) -> str:
    return ",".join(map(str, descriptors))
