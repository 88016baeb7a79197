"""A load generator that remembers what it was answered: the truth the store is held against.

Every request carries a nonce of its own in its path and is sent once, never retried. A request is
`answered` only when its whole answer, by Content-Length, has arrived.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

_LIMIT_S = 30.0


@dataclass(slots=True)
class Answer:
    """One request as its sender saw it. Times are `time.perf_counter()` seconds."""

    nonce: int
    path: str
    status: int = 0  # 0: no complete answer
    exchange: str = ""
    sent_s: float = 0.0
    done_s: float = 0.0


@dataclass(slots=True)
class Ledger:
    """Everything sent and what came of it."""

    answers: list[Answer] = field(default_factory=list)

    def answered(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.status]


class Connection:
    """One keep-alive connection to the proxy; reconnects when it is gone."""

    def __init__(self, host: str, port: int) -> None:
        self._where = (host, port)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, answer: Answer, headers: str = "") -> None:
        """Send one GET and fill in what came back; any failure leaves status 0."""
        answer.sent_s = time.perf_counter()
        try:
            async with asyncio.timeout(_LIMIT_S):
                await self._exchange(answer, headers)
        except (OSError, EOFError, ValueError, TimeoutError):
            answer.status = 0
            await self.close()

    async def _exchange(self, answer: Answer, headers: str) -> None:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._where)
        reader, writer = self._streams
        writer.write(f"GET {answer.path} HTTP/1.1\r\nHost: load\r\n{headers}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        fields = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:] if line)
        }
        await reader.readexactly(int(fields["content-length"]))
        answer.done_s = time.perf_counter()
        answer.exchange = fields["midspan-exchange"]
        answer.status = int(head.split(" ", 2)[1])
        if fields.get("connection", "").lower() == "close":
            await self.close()

    async def close(self) -> None:
        if self._streams:
            _, writer = self._streams
            self._streams = None
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


async def drive(
    host: str,
    port: int,
    paths: Iterator[str],
    *,
    connections: int,
    per_second: float | None = None,
    first_nonce: int = 0,
) -> Ledger:
    """Send `paths` (each may hold `{nonce}`) over `connections`, at a steady rate if one is given.

    Without a rate each connection sends its next request as soon as it is answered; with one, a
    request is due at its own time whether or not earlier ones were answered (open loop).
    """
    ledger = Ledger()
    due = _pace(paths, per_second)
    lock = asyncio.Lock()

    async def work() -> None:
        connection = Connection(host, port)
        while True:
            async with lock:
                path = await anext(due, None)
                if path is None:
                    break
                nonce = first_nonce + len(ledger.answers)
                answer = Answer(nonce, path.replace("{nonce}", str(nonce)))
                ledger.answers.append(answer)
            await connection.exchange(answer)
            if not answer.status:
                await asyncio.sleep(0.02)
        await connection.close()

    await asyncio.gather(*(work() for _ in range(connections)))
    return ledger


async def _pace(paths: Iterator[str], per_second: float | None) -> AsyncIterator[str]:
    begun = time.perf_counter()
    for count, path in enumerate(paths):
        if per_second:
            wait_s = begun + count / per_second - time.perf_counter()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
        yield path
