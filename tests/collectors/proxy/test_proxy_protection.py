"""Protection over real sockets: a small partner behind a fire hose, and a platform likewise."""

import asyncio
import time

import pytest

from app.domain.gates import decode_gates
from app.domain.route import Breaker, Limits, Ramp, Timeouts
from app.domain.words import Direction, Outcome
from tests.collectors.proxy.kit import (
    OK,
    TOKEN,
    TOKEN_SHA256,
    answering,
    publish,
    request,
    route_to,
    run,
    staged,
    table_of,
    until,
)

FAILURE = b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"
TOGETHER = 40


def with_limits(**limits):
    return {"limits": Limits(**limits), "inbound_token_sha256": (TOKEN_SHA256,)}


class Partner:
    """Answers each request when told to, and knows how many it has at once."""

    def __init__(self):
        self.now = self.most = self.served = 0
        self.may_answer = asyncio.Event()

    async def __call__(self, up, reader, writer):
        while True:
            await up.request(reader)
            self.now += 1
            self.most = max(self.most, self.now)
            await self.may_answer.wait()
            self.now -= 1
            self.served += 1
            writer.write(OK)


async def hose(stage, direction, number, path="/globex/x"):
    """`number` requests at once, each on a connection of its own; the callers."""
    lines = [f"X-Api-Key: {TOKEN.decode()}"] if direction == Direction.INBOUND else []
    callers = [await stage.caller(direction) for _ in range(number)]
    for caller in callers:
        caller.send(request("GET", path, *lines))
    return callers


def tally(answers):
    found = {}
    for answer in answers:
        found[answer.status] = found.get(answer.status, 0) + 1
    return found


@pytest.mark.parametrize("direction", Direction)
def test_a_fire_hose_meets_a_small_side_that_never_has_more_than_its_places(tmp_path, direction):
    async def play():
        partner = Partner()
        limits = with_limits(concurrency=3, queue=5, queue_ms=20_000)
        async with staged(tmp_path, partner, route=limits) as (stage, _):
            callers = await hose(stage, direction, TOGETHER)
            await until(lambda: partner.now == 3)
            await until(lambda: len(stage.journal.exchanges) == TOGETHER - 8)
            assert sum(gate.waiting for gate in stage.hub.gates.of[direction].values()) == 5
            partner.may_answer.set()
            answers = [await caller.answer() for caller in callers]
            assert tally(answers) == {200: 8, 429: TOGETHER - 8}
            assert (partner.most, partner.served) == (3, 8)
            refused = [answer for answer in answers if answer.status == 429]
            assert {answer.fields["retry-after"] for answer in refused} == {"1"}
            assert {answer.fields["midspan-outcome"] for answer in refused} == {"rejected"}
            records = stage.journal.exchanges
            assert [r.error for r in records].count("concurrency_full") == TOGETHER - 8
            waited = sorted(r.queue_us for r in records if r.outcome == Outcome.OK)
            assert waited[2] < waited[3]
            assert stage.totals == (TOGETHER, TOGETHER, 0)

    run(play())


def test_who_waits_too_long_for_a_place_is_refused_and_its_wait_recorded(tmp_path):
    async def play():
        partner = Partner()
        limits = with_limits(concurrency=1, queue=5, queue_ms=100)
        async with staged(tmp_path, partner, route=limits) as (stage, up):
            callers = await hose(stage, Direction.OUTBOUND, 3)
            await until(lambda: len(stage.journal.exchanges) == 2)
            for record in stage.journal.exchanges:
                assert (record.error, record.outcome) == ("concurrency_full", Outcome.REJECTED)
                assert record.queue_us >= 100_000
            partner.may_answer.set()
            assert tally([await caller.answer() for caller in callers]) == {200: 1, 429: 2}
            assert len(up.heads) == 1
            again = await (await stage.caller()).get("/globex/x")
            assert again.status == 200

    run(play())


def test_a_caller_that_goes_while_it_waits_leaves_its_place_to_the_next(tmp_path):
    async def play():
        partner = Partner()
        limits = with_limits(concurrency=1, queue=5, queue_ms=20_000)
        async with staged(tmp_path, partner, route=limits) as (stage, _):
            first, second, third = await hose(stage, Direction.OUTBOUND, 3)
            await until(lambda: stage.hub.gates.totals()[0] == 2)
            second.reset()
            await until(lambda: len(stage.journal.exchanges) == 1)
            assert stage.journal.exchanges[0].error == "caller_gone"
            partner.may_answer.set()
            assert [(await first.answer()).status, (await third.answer()).status] == [200, 200]
            assert partner.most == 1

    run(play())


def test_a_body_waits_with_its_request_and_arrives_whole(tmp_path):
    async def play():
        partner = Partner()
        limits = with_limits(concurrency=1, queue=5, queue_ms=20_000)
        body = b"b" * 3_000_000
        async with staged(tmp_path, partner, route=limits) as (stage, up):
            (first,) = await hose(stage, Direction.OUTBOUND, 1)
            await until(lambda: partner.now == 1)
            second = await stage.caller()
            second.send(request("POST", "/globex/x", body=body))
            await until(lambda: len(stage.hub.live) == 2)
            partner.may_answer.set()
            assert [(await first.answer()).status, (await second.answer()).status] == [200, 200]
            assert up.bodies == [b"", body]

    run(play())


