"""The two listeners of one worker and the hub behind them, from start to drained."""

import asyncio
import socket
import ssl
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from app import logs
from app.domain.words import Direction
from app.errors import MidspanError
from app.settings import Settings
from collectors.proxy.caller import CallerProtocol
from collectors.proxy.doorkeeper import DoorKeeper
from collectors.proxy.hub import Hub
from collectors.proxy.listening import BACKLOG, Listeners, open_listeners
from collectors.proxy.tls import no_password, why

#: How long callers that wait in a queue when the end begins may take to be let in.
_SETTLE_S = 0.1


class Server:
    """One worker's listeners: those it is given, else some of its own."""

    def __init__(self, hub: Hub, settings: Settings, listeners: Listeners | None = None) -> None:
        self.hub = hub
        self._settings = settings
        self._sockets = listeners
        self._listeners: list[asyncio.Server | DoorKeeper] = []
        #: Where it listens, by direction.
        self.ports: dict[Direction, int] = {}
        #: Ends only if the worker's clock fails.
        self.clock: asyncio.Task[None] | None = None
        self._log = logs.get("server")

    async def start(self) -> None:
        """Listen; `MidspanError` naming what keeps it from that."""
        settings = self._settings
        given = (
            (Direction.OUTBOUND, settings.outbound_tls_cert, settings.outbound_tls_key),
            (Direction.INBOUND, settings.inbound_tls_cert, settings.inbound_tls_key),
        )
        secured = {direction: listener_tls(direction, *files) for direction, *files in given}
        self._sockets = self._sockets or open_listeners(settings)
        for direction, tls in secured.items():
            for listening in self._sockets.of(direction):
                self._listeners.append(await self._listen(direction, listening, tls))
                address = listening.getsockname()
                self.hub.dialer.listens(address)
                self.ports[direction] = address[1]
            self._log.info("listening", direction=direction.word, port=self.ports[direction])
        loop = asyncio.get_running_loop()
        self.clock = loop.create_task(self.hub.keep_time(), name="clock")

    async def stop(self, grace_s: float | None = None, *, followed: bool = False) -> None:
        """Stop listening and let what is under way end, for the settings' time or `grace_s`.

        `followed`: others serve the same sockets on.
        """
        begun = time.monotonic()
        grace_s = self._settings.drain_us / 1e6 if grace_s is None else grace_s
        self.hub.draining = True
        if self._sockets is not None and not followed:
            self._sockets.refuse()
        await asyncio.sleep(min(_SETTLE_S, grace_s / 10))
        for listener in self._listeners:
            listener.close()
        if self._sockets is not None:
            self._sockets.close()
            self._sockets = None
        await self.hub.drain(grace_s)
        if self.clock is not None:
            self.clock.cancel()
            with suppress(asyncio.CancelledError):
                await self.clock
        self._log.info("drained", seconds=round(time.monotonic() - begun, 2))

    async def _listen(
        self, direction: Direction, listening: socket.socket, tls: ssl.SSLContext | None
    ) -> asyncio.Server | DoorKeeper:
        hub, announced = self.hub, self._settings.proxy_protocol
        factory = partial(CallerProtocol, hub, direction)
        if announced or tls is not None:
            crowd = hub.crowds[direction].at_the_door()
            trusts, counts = hub.doors.trusts, hub.counts
            return DoorKeeper(
                listening, factory, trusts, crowd, counts=counts, tls=tls, announced=announced
            )
        return await asyncio.get_running_loop().create_server(
            factory, sock=listening, backlog=BACKLOG
        )


def listener_tls(
    direction: Direction, certificate: Path | None, key: Path | None
) -> ssl.SSLContext | None:
    """What a listener shows its callers; None: it speaks plain HTTP. `MidspanError` naming the
    setting whose file cannot be used."""
    setting = f"MIDSPAN_{direction.word.upper()}_TLS_CERT"
    if certificate is None:
        if key is not None:
            raise MidspanError(f"{setting} is not set, but its key is: set both or neither")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # some Pythons leave it to the system
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password=no_password)
    except (OSError, ValueError) as error:
        named = f"{certificate} with {key}" if key else certificate
        raise MidspanError(f"{setting}: cannot use {named}: {why(error)}") from error
    return context
