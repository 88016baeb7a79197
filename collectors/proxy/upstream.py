"""An upstream's connection: one request out, one answer in, again and again.

What an answer is and where it ends is decided by `head` and `framing`; a fresh body counter is
made for each. Bytes that nobody asked for end the connection, so they can never be taken for the
answer to the next request.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from collectors.proxy.errors import BAD_RESPONSE
from collectors.proxy.flow import OTHER_SIDE_FULL, Reading, Writing
from collectors.proxy.framing import Body, ChunkedBody, EndOfFileBody, HeadBuffer, LengthBody
from collectors.proxy.head import (
    CHUNKED,
    NO_BODY,
    TO_END_OF_FILE,
    ResponseHead,
    parse_response_head,
    response_length,
)
from collectors.proxy.routes import Origin
from collectors.proxy.verdicts import BadMessage

if TYPE_CHECKING:
    from collectors.proxy.exchange import LiveExchange
    from collectors.proxy.hub import Hub

#: Interim answers one request may get.
_MAX_INTERIM = 16


class UpstreamProtocol(asyncio.Protocol):
    """One connection to an origin, in the pool or lent to one exchange."""

    def __init__(self, hub: "Hub", origin: Origin) -> None:
        # For the connection's life; the transport and its reading half are made with it.
        self._hub = hub
        self.origin = origin
        self.idle_since_ns = 0
        self._transport: asyncio.Transport
        self.reading: Reading
        self._writing: Writing
        self.write: Callable[[bytes], None]  # sends bytes of a request
        self._heads = HeadBuffer(empty_lines=0)
        # For one exchange.
        self.exchange: LiveExchange | None = None
        self._body: Body | None = None
        self._started = False
        self._interim = 0
        self._reusable = True

    # What the transport tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        self._transport = cast(asyncio.Transport, transport)
        self.reading = Reading(self._transport)
        self._writing = Writing(self._transport, self._hub.outbox)
        self.write = self._writing.write

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer."""
        exchange = self.exchange
        if exchange is None:
            self.abort()
            return
        if not self._started:
            self._started = True
            exchange.first_byte()
        try:
            self._read(exchange, data)
        except BadMessage as bad:
            exchange.fail(BAD_RESPONSE, bad.detail)

    def eof_received(self) -> bool:
        """The upstream sends nothing more; the connection is closed."""
        self._writing.flush()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection ended."""
        self._hub.lost_link(self)
        exchange, self.exchange = self.exchange, None
        if exchange is None:
            return
        if exc is None and isinstance(self._body, EndOfFileBody):
            exchange.answer_data(b"", done=True)
        else:
            exchange.link_lost(exc, begun=self._started)

    def pause_writing(self) -> None:
        """The upstream reads slowly."""
        if self.exchange is not None:
            self.exchange.link_full(True)

    def resume_writing(self) -> None:
        """The upstream has caught up."""
        if self.exchange is not None:
            self.exchange.link_full(False)

    # What the exchange and the worker ask for.

    @property
    def usable(self) -> bool:
        """Whether it can take a request."""
        return not self._transport.is_closing()

    def reset(self) -> bool:
        """Make it ready for another request; False: it cannot be."""
        self._body = None
        self._started = False
        self._interim = 0
        if self.reading.holds:
            self.reading.release(OTHER_SIDE_FULL)
        return self._reusable and not self._transport.is_closing() and self._writing.empty

    def end(self) -> None:
        """Let what was written leave, and say that nothing follows."""
        if self._transport.is_closing():
            return
        if self._transport.can_write_eof():
            self._writing.end()
        else:
            self._writing.close()

    def close(self) -> None:
        """Let what was written leave, then end."""
        self._writing.close()

    def abort(self) -> None:
        """End at once."""
        self._writing.abort()

    # Inside.

    def _read(self, exchange: "LiveExchange", data: bytes) -> None:
        fresh = self._body is None
        while self._body is None:
            whole = self._heads.feed(data)
            if whole is None:
                return
            raw, data = whole
            head = parse_response_head(raw)
            if head.status < 200:
                self._take_interim(exchange, head)
            elif self._begin(exchange, head, len(data)):
                exchange.answer_data(data, done=True)
                return
        found, rest = self._body.feed(data)
        if rest:
            self._reusable = False
        if found or fresh or self._body.done:
            exchange.answer_data(found, done=self._body.done)

    def _take_interim(self, exchange: "LiveExchange", head: ResponseHead) -> None:
        if head.status == 101:
            self._reusable = False
            self._body = exchange.switch(head)
            return
        response_length(head, exchange.head.method)  # refuses a coding that cannot be
        self._interim += 1
        if self._interim > _MAX_INTERIM:
            raise BadMessage(BAD_RESPONSE, f"over {_MAX_INTERIM} interim answers")
        exchange.interim(head)

    def _begin(self, exchange: "LiveExchange", head: ResponseHead, size: int) -> bool:
        """Whether the answer is whole with the `size` bytes that came behind its head."""
        length = response_length(head, exchange.head.method)
        self._reusable = head.persistent and length != TO_END_OF_FILE
        exchange.answer_head(head, length)
        if length == size:
            return True
        if length == CHUNKED:
            self._body = ChunkedBody()
        elif length == TO_END_OF_FILE:
            self._body = EndOfFileBody()
        else:
            self._body = LengthBody(0 if length == NO_BODY else length)
        return False
