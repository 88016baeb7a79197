"""A stage for the proxy: scripted upstreams, a raw caller, a journal with memory."""

import asyncio
import dataclasses
import hashlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from app.domain.route import Limits, Route, RouteTable, Timeouts, encode_table
from app.domain.words import Direction
from app.settings import Bind, Settings, load
from collectors.proxy.hub import Hub
from collectors.proxy.server import Server
from collectors.record import Exchange, Loss

TOKEN = b"partner-token"
TOKEN_SHA256 = hashlib.sha256(TOKEN).hexdigest()
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def run(coro: Coroutine[Any, Any, Any], timeout: float = 30) -> Any:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(asyncio.wait_for(coro, timeout))


async def until(condition: Callable[[], object], timeout: float = 10) -> None:
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(0.005)


class FakeJournal:
    """Remembers what it took; refuses while `full`; tells `watch` before each record."""

    def __init__(self) -> None:
        self.full = False
        self.exchanges: list[Exchange] = []
        self.losses: list[Loss] = []
        self.refused = 0
        self.watch: Callable[[Exchange], None] = lambda _: None

    def append(self, frame_type: int, payload: bytes) -> bool:
        if self.full:
            self.refused += 1
            return False
        if frame_type == 1:
            exchange = msgspec.msgpack.decode(payload, type=Exchange)
            self.watch(exchange)
            self.exchanges.append(exchange)
        else:
            self.losses.append(msgspec.msgpack.decode(payload, type=Loss))
        return True

    def append_all(self, frame_type: int, payloads: Sequence[bytes]) -> list[bool]:
        return [self.append(frame_type, payload) for payload in payloads]

    async def record(self, number: int = 0) -> Exchange:
        await until(lambda: len(self.exchanges) > number)
        return self.exchanges[number]


