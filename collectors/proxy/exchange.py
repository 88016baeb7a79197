"""One live exchange: what becomes of a routed request, from its head to its record.

The caller's connection and the upstream's tell it what happened (`request_data`, `answer_head`,
`link_lost`, ...), it tells them what to do. It ends once, in `_settle`, which writes the record;
only then are the last bytes handed to the caller. Everything here happens at once, in the event
that caused it; dialling is the one thing waited for.
"""

import asyncio
from time import monotonic_ns, time_ns
from typing import TYPE_CHECKING

from app.domain import ids
from app.domain.outcome import outcome_of_status
from app.domain.words import Outcome
from collectors.proxy import emit, errors, passage, tunnel
from collectors.proxy.admission import body_refusal
from collectors.proxy.answers import problem
from collectors.proxy.context import NOTHING, read_context, read_trace
from collectors.proxy.dial import Spent
from collectors.proxy.flow import NOT_CONNECTED, OTHER_SIDE_FULL
from collectors.proxy.framing import Body
from collectors.proxy.gate import WAITING
from collectors.proxy.head import CHUNKED, TO_END_OF_FILE, RequestHead, ResponseHead
from collectors.proxy.metrics import RETRIED, REUSED, TUNNELS
from collectors.proxy.resolve import DialError
from collectors.proxy.routes import Destination, Routed
from collectors.proxy.timeouts import Progress, Stage
from collectors.proxy.tls import unanswered
from collectors.proxy.verdicts import BadMessage, Refusal
from collectors.record import CAPTURE_BYTES, NOT_REACHED

if TYPE_CHECKING:
    from collectors.proxy.caller import CallerProtocol
    from collectors.proxy.gate import Gate
    from collectors.proxy.hub import Hub
    from collectors.proxy.upstream import UpstreamProtocol

_LOOKING_UP, _CONNECTING, _SENDING, _WAITING, _ANSWERING, _TUNNELLING, _QUEUED = Stage
_NEEDS_US = frozenset({_LOOKING_UP, _CONNECTING, _QUEUED})


