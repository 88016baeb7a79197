"""One proxy worker process: its journal, its loop, its signals."""

import asyncio
import gc
import os
import signal

import uvloop

from app import logs
from app.errors import MidspanError
from app.settings import Settings
from collectors.journal import Writer
from collectors.proxy.hub import Hub, Measure, boards_folder
from collectors.proxy.metrics import JOURNAL_BLOCKED, JOURNAL_BYTES, JOURNAL_SEGMENTS, forget_boards
from collectors.proxy.server import Server

_PARENT_LOOK_S = 1.0


def run_worker(settings: Settings, index: int = 0, *, parent: int | None = None) -> int:
    """Serve until told to stop; the exit code. `MidspanError` if it cannot begin.

    `parent` is the process id of the parent of several workers, which share the ports and do not
    outlive it.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings, index, parent))


async def _serve(settings: Settings, index: int, parent: int | None) -> int:
    name = f"worker-{index}"
    journal = Writer(
        settings.journal_dir / name, settings.segment_bytes, settings.journal_max_bytes
    )
    try:
        hub = _hub(settings, journal, name)
        server = Server(hub, settings, shared=parent is not None)
        await server.start()
        gc.collect()
        gc.freeze()  # what stands now stays: a collection need not look at it again
        failed = await _wait(server, parent)
        await server.stop()
        return failed
    finally:
        journal.close()


def _hub(settings: Settings, journal: Writer, name: str) -> Hub:
    forget_boards(boards_folder(settings), settings.proxy_workers)
    try:
        return Hub(settings, journal, name, measure=_tend(journal))
    except OSError as error:
        raise MidspanError(
            f"cannot write {settings.home}: {error.strerror}; make it writable or set MIDSPAN_HOME"
        ) from error


def _tend(journal: Writer) -> Measure:
    def tend(counts: list[int]) -> None:
        journal.rest()
        stats = journal.stats
        counts[JOURNAL_BYTES] = stats.backlog_bytes
        counts[JOURNAL_SEGMENTS] = stats.segments
        counts[JOURNAL_BLOCKED] = int(stats.blocked is not None)

    return tend


async def _wait(server: Server, parent: int | None) -> int:
    """Until a signal or the end of the parent (0), or until the worker's clock fails (1)."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    assert server.clock is not None
    while not stop.is_set() and not server.clock.done():
        stopping = loop.create_task(stop.wait(), name="stop")
        await asyncio.wait(
            {stopping, server.clock},
            timeout=_PARENT_LOOK_S,
            return_when=asyncio.FIRST_COMPLETED,
        )
        stopping.cancel()
        if parent is not None and os.getppid() != parent:
            stop.set()
    if server.clock.done():
        logs.get("worker").error("clock_failed", error=repr(server.clock.exception()))
        return 1
    return 0
