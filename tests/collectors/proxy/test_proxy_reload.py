"""Reload and drain of the real process: who serves, under which settings, who is turned away."""

import asyncio
import signal
from contextlib import asynccontextmanager

import pytest

from tests.collectors.proxy.kit import (
    OK,
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
from tests.collectors.proxy.test_proxy_process import (
    START_S,
    children,
    free_ports,
    process,
    until_async,
)


@asynccontextmanager
async def proxying(tmp_path, handler=None, **environ):
    """A proxy process with one integration, `globex`."""
    up = Upstream(handler or answering(OK))
    listening = await up.serve()
    home = tmp_path / "home"
    home.mkdir()
    publish(settings_of(home), table_of(route_to(up.port)))
    try:
        with process(home, **environ) as proxy:
            await proxy.ready()
            yield proxy, up
    finally:
        up.cancel()
        listening.close()


async def reload(proxy, word="event=reloaded"):
    before = proxy.errors().count(word)
    proxy.popen.send_signal(signal.SIGHUP)
    await until(lambda: proxy.errors().count(word) > before, START_S)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_reload_reads_the_settings_anew_and_replaces_every_worker(tmp_path, workers):
    async def play():
        env = tmp_path / "midspan.env"
        env.write_text(f"MIDSPAN_PROXY_WORKERS={workers}\n")
        async with proxying(tmp_path, cwd=tmp_path) as (proxy, _):
            first = children(proxy.popen.pid)
            assert (await proxy.get("/globex/x")).status == 200
            env.write_text("MIDSPAN_PROXY_WORKERS=2\nMIDSPAN_CAPTURE_RATIO=0.5\n")
            await reload(proxy)
            await until(lambda: len(children(proxy.popen.pid)) == 2, START_S)
            assert not set(first) & set(children(proxy.popen.pid))
            for _ in range(20):
                assert (await proxy.get("/globex/x")).status == 200
            await until_async(proxy, lambda f: f["proxied_total"] == f["recorded_total"] == 21)
            await reload(proxy)
            assert (await proxy.get("/globex/x")).status == 200
            proxy.popen.send_signal(signal.SIGTERM)
            assert await proxy.ended() == 0
            assert len(proxy.records()) == 22

    run(play(), timeout=200)


def test_a_reload_that_cannot_be_leaves_what_stands(tmp_path):
    async def play():
        env = tmp_path / "midspan.env"
        async with proxying(tmp_path, cwd=tmp_path) as (proxy, _):
            env.write_text("MIDSPAN_PROXY_WORKERS=many\n")
            await reload(proxy, "event=reload_failed")
            assert "MIDSPAN_PROXY_WORKERS: 'many' is not a whole number" in proxy.errors()
            env.write_text("MIDSPAN_INBOUND_TLS_CERT=/no/such.pem\n")
            await reload(proxy, "event=reload_failed")
            assert "MIDSPAN_INBOUND_TLS_CERT: cannot use /no/such.pem" in proxy.errors()
            assert (await proxy.get("/globex/x")).status == 200
            env.unlink()
            await reload(proxy)
            assert (await proxy.get("/globex/x")).status == 200

    run(play(), timeout=200)


def test_a_worker_that_drains_says_so_and_takes_the_last_request_of_each_connection(tmp_path):
    async def slow(up, reader, writer):
        await up.request(reader)
        await asyncio.sleep(1)
        writer.write(OK)
        await reader.read()

    async def play():
        async with proxying(tmp_path, slow) as (proxy, up):
            busy, idle, watching = [await proxy.caller() for _ in range(3)]
            assert (await idle.get("/-/livez")).status == 200
            busy.send(request("GET", "/globex/x"))
            await until(lambda: up.heads)
            proxy.popen.send_signal(signal.SIGTERM)
            answer = await watching.get("/-/readyz")
            while answer.status == 200:  # until the signal has arrived
                answer = await watching.get("/-/readyz")
            assert (answer.status, answer.fields["connection"]) == (503, "close")
            last = await idle.get("/-/livez")
            assert (last.status, last.fields["connection"]) == (200, "close")
            answer = await busy.answer()
            assert (answer.status, answer.fields["connection"]) == (200, "close")
            with pytest.raises(ConnectionRefusedError):
                await proxy.caller()
            assert await proxy.ended() == 0
            for caller in (busy, idle, watching):
                await caller.close()

    run(play(), timeout=120)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_who_got_in_before_the_end_is_answered(tmp_path, workers):
    """Callers connect anew for each request until they are refused; none is reset."""

    async def call(proxy, ends):
        while True:
            try:
                caller = await proxy.caller()
            except OSError as error:
                ends.append(type(error))
                return
            answer = await caller.get("/globex/x")
            assert answer.status == 200
            await caller.close()

    async def play():
        async with proxying(tmp_path, MIDSPAN_PROXY_WORKERS=workers) as (proxy, _):
            ends: list[type] = []
            async with asyncio.TaskGroup() as callers:
                for _ in range(12):
                    callers.create_task(call(proxy, ends))
                await asyncio.sleep(0.5)
                proxy.popen.send_signal(signal.SIGTERM)
            assert ends == [ConnectionRefusedError] * 12
            assert await proxy.ended() == 0

    run(play(), timeout=120)


def test_an_exchange_that_outlasts_the_drain_is_ended_and_recorded(tmp_path):
    async def silent(up, reader, writer):
        await up.request(reader)
        await reader.read()

    async def play():
        async with proxying(tmp_path, silent, MIDSPAN_DRAIN="1s") as (proxy, up):
            caller = await proxy.caller()
            caller.send(request("GET", "/globex/x"))
            await until(lambda: up.heads)
            proxy.popen.send_signal(signal.SIGTERM)
            answer = await caller.answer()
            assert (answer.status, answer.fields["midspan-outcome"]) == (503, "aborted")
            assert await proxy.ended() == 0
            assert [r.error for r in proxy.records()] == ["proxy_stopped"]
            await caller.close()

    run(play(), timeout=120)


def test_a_port_that_changes_is_listened_on_after_a_reload_and_the_old_one_is_closed(tmp_path):
    async def play():
        env, (old, new) = tmp_path / "midspan.env", free_ports(2)
        env.write_text(f"MIDSPAN_INBOUND_BIND=127.0.0.1:{old}\n")
        async with proxying(tmp_path, cwd=tmp_path, MIDSPAN_INBOUND_BIND=None) as (proxy, _):
            env.write_text(f"MIDSPAN_INBOUND_BIND=127.0.0.1:{new}\n")
            await reload(proxy)
            await until(lambda: "event=drained" in proxy.errors())
            assert (await proxy.get("/globex/x")).status == 200
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", old)
            _, writer = await asyncio.open_connection("127.0.0.1", new)
            writer.close()
            await writer.wait_closed()

    run(play(), timeout=120)
