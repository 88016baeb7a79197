"""WebSocket: what a request offers, what an answer agrees to, and the bytes that then pass.

It is the one upgrade that is passed on, and only as RFC 6455 has it: a GET of HTTP/1.1 without a
body. Any other offer is as if it were absent. The bytes pass as they are only after a 101 that
agrees; they are counted and not kept as evidence, because a caller masks them and no scrubbing
would find a secret in them.
"""

from typing import TYPE_CHECKING

from collectors.proxy.fields import tokens
from collectors.proxy.framing import EndOfFileBody
from collectors.proxy.head import RequestHead, ResponseHead

if TYPE_CHECKING:
    from collections.abc import Callable

    from collectors.proxy.caller import CallerProtocol
    from collectors.proxy.exchange import LiveExchange
    from collectors.proxy.upstream import UpstreamProtocol

#: The header lines that offer it to an upstream, and agree to it towards a caller.
UPGRADE_LINES = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
_WEBSOCKET = [b"websocket"]


def offers(head: RequestHead) -> bool:
    """Whether a request offers to go on as WebSocket, in a way that is passed on."""
    special = head.special
    return (
        _names_websocket(special.get(b"upgrade"), special.get(b"connection"))
        and head.method == "GET"
        and head.minor == 1
        and b"content-length" not in special
        and b"transfer-encoding" not in special
    )


def agrees(head: ResponseHead) -> bool:
    """Whether an answer agrees to go on as WebSocket."""
    special = head.special
    return (
        head.status == 101
        and head.minor == 1
        and _names_websocket(special.get(b"upgrade"), special.get(b"connection"))
        and b"content-length" not in special
        and b"transfer-encoding" not in special
    )


class Tunnel:
    """The bytes of one switched exchange, in both directions, counted as its two bodies."""

    __slots__ = ("_caller", "_exchange", "_link")

    def __init__(
        self, exchange: "LiveExchange", caller: "CallerProtocol", link: "UpstreamProtocol"
    ) -> None:
        self._exchange = exchange
        self._caller = caller
        self._link = link

    def up(self, data: bytes) -> None:
        """Bytes from the caller."""
        self._exchange.request_bytes += len(data)
        self._exchange.moved()
        self._link.write(data)

    def down(self, data: bytes) -> None:
        """Bytes from the upstream."""
        self._exchange.response_bytes += len(data)
        self._exchange.moved()
        self._caller.write(data)


class Passage(EndOfFileBody):
    """In place of a body: whatever comes is handed to `onward` at once."""

    __slots__ = ("_onward",)

    def __init__(self, onward: "Callable[[bytes], None]") -> None:
        super().__init__()
        self._onward = onward

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """See `Body`; nothing of it is for whoever feeds it."""
        if data:
            self._onward(data)
        return b"", b""


def _names_websocket(upgrade: list[bytes] | None, connection: list[bytes] | None) -> bool:
    return (
        upgrade is not None
        and connection is not None
        and [name.lower() for name in upgrade] == _WEBSOCKET
        and b"upgrade" in tokens(connection)
    )
