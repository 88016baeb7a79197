"""Letting callers in where they speak TLS, or where load balancers announce them (PROXY protocol).

Whoever has connected and not shaken hands yet is at the door. There a listener has as much room as
it has inside, and one address no more than its share: who is one too many is turned away at once.

A trusted peer begins each connection with a PROXY header; it is read from the bare socket, before
TLS, and only then does the connection get its protocol. A trusted peer that sends none, or does not
finish it in time, is turned away and counted; any other peer is let in as it is.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from app import logs
from collectors.proxy.announced import BadAnnouncement, read_announcement
from collectors.proxy.crowd import Crowd, Entry
from collectors.proxy.metrics import TURNED_FULL, TURNED_PEER, TURNED_UNANNOUNCED

HANDSHAKE_S = 10.0
_ANNOUNCE_S = 5.0
#: After the machine refused a descriptor, say.
_PAUSE_S = 0.1

_TURNED_AWAY = {Entry.FULL: TURNED_FULL, Entry.PEER_FULL: TURNED_PEER}

#: Makes a caller's protocol from its announced address, if there is one.
Factory = Callable[[str | None], asyncio.Protocol]


class DoorKeeper:
    """One listening socket, from which callers are taken until it is closed.

    `crowd` counts those at the door; `announced`: trusted peers send a PROXY header.
    """

    def __init__(
        self,
        listening: socket.socket,
        factory: Factory,
        trusts: Callable[[str], bool],
        crowd: Crowd,
        *,
        counts: list[int],
        tls: ssl.SSLContext | None,
        announced: bool,
    ) -> None:
        self._listening = listening
        self._factory = factory
        self._trusts = trusts
        self._tls = tls
        self._crowd = crowd
        self._announced = announced
        self._tasks: set[asyncio.Task[None]] = set()
        self._counts = counts
        self._log = logs.get("doorkeeper")
        self._accepting = self._begin(self._accept(), "accept")

    def close(self) -> None:
        """Take no more callers; those at the door come in."""
        self._accepting.cancel()

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(self._listening)
            except OSError as error:
                self._log.error("accept_failed", error=str(error))
                await asyncio.sleep(_PAUSE_S)
                continue
            peer = str(address[0])
            entry = self._crowd.enter(peer.encode(), alone=not self._trusts(peer))
            if entry in _TURNED_AWAY:
                self._counts[_TURNED_AWAY[entry]] += 1
                connection.close()
            else:
                connection.setblocking(False)
                self._begin(self._at_the_door(connection, peer), "let_in")

    async def _at_the_door(self, connection: socket.socket, peer: str) -> None:
        try:
            await self._let_in(connection, peer)
        finally:
            self._crowd.leave(peer.encode())

    async def _let_in(self, connection: socket.socket, peer: str) -> None:
        announced = None
        if self._announced and self._trusts(peer):
            try:
                async with asyncio.timeout(_ANNOUNCE_S):
                    announced = await read_announcement(connection)
            except (BadAnnouncement, EOFError, OSError, TimeoutError) as error:
                connection.close()
                self._counts[TURNED_UNANNOUNCED] += 1
                self._log.warning("turned_away", peer=peer, error=str(error) or "no PROXY header")
                return
        with suppress(OSError):  # a handshake that failed: there is nobody to tell
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._factory(announced),
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=HANDSHAKE_S if self._tls else None,
            )
