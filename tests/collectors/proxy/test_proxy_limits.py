"""What a caller may send, hold open and take its time for; and what a flood leaves to others."""

import asyncio
import resource

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.words import Direction, Outcome
from collectors.proxy.crowd import Crowd, Entry, room_for
from collectors.proxy.framing import ChunkedBody
from collectors.proxy.metrics import FAILED, TURNED_PEER
from collectors.proxy.timeouts import Progress, Stage, crawls
from collectors.proxy.verdicts import BadMessage
from tests.collectors.proxy import certificates
from tests.collectors.proxy.kit import OK, Caller, answering, request, run, staged, until

S = 1_000_000_000
MIB = 1024 * 1024
HEAD = b"GET /globex/x HTTP/1.1\r\nHost: a\r\n"
CHUNKED = b"POST /globex/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


# The parts.


@given(
    st.integers(1, 6),
    st.integers(0, 3),
    st.lists(st.tuples(st.booleans(), st.integers(0, 2)), max_size=30),
)
def test_a_crowd_is_never_larger_than_its_room_and_no_peer_takes_more_than_its_share(
    room, per_peer, acts
):
    crowd, inside = Crowd(room, per_peer, reserve=1), []
    for coming, peer in acts:
        name = b"%d" % peer
        if coming:
            entry = crowd.enter(name)
            full = len(inside) >= room + 1
            too_many = per_peer and inside.count(name) >= per_peer
            expected = (
                Entry.FULL if full else Entry.PEER_FULL if too_many
                else Entry.WELCOME if len(inside) < room else Entry.OWN_PAGES
            )  # fmt: skip
            assert entry == expected
            inside += [name] * (entry in (Entry.WELCOME, Entry.OWN_PAGES))
        elif name in inside:
            inside.remove(name)
            crowd.leave(name)
        assert crowd.inside == len(inside)
        assert crowd.pressed == (len(inside) / room > 0.75)


def test_those_behind_one_load_balancer_are_not_one_peer():
    crowd = Crowd(4, 1, 0)
    entries = [crowd.enter(b"balancer", alone=False) for _ in range(5)]
    assert entries == [Entry.WELCOME] * 4 + [Entry.FULL]


@pytest.mark.parametrize(
    ("wanted", "files", "room"),
    [(16_384, 1_048_576, 16_384), (16_384, 4_096, 960), (16_384, 1_024, 192), (9, 100, 1)],
)
def test_a_listener_has_no_more_room_than_there_are_files(wanted, files, room):
    assert room_for(wanted, files) == room


def sending(paced_s: float, paced_bytes: int, *, stage=Stage.SENDING, blocked=False) -> bool:
    now_ns = 1000 * S
    progress = Progress(
        stage, 0, 0, now_ns, False, blocked, now_ns - round(paced_s * S), paced_bytes
    )
    return crawls(progress, 256, now_ns)


@pytest.mark.parametrize(
    ("crawling", "is_said"),
    [
        (sending(10, 0), False),  # the first ten seconds are free
        (sending(12, 511), True),
        (sending(12, 512), False),
        (sending(60, 12_799), True),
        (sending(60, 12_800), False),
        (sending(60, 0, blocked=True), False),  # the upstream does not take it
        (sending(60, 0, stage=Stage.WAITING), False),
        (sending(60, 0, stage=Stage.QUEUED), False),
    ],
)
def test_a_body_crawls_when_its_caller_is_what_is_slow(crawling, is_said):
    assert crawling == is_said


def test_any_body_is_fast_enough_where_no_speed_is_asked_for():
    assert not crawls(Progress(Stage.SENDING, 0, 0, 0, paced_ns=0), 0, 10**15)


def test_chunks_of_one_byte_are_taken_up_to_a_bound_and_larger_ones_for_ever():
    body = ChunkedBody(framing_bytes=1_000)
    with pytest.raises(BadMessage, match="chunk framing"):
        body.feed(b"1\r\nx\r\n" * 300)
    assert ChunkedBody(framing_bytes=1_000).feed(b"1\r\nx\r\n" * 200)[0] == b"x" * 200
    patient = ChunkedBody(framing_bytes=10)
    for _ in range(1_000):
        patient.feed(b"8\r\n12345678\r\n")
    assert patient.feed(b"0\r\n\r\n") == (b"", b"")
    assert patient.done


# Over sockets. Each flood is answered for a bounded price, and others do not feel it.


def cpu_s() -> float:
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


def resident_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


async def pour(stage, data: bytes, times: int = 1):
    """Send as much of it as is taken; the answer, if there is one."""
    caller = await stage.caller()
    try:
        for _ in range(times):
            caller.send(data)
            await caller.writer.drain()
    except ConnectionError:
        pass
    try:
        return await caller.answer()
    except (ConnectionError, asyncio.IncompleteReadError):
        return None


