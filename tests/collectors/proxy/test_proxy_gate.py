"""A gate: what comes first, who waits, what a new table changes, and what is told of it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.gates import GateState, decode_gates, encode_gates, merged
from app.domain.route import Breaker, Limits, Ramp, Route
from app.domain.words import Direction
from collectors.proxy.breaker import Circuit, Sign
from collectors.proxy.gate import WAITING, Gate, rules_of
from collectors.proxy.gates import Gates, GatesFile
from collectors.proxy.verdicts import Refusal

S = 1_000_000_000
GOOD, FAILED, NOTHING = Sign


def gate(workers: int = 1, **route: object) -> Gate[str]:
    return Gate(rules_of(Route("globex", "globex", **route), workers), 0)


def code(verdict: object) -> str:
    assert isinstance(verdict, Refusal)
    return verdict.code


def fail_until_open(gate: Gate[str], now_ns: int = 0) -> None:
    for _ in range(20):
        gate.leave("x", gate.admit("x", "", now_ns, 0), FAILED, now_ns)
    assert gate.breaker.circuit == Circuit.OPEN


def test_a_gate_without_limits_lets_everything_through():
    free = gate(breaker=None)
    assert [free.admit("x", "", 0, 0) for _ in range(1_000)] == [0] * 1_000


def test_what_is_paused_is_refused_whatever_else_holds():
    paused = gate(paused=True, limits=Limits(1, 1, 1))
    assert [code(paused.admit("x", "", 0, 0)) for _ in range(3)] == ["paused"] * 3


def test_over_the_rate_is_refused_with_when_to_come_again():
    limited = gate(limits=Limits(requests_per_second=0.5, burst=2))
    assert [isinstance(limited.admit("x", "", 0, 0), int) for _ in range(3)] == [True, True, False]
    refused = limited.admit("x", "", 0, 0)
    assert refused == Refusal("rate_limited", "over 0.5 requests per second", "", 2)
    assert limited.admit("x", "", 2 * S, 0) == 0


def test_without_a_burst_one_seconds_rate_may_come_at_once():
    limited = gate(limits=Limits(requests_per_second=2.5))
    assert [isinstance(limited.admit("x", "", 0, 0), int) for _ in range(4)].count(True) == 3


def test_a_ramp_bounds_the_rate_and_the_burst_while_it_grows():
    ramping = gate(ramp=Ramp(2, 100, 1_000_000, 0), limits=Limits(burst=50))
    assert sum(isinstance(ramping.admit("x", "", 0, 0), int) for _ in range(60)) == 2
    assert sum(isinstance(ramping.admit("x", "", 9 * S, 1_000_000), int) for _ in range(60)) == 50
    capped = gate(ramp=Ramp(2, 100, 1_000_000, 0), limits=Limits(requests_per_second=10))
    assert sum(isinstance(capped.admit("x", "", 0, 0), int) for _ in range(60)) == 2
    assert sum(isinstance(capped.admit("x", "", 9 * S, 1_000_000), int) for _ in range(60)) == 10


def test_who_finds_no_place_waits_and_who_finds_no_queue_is_refused():
    small = gate(limits=Limits(concurrency=1, queue=1))
    first = small.admit("a", "", 0, 0)
    assert small.admit("b", "", 0, 0) == WAITING
    assert code(small.admit("c", "", 0, 0)) == "concurrency_full"
    assert list(small.leave("a", first, GOOD, 0)) == [("b", 0)]
    assert small.admit("c", "", 0, 0) == WAITING
    assert list(small.leave("c", WAITING, NOTHING, 0)) == []
    assert list(small.leave("b", 0, GOOD, 0)) == []
    assert small.admit("d", "", 0, 0) == 0


def test_who_waits_while_the_circuit_opens_is_refused_in_turn():
    small = gate(limits=Limits(concurrency=2, queue=9), breaker=Breaker(minimum=2))
    permits = [small.admit(name, "", 0, 0) for name in "abcde"]
    assert permits == [0, 0, WAITING, WAITING, WAITING]
    assert list(small.leave("a", 0, FAILED, 0)) == [("c", 0)]
    decided = list(small.leave("b", 0, FAILED, 0))
    assert [(who, code(verdict)) for who, verdict in decided] == [
        ("d", "circuit_open"), ("e", "circuit_open"),
    ]  # fmt: skip
    assert list(small.leave("c", 0, GOOD, 0)) == []
    assert code(small.admit("f", "", 0, 0)) == "circuit_open"


def test_who_waits_when_nobody_may_call_any_more_is_refused_in_turn():
    held, paused = (gate(limits=Limits(concurrency=1, queue=9)) for _ in range(2))
    for each in (held, paused):
        assert [each.admit(name, "", 0, 0) for name in "abc"] == [0, WAITING, WAITING]
    held.hold(503, "", 60 * S)
    paused.use(rules_of(Route("globex", "globex", paused=True), 1))
    for each, why in ((held, "retry_after_hold"), (paused, "paused")):
        decided = each.leave("a", 0, NOTHING, S)
        assert [(who, code(verdict)) for who, verdict in decided] == [("b", why), ("c", why)]


def test_more_places_than_there_were_are_found_by_who_waits_though_nobody_leaves():
    growing = gate(limits=Limits(concurrency=1, queue=9))
    assert [growing.admit(name, "", 0, 0) for name in "abcde"] == [0, *[WAITING] * 4]
    growing.use(rules_of(Route("globex", "globex", limits=Limits(concurrency=3, queue=9)), 1))
    assert list(growing.leave("b", WAITING, NOTHING, S)) == [("c", 0), ("d", 0)]
    assert list(growing.leave("a", 0, GOOD, S)) == [("e", 0)]


def test_an_open_circuit_is_told_before_the_rate_and_takes_no_tokens():
    both = gate(limits=Limits(requests_per_second=1, burst=22))
    fail_until_open(both)
    assert {code(both.admit("x", "", 0, 0)) for _ in range(50)} == {"circuit_open"}
    refused = both.admit("x", "", 10 * S, 0)
    assert refused.retry_after_s == 20
    assert refused.detail == "20 of 20 exchanges failed"


def test_probes_go_through_an_open_circuit_when_its_time_has_come():
    free = gate()
    fail_until_open(free)
    permits = [free.admit("x", "", 30 * S, 0) for _ in range(4)]
    assert [isinstance(permit, int) for permit in permits] == [True, True, True, False]
    for permit in permits[:3]:
        free.leave("x", permit, GOOD, 31 * S)
    assert free.breaker.circuit == Circuit.CLOSED
    assert free.refresh(31 * S)


def test_a_hold_says_whether_it_came_of_a_429_or_a_503():
    held = gate()
    held.hold(429, "inst-1", 5 * S)
    assert held.admit("x", "inst-1", 0, 0) == Refusal("rate_limit_hold", "for 5 s", "", 5)
    assert held.admit("x", "inst-2", 0, 0) == 0
    held.hold(503, "", 3 * S)
    assert held.admit("x", "inst-2", S // 2, 0) == Refusal("retry_after_hold", "for 3 s", "", 3)
    assert held.admit("x", "inst-2", 3 * S, 0) == 0
    assert not held.refresh(4 * S)
    assert held.refresh(5 * S)


@pytest.mark.parametrize(
    ("workers", "rate", "burst", "places", "queue"),
    [(1, 50, 100, 64, 16), (2, 25, 50, 32, 8), (3, 50 / 3, 34, 22, 6), (100, 0.5, 1, 1, 1)],
)
def test_workers_share_what_an_integration_may_use(workers, rate, burst, places, queue):
    rules = rules_of(Route("a", "b", limits=Limits(50, 100, 64)), workers)
    assert (rules.rate, rules.burst, rules.places, rules.queue) == (rate, burst, places, queue)


def test_a_new_table_changes_rules_and_forgets_no_state():
    gates = Gates(1)
    before = Route("globex", "g", limits=Limits(concurrency=1, queue=0))
    gates.use([before, Route("gone", "g")], 0)
    outbound = gates.of[Direction.OUTBOUND]["globex"]
    assert outbound is not gates.of[Direction.INBOUND]["globex"]
    inside = outbound.admit("a", "", 0, 0)
    gates.use([Route("globex", "g", limits=Limits(concurrency=2, queue=0))], 0)
    assert set(gates.of[Direction.OUTBOUND]) == {"globex"}
    assert gates.of[Direction.OUTBOUND]["globex"] is outbound
    assert outbound.admit("b", "", 0, 0) == 0
    assert code(outbound.admit("c", "", 0, 0)) == "concurrency_full"
    outbound.leave("a", inside, GOOD, 0)
    assert outbound.admit("c", "", 0, 0) == 0


def test_an_open_circuit_stays_open_through_a_new_table_unless_its_rules_change():
    gates = Gates(1)
    gates.use([Route("globex", "g")], 0)
    outbound = gates.of[Direction.OUTBOUND]["globex"]
    late = outbound.admit("late", "", 0, 0)
    fail_until_open(outbound)
    gates.use([Route("globex", "g", limits=Limits(burst=3))], 0)
    assert code(outbound.admit("x", "", 0, 0)) == "circuit_open"
    gates.use([Route("globex", "g", breaker=Breaker(minimum=1))], 0)
    outbound.leave("late", late, FAILED, 0)
    assert outbound.admit("x", "", 0, 0) >= 0
    gates.use([Route("globex", "g", breaker=None)], 0)
    assert outbound.admit("x", "", 0, 0) == 0


@given(
    st.integers(1, 3),
    st.integers(0, 3),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9), st.sampled_from(Sign)), max_size=80),
)
def test_nobody_is_lost_or_let_in_twice(places, queue, acts):
    """Whatever happens, each that was not refused is inside, waits, or has left."""
    small = gate(limits=Limits(concurrency=places, queue=queue), breaker=Breaker(minimum=3))
    inside: dict[int, int] = {}
    waiting: set[int] = set()
    for number, (act, which, sign) in enumerate(acts):
        now = number * S
        if act == 0 or not inside:
            verdict = small.admit(number, "", now, 0)
            if verdict == WAITING:
                waiting.add(number)
            elif isinstance(verdict, int):
                inside[number] = verdict
        elif act == 1 and waiting:
            gone = sorted(waiting)[which % len(waiting)]
            waiting.remove(gone)
            assert list(small.leave(gone, WAITING, NOTHING, now)) == []
        else:
            gone = sorted(inside)[which % len(inside)]
            for who, verdict in small.leave(gone, inside.pop(gone), sign, now):
                waiting.remove(who)
                if isinstance(verdict, int):
                    inside[who] = verdict
        assert len(inside) <= places
        assert small.waiting == len(waiting) <= queue
        assert not waiting or len(inside) == places


# What others are told.


def told(path):
    document = json.loads(path.read_bytes())
    return decode_gates(path.read_bytes(), document["updated_us"])


def test_what_is_not_as_usual_is_told_once_and_again_when_it_changes(tmp_path):
    gates, file = Gates(1), GatesFile(tmp_path / "status", "worker-0")
    path = tmp_path / "status" / "gates-worker-0.json"
    gates.use([Route("globex", "g"), Route("calm", "g")], 0)
    at = 1_000_000_000_000_000
    file.tell(gates, 0, at)
    assert told(path) == []
    fail_until_open(gates.of[Direction.OUTBOUND]["globex"])
    file.tell(gates, S // 2, at + 500_000)
    assert told(path) == []
    file.tell(gates, S, at + 1_000_000)
    state = GateState(
        "globex", "outbound", "open", since_us=at, until_us=at + 30_000_000, failed=20, counted=20
    )
    assert told(path) == [state]
    written = path.stat().st_mtime_ns
    file.tell(gates, 3 * S, at + 3_000_000)
    assert path.stat().st_mtime_ns == written
    file.tell(gates, 7 * S, at + 7_000_000)
    assert path.stat().st_mtime_ns > written
    gates.of[Direction.INBOUND]["calm"].hold(503, "", 60 * S)
    file.tell(gates, 31 * S, at + 31_000_000)
    first, second = told(path)
    assert first.circuit == "half_open"
    assert (second.integration, second.direction, second.circuit) == ("calm", "inbound", "closed")
    assert (second.held_until_us, second.held_status) == (at + 60_000_000, 503)
    file.close()
    assert not path.exists()


def test_a_file_that_cannot_be_written_is_written_later(tmp_path):
    (tmp_path / "status").write_text("in the way")
    gates, file = Gates(1), GatesFile(tmp_path / "status", "worker-0")
    file.tell(gates, 0, 10**15)
    (tmp_path / "status").unlink()
    file.tell(gates, 0, 10**15)
    assert told(tmp_path / "status" / "gates-worker-0.json") == []


def test_the_words_of_a_worker_that_is_gone_are_not_believed():
    raw = encode_gates(10**15, [GateState("a", "outbound", "open")])
    assert decode_gates(raw, 10**15 + 15_000_000) == [GateState("a", "outbound", "open")]
    assert decode_gates(raw, 10**15 + 15_000_001) == []


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"{}", b'{"version": 2}', b'{"version": 1, "updated_us": 1, "gates": [1]}',
     b'{"version": 1, "updated_us": 1, "gates": [{}]}'],
)  # fmt: skip
def test_a_damaged_file_is_one_kind_of_error(raw):
    with pytest.raises(ValueError, match=r"gates file|Expecting"):
        decode_gates(raw, 1)


def test_workers_that_differ_are_one_state_the_worst_since_the_first():
    calm = GateState("a", "outbound", held_until_us=9, held_status=503)
    opened = GateState("a", "outbound", "open", 5, 9, 3, 4)
    trying = GateState("a", "outbound", "half_open", 2, 4, 5, 6)
    other = GateState("a", "inbound", "open", 1, 2)
    assert merged([opened, other, trying, calm]) == [
        other,
        GateState("a", "outbound", "open", 2, 9, 8, 10, 9, 503),
    ]
