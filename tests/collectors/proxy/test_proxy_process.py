"""The real process: `python -m collectors proxy`, its signals, its workers, its errors."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from app.domain.route import Limits
from app.domain.words import Outcome
from collectors.journal import Reader
from collectors.record import Exchange
from tests.collectors.proxy import certificates
from tests.collectors.proxy.kit import (
    OK,
    Caller,
    Upstream,
    answering,
    publish,
    request,
    route_to,
    run,
    settings_of,
    table_of,
    until,
)

ROOT = Path(__file__).parents[3]
START_S = 60


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Process:
    def __init__(self, home: Path, cwd: Path = ROOT, **environ: str | None) -> None:
        self.home = home
        self.outbound, self.inbound = free_ports(2)
        self.log = home.parent / f"{home.name}.log"
        given = {name: value for name, value in os.environ.items() if "MIDSPAN" not in name}
        given |= {
            "PYTHONPATH": str(ROOT),
            "MIDSPAN_HOME": str(home),
            "MIDSPAN_OUTBOUND_BIND": f"127.0.0.1:{self.outbound}",
            "MIDSPAN_INBOUND_BIND": f"127.0.0.1:{self.inbound}",
            **environ,
        }
        given = {name: value for name, value in given.items() if value is not None}
        with self.log.open("wb") as log:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "collectors", "proxy"], cwd=cwd, env=given, stderr=log
            )

    async def ready(self) -> "Process":
        async with asyncio.timeout(START_S):
            while True:
                assert self.popen.poll() is None, self.log.read_text()
                try:
                    caller = await self.caller()
                except OSError:
                    await asyncio.sleep(0.05)
                    continue
                answer = await caller.get("/-/livez")
                await caller.close()
                assert answer.status == 200
                return self

    async def caller(self) -> Caller:
        return Caller(*await asyncio.open_connection("127.0.0.1", self.outbound))

    async def get(self, path: str, *lines: str):
        caller = await self.caller()
        try:
            return await caller.get(path, *lines)
        finally:
            await caller.close()

    async def metrics(self) -> dict[str, int]:
        """Every metric, summed over its labels."""
        found: dict[str, int] = {}
        for line in (await self.get("/-/metrics")).body.decode().splitlines():
            if not line.startswith("#"):
                name, _, value = line.partition(" ")
                name = name.partition("{")[0].removeprefix("midspan_")
                found[name] = found.get(name, 0) + int(value.rpartition(" ")[2])
        return found

    async def ended(self, timeout: float = 20) -> int:
        await until(lambda: self.popen.poll() is not None, timeout)
        return self.popen.returncode

    def records(self) -> list[Exchange]:
        return [
            msgspec.msgpack.decode(payload, type=Exchange)
            for folder in sorted((self.home / "journal").iterdir())
            for frame_type, payload in Reader(folder).read().frames
            if frame_type == 1
        ]

    def errors(self) -> str:
        return self.log.read_text()


@contextmanager
def process(home: Path, cwd: Path = ROOT, **environ: str | None):
    home.mkdir(exist_ok=True)
    running = Process(home, cwd, **environ)
    try:
        yield running
    finally:
        if running.popen.poll() is None:
            running.popen.kill()
        running.popen.wait()


def test_a_process_proxies_records_and_stops_in_order(tmp_path):
    async def slow(up, reader, writer):
        await up.request(reader)
        await asyncio.sleep(0.5)
        writer.write(OK)
        await reader.read()

    async def play():
        up = Upstream(answering(OK))
        listening = await up.serve()
        home = tmp_path / "home"
        home.mkdir()
        publish(settings_of(home), table_of(route_to(up.port)))
        with process(home) as proxy:
            await proxy.ready()
            for _ in range(20):
                assert (await proxy.get("/globex/x")).status == 200
            assert (await proxy.get("/-/readyz")).status == 200
            figures = await proxy.metrics()
            assert (figures["proxied_total"], figures["recorded_total"]) == (20, 20)
            assert figures["journal_segments"] >= 1
            up.handler = slow
            caller = await proxy.caller()
            before = up.connections
            for _ in range(3):  # one of them cannot be on a waiting connection
                caller.send(request("POST", "/globex/slow"))
            await until(lambda: up.connections > before or len(up.heads) > 20)
            proxy.popen.send_signal(signal.SIGTERM)
            assert (await caller.answer()).status == 200
            await caller.close()
            assert await proxy.ended() == 0
            assert len(proxy.records()) >= 21
            assert {r.outcome for r in proxy.records()} == {Outcome.OK}
        up.cancel()
        listening.close()

    run(play(), timeout=90)


def test_the_proxy_loads_no_web_framework_and_no_database():
    code = (
        "import sys, collectors.proxy.run, collectors.proxy.worker, collectors.proxy.supervisor;"
        "print([m for m in ('flask','sqlalchemy','pandas','numpy','dash','plotly','opentelemetry')"
        " if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_in_use_is_one_line(tmp_path, workers):
    async def play():
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            bind = f"127.0.0.1:{taken.getsockname()[1]}"
            home = tmp_path / "home"
            with process(home, MIDSPAN_INBOUND_BIND=bind, MIDSPAN_PROXY_WORKERS=workers) as proxy:
                assert await proxy.ended(START_S) == 1
                lines = [x for x in proxy.errors().splitlines() if x.startswith("error: ")]
                assert lines == [
                    f"error: cannot listen on {bind}: address already in use; stop what uses it"
                    " or set MIDSPAN_INBOUND_BIND to another address"
                ]
                assert "Traceback" not in proxy.errors()

    run(play(), timeout=90)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_home_that_cannot_be_written_is_one_line(tmp_path, workers):
    async def play():
        home = tmp_path / "home"
        home.mkdir()
        (home / "journal").write_text("a file where a folder should be")
        with process(home, MIDSPAN_PROXY_WORKERS=workers) as proxy:
            assert await proxy.ended(START_S) == 1
            assert proxy.errors().count("error: cannot write") == 1
            assert "MIDSPAN_HOME" in proxy.errors()
            assert "Traceback" not in proxy.errors()

    run(play(), timeout=90)


def test_two_proxies_cannot_share_a_home(tmp_path):
    async def play():
        home = tmp_path / "home"
        with process(home) as first:
            await first.ready()
            with process(home) as second:
                assert await second.ended(START_S) == 1
                assert "another process" in second.errors()
            assert (await first.get("/-/livez")).status == 200
            assert (await first.metrics())["callers"] >= 1

    run(play(), timeout=150)


def test_workers_share_the_ports_and_a_dead_one_is_replaced(tmp_path):
    async def play():
        up = Upstream(answering(OK))
        listening = await up.serve()
        home = tmp_path / "home"
        home.mkdir()
        publish(settings_of(home), table_of(route_to(up.port)))
        with process(home, MIDSPAN_PROXY_WORKERS="2") as proxy:
            await proxy.ready()
            await until(lambda: len(children(proxy.popen.pid)) == 2, START_S)
            for _ in range(60):
                assert (await proxy.get("/globex/x")).status == 200
            await until_async(proxy, lambda f: f["proxied_total"] == f["recorded_total"] == 60)
            assert {f.name for f in (home / "journal").iterdir()} == {"worker-0", "worker-1"}
            before = children(proxy.popen.pid)
            os.kill(before[0], signal.SIGKILL)
            await until(
                lambda: len(now := children(proxy.popen.pid)) == 2 and now != before, START_S
            )
            for _ in range(40):
                assert (await proxy.get("/globex/x")).status == 200
            assert len(proxy.records()) == 100
            proxy.popen.send_signal(signal.SIGTERM)
            assert await proxy.ended() == 0
            assert all(not Path(f"/proc/{pid}").exists() for pid in before)
        up.cancel()
        listening.close()

    run(play(), timeout=200)


def test_a_parent_that_was_stopped_and_goes_on_keeps_its_workers(tmp_path):
    async def play():
        with process(tmp_path / "home", MIDSPAN_PROXY_WORKERS="2") as proxy:
            await proxy.ready()
            await until(lambda: len(children(proxy.popen.pid)) == 2, START_S)
            workers = children(proxy.popen.pid)
            for _ in range(3):
                proxy.popen.send_signal(signal.SIGSTOP)
                await asyncio.sleep(0.5)  # longer than it waits for a signal at a time
                proxy.popen.send_signal(signal.SIGCONT)
                await asyncio.sleep(0.2)
            assert (await proxy.get("/-/livez")).status == 200
            assert children(proxy.popen.pid) == workers
            proxy.popen.send_signal(signal.SIGTERM)
            assert await proxy.ended() == 0

    run(play(), timeout=120)


def test_workers_do_not_outlive_their_parent(tmp_path):
    async def play():
        with process(tmp_path / "home", MIDSPAN_PROXY_WORKERS="2") as proxy:
            await proxy.ready()
            await until(lambda: len(children(proxy.popen.pid)) == 2, START_S)
            workers = children(proxy.popen.pid)
            proxy.popen.kill()
            await until(lambda: not any(alive(pid) for pid in workers), 20)
            assert not any(alive(pid) for pid in workers)

    run(play(), timeout=120)


def test_an_authority_is_trusted_by_the_systems_own_setting(tmp_path):
    certificates.make(tmp_path)

    async def play():
        up = Upstream(answering(OK))
        listening = await up.serve(certificates.server(tmp_path))
        home = tmp_path / "home"
        home.mkdir()
        publish(settings_of(home), table_of(route_to(up.port, scheme="https")))
        with process(home, SSL_CERT_FILE=str(tmp_path / "ca.pem")) as proxy:
            await proxy.ready()
            assert (await proxy.get("/globex/x")).body == b"ok"
            (record,) = proxy.records()
            assert record.tls_us > 0
        up.cancel()
        listening.close()

    run(play(), timeout=90)


BIG = 256 * 1024 * 1024
BLOCK = b"z" * (1 << 20)


async def takes_slowly(up, reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    received = 0
    while received < BIG:
        received += len(await reader.read(1 << 20))
        await pause_at_first(received)
    writer.write(OK)
    await reader.read()


async def gives_all(up, reader, writer):
    await up.request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BIG)
    for _ in range(BIG // len(BLOCK)):
        writer.write(BLOCK)
        await writer.drain()


async def send_all(caller):
    caller.send(b"POST /globex/x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % BIG)
    for _ in range(BIG // len(BLOCK)):
        caller.send(BLOCK)
        await caller.writer.drain()
    assert (await caller.answer()).status == 200


async def receive_slowly(caller):
    caller.send(request("GET", "/globex/x"))
    assert b" 200 " in await caller.reader.readuntil(b"\r\n\r\n")
    received = 0
    while received < BIG:
        received += len(await caller.reader.read(1 << 20))
        await pause_at_first(received)
    assert received == BIG


async def pause_at_first(received):
    if received < BIG // 8:
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("handler", "play_caller"), [(takes_slowly, send_all), (gives_all, receive_slowly)]
)
def test_a_large_body_to_a_slow_reader_is_not_kept_in_memory(tmp_path, handler, play_caller):
    """A quarter of a gibibyte to a reader that pauses: the process grows by a few mebibytes."""

    async def play():
        up = Upstream(handler)
        listening = await up.serve()
        home = tmp_path / "home"
        home.mkdir()
        limits = Limits(body_bytes=2 * BIG)
        publish(settings_of(home), table_of(route_to(up.port, limits=limits)))
        with process(home) as proxy:
            await proxy.ready()
            await proxy.get("/nobody/x")
            before = memory(proxy.popen.pid, "VmRSS")
            caller = await proxy.caller()
            await play_caller(caller)
            assert memory(proxy.popen.pid, "VmHWM") - before < 24 * 1024 * 1024
            await caller.close()
            await until(lambda: len(proxy.records()) == 2)
            assert proxy.records()[1].outcome == Outcome.OK
        up.cancel()
        listening.close()

    run(play(), timeout=120)


def children(pid):
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in found if alive(int(one))]


def alive(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def memory(pid, name):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise AssertionError(name)


async def until_async(proxy, condition, timeout=20):
    give_up = time.monotonic() + timeout
    while not condition(await proxy.metrics()):
        assert time.monotonic() < give_up
        await asyncio.sleep(0.05)