FLOODS = {
    "a header of 64 MiB": (HEAD + b"X: ", b"a" * MIB, 64, 431, "head_too_large"),
    "50,000 headers": (HEAD, b"X: y\r\n" * 500, 100, 431, "head_too_large"),
    "101 headers": (HEAD + b"X: y\r\n" * 100, b"\r\n", 1, 431, "head_too_large"),
    "a URL of 1 MiB": (b"GET /globex/", b"a" * MIB, 1, 431, "head_too_large"),
    "100 KB of chunk extension": (CHUNKED, b"1;" + b"e" * 100_000, 1, 400, "bad_framing"),
    "100 KB of chunk extensions": (CHUNKED, b"1;" + b"e" * 900 + b"\r\nx\r\n", 111, 400,
                                   "bad_framing"),
    "300,000 chunks of a byte": (CHUNKED, b"1\r\nx\r\n" * 1_000, 300, 400, "bad_framing"),
    "16 MiB where 10 are allowed": (CHUNKED, b"100000\r\n" + b"a" * MIB + b"\r\n", 16, 413,
                                    "body_too_large"),
}  # fmt: skip


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_refused_for_a_bounded_price(tmp_path, name):
    start, more, times, status, code = FLOODS[name]

    async def play():
        async with staged(tmp_path, answering(OK)) as (stage, up):
            await (await stage.caller()).get("/globex/warm")
            before_s, before_bytes = cpu_s(), resident_bytes()
            caller = await stage.caller()
            caller.send(start)
            try:
                for _ in range(times):
                    caller.send(more)
                    await caller.writer.drain()
            except ConnectionError:
                pass
            record = await stage.journal.record(1)
            assert record.error == code
            assert cpu_s() - before_s < 2  # of both ends; the parser alone would take 22 s
            assert resident_bytes() - before_bytes < 64 * MIB
            assert stage.hub.counts[0] == 2
            assert (await (await stage.caller()).get("/globex/x")).status == 200
            assert all(b"/globex" not in head for head in up.heads)
            return record

    record = run(play())
    assert record.outcome == Outcome.REJECTED
    assert status in (400, 413, 431)


@pytest.mark.parametrize("name", ["101 headers", "a URL of 1 MiB", "100 KB of chunk extension"])
def test_a_flood_that_stops_sees_its_answer(tmp_path, name):
    start, more, _, status, _ = FLOODS[name]

    async def play():
        async with staged(tmp_path) as (stage, _):
            answer = await pour(stage, start + more[:60_000])
            assert answer.status == status
            assert answer.fields["midspan-outcome"] == "rejected"

    run(play())


