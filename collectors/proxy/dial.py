"""Making a connection to an origin: look it up, check each address, connect, shake hands.

The address that `egress` allows is the one the socket is connected to, and the peer is asked for
its address once connected; a name that changes its mind in between gains nothing. The proxy's own
listeners are never dialled. TLS verifies chain and name. The name look-up and TCP are timed as
one, the handshake apart.
"""

import asyncio
import errno
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NamedTuple, TypeVar

from app.domain.egress import denial, reached
from collectors.proxy import errors
from collectors.proxy.race import race
from collectors.proxy.resolve import Address, DialError, Found, Resolver
from collectors.proxy.routes import Origin
from collectors.proxy.tls import Contexts, handshake_error
from collectors.record import NOT_REACHED

_P = TypeVar("_P", bound=asyncio.Protocol)

_CONNECT_CODES = {
    errno.ECONNREFUSED: errors.CONNECT_REFUSED,
    errno.ECONNRESET: errors.CONNECT_RESET,
    errno.ECONNABORTED: errors.CONNECT_RESET,
    errno.ETIMEDOUT: errors.CONNECT_TIMEOUT,
    errno.ENETUNREACH: errors.CONNECT_UNREACHABLE,
    errno.EHOSTUNREACH: errors.CONNECT_UNREACHABLE,
    errno.ENETDOWN: errors.CONNECT_UNREACHABLE,
    errno.EAFNOSUPPORT: errors.CONNECT_UNREACHABLE,
    errno.EACCES: errors.CONNECT_UNREACHABLE,
    errno.EPERM: errors.CONNECT_UNREACHABLE,
    errno.EMFILE: errors.CONNECT_EXHAUSTED,
    errno.ENFILE: errors.CONNECT_EXHAUSTED,
    errno.ENOBUFS: errors.CONNECT_EXHAUSTED,
    errno.ENOMEM: errors.CONNECT_EXHAUSTED,
    errno.EAGAIN: errors.CONNECT_EXHAUSTED,
}


class Spent(NamedTuple):
    """Microseconds spent on look-up and TCP, and on TLS (-1: none was asked for)."""

    connect_us: int
    tls_us: int


class Dialer:
    """One worker's way out."""

    def __init__(self, resolver: Resolver, contexts: Contexts) -> None:
        self._resolver = resolver
        self._contexts = contexts
        self._own: set[tuple[str, int]] = set()

    @property
    def stale(self) -> int:
        """Name look-ups that an older answer had to serve for."""
        return self._resolver.stale

    def listens(self, address: Address) -> None:
        """Remember an address that this proxy listens on, as `getsockname` gives it."""
        self._own.add((address[0], address[1]))

    async def dial(
        self, origin: Origin, factory: Callable[[], _P], looked_up: Callable[[], None]
    ) -> tuple[_P, Spent]:
        """A connection to `origin`, or `DialError`; `looked_up` is told when its name is known.

        Whoever calls it bounds its time.
        """
        begun_ns = time.monotonic_ns()
        tls = self._contexts.of(origin.trust) if origin.tls else None
        found = await self._resolver.look_up(origin)
        if not found:
            raise DialError(errors.DNS_NOT_FOUND, f"{origin.host}: no address")
        looked_up()
        connected = await race(found, partial(self._attempt, origin))
        at_tcp = time.monotonic_ns()
        protocol = await _adopt(connected, origin, factory, tls)
        tls_us = (time.monotonic_ns() - at_tcp) // 1000 if tls else NOT_REACHED
        return protocol, Spent((at_tcp - begun_ns) // 1000, tls_us)

    async def _attempt(self, origin: Origin, found: Found) -> socket.socket:
        """A socket connected to this one address, or `DialError`."""
        family, address = found
        reason = denial(address[0], private=origin.private)
        if reason is not None:
            detail = f"{origin.host} is {address[0]}: {reason}"
            raise DialError(errors.ADDRESS_DENIED, detail)
        if self._is_own(address):
            detail = f"{origin.host} is {address[0]}:{address[1]}: this proxy"
            raise DialError(errors.ADDRESS_OWN, detail)
        try:
            return await _connect(family, address)
        except OSError as error:
            raise _connect_error(error, family, address) from error

    def _is_own(self, address: Address) -> bool:
        listening = [reached(host) for host, port in self._own if port == address[1]]
        if not listening:
            return False
        dialled = reached(address[0])
        everywhere = any(host.is_unspecified for host in listening)
        return dialled in listening or (everywhere and _is_local(str(dialled)))


async def _adopt(
    connected: socket.socket, origin: Origin, factory: Callable[[], _P], tls: ssl.SSLContext | None
) -> _P:
    """The protocol on a connected socket, after the handshake if there is one."""
    name = origin.host if tls else None
    loop = asyncio.get_running_loop()
    try:
        _, protocol = await loop.create_connection(
            factory, sock=connected, ssl=tls, server_hostname=name
        )
    except BaseException as error:
        connected.close()
        if isinstance(error, OSError):
            if tls is None:
                raise DialError(errors.CONNECT_RESET, str(error) or "closed at once") from error
            raise handshake_error(error) from error
        raise
    return protocol


async def _connect(family: int, address: Address) -> socket.socket:
    connecting = socket.socket(family, socket.SOCK_STREAM)
    try:
        connecting.setblocking(False)
        connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(connecting, address)
        peer = connecting.getpeername()[0]
        if peer.partition("%")[0] != address[0].partition("%")[0]:
            raise OSError(errno.EHOSTUNREACH, f"connected to {peer} instead")
    except BaseException:
        with suppress(OSError):
            connecting.close()
        raise
    return connecting


def _connect_error(error: OSError, family: int, address: Address) -> DialError:
    code = _CONNECT_CODES.get(error.errno or 0, errors.CONNECT_FAILED)
    if error.errno == errno.EADDRNOTAVAIL:
        # No local port is left, or, as happens with IPv6, no local address fits.
        exhausted = family == socket.AF_INET
        code = errors.CONNECT_EXHAUSTED if exhausted else errors.CONNECT_UNREACHABLE
    return DialError(code, f"{address[0]}:{address[1]}: {error.strerror or error}")


def _is_local(host: str) -> bool:
    """Whether an address is one of this machine's: only those can be bound. Sends nothing."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True
