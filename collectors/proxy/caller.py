"""A caller's connection: requests in, one at a time; answers out.

Requests that a caller sends ahead wait in a bounded buffer for their turn. Each is cut off by a
fresh reading of its head and its body's end, and nothing is remembered from one to the next.
"""

import asyncio
from collections.abc import Callable
from time import monotonic_ns
from typing import TYPE_CHECKING, cast

from app.domain.words import Direction
from collectors.proxy.crowd import Entry
from collectors.proxy.decide import decide
from collectors.proxy.errors import REQUEST_TIMEOUT
from collectors.proxy.exchange import LiveExchange
from collectors.proxy.flow import NOT_CONNECTED, OTHER_SIDE_FULL, PIPELINE_FULL, Reading, Writing
from collectors.proxy.forwarded import Door
from collectors.proxy.framing import Body, ChunkedBody, HeadBuffer, LengthBody
from collectors.proxy.head import CHUNKED, RequestHead, parse_request_head
from collectors.proxy.metrics import IDLED, TURNED_FULL, TURNED_PEER
from collectors.proxy.refusals import TOO_MANY_CONNECTIONS
from collectors.proxy.routes import stray
from collectors.proxy.timeouts import LINGER_BYTES, LINGER_NS, PRESSED_NS
from collectors.proxy.verdicts import BadMessage, Refusal

if TYPE_CHECKING:
    from collectors.proxy.hub import Hub

#: Requests sent ahead that are answered at once before others have their turn.
_AT_ONCE = 16
#: How long an answer may take to leave a connection that is being closed.
_FLUSH_NS = 30_000_000_000
_OWN_PATHS = b"/-/"
_OWN_PAGES = Entry.OWN_PAGES
_NO = b"HTTP/1.1 %b\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
#: Who is turned away: what counts it, and the answer.
_TURNED_AWAY = {
    Entry.FULL: (TURNED_FULL, _NO % b"503 Service Unavailable"),
    Entry.PEER_FULL: (TURNED_PEER, _NO % b"429 Too Many Requests"),
}
#: In place of the head of a request that has no readable one.
_UNREADABLE = RequestHead("", b"", 1, ([], {}, {}))
_UNREADABLE_HEAD = RequestHead("HEAD", b"", 1, ([], {}, {}))


