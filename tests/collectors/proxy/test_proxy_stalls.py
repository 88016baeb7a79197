"""A worker that stood still: nobody else is blamed for the time that it took itself."""

import asyncio
import os
import socket
import threading
from contextlib import contextmanager

import pytest

from app.domain.route import Timeouts
from app.domain.words import Outcome
from collectors.proxy.caller import CallerProtocol
from collectors.proxy.exchange import LiveExchange
from collectors.proxy.timeouts import SWEEP_S, stood_still_ns
from tests.collectors.proxy.kit import OK, parse_fields, request, route_to, run, staged, table_of

#: Every allowance is shorter than the worker stands still.
SHORT = {"connect_ms": 150, "first_byte_ms": 150, "idle_ms": 150, "total_ms": 250}
STILL_S = 0.4


class Elsewhere:
    """A server in a thread, which goes on while this one's loop stands still."""

    def __init__(self, listener: socket.socket) -> None:
        self.port = listener.getsockname()[1]
        self.asked, self.may_answer, self.answered = (threading.Event() for _ in range(3))
        self._thread = threading.Thread(target=self._serve, args=(listener,), daemon=True)
        self._thread.start()

    def _serve(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            while b"\r\n\r\n" not in connection.recv(65536):
                pass
            self.asked.set()
            self.may_answer.wait(10)
            connection.sendall(OK)
            self.answered.set()
            connection.recv(1)

    def stand_still(self, length_s: float = STILL_S) -> None:
        """Block this thread until the answer is in the socket's buffer, and then some."""
        self.asked.wait(10)
        self.may_answer.set()
        assert self.answered.wait(10)
        threading.Event().wait(length_s)


@contextmanager
def elsewhere():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Elsewhere(listener)


def use(stage, port):
    stage.hub.router = type(stage.hub.router)(table_of(route_to(port, timeouts=Timeouts(**SHORT))))


def stands_still_for(monkeypatch, standing):
    """What a caller sends makes the worker stand still while it reads, before it reads others."""
    read = CallerProtocol.data_received

    def received(caller, data):
        if data != b"stand still":
            read(caller, data)
        else:
            standing()

    monkeypatch.setattr(CallerProtocol, "data_received", received)


def test_an_answer_that_lay_in_the_buffer_is_no_timeout(tmp_path, monkeypatch):
    async def play():
        with elsewhere() as server:
            async with staged(tmp_path) as (stage, _):
                use(stage, server.port)
                caller = await stage.caller()
                caller.send(request("GET", "/globex/x"))
                await asyncio.to_thread(server.asked.wait, 10)
                stands_still_for(monkeypatch, server.stand_still)
                (await stage.caller()).send(b"stand still")
                assert (await caller.answer()).status == 200
                [record] = stage.journal.exchanges
                assert (record.outcome, record.error) == (Outcome.OK, "")

    run(play())


def test_a_connection_is_made_in_time_that_the_worker_had(tmp_path, monkeypatch):
    looked_up = LiveExchange.looked_up

    def stand_still(exchange):
        looked_up(exchange)
        threading.Event().wait(STILL_S)

    monkeypatch.setattr(LiveExchange, "looked_up", stand_still)

    async def play():
        async with staged(tmp_path) as (stage, up):
            use(stage, up.port)
            assert (await (await stage.caller()).get("/globex/x")).status == 200
            assert stage.journal.exchanges[0].outcome == Outcome.OK

    run(play())


def test_a_request_that_lay_in_the_buffer_is_answered_on_the_connection_it_came_on(
    tmp_path, monkeypatch
):
    async def play():
        async with staged(tmp_path, changes={"idle_timeout_us": 150_000}) as (stage, _):
            caller = await stage.caller()
            await caller.get("/globex/1")

            def stand_still():
                own = caller.writer.get_extra_info("socket")
                os.write(own.fileno(), request("GET", "/globex/2"))
                threading.Event().wait(STILL_S)

            stands_still_for(monkeypatch, stand_still)
            (await stage.caller()).send(b"stand still")
            assert (await caller.answer()).status == 200

    run(play())


def test_a_partner_that_stays_silent_is_still_a_timeout_after_the_worker_stood_still(tmp_path):
    async def silent(up, reader, writer):
        await up.request(reader)
        threading.Event().wait(STILL_S)
        await reader.read()

    async def play():
        timeouts = Timeouts(**SHORT)
        async with staged(tmp_path, silent, timeouts=timeouts) as (stage, _):
            answer = await (await stage.caller()).get("/globex/x")
            assert answer.status == 504
            assert parse_fields(answer.head)["midspan-outcome"] == "timeout"

    run(play())


@pytest.mark.parametrize(
    ("took_s", "still_s"), [(SWEEP_S, 0), (SWEEP_S * 1.9, 0), (2.0, 2.0 - SWEEP_S)]
)
def test_a_worker_knows_how_long_it_stood_still(took_s, still_s):
    found = stood_still_ns(10**9, 10**9 + int(took_s * 1e9))
    assert found == pytest.approx(still_s * 1e9)
