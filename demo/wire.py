"""Just enough HTTP/1.1 on asyncio for services that misbehave on purpose, and for their callers.

httptools parses; a message is read whole (bodies here are small). A `Listener` can be closed and
opened again on its port, which is how a partner goes down, and a handler may answer `None`, which
hangs up. `Caller` keeps connections alive and tries once more on a kept connection that died idle.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import NamedTuple, Protocol

import httptools

_CHUNK = 65_536
_CONNECT_S = 5.0

Headers = Mapping[str, str]
_NO_HEADERS: Headers = MappingProxyType({})


class Request(NamedTuple):
    """What a service was asked. Header names are lower case."""

    method: str
    path: str
    headers: Headers
    body: bytes


class Answer(NamedTuple):
    """What a service answers, and what a caller got back."""

    status: int
    body: bytes = b""
    headers: Headers = _NO_HEADERS


class CallFailed(OSError):
    """A call that got no answer from the proxy itself."""


Handler = Callable[[Request], Awaitable[Answer | None]]


class _Parser(Protocol):
    def feed_data(self, data: bytes) -> None:
        """Take bytes off the wire."""

    def should_keep_alive(self) -> bool:
        """Whether the connection may be used again."""


@dataclass(slots=True)
class _Message:
    """What httptools calls back into."""

    url: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    complete: bool = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete = True


async def _read(reader: asyncio.StreamReader, message: _Message, parser: _Parser) -> bool:
    """Fill `message`; False when the other side hung up before its end."""
    while not message.complete:
        data = await reader.read(_CHUNK)
        if not data:
            return False
        parser.feed_data(data)
    return True


class Listener:
    """One service on one port of loopback."""

    def __init__(self, handler: Handler, tls: ssl.SSLContext | None = None) -> None:
        self._handler, self._tls = handler, tls
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()
        self.port = 0

    @property
    def is_open(self) -> bool:
        """Whether connections are taken."""
        return self._server is not None

    async def open(self, port: int = 0) -> int:
        """Listen on `port`, or on the one had before, or on any free one; which it is."""
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", port or self.port, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def close(self) -> None:
        """Refuse connections from now on, and cut those that there are."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for writer in tuple(self._connections):
            writer.transport.abort()
        await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, httptools.HttpParserError):
            pass  # the caller went away or talked nonsense: its connection ends, nothing else
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        message = _Message()
        parser = httptools.HttpRequestParser(message)
        if not await _read(reader, message, parser):
            return False
        method = parser.get_method().decode("ascii")
        asked = Request(method, message.url.decode("latin-1"), message.headers, bytes(message.body))
        answer = await self._handler(asked)
        if answer is None:
            return False
        writer.write(_encode_answer(answer))
        await writer.drain()
        return bool(parser.should_keep_alive())


class Caller:
    """A client of one address that keeps its connections."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._idle: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = deque()

    async def call(
        self, method: str, path: str, headers: Headers, body: bytes = b"", wait_s: float = 70.0
    ) -> Answer:
        """Send one request and read its answer; `CallFailed` when none came in `wait_s`."""
        message = _encode_request(method, path, f"{self._host}:{self._port}", headers, body)
        try:
            async with asyncio.timeout(wait_s):
                return await self._send(message)
        except TimeoutError as error:
            raise CallFailed(f"no answer in {wait_s:.0f} s") from error
        except httptools.HttpParserError as error:
            raise CallFailed(f"not HTTP: {error}") from error

    async def _send(self, message: bytes) -> Answer:
        while self._idle:
            answer = await self._exchange(*self._idle.pop(), message)
            if answer is not None:
                return answer
        try:
            async with asyncio.timeout(_CONNECT_S):
                streams = await asyncio.open_connection(self._host, self._port)
        except OSError as error:
            raise CallFailed(f"cannot connect to {self._host}:{self._port}: {error}") from error
        answer = await self._exchange(*streams, message)
        if answer is None:
            raise CallFailed("the connection was closed without an answer")
        return answer

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes
    ) -> Answer | None:
        """One request on one connection; None when it died before answering."""
        message = _Message()
        parser = httptools.HttpResponseParser(message)
        kept = False
        try:
            writer.write(data)
            if not await _read(reader, message, parser):
                return None
            kept = bool(parser.should_keep_alive())
            return Answer(parser.get_status_code(), bytes(message.body), message.headers)
        except OSError:
            return None
        finally:
            if kept:
                self._idle.append((reader, writer))
            else:
                writer.close()

    def close(self) -> None:
        """Drop the kept connections."""
        while self._idle:
            self._idle.pop()[1].close()


def _encode_answer(answer: Answer) -> bytes:
    reason = HTTPStatus(answer.status).phrase
    given = {"Content-Type": "application/json", **answer.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    length = "" if answer.status == 204 else f"Content-Length: {len(answer.body)}\r\n"
    return f"HTTP/1.1 {answer.status} {reason}\r\n{head}{length}\r\n".encode("latin-1") + (
        b"" if answer.status == 204 else answer.body
    )


def _encode_request(method: str, path: str, host: str, headers: Headers, body: bytes) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{head}{length}\r\n".encode("latin-1") + body
    )