class CallerProtocol(asyncio.Protocol):
    """One connection of the platform (outbound) or of a partner (inbound)."""

    def __init__(self, hub: "Hub", direction: Direction, announced: str | None = None) -> None:
        # For the worker's life.
        self._hub = hub
        self._direction = direction
        self._has_own_pages = direction == Direction.OUTBOUND
        self._caps = caps = hub.caps
        self._crowd = hub.crowds[direction]
        # For the connection's life; the transport and its reading half are made with it.
        self._transport: asyncio.Transport
        self.reading: Reading
        self._writing: Writing
        self.write: Callable[[bytes], None]  # hands bytes of an answer to the caller
        self.door: Door
        self._announced = announced  # by a load balancer: who is at its other end
        self._entry = Entry.FULL
        self._heads = HeadBuffer(line_bytes=caps.line_bytes, head_bytes=caps.head_bytes)
        self._since_ns = monotonic_ns()  # of its last request, or of what it does now
        self._ahead = b""
        self._ended = False  # the caller sends nothing more
        self._full = False  # the caller does not keep up with reading
        self._closing = False  # nothing more is read, except to let the answer through
        self._lingered = 0
        self._advancing = False
        self._resting = False  # it goes on in a moment
        # For one exchange.
        self._exchange: LiveExchange | None = None
        self._body: Body | None = None  # what of the request's body is still to come

    # What the transport tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A caller connected."""
        self._transport = cast(asyncio.Transport, transport)
        self.reading = Reading(self._transport)
        self._writing = Writing(self._transport, self._hub.outbox)
        self.write = self._writing.write
        peer = self._announced or str((transport.get_extra_info("peername") or ("unknown",))[0])
        secure = transport.get_extra_info("sslcontext") is not None
        self.door = door = self._hub.doors.door(peer, secure=secure)
        # Many callers come by one load balancer, so it is not one peer.
        self._entry = entry = self._crowd.enter(door.peer, alone=not door.trusted)
        if entry in _TURNED_AWAY:
            self._turn_away(entry)
            return
        self._hub.callers.add(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of requests."""
        if self._closing:
            self._linger(len(data))
            return
        self._ahead = self._ahead + data if self._ahead else data
        self._advance()

    def eof_received(self) -> bool:
        """The caller sends nothing more; True: it still gets the answers it waits for."""
        self._ended = True
        self._writing.flush()  # an answer of this turn, before the transport closes itself
        if self._resting:
            return True
        if self._exchange is None or self._closing:
            self._writing.flush()  # an answer of this very turn, before the transport closes
            return False
        return self._body is None or self._exchange.caller_ended()

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller is gone."""
        self._closing = True
        if self._entry not in _TURNED_AWAY:
            self._crowd.leave(self.door.peer)
        self._hub.callers.discard(self)
        if self._exchange is not None:
            self._exchange.caller_gone()

    def pause_writing(self) -> None:
        """The caller reads slowly."""
        self._full = True
        if self._exchange is not None:
            self._exchange.caller_full(True)

    def resume_writing(self) -> None:
        """The caller has caught up."""
        self._full = False
        if self._exchange is not None:
            self._exchange.caller_full(False)
        else:
            self._advance()

    # What the exchange asks for.

    @property
    def has_ahead(self) -> bool:
        """Whether more of what the caller sent is here, and will be read at once."""
        return bool(self._ahead) and self._advancing

    def switch(self, passage: Body) -> None:
        """Give all that comes to `passage` from here on, first what was sent ahead."""
        self._body = passage
        self.reading.release(PIPELINE_FULL)
        self._advance()

    def finished(self, *, keep: bool) -> None:
        """The exchange is over and its answer handed on; `keep`: another request may follow."""
        unread = self._body is not None
        self._forget_exchange()
        if not keep:
            self._close(unread=unread)
            return
        self._since_ns = monotonic_ns()
        if self._ahead or self._ended:
            self._advance()

    def cut(self, *, hard: bool) -> None:
        """The exchange is over without a whole answer, and the caller must notice.

        `hard` where the end of the connection would look like the end of the answer.
        """
        self._forget_exchange()
        self._closing = True
        self._since_ns = monotonic_ns()
        if hard:
            self._writing.reset()
        else:
            self._writing.close()

    # What the worker asks for.

    def check(self, now_ns: int) -> None:
        """Close it if it has been doing nothing for too long."""
        if self._exchange is not None:
            return
        still_ns = now_ns - self._since_ns
        if self._closing:
            self._end_closing(still_ns)
        elif self._heads.held and still_ns > self._caps.head_ns:
            self._refuse(REQUEST_TIMEOUT, "the head did not arrive in time")
        elif still_ns > self._caps.idle_ns or (self._crowd.pressed and still_ns > PRESSED_NS):
            self._hub.counts[IDLED] += 1
            self._close(unread=False)

    def retire(self) -> None:
        """The worker stops: go unless a request or its answer is under way."""
        if self._exchange is None and not self._heads.held and not self._closing:
            self._writing.close()

    # Inside.

    def _advance(self) -> None:
        """Go on with what has arrived, as far as it goes."""
        if self._advancing:
            return
        self._advancing, self._resting = True, False
        turns = 0
        try:
            while self._ahead and not self._closing:
                if self._exchange is None:
                    if self._full:  # the answers before it must leave first
                        break
                    turns += 1
                    if turns > _AT_ONCE:  # others have their turn in between
                        self._resting = True
                        asyncio.get_running_loop().call_soon(self._advance)
                        break
                    self._read_head()
                elif self._body is not None:
                    self._read_body(self._exchange, self._body)
                else:
                    break
            if len(self._ahead) > self._caps.pipeline_bytes:
                self.reading.hold(PIPELINE_FULL)
        except BadMessage as bad:
            self._refuse(bad.code, bad.detail)
        finally:
            self._advancing = False
        if self._ended and not self._resting:
            self._advance_to_the_end()

    def _advance_to_the_end(self) -> None:
        """Nothing more comes: close once all is answered, give up what never becomes whole."""
        if self._exchange is None:
            if not self._full:
                self._close(unread=False)
        elif self._body is not None and not self._closing:
            self._exchange.caller_ended()

    def _read_head(self) -> None:
        if self.reading.holds:
            self.reading.release(PIPELINE_FULL)
        data, self._ahead = self._ahead, b""
        if not self._heads.held:
            self._since_ns = monotonic_ns()
        whole = self._heads.feed(data)
        if whole is None:
            return
        raw, self._ahead = whole
        try:
            head = parse_request_head(raw, self._caps.head_fields)
        except BadMessage as bad:
            is_head = raw.startswith(b"HEAD ")
            self._refuse(bad.code, bad.detail, _UNREADABLE_HEAD if is_head else _UNREADABLE)
            return
        if self._has_own_pages and head.path.startswith(_OWN_PATHS):
            self._answer_own(head)
        elif self._entry is _OWN_PAGES:
            self._refuse(TOO_MANY_CONNECTIONS, "only the proxy's own pages", head)
        else:
            self._begin(head)

    def _begin(self, head: RequestHead) -> None:
        hub = self._hub
        found, verdict = decide(hub.router, hub.house, self._direction, head)
        exchange = self._exchange = LiveExchange(hub, self, head, found)
        length = head.body_length
        self._body = None
        if length:
            chunked = length == CHUNKED
            framing = self._caps.chunk_framing_bytes
            self._body = ChunkedBody(framing) if chunked else LengthBody(length)
        if isinstance(verdict, Refusal):
            exchange.fail(*verdict)
        else:
            exchange.begin(verdict)

    def _read_body(self, exchange: LiveExchange, body: Body) -> None:
        data, self._ahead = self._ahead, b""
        found, self._ahead = body.feed(data)
        if body.done:
            self._body = None
        if found or body.done:
            exchange.request_data(found, done=body.done)

    def _answer_own(self, head: RequestHead) -> None:
        """Answer one of the proxy's own pages; they have no body to read and are not recorded."""
        keep = head.persistent and head.body_length == 0 and not self._hub.draining
        self.write(self._hub.own_page(head.method, head.path, close=not keep))
        if not keep:
            self._close(unread=head.body_length != 0)

    def _refuse(self, code: str, detail: str, head: RequestHead = _UNREADABLE) -> None:
        """End the exchange that a malformed message belongs to, or begin one to refuse it."""
        if self._exchange is None:
            self._exchange = LiveExchange(self._hub, self, head, stray(self._direction))
            self._body = ChunkedBody()  # wherever it ends, it is not found
            self._exchange.request_done = False
        self._exchange.fail(code, detail)

    def _turn_away(self, entry: Entry) -> None:
        """Say no and end, with nothing read and nothing recorded but a count."""
        self._closing = True
        self._hub.counts[_TURNED_AWAY[entry][0]] += 1
        self._transport.write(_TURNED_AWAY[entry][1])
        self._transport.close()

    def _forget_exchange(self) -> None:
        self._exchange = None
        self._body = None
        if self.reading.holds:
            self.reading.release(OTHER_SIDE_FULL | NOT_CONNECTED)

    def _close(self, *, unread: bool) -> None:
        """No further request; `unread`: let the caller see its answer before the reset that
        unread bytes would cause."""
        self._closing = True
        self._since_ns = monotonic_ns()
        self._ahead = b""
        self.reading.release(PIPELINE_FULL)
        if unread and not self._ended and not self._transport.is_closing():
            self._writing.end()
        else:
            self._writing.close()

    def _linger(self, size: int) -> None:
        self._lingered += size
        if self._lingered > LINGER_BYTES:
            self._writing.close()

    def _end_closing(self, still_ns: int) -> None:
        if self._transport.is_closing():
            if still_ns > _FLUSH_NS:
                self._writing.abort()
        elif still_ns > LINGER_NS:
            self._writing.close()
