"""A backend that closes when it likes: nothing that may do harm twice is sent twice."""

import asyncio
import random
from collections import Counter

from app.domain.words import Outcome
from tests.collectors.proxy.kit import OK, request, reset, run, staged

POSTS = 10_000


def test_each_post_reaches_a_backend_that_closes_at_random_at_most_once(tmp_path):
    chance = random.Random(7)
    reached = Counter()

    async def handler(up, reader, writer):
        while True:
            head, _ = await up.request(reader)
            reached[head.split()[1]] += 1
            turn = chance.random()
            if turn < 0.1:
                return  # without an answer
            if turn < 0.15:
                reset(writer)
                return
            writer.write(OK)
            await writer.drain()
            if turn < 0.35:
                return  # as soon as the answer is out, perhaps under the next request

    async def play():
        async with staged(tmp_path, handler) as (stage, _):

            async def work(first):
                caller, answered = await stage.caller(), 0
                for number in range(first, POSTS, 8):
                    caller.send(request("POST", f"/globex/{number}", body=b"pay"))
                    answered += (await caller.answer()).status == 200
                return answered

            answered = sum(await asyncio.gather(*[work(first) for first in range(8)]))
            records = Counter(record.path.encode() for record in stage.journal.exchanges)
            assert max(reached.values()) == 1
            assert len(records) == POSTS
            assert max(records.values()) == 1
            ok = [r for r in stage.journal.exchanges if r.outcome == Outcome.OK]
            assert len(ok) == answered
            assert {r.error for r in stage.journal.exchanges} <= {"", "reset_before_answer"}
            assert set(reached) >= {r.path.encode() for r in ok}

    run(play(), timeout=120)


def test_no_get_fails_because_its_connection_had_gone_stale(tmp_path):
    """The backend closes each connection after three answers, without a word."""

    async def handler(up, reader, writer):
        for _ in range(3):
            await up.request(reader)
            writer.write(OK)
            await writer.drain()
        await asyncio.sleep(0)

    async def play():
        async with staged(tmp_path, handler) as (stage, up):
            caller = await stage.caller()
            for number in range(200):
                assert (await caller.get(f"/globex/{number}")).status == 200
            assert {record.outcome for record in stage.journal.exchanges} == {Outcome.OK}
            assert up.connections >= 60

    run(play(), timeout=60)