Handler = Callable[["Upstream", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Upstream:
    """A raw server that runs `handler` on each connection and keeps what it was sent."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.closed = 0
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, tls: ssl.SSLContext | None = None) -> asyncio.Server:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self.handler(self, reader, writer)
        finally:
            self.closed += 1
            self._tasks.discard(task)
            writer.close()

    def cancel(self) -> None:
        for task in list(self._tasks):
            task.cancel()

    async def request(self, reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
        """The next whole request."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        fields = parse_fields(head)
        body = await read_body(reader, fields, none=b"")
        self.bodies.append(body)
        return head, body


def answering(*answers: bytes) -> Handler:
    """Answers each request on a connection with the next of `answers`, the last for ever."""

    async def handler(
        up: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        queue = list(answers)
        while True:
            await up.request(reader)
            writer.write(queue.pop(0) if len(queue) > 1 else queue[0])
            await writer.drain()

    return handler


def once(answer: bytes) -> Handler:
    """Reads one request, answers and closes."""

    async def handler(
        up: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await up.request(reader)
        writer.write(answer)
        await writer.drain()

    return handler


def parse_fields(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines if line)}


async def read_body(
    reader: asyncio.StreamReader, fields: dict[str, str], none: bytes | None = None
) -> bytes:
    if fields.get("transfer-encoding") == "chunked":
        found = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            found += (await reader.readexactly(size + 2))[:-2]
        await reader.readexactly(2)
        return found
    if "content-length" in fields:
        return await reader.readexactly(int(fields["content-length"]))
    return await reader.read() if none is None else none


@dataclasses.dataclass
class Answer:
    status: int
    fields: dict[str, str]
    body: bytes
    head: bytes

    @property
    def exchange(self) -> str:
        return self.fields["midspan-exchange"]


class Caller:
    """A raw client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self, *, bodiless: bool = False) -> Answer:
        head = await self.reader.readuntil(b"\r\n\r\n")
        fields = parse_fields(head)
        status = int(head.split(b" ", 2)[1])
        no_body = bodiless or status in (204, 304) or status < 200
        body = b"" if no_body else await read_body(self.reader, fields)
        return Answer(status, fields, body, head)

    async def get(self, path: str, *lines: str) -> Answer:
        self.send(request("GET", path, *lines))
        return await self.answer()

    async def ended(self) -> bytes:
        """What comes until the connection ends, however it does."""
        found = b""
        with suppress(ConnectionError):
            while data := await self.reader.read(65536):
                found += data
        return found

    def reset(self) -> None:
        reset(self.writer)

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with a reset, as a program that is killed or gives up hard does."""
    own = writer.transport.get_extra_info("socket")
    own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def request(method: str, path: str, *lines: str, body: bytes = b"") -> bytes:
    fields = [f"{method} {path} HTTP/1.1", "Host: midspan.test", *lines]
    if body:
        fields.append(f"Content-Length: {len(body)}")
    return "\r\n".join(fields).encode("latin-1") + b"\r\n\r\n" + body


class Stage:
    """A running proxy between callers and upstreams, in this loop."""

    def __init__(self, settings: Settings, server: Server, journal: FakeJournal) -> None:
        self.settings = settings
        self.server = server
        self.hub = server.hub
        self.journal = journal
        self._callers: list[Caller] = []

    async def caller(self, direction: Direction = Direction.OUTBOUND) -> Caller:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.ports[direction])
        self._callers.append(Caller(reader, writer))
        return self._callers[-1]

    async def close(self) -> None:
        for caller in self._callers:
            await caller.close()

    @property
    def totals(self) -> tuple[int, int, int]:
        """(proxied, recorded, shed)."""
        c = self.hub.counts
        return c[0] + c[1], c[2] + c[3], c[4] + c[5]


def settings_of(home: Path, **changes: Any) -> Settings:
    base = load({"MIDSPAN_HOME": str(home), "MIDSPAN_CAPTURE_RATIO": "0"}, home / "none.env")
    any_port = Bind("127.0.0.1", 0)
    return dataclasses.replace(
        base, **{"outbound_bind": any_port, "inbound_bind": any_port, **changes}
    )


def table_of(*routes: Route, platform: str | None = None, revision: int = 1) -> RouteTable:
    return RouteTable(revision, "Acme", platform, routes)


def route_to(port: int, *, scheme: str = "http", host: str = "127.0.0.1", **changes: Any) -> Route:
    base = Route(
        integration="globex",
        partner="globex",
        api_base_url=f"{scheme}://{host}:{port}",
        webhook_url=f"{scheme}://{host}:{port}/hook",
        allow_private_addresses=True,
        breaker=None,  # many tests fail on purpose, again and again
    )
    return dataclasses.replace(base, **changes)


def publish(settings: Settings, table: RouteTable) -> None:
    fresh = settings.routes_path.with_suffix(".new")
    fresh.write_bytes(encode_table(table))
    fresh.rename(settings.routes_path)


@asynccontextmanager
async def staged(
    home: Path,
    handler: Handler | None = None,
    *,
    tls_server: ssl.SSLContext | None = None,
    tls_client: ssl.SSLContext | None = None,
    timeouts: Timeouts | None = None,
    limits: Limits | None = None,
    route: dict[str, Any] | None = None,
    changes: dict[str, Any] | None = None,
) -> AsyncIterator[tuple[Stage, Upstream]]:
    """A proxy with one integration, `globex`, whose upstream (and the platform) is `handler`."""
    up = Upstream(handler or answering(OK))
    listening = await up.serve(tls_server)
    settings = settings_of(home, **(changes or {}))
    base = route_to(up.port, **(route or {}))
    base = dataclasses.replace(
        base, timeouts=timeouts or base.timeouts, limits=limits or base.limits
    )
    publish(settings, table_of(base, platform=f"http://127.0.0.1:{up.port}"))
    journal = FakeJournal()
    server = Server(Hub(settings, journal, tls=tls_client), settings)
    await server.start()
    stage = Stage(settings, server, journal)
    try:
        yield stage, up
    finally:
        await stage.close()
        await server.stop(grace_s=0.2)
        up.cancel()
        listening.close()
        await listening.wait_closed()
