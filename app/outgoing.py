"""A connection to somebody else's server, to an address that was checked, within a time.

The address that `app.domain.egress` allows is the one that is connected to, so a name that changes
its mind in between gains nothing. What goes over the connection is the caller's business, and so
is what to believe of the answer.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import SplitResult

from app.domain.egress import denial
from app.errors import HostDenied, HostSlow, HostUnavailable

_CONNECT_S = 5.0


@contextmanager
def opened(url: SplitResult, *, private: bool, limit_s: float) -> Iterator[socket.socket]:
    """A socket to the host of `url`, secured where it is https, that ends after `limit_s` (look-up
    of the name aside). `private`: addresses inside the network are allowed. Raises `HostDenied`,
    and `HostUnavailable` (`HostSlow`: the time was over) for whatever goes wrong on the way, also
    inside the block."""
    host = url.hostname or ""
    with _translated(host):
        connected = _connect(url, private, min(limit_s, _CONNECT_S))
        with connected, _bounded(connected, limit_s, host) as bounded:
            yield _secured(bounded, url)


def _connect(url: SplitResult, private: bool, limit_s: float) -> socket.socket:
    """A socket connected to the first address that may be dialled and answers."""
    host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    denied, failed = "", None
    for family, kind, number, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        reason = denial(str(address[0]), private=private)
        if reason is not None:
            denied = f"{host} is at {address[0]}: {reason}"
            continue
        connecting = socket.socket(family, kind, number)
        try:
            connecting.settimeout(limit_s)
            connecting.connect(address)
        except OSError as error:
            connecting.close()
            failed = error
        else:
            return connecting
    if failed is not None:
        raise failed
    raise HostDenied(f"{denied}; set allow_private_addresses if it is meant to be there")


def _secured(connected: socket.socket, url: SplitResult) -> socket.socket:
    if url.scheme != "https":
        return connected
    return ssl.create_default_context().wrap_socket(connected, server_hostname=url.hostname)


@contextmanager
def _bounded(connected: socket.socket, limit_s: float, host: str) -> Iterator[socket.socket]:
    """The socket, shut down when the time is over: one that trickles would never time out."""
    over = threading.Event()
    # A copy, because the handshake of TLS takes the socket over.
    watched = connected.dup()

    def end() -> None:
        over.set()
        with suppress(OSError):
            watched.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(limit_s, end)
    timer.start()
    try:
        connected.settimeout(limit_s)
        yield connected
        if over.is_set():
            # An answer that was cut off can look like a whole one.
            raise TimeoutError
    except (OSError, http.client.HTTPException) as error:
        if over.is_set() or isinstance(error, TimeoutError):
            raise HostSlow(f"{host} did not answer within {limit_s:g} s") from error
        raise
    finally:
        timer.cancel()
        watched.close()


@contextmanager
def _translated(host: str) -> Iterator[None]:
    try:
        yield
    except socket.gaierror as error:
        raise HostUnavailable(f"{host} cannot be looked up: {error.strerror}") from error
    except ssl.SSLError as error:
        reason = error.reason or type(error).__name__
        raise HostUnavailable(f"{host} cannot be trusted: {reason}") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise HostUnavailable(f"{host} is away: {reason}") from error
    except http.client.HTTPException as error:
        raise HostUnavailable(f"{host} broke off: {type(error).__name__}") from error
