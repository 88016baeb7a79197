"""One proxy worker process: its journal, its loop, its signals."""

import asyncio
import gc
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from typing import Protocol

import uvloop

from app import logs
from app.errors import MidspanError
from app.settings import Settings
from collectors.journal import Writer
from collectors.proxy.hub import Hub, Measure
from collectors.proxy.listening import Listeners
from collectors.proxy.metrics import JOURNAL_BLOCKED, JOURNAL_BYTES, JOURNAL_SEGMENTS
from collectors.proxy.server import Server

_LOOK_S = 0.1
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
#: Objects that may come and stay before the first look for cycles among them.
_COLLECT_AFTER = 10_000


class Successors(Protocol):
    """Those who can take over from this worker (`collectors.proxy.supervisor`)."""

    @property
    def relieved(self) -> bool:
        """Whether they serve in its place."""

    def reload(self) -> None:
        """Begin to take over."""

    def tend(self) -> bool:
        """Go on with it."""

    def release(self) -> None:
        """Never mind: nobody takes over, the sockets are to close."""


class End(Enum):
    """Why a worker ended."""

    STOPPED = auto()
    RELIEVED = auto()  # others serve the same sockets on
    FAILED = auto()


def run_worker(
    settings: Settings,
    index: int,
    listeners: Listeners,
    *,
    parent: int | None = None,
    successors: Successors | None = None,
    ready: Callable[[], None] = lambda: None,
) -> End:
    """Serve until told to stop or relieved. `MidspanError` if it cannot begin.

    `parent` is the process id of the parent of several workers, which they do not outlive and
    which keeps copies of their sockets. `ready` is called once it accepts connections.
    """
    worker = _Worker(settings, index, listeners, parent, successors)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(worker.serve(ready))


class _Worker:
    def __init__(
        self,
        settings: Settings,
        index: int,
        listeners: Listeners,
        parent: int | None,
        successors: Successors | None,
    ) -> None:
        self._settings = settings
        self._name = f"worker-{index}"
        self._listeners = listeners
        self._parent = parent
        self._successors = successors
        self._told = asyncio.Event()

    async def serve(self, ready: Callable[[], None]) -> End:
        settings = self._settings
        journal = Writer(
            settings.journal_dir / self._name, settings.segment_bytes, settings.journal_max_bytes
        )
        try:
            server = Server(_hub(settings, journal, self._name), settings, self._listeners)
            self._heed_signals()
            await server.start()
            gc.collect()
            gc.freeze()  # what stands now stays: a collection need not look at it again
            gc.set_threshold(_COLLECT_AFTER)  # exchanges leave no cycles behind, failed dials do
            ready()
            return await self._until_the_end(server)
        finally:
            journal.close()

    async def _until_the_end(self, server: Server) -> End:
        loop = asyncio.get_running_loop()
        tending = loop.create_task(self._tend(), name="tend")
        try:
            end = await self._wait(server)
            if self._successors is not None and end != End.RELIEVED:
                self._successors.release()
            await server.stop(followed=end == End.RELIEVED or self._parent_lives)
            if end == End.RELIEVED:  # signals wait until the parent that this becomes takes them
                signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
            return End.STOPPED if end == End.RELIEVED and self._told.is_set() else end
        finally:
            tending.cancel()
            with suppress(asyncio.CancelledError):
                await tending

    def _heed_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told.set)
        if self._successors is not None:
            loop.add_signal_handler(signal.SIGHUP, self._successors.reload)

    async def _tend(self) -> None:
        """Look after those that take over, also while this worker drains."""
        while self._successors is not None:
            self._successors.tend()
            await asyncio.sleep(_LOOK_S)

    async def _wait(self, server: Server) -> End:
        """Until told to stop, left alone by the parent, relieved, or failed by the clock."""
        loop = asyncio.get_running_loop()
        assert server.clock is not None
        told = loop.create_task(self._told.wait(), name="told")
        try:
            while True:
                await asyncio.wait(
                    {told, server.clock}, timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED
                )
                if server.clock.done():
                    logs.get("worker").error("clock_failed", error=repr(server.clock.exception()))
                    return End.FAILED
                if told.done() or (self._parent is not None and not self._parent_lives):
                    return End.STOPPED
                if self._successors is not None and self._successors.relieved:
                    return End.RELIEVED
        finally:
            told.cancel()

    @property
    def _parent_lives(self) -> bool:
        return self._parent is not None and os.getppid() == self._parent


def _hub(settings: Settings, journal: Writer, name: str) -> Hub:
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
