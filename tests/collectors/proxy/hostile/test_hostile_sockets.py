"""Hostile and odd streams through the real proxy: heard, recorded and answered as the oracle reads.

Many connections at once over real sockets in one loop, each stream whole and byte by byte.
"""

import asyncio
from contextlib import AsyncExitStack

import pytest

from app.domain.words import Direction
from collectors.proxy.metrics import SHED
from tests.collectors.proxy.hostile.generator import streams
from tests.collectors.proxy.hostile.world import singly, world
from tests.collectors.proxy.kit import run

pytestmark = pytest.mark.slow

_AT_ONCE = 24
_SECONDS = 400


def test_there_are_enough_streams_and_no_two_alike():
    assert len({stream for _, stream in streams()}) >= 5000


@pytest.mark.parametrize("direction", list(Direction), ids=lambda direction: direction.name.lower())
@pytest.mark.parametrize("cut", [lambda stream: [stream], singly], ids=["whole", "byte by byte"])
def test_what_is_heard_recorded_and_answered_is_what_the_oracle_reads(tmp_path, cut, direction):
    different = []

    async def work(waiting, here):
        for name, stream in waiting:
            found = await here.differences(stream, cut(stream))
            if found:
                different.append((name, stream[:300], found))

    async def play():
        async with AsyncExitStack() as stack:
            worlds = [
                await stack.enter_async_context(world(tmp_path / str(number), direction))
                for number in range(_AT_ONCE)
            ]
            waiting = iter(streams())
            await asyncio.gather(*[work(waiting, here) for here in worlds])
            for here in worlds:
                counts = here.server.hub.counts
                assert counts[SHED] + counts[SHED + 1] == 0

    run(play(), timeout=_SECONDS)
    assert not different, f"{len(different)} streams, the first: {different[:5]}"


def test_a_stream_sent_byte_by_byte_is_read_byte_by_byte(tmp_path, monkeypatch):
    from collectors.proxy.caller import CallerProtocol

    sizes = []
    read = CallerProtocol.data_received

    def counting(self, data):
        sizes.append(len(data))
        read(self, data)

    monkeypatch.setattr(CallerProtocol, "data_received", counting)
    stream = b"GET /g/x HTTP/1.1\r\nHost: a\r\n\r\n"

    async def play():
        async with world(tmp_path / "w") as here:
            assert await here.differences(stream, singly(stream)) == []
            assert sizes == [1] * len(stream)

    run(play())
