"""The writing half of a connection: what waits for the end of a turn, and what does not."""

import asyncio

import pytest

from app.domain.words import Direction
from collectors.proxy.caller import CallerProtocol
from collectors.proxy.flow import Outbox, Writing
from tests.collectors.proxy.kit import request, run, staged

SMALL, LARGE = b"s" * 100, b"L" * 100_000


class Transport:
    """Remembers what it was told; closed once it was told so."""

    def __init__(self):
        self.told = []

    def is_closing(self):
        return "close" in self.told or "abort" in self.told

    def get_write_buffer_size(self):
        return 0

    def get_extra_info(self, _):
        return None

    def write(self, data):
        self.told.append(data)

    def __getattr__(self, name):
        return lambda: self.told.append(name)


def test_small_messages_leave_in_order_at_the_end_of_the_turn():
    async def play():
        outbox, transports = Outbox(), [Transport(), Transport()]
        for transport in transports:
            Writing(transport, outbox).write(SMALL)
        assert [t.told for t in transports] == [[], []]
        await asyncio.sleep(0)
        assert [t.told for t in transports] == [[SMALL], [SMALL]]

    run(play())


def test_a_large_message_leaves_at_once_and_behind_what_waited():
    async def play():
        transport = Transport()
        writing = Writing(transport, Outbox())
        writing.write(SMALL)
        writing.write(LARGE)
        writing.write(LARGE)
        assert transport.told == [SMALL, LARGE, LARGE]
        await asyncio.sleep(0)
        assert transport.told == [SMALL, LARGE, LARGE]

    run(play())


def test_a_second_message_of_a_turn_takes_the_first_along():
    async def play():
        transport = Transport()
        writing = Writing(transport, Outbox())
        writing.write(b"a")
        writing.write(b"b")
        assert b"".join(transport.told) == b"ab"

    run(play())


@pytest.mark.parametrize(("how", "told"), [("close", "close"), ("end", "write_eof")])
def test_whatever_ends_a_connection_lets_what_was_written_leave_first(how, told):
    async def play():
        transport = Transport()
        writing = Writing(transport, Outbox())
        writing.write(SMALL)
        getattr(writing, how)()
        assert transport.told == [SMALL, told]

    run(play())


def test_nothing_is_written_to_a_connection_that_is_gone():
    async def play():
        transport = Transport()
        writing = Writing(transport, Outbox())
        writing.write(SMALL)
        transport.told.append("abort")
        writing.write(LARGE)
        await asyncio.sleep(0)
        assert transport.told == ["abort"]

    run(play())


def test_a_caller_that_ends_in_the_turn_of_its_answer_still_gets_it(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, _):
            transport = Transport()
            caller = CallerProtocol(stage.hub, Direction.OUTBOUND)
            caller.connection_made(transport)
            caller.data_received(request("GET", "/nobody/x"))
            assert caller.eof_received() is False  # and so the transport closes itself
            (answer,) = transport.told
            assert answer.startswith(b"HTTP/1.1 404 ")
            caller.connection_lost(None)

    run(play())
