"""A proxy between a raw sender and an upstream that writes down every byte, over real sockets."""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.domain.route import Timeouts
from app.domain.words import Direction, Outcome
from collectors.proxy.hub import Hub
from collectors.proxy.server import Server
from collectors.record import Exchange
from tests.collectors.proxy.hostile import oracle
from tests.collectors.proxy.hostile.oracle import Message, Reading, Refused
from tests.collectors.proxy.kit import FakeJournal, publish, route_to, settings_of, table_of

_PATIENCE_S = 10
_TLS = ssl.create_default_context()  # made once, because it is slow to make
#: What the proxy may add to a head that is just within the limits.
_SPARE = 512


class Recorder(asyncio.Protocol):
    """One connection of the upstream: reads with the oracle, and answers what is whole."""

    def __init__(self, heard: "Heard") -> None:
        self.heard = heard
        self.held = b""

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.heard.open.add(self)

    def data_received(self, data: bytes) -> None:
        self.held += data
        reading = oracle.requests(self.held, spare=_SPARE)
        if any(isinstance(item, Refused) for item in reading.items):
            self.heard.unsound.append(self.held)
        for item in reading.items:
            if isinstance(item, Message):
                self.heard.messages.append(item)
                self.transport.write(answer_to(item))
        if not reading.left:
            self.held = b""
        elif reading.items:
            self.heard.unsound.append(self.held)  # a request before the one before was answered

    def connection_lost(self, exc) -> None:
        self.heard.open.discard(self)
        if self.held:
            self.heard.partial.append(self.held)


@dataclass
class Heard:
    """What an upstream was sent: whole requests, what was cut off, and what was not HTTP."""

    messages: list[Message] = field(default_factory=list)
    partial: list[bytes] = field(default_factory=list)
    unsound: list[bytes] = field(default_factory=list)
    open: set[Recorder] = field(default_factory=set)

    @property
    def still(self) -> bool:
        return not any(connection.held for connection in self.open)


def answer_to(message: Message) -> bytes:
    method, target, _ = message.start
    body = b"%b %b %d" % (method, target, len(message.body))
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    return head if method == b"HEAD" else head + body


class World:
    """One proxy with its upstream and its journal, sent to at one of its two listeners."""

    def __init__(
        self, server: Server, heard: Heard, journal: FakeJournal, direction: Direction
    ) -> None:
        self.server, self.heard, self.journal = server, heard, journal
        self.direction = direction

    async def send(self, pieces: list[bytes]) -> bytes:
        """All that comes back on a fresh connection that sends `pieces` and ends its side."""
        loop = asyncio.get_running_loop()
        with socket.socket() as own:
            own.setblocking(False)
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(own, ("127.0.0.1", self.server.ports[self.direction]))
            try:
                for piece in pieces:
                    if len(piece) > 1:
                        await loop.sock_sendall(own, piece)
                    else:
                        own.send(piece)
                    await asyncio.sleep(0)  # the proxy reads it before the next one is sent
                own.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # the proxy has heard enough; its answer is still to be read
            found = b""
            async with asyncio.timeout(_PATIENCE_S):
                while data := await _received(own):
                    found += data
                while self.server.hub.live or not self.heard.still:
                    await asyncio.sleep(0)
            return found

    async def _recover(self) -> None:
        """End what does not end by itself, so that the next stream meets a world at rest."""
        for exchange in list(self.server.hub.live):
            exchange.fail("proxy_stopped", "")
        while self.server.hub.live or not self.heard.still:
            for connection in list(self.heard.open):
                connection.transport.abort()
            await asyncio.sleep(0.01)

    async def differences(self, stream: bytes, pieces: list[bytes]) -> list[str]:
        """How what was heard, recorded and answered differs from what the oracle reads."""
        heard, journal = self.heard, self.journal
        heard.messages, heard.partial, heard.unsound = [], [], []
        journal.exchanges.clear()
        try:
            returned = await self.send(pieces)
        except TimeoutError:
            await self._recover()
            return ["no end"]
        expected = Expected(oracle.requests(stream), self.direction)
        methods = [method for method, _ in expected.answers]
        answers = oracle.answers(returned, methods)
        return [
            difference
            for difference in (
                expected.unlike_heard(heard),
                expected.unlike_recorded(journal.exchanges),
                expected.unlike_answered(answers),
            )
            if difference
        ]


