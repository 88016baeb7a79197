"""Looking names up: one question to the resolver per name at a time, shared by all who wait.

A burst towards one integration asks once; a resolver that takes seconds to say no holds up one
thread and not the few that every other name needs as well. Nothing is remembered once answered.
"""

import asyncio
import socket
from typing import cast

from collectors.proxy import errors
from collectors.proxy.routes import Origin

#: (family, socket address) as getaddrinfo gives them.
Address = tuple[str, int] | tuple[str, int, int, int]
Found = tuple[int, Address]

_NOT_FOUND = frozenset(
    {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME), socket.EAI_FAIL}
)


class DialError(Exception):
    """A connection that was not made; `code` is one of `collectors.proxy.errors`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Resolver:
    """The machine's resolver, asked once per name at a time."""

    def __init__(self) -> None:
        self._asking: dict[tuple[str, int], asyncio.Task[list[Found]]] = {}

    async def look_up(self, origin: Origin) -> list[Found]:
        """The addresses of the host, in the resolver's order, or `DialError`."""
        key = (origin.host, origin.port)
        asking = self._asking.get(key)
        if asking is None:
            asking = asyncio.get_running_loop().create_task(_resolve(*key), name="look_up")
            self._asking[key] = asking
            asking.add_done_callback(lambda done: self._answered(key, done))
        # A caller that gives up leaves the question to the others.
        return await asyncio.shield(asking)

    def _answered(self, key: tuple[str, int], done: asyncio.Task[list[Found]]) -> None:
        del self._asking[key]
        if not done.cancelled():
            done.exception()  # seen, even if everybody gave up waiting


async def _resolve(host: str, port: int) -> list[Found]:
    try:
        return await _ask(host, port)
    except socket.gaierror as error:
        code = errors.DNS_NOT_FOUND if error.errno in _NOT_FOUND else errors.DNS_FAILED
        raise DialError(code, f"{host}: {error.strerror}") from error
    except (OSError, UnicodeError) as error:
        raise DialError(errors.DNS_FAILED, f"{host}: {error}") from error


async def _ask(host: str, port: int) -> list[Found]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, cast(Address, address)) for family, _, _, _, address in found]
