"""The parent of several workers: starts them, starts a dead one again, ends them together.

It holds no connection and no journal. The workers share both ports by SO_REUSEPORT, so the kernel
spreads new connections over them; one that dies takes only its own connections with it.
"""

import errno
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass

from app import logs
from app.errors import MidspanError
from app.settings import Bind, Settings
from collectors.proxy.server import GRACE_S, cannot_listen
from collectors.proxy.worker import run_worker

#: The exit code of a worker that could not begin and has said why.
CANNOT_BEGIN = 78
_WATCHED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}
#: A worker that lived this long starts again at once.
_STEADY_S = 10.0
_LONGEST_DELAY_S = 10.0
_END_S = GRACE_S + 5


@dataclass(slots=True)
class _Worker:
    index: int
    pid: int = 0
    began: float = 0.0
    due: float = 0.0
    deaths: int = 0


def restart_delay_s(deaths: int) -> float:
    """How long to wait before starting a worker again that died young `deaths` times in a row."""
    return 0.0 if deaths == 0 else min(_LONGEST_DELAY_S, 0.25 * 2.0 ** (deaths - 1))


def supervise(settings: Settings) -> int:
    """Run all workers until told to stop; the exit code."""
    _check_ports(settings)
    _check_home(settings)
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    workers = [_Worker(index) for index in range(settings.proxy_workers)]
    try:
        return _watch(settings, workers)
    finally:
        _end(workers)


def _watch(settings: Settings, workers: list[_Worker]) -> int:
    while True:
        now = time.monotonic()
        for worker in workers:
            if worker.pid == 0 and worker.due <= now:
                _start(settings, worker, now)
        arrived = signal.sigtimedwait(_WATCHED, 0.25)
        if arrived is not None and arrived.si_signo != signal.SIGCHLD:
            return 0
        for worker, code in _reap(workers):
            if code == CANNOT_BEGIN and worker.deaths == 0:
                return 1
            _plan_restart(worker, code)


def _start(settings: Settings, worker: _Worker, now: float) -> None:
    worker.began = now
    parent = os.getpid()
    worker.pid = os.fork()
    if worker.pid == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
        os._exit(_child(settings, worker.index, parent))
    logs.get("supervisor").info("worker_started", worker=worker.index, pid=worker.pid)


def _child(settings: Settings, index: int, parent: int) -> int:
    """The life of a worker process; its exit code."""
    code = 1
    try:
        code = run_worker(settings, index, parent=parent)
    except MidspanError as error:
        sys.stderr.write(f"error: {error}\n")
        code = CANNOT_BEGIN
    except Exception:  # noqa: BLE001 - the edge of a process: said, then ended
        logs.get("worker").exception("worker_failed", worker=index)
    sys.stderr.flush()
    return code


def _reap(workers: list[_Worker]) -> list[tuple[_Worker, int]]:
    """The workers that have ended since, with their exit codes (negative: by that signal)."""
    ended = []
    for worker in workers:
        if worker.pid:
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            if pid:
                worker.pid = 0
                ended.append((worker, os.waitstatus_to_exitcode(status)))
    return ended


def _plan_restart(worker: _Worker, code: int) -> None:
    now = time.monotonic()
    worker.deaths = 0 if now - worker.began > _STEADY_S else worker.deaths + 1
    worker.due = now + restart_delay_s(worker.deaths)
    logs.get("supervisor").error(
        "worker_died", worker=worker.index, code=code, restart_in_s=worker.due - now
    )


def _end(workers: list[_Worker]) -> None:
    """Tell every worker to stop, wait, and end those that do not."""
    _signal(workers, signal.SIGTERM)
    give_up = time.monotonic() + _END_S
    while any(worker.pid for worker in workers) and time.monotonic() < give_up:
        signal.sigtimedwait({signal.SIGCHLD}, 0.1)
        _reap(workers)
    _signal(workers, signal.SIGKILL)


def _signal(workers: list[_Worker], number: signal.Signals) -> None:
    for worker in workers:
        if worker.pid:
            with suppress(ProcessLookupError):
                os.kill(worker.pid, number)


def _check_ports(settings: Settings) -> None:
    """`MidspanError` if somebody else listens: sharing a port would hide it."""
    for bind, setting in (
        (settings.outbound_bind, "MIDSPAN_OUTBOUND_BIND"),
        (settings.inbound_bind, "MIDSPAN_INBOUND_BIND"),
    ):
        try:
            _try_bind(bind)
        except OSError as error:
            raise cannot_listen(bind, setting, error) from error


def _check_home(settings: Settings) -> None:
    """`MidspanError` if no worker could keep a journal: said once, not by each of them."""
    folder = settings.journal_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise MidspanError(
            f"cannot write {folder}: {error.strerror}; make it writable or set MIDSPAN_HOME"
        ) from error


def _try_bind(bind: Bind) -> None:
    family, kind, _, _, address = socket.getaddrinfo(
        bind.host, bind.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
