"""One page of a list over HTTP: its bytes, or the named reason why there are none."""

import http.client
import socket
from urllib.parse import SplitResult, urlsplit

from app.commands.partner_lists import ListRefused
from app.domain.partner_list import ListFailure
from app.errors import HostDenied, HostSlow, HostUnavailable
from app.outgoing import opened

#: The most of one page that is read.
PAGE_BYTES = 8 * 1024 * 1024
_PIECE = 65_536


def fetch(url: str, token: str | None, *, private: bool, most_bytes: int, limit_s: float) -> bytes:
    """The page at `url`. `token` is shown to its host; `private`: addresses inside the network are
    allowed. `ListRefused` when it cannot be had whole within `most_bytes` and `limit_s`."""
    parts = urlsplit(url)
    if limit_s <= 0:
        raise _too_slow()
    try:
        with opened(parts, private=private, limit_s=limit_s) as connected:
            return _page(connected, parts, token, min(most_bytes, PAGE_BYTES))
    except HostDenied as error:
        raise ListRefused(ListFailure.DENIED, str(error)) from error
    except HostSlow as error:
        raise _too_slow() from error
    except HostUnavailable as error:
        if isinstance(error.__cause__, http.client.IncompleteRead):
            raise _cut() from error
        raise ListRefused(ListFailure.UNREACHABLE, str(error)) from error


def _page(connected: socket.socket, url: SplitResult, token: str | None, most_bytes: int) -> bytes:
    connection = http.client.HTTPConnection(url.hostname or "")
    connection.sock = connected
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    headers = {
        "Host": url.netloc, "Connection": "close", "User-Agent": "Midspan",
        "Accept": "application/json", "Accept-Encoding": "identity",
    }  # fmt: skip
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        _judge(answer)
        return _body(answer, most_bytes)
    finally:
        connection.close()


def _judge(answer: http.client.HTTPResponse) -> None:
    if 300 <= answer.status < 400:
        said = f"it answers {answer.status}, and redirects are not followed"
        raise ListRefused(ListFailure.REDIRECTED, said)
    if answer.status != 200:
        raise ListRefused(ListFailure.REFUSED, f"it answers {answer.status}")
    if answer.getheader("Content-Encoding", "identity").lower() != "identity":
        raise ListRefused(ListFailure.UNREADABLE, "it is compressed, which nobody asked for")


def _body(answer: http.client.HTTPResponse, most_bytes: int) -> bytes:
    body = bytearray()
    while piece := answer.read(_PIECE):
        body += piece
        if len(body) > most_bytes:
            said = f"more than {most_bytes:,} bytes were left to read, and a page has at most "
            raise ListRefused(ListFailure.TOO_LARGE, f"{said}{PAGE_BYTES:,}")
    if answer.length:  # what was promised and did not come
        raise _cut()
    return bytes(body)


def _cut() -> ListRefused:
    return ListRefused(ListFailure.TRUNCATED, "a page ends before it is whole")


def _too_slow() -> ListRefused:
    return ListRefused(ListFailure.TOO_SLOW, "it was not whole within the time that it has")
