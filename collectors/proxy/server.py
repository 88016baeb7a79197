"""The two listeners of one worker and the hub behind them, from start to drained."""

import asyncio
import errno
import os
import time
from contextlib import suppress
from functools import partial

from app import logs
from app.domain.words import Direction
from app.errors import MidspanError
from app.settings import Bind, Settings
from collectors.proxy.caller import CallerProtocol
from collectors.proxy.hub import Hub

#: How long exchanges under way may take once the proxy is told to stop.
GRACE_S = 10.0
_BACKLOG = 2048


class Server:
    """One worker's listeners. `shared`: other workers listen on the same ports."""

    def __init__(self, hub: Hub, settings: Settings, *, shared: bool = False) -> None:
        self.hub = hub
        self._binds = {
            Direction.OUTBOUND: (settings.outbound_bind, "MIDSPAN_OUTBOUND_BIND"),
            Direction.INBOUND: (settings.inbound_bind, "MIDSPAN_INBOUND_BIND"),
        }
        self._shared = shared
        self._listeners: list[asyncio.Server] = []
        #: Where it listens, by direction.
        self.ports: dict[Direction, int] = {}
        #: Ends only if the worker's clock fails.
        self.clock: asyncio.Task[None] | None = None
        self._log = logs.get("server")

    async def start(self) -> None:
        """Listen; `MidspanError` naming the address that cannot be had."""
        try:
            for direction, (bind, setting) in self._binds.items():
                listener = await self._listen(direction, bind, setting)
                self._listeners.append(listener)
                self.ports[direction] = listener.sockets[0].getsockname()[1]
                self._log.info("listening", direction=direction.word, bind=str(bind))
        except MidspanError:
            self._close_listeners()
            raise
        loop = asyncio.get_running_loop()
        self.clock = loop.create_task(self.hub.keep_time(), name="clock")

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """Stop listening and let what is under way end."""
        begun = time.monotonic()
        self._close_listeners()
        await self.hub.drain(grace_s)
        if self.clock is not None:
            self.clock.cancel()
            with suppress(asyncio.CancelledError):
                await self.clock
        self._log.info("drained", seconds=round(time.monotonic() - begun, 2))

    async def _listen(self, direction: Direction, bind: Bind, setting: str) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        try:
            return await loop.create_server(
                partial(CallerProtocol, self.hub, direction),
                bind.host,
                bind.port,
                backlog=_BACKLOG,
                reuse_port=self._shared or None,
            )
        except OSError as error:
            raise cannot_listen(bind, setting, error) from error

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            listener.close()


def cannot_listen(bind: Bind, setting: str, error: OSError) -> MidspanError:
    """The one line for an address that cannot be listened on."""
    known = error.errno in errno.errorcode
    reason = os.strerror(error.errno or 0) if known else error.strerror or str(error)
    return MidspanError(
        f"cannot listen on {bind}: {reason.lower()}; stop what uses it"
        f" or set {setting} to another address"
    )