def singly(stream: bytes) -> list[bytes]:
    """The stream byte by byte; only a long run of one byte, mere filler, stays in one piece."""
    return [piece[0] for piece in re.finditer(rb"(.)\1{63,}|.", stream, re.DOTALL)]


async def _received(own: socket.socket) -> bytes:
    try:
        return await asyncio.get_running_loop().sock_recv(own, 65536)
    except ConnectionError:
        return b""


Statuses = frozenset[int]


class Expected:
    """What must become of a stream, by its reading and the one route there is each way."""

    def __init__(self, reading: Reading, direction: Direction) -> None:
        self._direction = direction
        self.passed: list[tuple[Message, bytes]] = []
        self.cut: tuple[Message, bytes] | None = None
        #: Of each answer, the method it answers and the statuses it may have.
        self.answers: list[tuple[bytes, Statuses]] = []
        #: (method or None, recorded path or None, outcome, bytes of the body or None)
        self.records: list[tuple[bytes | None, str | None, Outcome, int | None]] = []
        self.doubtful = False
        if self._walk(reading.items):
            self._end(reading)

    def _walk(self, items: list[Message | Refused]) -> bool:
        """Whether whatever stands behind `items` is read."""
        for item in items:
            if isinstance(item, Refused):
                self._refused(item)
                return False
            if not self._message(item):
                return False
        return True

    def _refused(self, item: Refused) -> None:
        method = item.message.start[0] if item.message else b""
        status, _, way = self._route(item.message) if item.message else (0, "", b"")
        if item.message is None or item.message.whole:
            self.answers.append((method, item.statuses))
            self.records.append((None, None, Outcome.REJECTED, None))
        elif status:  # refused for where it goes before its body is looked at
            self._turned_away(item.message, status)
        else:
            self.answers.append((method, item.statuses))
            self.records.append((method, None, Outcome.REJECTED, None))
            self.cut = (item.message, way)

    def _message(self, message: Message) -> bool:
        status, path, target = self._route(message)
        bodiless = not (message.body or message.chunked)
        if status:
            self._turned_away(message, status)
            return bodiless and message.persistent and status != 400
        self.passed.append((message, target))
        self.answers.append((message.start[0], frozenset({200})))
        record = (message.start[0], path, Outcome.OK, len(message.body))
        self.records.append(record)
        return message.persistent

    def _turned_away(self, message: Message, status: int) -> None:
        self.answers.append((message.start[0], frozenset({status})))
        if self._direction == Direction.INBOUND or not message.start[1].startswith(b"/-/"):
            self.records.append((message.start[0], None, Outcome.REJECTED, None))

    def _end(self, reading: Reading) -> None:
        self.doubtful = reading.doubtful
        if reading.partial is None:
            return
        status, path, target = self._route(reading.partial)
        if status:
            self._turned_away(reading.partial, status)
        else:
            self.records.append((reading.partial.start[0], path, Outcome.ABORTED, None))
            self.cut = (reading.partial, target)

    def _route(self, message: Message) -> tuple[int, str, bytes]:
        """(status it is answered with if it goes nowhere, path to be recorded, target upstream)."""
        if self._direction == Direction.OUTBOUND:
            found = _outbound(message)
        else:
            path, _, query = message.start[1].partition(b"?")
            found = 0, path.decode("latin-1"), path + (b"?" + query if query else b"")
        if found[0] == 0 and oracle.forwards(message) == 0:
            return 200, "", b""
        return found

    def unlike_heard(self, heard: Heard) -> str:
        if heard.unsound:
            return f"unsound bytes upstream: {heard.unsound[0]!r}"
        if len(heard.messages) != len(self.passed):
            return f"{len(heard.messages)} requests upstream, {len(self.passed)} expected"
        for got, (sent, target) in zip(heard.messages, self.passed, strict=True):
            if difference := _unlike(got, sent, target):
                return difference
        for raw in heard.partial:
            part = oracle.requests(raw, spare=_SPARE)
            if self.cut is None:
                return f"half a request upstream: {raw!r}"
            if part.partial and not self.cut[0].body.startswith(part.partial.body):
                return f"other bytes upstream than were sent: {raw!r}"
        return ""

    def unlike_recorded(self, records: list[Exchange]) -> str:
        found, wanted = list(records), list(self.records)
        if self.doubtful and len(found) == len(wanted) + 1:
            wanted.append((None, None, Outcome.REJECTED, None))
        if len(found) != len(wanted):
            return f"{len(found)} records, {len(wanted)} expected: {found}"
        for got, (method, path, outcome, size) in zip(found, wanted, strict=True):
            if got.outcome != outcome:
                return f"recorded as {got.outcome!r} {got.error}, not {outcome!r}"
            if method is not None and got.method != method.decode():
                return f"recorded as {got.method}"
            if path is not None and got.path != path[:2048]:
                return f"recorded under {got.path}"
            if size is not None and (got.request_bytes, got.status) != (size, 200):
                return f"recorded with {got.request_bytes} bytes and status {got.status}"
        return ""

    def unlike_answered(self, reading: Reading) -> str:
        found = [item for item in reading.items if isinstance(item, Message)]
        if len(found) != len(reading.items) or reading.left:
            return "an unsound answer"
        rest = oracle.answers(reading.rest, [b"GET"])
        if self.doubtful and not rest.left and len(rest.items) <= 1:
            reading.rest = b""
        if len(found) != len(self.answers) or reading.rest:
            return f"{len(found)} answers, {len(self.answers)} expected, then {reading.rest!r}"
        passed = iter(self.passed)
        for got, (method, statuses) in zip(found, self.answers, strict=True):
            if int(got.start[1]) not in statuses:
                return f"answered {got.start[1]!r}, not {sorted(statuses)}"
            own = b"midspan-outcome" in dict(got.fields)
            if statuses == {200} and b"midspan-exchange" in dict(got.fields) and not own:
                sent, target = next(passed)
                body = b"%b %b %d" % (method, target, len(sent.body))
                if got.body != (b"" if method == b"HEAD" else body):
                    return f"another request's answer: {got.body!r}"
        return ""