def test_ten_thousand_chunks_of_a_byte_arrive(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, up):
            caller = await stage.caller()
            caller.send(CHUNKED + b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\n")
            assert (await caller.answer()).status == 200
            assert up.bodies == [b"x" * 10_000]

    run(play())


def test_a_head_that_comes_a_byte_at_a_time_has_a_deadline_of_its_own(tmp_path):
    async def play():
        async with staged(tmp_path, changes={"head_timeout_us": 300_000}) as (stage, _):
            slow, fast = await stage.caller(), await stage.caller()
            for byte in HEAD * 1_000:
                slow.send(bytes([byte]))
                assert (await fast.get("/globex/x")).status == 200
                if stage.hub.counts[FAILED["request_timeout"]]:
                    break
            assert (await slow.answer()).status == 408

    run(play())


def test_a_body_that_crawls_is_ended_and_its_caller_named(tmp_path, monkeypatch):
    monkeypatch.setattr("collectors.proxy.timeouts.GRACE_NS", 100_000_000)

    async def play():
        async with staged(tmp_path, changes={"body_bytes_per_second": 10_000}) as (stage, _):
            caller = await stage.caller()
            caller.send(b"POST /globex/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
            for _ in range(1_000):
                caller.send(b"x")
                if stage.journal.exchanges:
                    break
                await asyncio.sleep(0.02)
            assert (await caller.answer()).status == 408
            record = await stage.journal.record()
            assert (record.outcome, record.error) == (Outcome.TIMEOUT, "request_timeout")

    run(play())


def test_limits_are_those_of_the_settings(tmp_path):
    changes = {"head_line_bytes": 2_000, "head_bytes": 3_000, "head_fields": 10}
    just = b"GET /globex/" + b"a" * 1_979 + b" HTTP/1.1\r\nHost: a\r\n"
    cases = [
        (just + b"\r\n", 200),
        (just.replace(b"aaa", b"aaaa", 1) + b"\r\n", 431),
        (HEAD + b"X: y\r\n" * 9 + b"\r\n", 200),
        (HEAD + b"X: y\r\n" * 10 + b"\r\n", 431),
        (HEAD + b"X: " + b"y" * 2_900 + b"\r\n\r\n", 200),
        (HEAD + b"X: " + b"y" * 3_000 + b"\r\n\r\n", 431),
    ]

    async def play():
        async with staged(tmp_path, changes=changes) as (stage, _):
            for raw, status in cases:
                assert (await pour(stage, raw)).status == status

    run(play())


def test_who_is_one_too_many_is_answered_503_unread_and_the_proxy_says_that_it_lives(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("collectors.proxy.hub.RESERVE", 2)

    async def play():
        async with staged(tmp_path, changes={"connections": 3}) as (stage, _):
            callers = [await stage.caller() for _ in range(3)]
            for caller in callers:
                assert (await caller.get("/globex/x")).status == 200
            fourth, fifth = await stage.caller(), await stage.caller()
            assert (await fourth.get("/-/livez")).status == 200
            refused = await fourth.get("/globex/x")
            assert (refused.status, refused.fields["retry-after"]) == (503, "1")
            assert stage.journal.exchanges[-1].error == "too_many_connections"
            assert (await fifth.get("/-/livez")).status == 200
            await until(lambda: stage.hub.crowds[0].inside == 4)
            sixth, seventh = await stage.caller(), await stage.caller()
            assert (await sixth.get("/-/livez")).status == 200
            assert (await seventh.answer()).status == 503
            assert await seventh.ended() == b""
            refusals = 'midspan_connections_refused_total{reason="full",worker="worker-0"} 1\n'
            assert refusals in (await fifth.get("/-/metrics")).body.decode()
            await callers[0].close()
            await until(lambda: stage.hub.crowds[0].inside == 4)
            assert (await callers[1].get("/globex/x")).status == 200

    run(play())


def test_one_peer_takes_no_more_than_its_share_of_the_partners_listener(tmp_path):
    async def play():
        async with staged(tmp_path, changes={"peer_connections": 2}) as (stage, _):
            callers = [await stage.caller(Direction.INBOUND) for _ in range(2)]
            for caller in callers:
                assert (await caller.get("/x")).status == 200
            third = await stage.caller(Direction.INBOUND)
            assert (await third.answer()).status == 429
            assert (await (await stage.caller()).get("/globex/x")).status == 200
            await callers[0].close()
            await until(lambda: stage.hub.crowds[1].inside == 1)
            again = await stage.caller(Direction.INBOUND)
            assert (await again.get("/x")).status == 200
            assert len(stage.journal.exchanges) == 4

    run(play())


def test_idle_connections_go_sooner_when_they_are_many(tmp_path, monkeypatch):
    monkeypatch.setattr("collectors.proxy.caller.PRESSED_NS", 100_000_000)

    async def play():
        async with staged(tmp_path, changes={"connections": 4}) as (stage, _):
            callers = [await stage.caller() for _ in range(4)]
            ending = [asyncio.ensure_future(caller.ended()) for caller in callers]
            gone, staying = await asyncio.wait(ending, return_when=asyncio.FIRST_COMPLETED)
            assert {each.result() for each in gone} == {b""}
            await until(lambda: stage.hub.crowds[0].inside <= 3)
            for each in staying:
                each.cancel()

    run(play())


def test_many_requests_sent_ahead_leave_room_for_others(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, _):
            greedy, other = await stage.caller(), await stage.caller()
            greedy.send(request("GET", "/nobody/x") * 1000)
            greedy.writer.write_eof()
            assert (await other.get("/globex/x")).status == 200
            assert len(stage.journal.exchanges) < 1000
            assert {(await greedy.answer()).status for _ in range(1000)} == {404}

    run(play())


def test_requests_sent_ahead_are_bounded_also_where_each_is_answered_at_once(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, _):
            most = 0

            def look(_):
                nonlocal most
                most = max(most, *(len(each._ahead) for each in stage.hub.callers), 0)

            stage.journal.watch = look
            greedy = await stage.caller()
            greedy.send(request("GET", "/nobody/x", "X-Pad: " + "x" * 4000) * 800)
            greedy.writer.write_eof()
            assert {(await greedy.answer()).status for _ in range(800)} == {404}
            assert await greedy.ended() == b""
            # What may wait, and what one reading brings.
            assert most <= stage.hub.caps.pipeline_bytes + 256 * 1024
            assert stage.totals == (800, 800, 0)

    run(play())


def test_one_peer_takes_no_more_than_its_share_of_the_door_where_hands_are_shaken(tmp_path):
    certificates.make(tmp_path)
    shown = {"inbound_tls_cert": tmp_path / "good.pem", "inbound_tls_key": tmp_path / "good.key"}

    async def play():
        async with staged(tmp_path, changes={**shown, "peer_connections": 3}) as (stage, _):
            port, trusting = stage.server.ports[Direction.INBOUND], certificates.client(tmp_path)
            silent = [await stage.caller(Direction.INBOUND) for _ in range(3)]
            assert await (await stage.caller(Direction.INBOUND)).ended() == b""
            assert stage.hub.counts[TURNED_PEER] == 1
            for each in silent:
                await each.close()

            async def let_in():
                try:
                    return Caller(*await asyncio.open_connection("127.0.0.1", port, ssl=trusting))
                except OSError:  # those that have gone may not be missed yet
                    return None

            inside = []
            while len(inside) < 3:  # each has left the door when it is inside
                if (caller := await let_in()) is not None:
                    inside.append(caller)
            for each in inside:
                assert (await each.get("/x")).status == 200
                await each.close()
            assert stage.totals == (3, 3, 0)

    run(play())
