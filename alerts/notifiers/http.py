"""One message posted to a receiver over HTTP, by `app.outgoing`: to an address that was checked,
within a time.

Redirects are not followed. What a receiver answers is not believed further than its status: its
text may repeat the address, which is a secret, so neither stands in an error.
"""

import http.client
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

from app.domain.window import SECOND_US
from app.errors import HostDenied, HostUnavailable, ReceiverRefused, ReceiverUnavailable
from app.outgoing import opened

#: A message takes no longer, look-up of the name aside.
LIMIT_S = 15.0
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
    try:
        with opened(url, private=request.private, limit_s=limit_s) as connected:
            status, headers, word = _exchange(connected, url, request)
    except HostDenied as error:
        raise ReceiverRefused(str(error)) from error
    except HostUnavailable as error:
        raise ReceiverUnavailable(str(error)) from error
    _judge(url.hostname or "", status, headers, word)


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