def _unlike(got: Message, sent: Message, target: bytes) -> str:
    if got.start != (sent.start[0], target, b"HTTP/1.1"):
        return f"sent on as {got.start}"
    if (got.body, got.chunked) != (sent.body, sent.chunked):
        return f"sent on with the body {got.body!r}, chunked {got.chunked}"
    if oracle.end_to_end(got) != oracle.passed_on(sent):
        return f"sent on with {oracle.end_to_end(got)}, not {oracle.passed_on(sent)}"
    if [name for name, _ in got.fields].count(b"via") < 1:
        return "sent on without Via"
    return ""


def _outbound(message: Message) -> tuple[int, str, bytes]:
    """See `Expected._route`."""
    method, target, _ = message.start
    path, _, query = target.partition(b"?")
    if path.startswith(b"/-/"):
        known = path in (b"/-/livez", b"/-/readyz", b"/-/metrics")
        return (200 if known else 404) if method in (b"GET", b"HEAD") else 405, "", b""
    slug, slash, tail = path[1:].partition(b"/")
    rest = slash + tail
    if slug != b"g":
        return 404, "", b""
    if rest.startswith(b"/-/"):
        if not rest.startswith(b"/-/webhooks/") or rest == b"/-/webhooks/":
            return 404, "", b""
        sent = b"/hook" + (b"?" + query if query else b"")
        return (0 if method == b"POST" else 405), rest.decode("latin-1"), sent
    if rest.startswith(b"//"):
        return 400, "", b""
    sent = (rest or b"/") + (b"?" + query if query else b"")
    return 0, (rest or b"/").decode("latin-1"), sent


@asynccontextmanager
async def world(home: Path, direction: Direction = Direction.OUTBOUND) -> AsyncIterator[World]:
    """A running world; its files lie in `home`."""
    home.mkdir()
    heard = Heard()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Recorder(heard), "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    settings = settings_of(home)
    # What is told apart here is messages: a busy machine may take its time to connect.
    patient = Timeouts(connect_ms=30_000, first_byte_ms=30_000)
    route = route_to(port, integration="g", timeouts=patient)
    publish(settings, table_of(route, platform=f"http://127.0.0.1:{port}"))
    journal = FakeJournal()
    server = Server(Hub(settings, journal, tls=_TLS), settings)
    await server.start()
    try:
        yield World(server, heard, journal, direction)
    finally:
        await server.stop(grace_s=0.2)
        listening.close()
