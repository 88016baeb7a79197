"""Reloads under load, and what callers notice of them: nothing.

Callers of several habits keep a proxy busy: some never pause, some pause between requests on one
connection, some connect anew for each, some wait for slow answers, some send bodies. While they
do, the proxy is told to reload again and again. A connection that is closed in order while it is
idle is normal; everything else that is not a whole answer of status 200 is a failure. In the end
the journals are held against what was answered.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import msgspec
import uvloop

from app.domain import ids
from app.domain.route import Limits, Route, RouteTable, Timeouts, encode_table
from bench.common import report
from bench.stack import ROOT, Upstream, free_port
from collectors.journal import Reader
from collectors.record import Exchange

RELOADS = 20
_LIMIT_S = 30.0
_RELOAD_S = 120.0
#: Habits: name, callers, longest pause between requests, path, whether each has its own connection.
_HABITS = (
    ("busy", 4, 0.0, "/s/200", False),
    ("pausing", 6, 0.2, "/s/200", False),
    ("sleepy", 6, 3.0, "/s/200", False),
    ("fresh", 4, 0.02, "/s/200", True),
    ("slow", 4, 0.0, "/s/200/d/300/b/20000", False),
)


@dataclass(slots=True)
class Verdict:
    """What the callers met, what the journals hold, and how long each reload took."""

    answered: set[str] = field(default_factory=set)
    closed_idle: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    recorded: Counter[str] = field(default_factory=Counter)
    reload_s: list[float] = field(default_factory=list)

    @property
    def lost(self) -> set[str]:
        """Answered, and not recorded once."""
        return {each for each in self.answered if self.recorded[each] != 1}


class Proxy:
    """A real proxy process with one integration, `acme`."""

    def __init__(self, home: Path, upstream: str, workers: int) -> None:
        self.home, self.port, self.inbound = home, free_port(), free_port()
        route = Route(
            "acme",
            "acme",
            upstream,
            allow_private_addresses=True,
            timeouts=Timeouts(total_ms=600_000),
            limits=Limits(body_bytes=1 << 40),
        )
        home.mkdir(parents=True, exist_ok=True)
        (home / "routes.json").write_bytes(encode_table(RouteTable(1, "Bench", None, (route,))))
        self._log = home / "proxy.log"
        given = {name: value for name, value in os.environ.items() if "MIDSPAN" not in name}
        given |= {
            "MIDSPAN_HOME": str(home),
            "MIDSPAN_OUTBOUND_BIND": f"127.0.0.1:{self.port}",
            "MIDSPAN_INBOUND_BIND": f"127.0.0.1:{self.inbound}",
            "MIDSPAN_PEER_CONNECTIONS": "16384",
            "MIDSPAN_PROXY_WORKERS": str(workers),
        }
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "collectors", "proxy"], cwd=ROOT, env=given, stderr=log
            )

    async def __aenter__(self) -> Self:
        await self.until(lambda: self.said("event=listening") >= 2)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with suppress(TimeoutError):
                await self.until(lambda: self.process.poll() is not None)
        self.process.kill()
        self.process.wait()

    async def reload(self) -> None:
        """Returns once the new workers serve."""
        before = self.said("event=reloaded")
        self.process.send_signal(signal.SIGHUP)
        await self.until(lambda: self.said("event=reloaded") > before)

    def said(self, words: str) -> int:
        return self._log.read_text().count(words)

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(_RELOAD_S):
            while not true():
                await asyncio.sleep(0.02)


class Caller:
    """One client with one habit, which ends when it is told that the play is over."""

    def __init__(
        self, port: int, verdict: Verdict, habit: tuple[str, float, str, bool], dice: random.Random
    ) -> None:
        self._port, self._verdict = port, verdict
        self._name, self._pause_s, path, self._fresh = habit
        self._dice = dice
        self._requests = (
            f"GET /acme{path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode(),
            f"POST /acme{path} HTTP/1.1\r\nHost: bench\r\nContent-Length: 2048\r\n\r\n".encode()
            + b"x" * 2048,
        )
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def play(self, over: asyncio.Event) -> None:
        while not over.is_set():
            try:
                async with asyncio.timeout(_LIMIT_S):
                    await self._ask()
            except (OSError, EOFError, ValueError, TimeoutError) as error:
                self._verdict.failures[f"{self._name}: {type(error).__name__}"] += 1
                self._leave()
            if self._fresh:
                self._leave()
            if self._pause_s:
                with suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), self._dice.uniform(0, self._pause_s))
        self._leave()

    async def _ask(self) -> None:
        if self._streams is not None and self._streams[0].at_eof():
            self._verdict.closed_idle += 1
            self._leave()
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(self._dice.choice(self._requests))
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        await reader.readexactly(int(fields["content-length"]))
        status = head.split(" ", 2)[1]
        if status != "200":
            raise ValueError(status)
        self._verdict.answered.add(fields["midspan-exchange"])
        if fields.get("connection") == "close":
            self._leave()

    def _leave(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def storm(home: Path, *, reloads: int, workers: int, between_s: float = 1.0) -> Verdict:
    """`reloads` of a proxy of so many workers, while all callers go on."""
    verdict, over = Verdict(), asyncio.Event()
    upstream = Upstream()
    try:
        async with Proxy(home, upstream.url, workers) as proxy, asyncio.TaskGroup() as callers:
            for name, count, *rest in _HABITS:
                for number in range(count):
                    dice = random.Random(f"{name}{number}")
                    caller = Caller(proxy.port, verdict, (name, *rest), dice)
                    callers.create_task(caller.play(over), name=name)
            await _reload(proxy, verdict, reloads, between_s)
            over.set()
    finally:
        upstream.close()
    verdict.recorded = recorded(home)
    return verdict


async def _reload(proxy: Proxy, verdict: Verdict, reloads: int, between_s: float) -> None:
    await asyncio.sleep(random.uniform(0, 2 * between_s))
    for _ in range(reloads):
        begun = time.monotonic()
        await proxy.reload()
        verdict.reload_s.append(time.monotonic() - begun)
        await asyncio.sleep(random.uniform(0, 2 * between_s))
    await asyncio.sleep(3)  # the last ones to be relieved end


def recorded(home: Path) -> Counter[str]:
    """How often each exchange stands in the journals, by its printed id."""
    found: Counter[str] = Counter()
    for folder in sorted((home / "journal").iterdir()):
        reader = Reader(folder)
        while frames := reader.read().frames:
            for kind, payload in frames:
                if kind == 1:
                    found[ids.format_id(msgspec.msgpack.decode(payload, type=Exchange).id)] += 1
    return found


def main() -> None:
    rows, clean = [], True
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as home:
            verdict = uvloop.run(storm(Path(home), reloads=RELOADS, workers=workers))
        clean &= not verdict.failures and not verdict.lost
        rows.append(
            {
                "workers": workers,
                "reloads": len(verdict.reload_s),
                "answered": len(verdict.answered),
                "failed": verdict.failures.total(),
                "lost records": len(verdict.lost),
                "closed while idle": verdict.closed_idle,
                "longest reload s": max(verdict.reload_s),
            }
        )
        print(dict(verdict.failures) or "no failure", file=sys.stderr)
    report("restarts", rows, {"target": "0 failed, 0 lost"})
    sys.exit(not clean)


if __name__ == "__main__":
    main()
