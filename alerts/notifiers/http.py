"""One message posted to a receiver over HTTP, to an address that was checked, within a time.

The address that `app.domain.egress` allows is the one that is connected to, so a name that changes
its mind in between gains nothing. Redirects are not followed. What a receiver answers is not
believed further than its status: its text may repeat the address, which is a secret, so neither
stands in an error.
"""

import http.client
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

from app.domain.egress import denial
from app.domain.window import SECOND_US
from app.errors import ReceiverRefused, ReceiverUnavailable

#: A message takes no longer, look-up of the name aside.
LIMIT_S = 15.0
_CONNECT_S = 5.0
_MOST_BYTES = 4_096
_LATER = frozenset({408, 425, 429})
#: An answer that is one such word is a reason (`channel_not_found`); anything else is not shown.
_WORD = re.compile(rb"[a-z_]{2,40}")


@dataclass(frozen=True, slots=True)
class Request:
    """What to post where. `private`: addresses inside the network are allowed."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    private: bool = False


def post(request: Request, limit_s: float = LIMIT_S) -> None:
    """Post it. `ReceiverUnavailable` when trying again can help, else `ReceiverRefused`."""
    url = urlsplit(request.url)
    host = url.hostname or ""
    with _translated(host):
        connected = _connect(url, request.private, min(limit_s, _CONNECT_S))
        with connected, _bounded(connected, limit_s, host) as bounded:
            status, headers, word = _exchange(_secured(bounded, url), url, request)
    _judge(host, status, headers, word)


def _exchange(
    connected: socket.socket, url: SplitResult, request: Request
) -> tuple[int, http.client.HTTPMessage, str]:
    connection = http.client.HTTPConnection(url.hostname or "")
    connection.sock = connected
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    headers = {"Host": url.netloc, "Connection": "close", "User-Agent": "Midspan"}
    try:
        connection.request("POST", path, request.body, {**headers, **request.headers})
        answer = connection.getresponse()
        text = answer.read(_MOST_BYTES).strip()
    finally:
        connection.close()
    return answer.status, answer.headers, text.decode() if _WORD.fullmatch(text) else ""


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
    raise ReceiverRefused(f"{denied}; set allow_private_addresses if it is meant to be there")


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
            raise ReceiverUnavailable(f"{host} did not answer within {limit_s:g} s") from error
        raise
    finally:
        timer.cancel()
        watched.close()


@contextmanager
def _translated(host: str) -> Iterator[None]:
    try:
        yield
    except socket.gaierror as error:
        raise ReceiverUnavailable(f"{host} cannot be looked up: {error.strerror}") from error
    except ssl.SSLError as error:
        reason = error.reason or type(error).__name__
        raise ReceiverUnavailable(f"{host} cannot be trusted: {reason}") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ReceiverUnavailable(f"{host} is away: {reason}") from error
    except http.client.HTTPException as error:
        raise ReceiverUnavailable(f"{host} broke off: {type(error).__name__}") from error


def _judge(host: str, status: int, headers: http.client.HTTPMessage, word: str) -> None:
    if 200 <= status < 300:
        return
    said = f"{host} answered {status}{f' {word}' if word else ''}"
    if status in _LATER or status >= 500:
        raise ReceiverUnavailable(said, _retry_after_us(headers))
    raise ReceiverRefused(f"{said}; redirects are not followed" if status < 400 else said)


def _retry_after_us(headers: http.client.HTTPMessage) -> int | None:
    """How long `Retry-After` asks to wait; a date counts from the answer's own `Date`."""
    asked = headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit() and len(asked) < 10:
        return int(asked) * SECOND_US
    with suppress(ValueError, TypeError):
        until, at = parsedate_to_datetime(asked), parsedate_to_datetime(headers.get("Date", ""))
        return max(0, int((until - at).total_seconds())) * SECOND_US
    return None