@pytest.mark.parametrize("direction", Direction)
def test_over_its_rate_each_direction_is_refused_on_its_own(tmp_path, direction):
    async def play():
        limits = with_limits(requests_per_second=0.01, burst=4)
        async with staged(tmp_path, route=limits) as (stage, up):
            callers = await hose(stage, direction, 10)
            answers = [await caller.answer() for caller in callers]
            assert tally(answers) == {200: 4, 429: 6}
            refused = next(answer for answer in answers if answer.status == 429)
            assert 90 <= int(refused.fields["retry-after"]) <= 100
            assert len(up.heads) == 4
            other = await hose(stage, Direction(1 - direction), 1)
            assert (await other[0].answer()).status == 200

    run(play())


def test_a_ramp_lets_more_through_as_it_grows(tmp_path):
    async def play():
        now_us = time.time_ns() // 1000
        ramps = [
            (Ramp(3, 500, 10**12, now_us), 3),
            (Ramp(3, 500, 10**9, now_us - 10**9), TOGETHER),
        ]
        for number, (ramp, passed) in enumerate(ramps):
            home = tmp_path / str(number)
            home.mkdir()
            async with staged(home, route={"ramp": ramp}) as (stage, _):
                callers = await hose(stage, Direction.OUTBOUND, TOGETHER)
                answers = tally([await caller.answer() for caller in callers])
                assert abs(answers[200] - passed) <= 2
                assert answers.get(429, 0) == TOGETHER - answers[200]

    run(play())


def test_what_is_paused_is_refused_until_the_table_says_otherwise(tmp_path):
    async def play():
        async with staged(tmp_path, route={"paused": True}) as (stage, up):
            caller = await stage.caller()
            answer = await caller.get("/globex/x")
            assert (answer.status, answer.fields["midspan-outcome"]) == (503, "rejected")
            assert "retry-after" not in answer.fields
            assert stage.journal.exchanges[0].error == "paused"
            publish(stage.settings, table_of(route_to(up.port), revision=2))
            stage.hub.look_at_table()
            assert (await caller.get("/globex/x")).status == 200
            assert len(up.heads) == 1

    run(play())


BREAKER = Breaker(error_ratio=0.5, minimum=6, window_us=60_000_000, open_us=1_000_000, probes=2)


async def passing(ask):
    """Ask until it is let through, and answered well."""
    async with asyncio.timeout(10):
        while (status := await ask()) != 200:
            assert status == 503
            await asyncio.sleep(0.01)


def by_path(up_answers):
    """Answers by what the path asks for, as long as `up_answers` says so."""

    async def handler(up, reader, writer):
        while True:
            head, _ = await up.request(reader)
            writer.write(up_answers.get(head.split(b" ")[1], OK))

    return handler


@pytest.mark.parametrize("direction", Direction)
def test_a_circuit_opens_at_half_errors_and_closes_when_probes_are_good(tmp_path, direction):
    async def play():
        answers = {b"/bad": FAILURE}
        route = {"breaker": BREAKER, "inbound_token_sha256": (TOKEN_SHA256,)}
        async with staged(tmp_path, by_path(answers), route=route) as (stage, up):
            prefix = "" if direction == Direction.INBOUND else "/globex"
            lines = [f"X-Api-Key: {TOKEN.decode()}"] if direction == Direction.INBOUND else []
            caller = await stage.caller(direction)

            async def ask(path):
                return (await caller.get(prefix + path, *lines)).status

            for _ in range(3):
                assert [await ask("/good"), await ask("/bad")] == [200, 500]
            refused = await caller.get(prefix + "/good", *lines)
            assert (refused.status, refused.fields["retry-after"]) == (503, "1")
            assert len(up.heads) == 6
            assert stage.journal.exchanges[-1].error == "circuit_open"
            await passing(lambda: ask("/good"))
            assert [await ask("/bad"), await ask("/good")] == [500, 503]
            await passing(lambda: ask("/good"))
            assert [await ask("/good") for _ in range(20)] == [200] * 20
            assert await ask("/bad") == 500
            assert stage.totals == (len(stage.journal.exchanges),) * 2 + (0,)

    run(play())


def test_a_partner_that_does_not_answer_in_time_opens_its_circuit_and_no_other(tmp_path):
    async def silent(up, reader, writer):
        await reader.read()

    async def play():
        waits = Timeouts(first_byte_ms=50)
        route = {"breaker": BREAKER}
        async with staged(tmp_path, silent, timeouts=waits, route=route) as (stage, up):
            callers = await hose(stage, Direction.OUTBOUND, 6)
            assert {(await caller.answer()).status for caller in callers} == {504}
            caller = await stage.caller()
            assert (await caller.get("/globex/x")).status == 503
            other = route_to(up.port, integration="other", breaker=BREAKER, timeouts=waits)
            publish(stage.settings, table_of(other, route_to(up.port, breaker=BREAKER), revision=2))
            stage.hub.look_at_table()
            assert (await caller.get("/other/x")).status == 504
            assert (await caller.get("/globex/x")).status == 503

    run(play())


