"""Making a connection to an address that was looked up: check it, connect, shake hands.

The address that `egress` allows is the one the socket is connected to, and the peer is asked for
its address once connected; a name that changes its mind in between gains nothing. TLS verifies
chain and name. The name look-up and TCP are timed as one, the handshake apart.
"""

import asyncio
import errno
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, TypeVar

from collectors.proxy import errors
from collectors.proxy.egress import denial
from collectors.proxy.resolve import Address, DialError, Found
from collectors.proxy.routes import Origin
from collectors.record import NOT_REACHED

_P = TypeVar("_P", bound=asyncio.Protocol)

_CONNECT_CODES = {
    errno.ECONNREFUSED: errors.CONNECT_REFUSED,
    errno.ECONNRESET: errors.CONNECT_RESET,
    errno.ETIMEDOUT: errors.CONNECT_TIMEOUT,
    errno.ENETUNREACH: errors.CONNECT_UNREACHABLE,
    errno.EHOSTUNREACH: errors.CONNECT_UNREACHABLE,
    errno.EADDRNOTAVAIL: errors.CONNECT_UNREACHABLE,
    errno.EACCES: errors.CONNECT_UNREACHABLE,
}
# OpenSSL's X509_V_ERR_ numbers.
_TLS_CODES = {
    9: errors.TLS_EXPIRED,
    10: errors.TLS_EXPIRED,
    62: errors.TLS_HOSTNAME,
    64: errors.TLS_HOSTNAME,
    2: errors.TLS_UNTRUSTED,
    18: errors.TLS_UNTRUSTED,
    19: errors.TLS_UNTRUSTED,
    20: errors.TLS_UNTRUSTED,
    21: errors.TLS_UNTRUSTED,
}


class Spent(NamedTuple):
    """Microseconds spent on look-up and TCP, and on TLS (-1: none was asked for)."""

    connect_us: int
    tls_us: int


def client_tls() -> ssl.SSLContext:
    """Verification against the machine's authorities (SSL_CERT_FILE moves them)."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


async def dial(
    origin: Origin,
    found: list[Found],
    begun_ns: int,
    factory: Callable[[], _P],
    tls: ssl.SSLContext,
) -> tuple[_P, Spent]:
    """A connection to one of the addresses `found` for `origin`, or `DialError`.

    `begun_ns` is when the look-up began, on the monotonic clock. Whoever calls it bounds its time.
    """
    connected = await _connect_any(found, origin)
    at_tcp = time.monotonic_ns()
    protocol = await _adopt(connected, origin, factory, tls if origin.tls else None)
    tls_us = (time.monotonic_ns() - at_tcp) // 1000 if origin.tls else NOT_REACHED
    return protocol, Spent((at_tcp - begun_ns) // 1000, tls_us)


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
            raise _handshake_error(error, tls) from error
        raise
    return protocol


def _handshake_error(error: OSError, tls: ssl.SSLContext | None) -> DialError:
    if isinstance(error, ssl.SSLCertVerificationError):
        code = _TLS_CODES.get(error.verify_code, errors.TLS_UNTRUSTED)
        return DialError(code, error.verify_message)
    code = errors.TLS_FAILED if tls else errors.CONNECT_RESET
    return DialError(code, str(error) or type(error).__name__)


async def _connect_any(found: list[Found], origin: Origin) -> socket.socket:
    """A socket connected to the first address that takes it."""
    last = DialError(errors.DNS_NOT_FOUND, f"{origin.host}: no address")
    for family, address in found:
        reason = denial(address[0], private=origin.private)
        if reason is not None:
            last = DialError(errors.ADDRESS_DENIED, f"{origin.host} is {address[0]}: {reason}")
            continue
        try:
            return await _connect(family, address)
        except OSError as error:
            code = _CONNECT_CODES.get(error.errno or 0, errors.CONNECT_FAILED)
            last = DialError(code, f"{address[0]}:{address[1]}: {error.strerror or error}")
    raise last


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
