"""What a proxy worker keeps in memory: after many exchanges, with idle callers, under big bodies.

Three plays, each on a fresh worker. `MINUTES` as first argument bounds the first one (10 unless it
is given): mixed exchanges until five million are done or the time is up. Then ten thousand idle
connections; then a gibibyte each way past a reader of one mebibyte a second, of which `SECONDS`
are watched, and the rest is read at full speed.
"""

import asyncio
import itertools
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.common import report
from bench.load import drive
from bench.restarts import Proxy
from bench.stack import Upstream

MIB = 1 << 20
EXCHANGES = 5_000_000
MINUTES = 10.0
IDLE = 10_000
SLOW_BYTES = 1024 * MIB
SECONDS = 20.0
_MIX = (
    "/acme/s/200/b/500", "/acme/s/200/b/500", "/acme/s/200/b/10240", "/acme/s/404/b/100",
    "/acme/s/500/b/100", "/acme/n/{nonce}", "/nobody/{nonce}",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Growth:
    """Resident memory of a worker, in MiB: before, at its highest since, and after `count`."""

    count: int
    before: float
    highest: float
    after: float


def memory_mib(pid: int, name: str) -> float:
    """`VmRSS` or `VmHWM` of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    raise LookupError(name)


async def exchanges(proxy: Proxy, count: int, seconds: float) -> Growth:
    """Growth over so many mixed exchanges, or as many as fit; the first ones only warm up."""
    paths = itertools.cycle(_MIX)

    async def send(number: int) -> None:
        some = itertools.islice(paths, number)
        await drive("127.0.0.1", proxy.port, some, connections=32)

    await send(min(count // 10, 20_000))
    pid, done, begun = proxy.process.pid, 0, time.monotonic()
    before = memory_mib(pid, "VmRSS")
    while done < count and time.monotonic() - begun < seconds:
        await send(min(5_000, count - done))
        done += 5_000
    return Growth(done, before, memory_mib(pid, "VmHWM"), memory_mib(pid, "VmRSS"))


async def idle(proxy: Proxy, count: int) -> Growth:
    """Growth by callers that stay, half at each listener; outbound ones have asked once.

    A listener takes as many callers as a quarter of the files that its worker may open.
    """
    pid, callers = proxy.process.pid, []
    before = memory_mib(pid, "VmRSS")
    for _ in range(count // 2):
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"GET /-/livez HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"ok\n")
        callers.append(writer)
        callers.append((await asyncio.open_connection("127.0.0.1", proxy.inbound))[1])
    await asyncio.sleep(2)
    grown = Growth(len(callers), before, memory_mib(pid, "VmHWM"), memory_mib(pid, "VmRSS"))
    if any(writer.transport.is_closing() for writer in callers):
        raise RuntimeError("a caller was turned away: raise ulimit -n")
    for writer in callers:
        writer.transport.abort()
    return grown


async def slow_body(proxy: Proxy, play: "Play", size: int, seconds: float) -> Growth:
    """The most memory taken while a body passes whose reader is slow."""
    pid = proxy.process.pid
    await asyncio.sleep(0.5)
    before = highest = memory_mib(pid, "VmRSS")
    passing = asyncio.ensure_future(play(proxy, size, seconds))
    while not passing.done():
        highest = max(highest, memory_mib(pid, "VmRSS"))
        await asyncio.sleep(0.02)
    return Growth(passing.result(), before, highest, memory_mib(pid, "VmRSS"))


Play = Callable[[Proxy, int, float], Awaitable[int]]


async def read_slowly(reader: asyncio.StreamReader, size: int, seconds: float) -> int:
    """Read `size` bytes, at one mebibyte a second for so long; how many came."""
    begun, received = time.monotonic(), 0
    while received < size and (data := await reader.read(MIB // 16)):
        received += len(data)
        passed = time.monotonic() - begun
        if passed < seconds:
            await asyncio.sleep(max(0.0, received / MIB - passed))
    return received


async def download(proxy: Proxy, size: int, seconds: float) -> int:
    """A caller reads its answer slowly; bytes that came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port, limit=MIB // 8)
    writer.write(b"GET /acme/big HTTP/1.1\r\nHost: a\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    received = await read_slowly(reader, size, seconds)
    writer.close()
    return received


async def upload(proxy: Proxy, size: int, seconds: float) -> int:
    """An upstream reads a body slowly; bytes that it says it got. See `Slow`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(f"PUT /acme/x HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode())
    block = b"x" * MIB
    for _ in range(size // MIB):
        writer.write(block)
        await writer.drain()
    await reader.readuntil(b"\r\n\r\n")
    received = int(await reader.readline())
    writer.close()
    return received


async def slow_upstream(size: int, seconds: float) -> tuple[asyncio.Server, int]:
    """A server that sends a big body fast, or takes one slowly and says how much came."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"PUT"):
            told = f"{await read_slowly(reader, size, seconds)}\n".encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(told) + told)
        else:
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
            for _ in range(size // MIB):
                writer.write(b"y" * MIB)
                await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=MIB // 8)
    return server, server.sockets[0].getsockname()[1]


async def measure(home: Path, minutes: float) -> list[dict[str, object]]:
    """One row for each play: what it took, and what it may take."""
    upstream = Upstream()
    try:
        async with Proxy(home / "many", upstream.url, 1) as proxy:
            many = await exchanges(proxy, EXCHANGES, minutes * 60)
        async with Proxy(home / "idle", upstream.url, 1) as proxy:
            waiting = await idle(proxy, IDLE)
    finally:
        upstream.close()
    rows = [
        _row("mixed exchanges", many.count, many.after - many.before, 20),
        _row("idle callers, resident in all", waiting.count, waiting.after, 200),
    ]
    server, port = await slow_upstream(SLOW_BYTES, SECONDS)
    async with server:
        for name, play in (("slow download", download), ("slow upload", upload)):
            async with Proxy(home / name.split()[1], f"http://127.0.0.1:{port}", 1) as proxy:
                grown = await slow_body(proxy, play, SLOW_BYTES, SECONDS)
            rows.append(_row(f"{name}, bytes", grown.count, grown.highest - grown.before, 2))
    return rows


def _row(name: str, count: int, mib: float, at_most: float) -> dict[str, object]:
    return {"play": name, "count": count, "MiB": round(mib, 2), "at most": at_most}


def main() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES
    with tempfile.TemporaryDirectory() as home:
        rows = uvloop.run(measure(Path(home), minutes))
    report("memory", rows, {"bound of the first play": f"{minutes:g} min"})
    sys.exit(any(float(str(row["MiB"])) > float(str(row["at most"])) for row in rows))


if __name__ == "__main__":
    main()