def test_faults_of_the_caller_and_of_the_proxy_open_nothing(tmp_path):
    async def play():
        route = {"breaker": BREAKER, "limits": Limits(body_bytes=3)}
        async with staged(tmp_path, answering(OK), route=route) as (stage, _):
            for _ in range(8):
                caller = await stage.caller()
                caller.send(request("POST", "/globex/x", body=b"too much"))
                assert (await caller.answer()).status == 413
            for number in range(8):
                caller = await stage.caller()
                caller.send(b"POST /globex/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n")
                await until(lambda number=number: len(stage.hub.live) == 1)
                caller.reset()
                await until(lambda number=number: len(stage.journal.exchanges) == 9 + number)
            assert (await (await stage.caller()).get("/globex/x")).status == 200

    run(play())


def test_an_open_circuit_is_told_to_other_processes_and_shown_in_the_counters(tmp_path):
    async def play():
        route = {"breaker": Breaker(minimum=2)}
        async with staged(tmp_path, answering(FAILURE), route=route) as (stage, _):
            caller = await stage.caller()
            assert [(await caller.get("/globex/x")).status for _ in range(3)] == [500, 500, 503]
            path = tmp_path / "status" / "gates-worker-0.json"
            now_us = time.time_ns() // 1000
            await until(lambda: path.exists() and decode_gates(path.read_bytes(), now_us))
            (state,) = decode_gates(path.read_bytes(), now_us)
            assert (state.integration, state.direction, state.circuit) == (
                "globex", "outbound", "open",
            )  # fmt: skip
            assert (state.failed, state.counted) == (2, 2)
            assert abs(state.until_us - state.since_us - 30_000_000) <= 1_000_000
            shown = (await caller.get("/-/metrics")).body.decode()
            labels = 'integration="globex",direction="outbound",worker="worker-0"'
            assert f"midspan_circuit{{{labels}}} 2\n" in shown
            assert 'midspan_circuits{worker="worker-0"} 1\n' in shown
            assert 'midspan_failed_total{code="circuit_open",worker="worker-0"} 1\n' in shown
        assert not path.exists()

    run(play())


def busy(status, after):
    return b"HTTP/1.1 %d Busy\r\nRetry-After: %b\r\nContent-Length: 0\r\n\r\n" % (status, after)


def test_a_503_with_retry_after_holds_everybody_for_that_long_and_no_longer(tmp_path):
    async def play():
        handler = answering(busy(503, b"1"), OK)
        async with staged(tmp_path, handler) as (stage, up):
            caller = await stage.caller()
            first = await caller.get("/globex/x")
            assert (first.status, first.fields["retry-after"]) == (503, "1")
            held = await caller.get("/globex/x", "Midspan-Installation: inst-1")
            assert (held.status, held.fields["retry-after"]) == (503, "1")
            assert held.fields["midspan-outcome"] == "rejected"
            assert stage.journal.exchanges[1].error == "retry_after_hold"
            assert len(up.heads) == 1
            begun = time.monotonic()

            async def ask():
                return (await caller.get("/globex/x")).status

            await passing(ask)
            assert time.monotonic() - begun > 0.5
            assert len(up.heads) == 2

    run(play())


def test_a_429_holds_the_installation_it_was_for(tmp_path):
    async def play():
        async with staged(tmp_path, answering(busy(429, b"9"), OK)) as (stage, up):
            caller = await stage.caller()
            one, two = "Midspan-Installation: inst-1", "Midspan-Installation: inst-2"
            assert (await caller.get("/globex/x", one)).status == 429
            held = await caller.get("/globex/x", one)
            assert (held.status, held.fields["retry-after"]) == (429, "9")
            assert stage.journal.exchanges[1].error == "rate_limit_hold"
            assert (await caller.get("/globex/x", two)).status == 200
            assert (await caller.get("/globex/x")).status == 200
            assert len(up.heads) == 3

    run(play())


def test_where_nothing_is_obeyed_a_retry_after_is_only_passed_on(tmp_path):
    async def play():
        handler, changes = answering(busy(503, b"9"), OK), {"retry_after_max_us": 0}
        async with staged(tmp_path, handler, changes=changes) as (stage, _):
            caller = await stage.caller()
            assert (await caller.get("/globex/x")).fields["retry-after"] == "9"
            assert (await caller.get("/globex/x")).status == 200

    run(play())


def test_a_hold_is_bounded_however_long_it_is_asked_for(tmp_path):
    async def play():
        changes = {"retry_after_max_us": 5_000_000}
        handler = answering(busy(503, b"999999"), OK)
        async with staged(tmp_path, handler, changes=changes) as (stage, _):
            caller = await stage.caller()
            assert (await caller.get("/globex/x")).fields["retry-after"] == "999999"
            assert (await caller.get("/globex/x")).fields["retry-after"] == "5"

    run(play())
