"""The proxy process: one worker that can be relieved, or a parent of several; and their workers."""

import os
import signal
import sys

from app import logs
from app import settings as given
from app.errors import MidspanError
from app.settings import Settings
from collectors.proxy.child import CANNOT_BEGIN
from collectors.proxy.listening import Listeners, adopt, check_ports
from collectors.proxy.metrics import boards_folder, forget_boards
from collectors.proxy.supervisor import Supervisor, check_home


def main(settings: Settings) -> int:
    """Serve until told to stop; the exit code. `MidspanError` if it cannot begin."""
    check_ports(settings)
    check_home(settings)
    supervisor = Supervisor(settings, given.load)
    if settings.proxy_workers == 1:
        return _serve_alone(settings, supervisor)
    supervisor.begin()
    return supervisor.run()


def _serve_alone(settings: Settings, supervisor: Supervisor) -> int:
    """Be the only worker, until others take over: from then on be their parent."""
    from collectors.proxy.worker import End, run_worker

    def ready() -> None:
        forget_boards(boards_folder(settings.home), 1)

    try:
        end = run_worker(settings, 0, supervisor.begin_alone(), successors=supervisor, ready=ready)
        if end == End.RELIEVED:
            return supervisor.run()
    finally:
        supervisor.end()
    return int(end == End.FAILED)


def serve_for(
    settings: Settings, index: int, parent: int, ready: int, sockets: tuple[str, str]
) -> int:
    """Be worker `index` of `parent`, on the sockets it hands over; the exit code.

    `ready` is a pipe to write to once it serves; `sockets` are descriptors, comma-separated.
    """
    from collectors.proxy.worker import End, run_worker

    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # for the parent to act on
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    outbound, inbound = (adopt(map(int, each.split(","))) for each in sockets)

    def tell() -> None:
        os.write(ready, b"1")
        os.close(ready)

    try:
        end = run_worker(settings, index, Listeners(outbound, inbound), parent=parent, ready=tell)
    except MidspanError as error:
        sys.stderr.write(f"error: {error}\n")
        return CANNOT_BEGIN
    except Exception:  # noqa: BLE001 - the edge of a process: said, then ended
        logs.get("worker").exception("worker_failed", worker=index)
        return 1
    return int(end == End.FAILED)