class LiveExchange:
    """See the module. Fields that end in `_us` and `_bytes` are what the record says."""

    __slots__ = (
        "_begun", "_caller", "_caller_full", "_dialing", "_framing", "_hex", "_hub", "_keep",
        "_link", "_link_full", "_may_be_stale", "_moved_ns", "_out", "_paced_bytes", "_paced_ns",
        "_pending", "_routed", "_stage", "_stage_ns", "_unsent", "_wire", "answer", "connect_us",
        "context", "destination", "first_byte_us", "gate", "head", "id", "look_ns", "permit",
        "queue_us", "request_bytes", "request_done", "request_start", "response_bytes",
        "response_start", "settled", "started_ns", "started_us", "status", "tls_us", "total_us",
        "trace_id",
    )  # fmt: skip

    def __init__(
        self, hub: "Hub", caller: "CallerProtocol", head: RequestHead, destination: Destination
    ) -> None:
        # Fixed from the start.
        self._hub = hub
        self._caller = caller
        self.started_ns = self._stage_ns = self._moved_ns = monotonic_ns()
        self.started_us = time_ns() // 1000
        self.id = hub.next_id(self.started_us)
        self._hex = self.id.hex()
        self.head = head
        self.destination = destination
        # The way to the upstream.
        self.gate: Gate[LiveExchange] | None = None
        self.permit = 0
        self._routed: Routed | None = None
        self._link: UpstreamProtocol | None = None
        self._dialing: asyncio.Task[None] | None = None
        self._wire = b""  # the request as far as it is known, for a connection that is to come
        self._unsent = b""  # what waits for the body's first part, to leave with it
        self._pending: list[bytes] = []
        self._may_be_stale = False
        # How far it is.
        self._stage = _LOOKING_UP
        self.look_ns = 0  # when a timeout may strike
        self._caller_full = self._link_full = False
        self._paced_ns = self._paced_bytes = 0
        self.request_done = head.body_length == 0
        self.settled = False
        # The answer on its way.
        self.answer: ResponseHead | None = None
        self._out = b""
        self._framing = 0
        self._begun = False
        self._keep = False
        # What the record will say.
        self.context = NOTHING
        self.trace_id = ""
        self.status = 0
        self.queue_us = self.connect_us = self.tls_us = self.first_byte_us = NOT_REACHED
        self.total_us = 0
        self.request_bytes = self.response_bytes = 0
        self.request_start = self.response_start = b""
        hub.live.add(self)

    # From the caller's side.

    def begin(self, routed: Routed) -> None:
        """Write the request anew and send it where it goes; its body follows by `request_data`.

        What may refuse or delay a routed request belongs between this and `proceed`.
        """
        head, found = self.head, self.destination
        self._routed = routed
        self.context = read_context(head, found)
        trace = read_trace(head, self._hex)
        self.trace_id, own = trace.trace_id, trace.lines
        gate = self._hub.gates.of[found.direction].get(found.party.integration)
        if gate is not None and not passage.enter(self, gate):
            return
        own += self._hub.doors.lines(head.special, found.direction, self._caller.door)
        if b"upgrade" in head.special and tunnel.offers(head):
            own += tunnel.UPGRADE_LINES
        opened, via = routed.endpoint.opened, self._hub.house.via
        self._wire = emit.request_head(head, routed.target, opened, own, via)
        if self.permit == WAITING:
            self._enter(_QUEUED)
            if not self.request_done:
                self._caller.reading.hold(NOT_CONNECTED)
        else:
            self.proceed()

    def proceed(self) -> None:
        """Send the request on a connection that waits, or dial. Nothing is asked for before."""
        if self.settled:
            return
        assert self._routed is not None
        origin = self._routed.endpoint.origin
        link = self._hub.take_link(origin)
        if link is None:
            self._dial()
            return
        self.connect_us = 0
        if origin.tls:
            self.tls_us = 0
        self._hub.counts[REUSED] += 1
        self._may_be_stale = True
        self._attach(link, monotonic_ns())
        self.queue_us = (self._stage_ns - self.started_ns) // 1000

    def request_data(self, data: bytes, *, done: bool) -> None:
        """More of the request's body; `done` with its last part."""
        if self.settled:
            return
        self.request_bytes += len(data)
        refused = body_refusal(self.request_bytes, self.destination.party.limits)
        if refused is not None:
            self.fail(refused.code, refused.detail)
            return
        if len(self.request_start) < CAPTURE_BYTES:
            self.request_start += data[: CAPTURE_BYTES - len(self.request_start)]
        if self.head.body_length == CHUNKED:
            data = emit.chunk(data) + (emit.LAST_CHUNK if done else b"")
        self._moved_ns = monotonic_ns()
        self.request_done = done
        if self._link is None:
            self._pending.append(data)
            return
        if self._unsent:
            data, self._unsent = self._unsent + data, b""
        self._link.write(data)
        if done and self._stage == _SENDING:
            self._enter(_WAITING)

    def caller_ended(self) -> bool:
        """The caller sends nothing more in the middle of what it sends; True: it still reads."""
        if self._stage == _TUNNELLING and self._link is not None:
            self._link.end()
            return True
        self.caller_gone()
        return False

    def caller_gone(self) -> None:
        """The caller will read no answer."""
        self.fail(errors.CALLER_GONE, "the caller closed its connection")

    def caller_full(self, full: bool) -> None:
        """Whether the caller reads more slowly than the answer comes."""
        self._caller_full = full
        self._moved_ns = monotonic_ns()
        if self._link is not None:
            self._link.reading.turn(OTHER_SIDE_FULL, held=full)

    # From the upstream's side.

    def looked_up(self) -> None:
        """The upstream's name has addresses; what follows is connecting."""
        if self._stage == _LOOKING_UP:
            self._stage = _CONNECTING  # within the same bound, so `_stage_ns` stays

    def connected(self, link: "UpstreamProtocol", spent: Spent) -> None:
        """The connection that was dialled is there."""
        self._dialing = None
        self.connect_us, self.tls_us = spent
        if link.usable:
            now_ns = monotonic_ns()
            if self.queue_us == NOT_REACHED:
                spent_us = spent.connect_us + max(0, spent.tls_us)
                self.queue_us = max(0, (now_ns - self.started_ns) // 1000 - spent_us)
            self._attach(link, now_ns)
        else:
            self.fail(errors.RESET_BEFORE_ANSWER, "closed as soon as it was there")

    def dial_failed(self, error: DialError) -> None:
        """There will be no connection."""
        self._dialing = None
        self.fail(error.code, error.detail)

    def first_byte(self) -> None:
        """The answer's first byte is here."""
        if self.first_byte_us == NOT_REACHED:
            self.first_byte_us = (monotonic_ns() - self._stage_ns) // 1000

    def interim(self, head: ResponseHead) -> None:
        """An interim answer: `100` was given already, the others are passed on."""
        if head.status != 100 and self.head.minor == 1:
            self._caller.write(emit.interim_head(head))

    def answer_head(self, head: ResponseHead, length: int) -> None:
        """The head of the final answer, and how its body ends."""
        self.answer, self.status = head, head.status
        if length < 0 and length in (CHUNKED, TO_END_OF_FILE):
            length = CHUNKED if self.head.minor == 1 else TO_END_OF_FILE
        self._framing = length
        self._keep = self._may_keep() and length != TO_END_OF_FILE
        own, via = self._id_line(), self._hub.house.via
        self._out = emit.response_head(
            head, length, self.head.minor, close=not self._keep, own=own, via=via
        )
        self._stage = _ANSWERING

    def switch(self, head: ResponseHead) -> Body:
        """The upstream goes on as WebSocket: what its bytes are given to from here on."""
        if self._link is None or not (tunnel.offers(self.head) and tunnel.agrees(head)):
            raise BadMessage(errors.BAD_RESPONSE, "101 without being asked")
        self._hub.counts[TUNNELS] += 1
        self.answer, self.status = head, head.status
        self._begun, self._framing = True, TO_END_OF_FILE
        self._enter(_TUNNELLING)
        own = tunnel.UPGRADE_LINES + self._hub.house.via + self._id_line()
        self._caller.write(emit.switching_head(head, own))
        opened = tunnel.Tunnel(self, self._caller, self._link)
        self._caller.switch(tunnel.Passage(opened.up))
        return tunnel.Passage(opened.down)

    def moved(self) -> None:
        """Bytes moved."""
        self._moved_ns = monotonic_ns()

    def answer_data(self, data: bytes, *, done: bool) -> None:
        """More of the answer's body; `done` with its last part."""
        self.response_bytes += len(data)
        if len(self.response_start) < CAPTURE_BYTES:
            self.response_start += data[: CAPTURE_BYTES - len(self.response_start)]
        if self._framing == CHUNKED:
            data = emit.chunk(data) + (emit.LAST_CHUNK if done else b"")
        data, self._out = self._out + data, b""
        if done:
            self._complete(data)
        elif data:
            self._begun = True
            self._moved_ns = monotonic_ns()
            self._caller.write(data)

    def link_full(self, full: bool) -> None:
        """Whether the upstream reads more slowly than the request comes."""
        self._link_full = full
        self._moved_ns = self._paced_ns = monotonic_ns()
        self._paced_bytes = self.request_bytes
        self._caller.reading.turn(OTHER_SIDE_FULL, held=full)

    def link_lost(self, error: Exception | None, *, begun: bool) -> None:
        """The upstream's connection ended before the answer did; `begun`: after a byte of it."""
        self._link = None
        if begun:
            self.fail(
                errors.RESET_MID_BODY if error else errors.TRUNCATED,
                str(error or "closed too early"),
            )
        elif self._may_be_stale and self.head.repeatable:
            self._may_be_stale = False
            self._hub.counts[RETRIED] += 1
            self._dial()
        else:
            self.fail(unanswered(error), str(error or "closed without an answer"))

    # From the worker.

    def progress(self) -> Progress:
        """What the timeouts are decided on."""
        blocked = self._caller_full, self._link_full
        pace = self._paced_ns, self.request_bytes - self._paced_bytes
        times = self.started_ns, self._stage_ns, self._moved_ns
        return Progress(self._stage, *times, *blocked, *pace)

    def excuse(self, length_ns: int) -> None:
        """The worker stood still so long: a handshake, and the wait for a place, could not go on.
        Other waits need nothing from it."""
        if self._stage in _NEEDS_US:
            self._stage_ns += length_ns

    def fail(self, code: str, detail: str, allow: str = "", retry_after_s: int = 0) -> None:
        """End it with an error: answered if nothing of an answer was passed on yet, else cut."""
        if self.settled:
            return
        entry = errors.ERRORS[code]
        self._drop_link()
        keep = self._may_keep() and (code not in errors.MESSAGE_FAULTS or allow != "")
        self._settle(entry.outcome, code, detail)
        if self._begun or entry.status == 0:
            self._caller.cut(hard=self._framing == TO_END_OF_FILE or code == errors.CALLER_STALLED)
            return
        refusal, direction = Refusal(code, detail, allow, retry_after_s), self.destination.direction
        exchange_id, bodiless = ids.format_hex(self._hex), self.head.method == "HEAD"
        said = problem(refusal, direction, exchange_id, bodiless=bodiless, close=not keep)
        self._caller.write(said)
        self._caller.finished(keep=keep)

    # Inside.

    def _dial(self) -> None:
        assert self._routed is not None
        if not self.request_done:
            self._caller.reading.hold(NOT_CONNECTED)
        self._enter(_LOOKING_UP)
        self._dialing = self._hub.dial(self._routed.endpoint.origin, self)

    def _attach(self, link: "UpstreamProtocol", now_ns: int) -> None:
        self._link = link
        link.exchange = self
        self._stage_ns = self._moved_ns = now_ns
        if self._caller_full:
            link.reading.hold(OTHER_SIDE_FULL)
        if self.request_done and not self._pending:
            self._stage = _WAITING
            link.write(self._wire)
        else:
            self._send_with_body(link)

    def _send_with_body(self, link: "UpstreamProtocol") -> None:
        """Send what there is; a head alone waits for the part of its body that came with it."""
        self._stage = _WAITING if self.request_done else _SENDING
        self._paced_ns, self._paced_bytes = self._stage_ns, self.request_bytes
        if self._pending:
            link.write(self._wire + b"".join(self._pending))
            self._pending.clear()
        elif self._caller.has_ahead:
            self._unsent = self._wire
        else:
            link.write(self._wire)
            if self.head.expects_continue:
                self._caller.write(emit.CONTINUE)
        if not self.request_done:
            self._caller.reading.release(NOT_CONNECTED)

    def _id_line(self) -> bytes:
        return f"Midspan-Exchange: {ids.format_hex(self._hex)}\r\n".encode()

    def _enter(self, stage: Stage) -> None:
        self._stage = stage
        self._stage_ns = self._moved_ns = monotonic_ns()

    def _may_keep(self) -> bool:
        return self.head.persistent and self.request_done and not self._hub.draining

    def _complete(self, last: bytes) -> None:
        outcome, code = outcome_of_status(self.destination.kind, self.status)
        link, self._link = self._link, None
        self._settle(outcome, code, "")
        self._caller.write(last)
        if link is not None:
            link.exchange = None
            self._hub.release_link(link, reusable=self.request_done)
        self._caller.finished(keep=self._keep)

    def _drop_link(self) -> None:
        if self._dialing is not None:
            self._dialing.cancel()
            self._dialing = None
        if self._link is not None:
            self._link.exchange = None
            self._link.abort()
            self._link = None

    def _settle(self, outcome: Outcome, code: str, detail: str) -> None:
        self.settled = True
        now_ns = monotonic_ns()
        self.total_us = (now_ns - self.started_ns) // 1000
        hub = self._hub
        hub.live.discard(self)
        if self._stage == _QUEUED:
            self.queue_us = self.total_us
        hub.tap.record(self, outcome, code, detail)
        if self.gate is not None:
            passage.leave(self, outcome, code, most_ns=hub.longest_hold_ns, now_ns=now_ns)
