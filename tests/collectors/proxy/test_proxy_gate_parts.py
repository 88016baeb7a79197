"""The parts of a gate, each against what it promises: tables, properties, a model."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.route import Breaker, Ramp
from app.domain.words import Direction, Outcome
from collectors.proxy.breaker import Circuit, CircuitBreaker, Sign, sign_of
from collectors.proxy.bucket import Bucket
from collectors.proxy.bulkhead import Bulkhead
from collectors.proxy.hold import Hold, Holds, retry_after_s
from collectors.proxy.ramp import rate_at

S = 1_000_000_000
gaps = st.lists(st.integers(0, 3 * S), max_size=60)


# The bucket.


@given(gaps, st.floats(0.01, 1000), st.integers(1, 50))
def test_a_bucket_never_lets_through_more_than_burst_and_rate_times_time(gaps, rate, burst):
    bucket, now, taken = Bucket(burst, 0), 0, 0
    for gap in gaps:
        now += gap
        taken += bucket.take(rate, burst, now) == 0
        assert taken <= burst + Fraction(rate) * now / S + Fraction(1, 1_000_000)


@given(st.floats(0.01, 1000), st.integers(1, 50))
def test_whoever_waits_as_long_as_told_is_let_through(rate, burst):
    bucket, now = Bucket(burst, 0), 0
    for _ in range(burst):
        assert bucket.take(rate, burst, now) == 0
    wait = bucket.take(rate, burst, now)
    assert wait > 0
    assert bucket.take(rate, burst, now + wait + 2) == 0


def test_a_bucket_serves_a_steady_caller_at_its_rate_for_ever():
    bucket = Bucket(1, 0)
    assert all(bucket.take(50, 1, n * S // 50) == 0 for n in range(5_000))


def test_a_bucket_is_not_filled_by_a_clock_that_steps_back():
    bucket = Bucket(1, 10 * S)
    assert bucket.take(1, 1, 10 * S) == 0
    assert bucket.take(1, 1, 5 * S) > 0
    assert bucket.take(1, 1, 10 * S) > 0


# The ramp.

RAMP = Ramp(5, 200, over_us=1_000, begun_us=10_000)


@pytest.mark.parametrize(
    ("at", "rate"),
    [(0, 5), (10_000, 5), (10_500, 102.5), (10_999, 199.805), (11_000, 200), (10**15, 200)],
)
def test_a_ramp_grows_evenly_and_stays_at_its_end(at, rate):
    assert rate_at(RAMP, at) == pytest.approx(rate)


@given(st.integers(0, 30_000), st.integers(0, 30_000))
def test_a_ramp_never_goes_down(one, other):
    assert rate_at(RAMP, min(one, other)) <= rate_at(RAMP, max(one, other))


# The bulkhead.


@given(st.integers(1, 4), st.integers(0, 4), st.lists(st.integers(0, 9), max_size=60))
def test_a_bulkhead_is_never_fuller_than_it_may_be_and_serves_who_came_first(places, queue, acts):
    bulkhead: Bulkhead[int] = Bulkhead(places, queue)
    waiting: list[int] = []
    inside = 0
    for number, act in enumerate(acts):
        if act < 6:
            entered = bulkhead.enter()
            assert entered == (inside < places and not waiting)
            inside += entered
            if not entered:
                joined = bulkhead.wait(number)
                assert joined == (len(waiting) < queue)
                waiting += [number] * joined
        elif act < 8 and inside:
            bulkhead.leave()
            following = bulkhead.next()
            assert following == (waiting.pop(0) if waiting else None)
            inside -= following is None
        elif waiting:
            assert bulkhead.give_up(waiting.pop(act % len(waiting)))
        assert (bulkhead.inside, bulkhead.waiting) == (inside, len(waiting))
        assert inside <= places
        assert len(waiting) <= queue
    assert not bulkhead.give_up(-1)


# The breaker.

RULES = Breaker(error_ratio=0.5, minimum=4, window_us=10_000_000, open_us=5_000_000, probes=2)


def after(breaker: CircuitBreaker, signs: str, now: int) -> Circuit:
    """Each sign as one exchange that enters and leaves at once: g, f or n."""
    for sign in signs:
        assert breaker.wait_ns(now) == 0
        breaker.leave(breaker.enter(), Sign("gfn".index(sign)), now)
    return breaker.circuit


@pytest.mark.parametrize(
    ("signs", "circuit"),
    [
        ("fff", Circuit.CLOSED),  # below the minimum
        ("ffff", Circuit.OPEN),
        ("gggf", Circuit.CLOSED),
        ("ggff", Circuit.OPEN),  # the ratio itself is enough
        ("gggfff", Circuit.OPEN),
        ("ggggfff", Circuit.CLOSED),
        ("nnnfff", Circuit.CLOSED),  # what says nothing does not count
        ("fffg", Circuit.CLOSED),  # a good one opens nothing
    ],
)
def test_a_circuit_opens_at_a_ratio_of_enough_exchanges(signs, circuit):
    assert after(CircuitBreaker(RULES), signs, 0) == circuit


def test_a_ratio_of_one_opens_when_nothing_succeeds():
    assert after(CircuitBreaker(Breaker(error_ratio=1, minimum=2)), "ff", 0) == Circuit.OPEN


def test_failures_that_left_the_window_are_forgotten():
    breaker = CircuitBreaker(RULES)
    after(breaker, "fff", 0)
    after(breaker, "g", 10 * S)
    assert (breaker.good, breaker.failed) == (1, 0)
    assert after(breaker, "f", 11 * S) == Circuit.CLOSED


def test_an_open_circuit_lets_nothing_in_until_its_time_then_a_few_probes():
    breaker = CircuitBreaker(RULES)
    after(breaker, "ffff", 7 * S)
    assert breaker.wait_ns(8 * S) == 4 * S
    assert breaker.wait_ns(12 * S) == 0
    first, second = breaker.enter(), breaker.enter()
    assert breaker.circuit == Circuit.HALF_OPEN
    assert breaker.wait_ns(12 * S) > 0
    assert not breaker.leave(first, Sign.GOOD, 12 * S)
    assert breaker.wait_ns(12 * S) > 0
    assert breaker.leave(second, Sign.GOOD, 12 * S)
    assert breaker.circuit == Circuit.CLOSED
    assert (breaker.good, breaker.failed) == (0, 0)


def test_one_failed_probe_opens_it_again_and_since_stays():
    breaker = CircuitBreaker(RULES)
    after(breaker, "ffff", 7 * S)
    assert after(breaker, "gf", 12 * S) == Circuit.OPEN
    assert breaker.wait_ns(12 * S) == 5 * S
    assert (breaker.left_closed_ns, breaker.opened) == (7 * S, 2)


def test_a_probe_that_says_nothing_makes_room_for_another():
    breaker = CircuitBreaker(RULES)
    after(breaker, "ffff", 0)
    assert after(breaker, "nnnnn", 5 * S) == Circuit.HALF_OPEN
    assert after(breaker, "gg", 5 * S) == Circuit.CLOSED


def test_probes_that_do_not_end_make_room_for_others_after_a_while():
    breaker = CircuitBreaker(RULES)
    after(breaker, "ffff", 0)
    assert breaker.wait_ns(5 * S) == 0
    endless = [breaker.enter(), breaker.enter()]
    assert breaker.wait_ns(10 * S - 1) > 0
    assert breaker.wait_ns(10 * S) == 0
    others = [breaker.enter(), breaker.enter()]
    assert breaker.wait_ns(10 * S) > 0
    assert not breaker.leave(endless[0], Sign.NOTHING, 10 * S)
    assert not breaker.leave(others[0], Sign.GOOD, 10 * S)
    assert breaker.leave(others[1], Sign.GOOD, 10 * S)
    assert breaker.circuit == Circuit.CLOSED
    assert not breaker.leave(endless[1], Sign.FAILED, 11 * S)


def test_what_began_before_a_change_has_no_say_after_it():
    breaker = CircuitBreaker(RULES)
    late = [breaker.enter() for _ in range(9)]
    after(breaker, "ffff", 0)
    assert not breaker.leave(late[0], Sign.FAILED, 0)
    assert breaker.wait_ns(5 * S) == 0
    probe = breaker.enter()
    for permit in late[1:]:
        assert not breaker.leave(permit, Sign.GOOD, 5 * S)
    assert breaker.circuit == Circuit.HALF_OPEN
    assert breaker.leave(probe, Sign.FAILED, 5 * S)


def test_a_window_does_not_break_when_time_steps_back():
    breaker = CircuitBreaker(RULES)
    after(breaker, "gf", 20 * S)
    after(breaker, "gf", 1 * S)
    assert (breaker.good, breaker.failed) == (2, 2)
    assert breaker.circuit == Circuit.OPEN


class Model:
    """A breaker that remembers everything and counts anew each time."""

    def __init__(self, rules: Breaker) -> None:
        self.rules = rules
        self.past: list[tuple[int, bool]] = []
        self.open_until: int | None = None
        self.probes: int | None = None

    def closed_end(self, at: int, good: bool) -> None:
        slice_ns = self.rules.window_us * 100
        self.past.append((at, good))
        seen = [g for t, g in self.past if at // slice_ns - t // slice_ns < 10]
        failed = seen.count(False)
        enough = len(seen) >= self.rules.minimum
        if not good and enough and failed >= self.rules.error_ratio * len(seen):
            self.opens(at)

    def opens(self, at: int) -> None:
        self.open_until, self.probes = at + self.rules.open_us * 1000, None

    def probe_end(self, at: int, good: bool) -> None:
        assert self.probes is not None
        self.probes += 1
        if not good:
            self.opens(at)
        elif self.probes == self.rules.probes:
            self.probes, self.past = None, []


@given(
    st.builds(
        Breaker, st.floats(0.05, 1), st.integers(1, 6), st.just(10_000_000),
        st.integers(1, 9_000_000), st.integers(1, 3),
    ),
    st.lists(st.tuples(st.integers(0, 4 * S), st.booleans()), max_size=80),
)  # fmt: skip
def test_a_breaker_does_as_its_model(rules, ends):
    breaker, model, now = CircuitBreaker(rules), Model(rules), 0
    for gap, good in ends:
        now += gap
        if model.open_until is not None:
            assert breaker.wait_ns(now) == max(0, model.open_until - now)
            if now < model.open_until:
                continue
            model.open_until, model.probes = None, 0
        assert breaker.wait_ns(now) == 0
        breaker.leave(breaker.enter(), Sign.GOOD if good else Sign.FAILED, now)
        if model.probes is None:
            model.closed_end(now, good)
        else:
            model.probe_end(now, good)
        expected = Circuit.OPEN if model.open_until is not None else Circuit.CLOSED
        assert breaker.circuit == (expected if model.probes is None else Circuit.HALF_OPEN)


OUT, IN = Direction.OUTBOUND, Direction.INBOUND
SIGNS = [
    (OUT, Outcome.OK, 200, "", Sign.GOOD),
    (OUT, Outcome.CLIENT_ERROR, 404, "", Sign.GOOD),
    (OUT, Outcome.CLIENT_ERROR, 422, "webhook_refused", Sign.GOOD),
    (OUT, Outcome.CLIENT_ERROR, 429, "", Sign.NOTHING),
    (OUT, Outcome.SERVER_ERROR, 503, "", Sign.FAILED),
    (OUT, Outcome.TIMEOUT, 0, "first_byte_timeout", Sign.FAILED),
    (OUT, Outcome.TIMEOUT, 0, "connect_timeout", Sign.FAILED),
    (OUT, Outcome.TIMEOUT, 0, "request_timeout", Sign.NOTHING),  # the platform was slow
    (OUT, Outcome.CONNECT_ERROR, 0, "connect_refused", Sign.FAILED),
    (OUT, Outcome.CONNECT_ERROR, 0, "address_denied", Sign.NOTHING),  # our own no
    (OUT, Outcome.DNS_ERROR, 0, "dns_not_found", Sign.FAILED),
    (OUT, Outcome.TLS_ERROR, 0, "tls_expired", Sign.FAILED),
    (OUT, Outcome.PROTOCOL_ERROR, 200, "truncated", Sign.FAILED),
    (OUT, Outcome.ABORTED, 0, "caller_gone", Sign.NOTHING),
    (OUT, Outcome.REJECTED, 0, "body_too_large", Sign.NOTHING),
    (OUT, Outcome.REJECTED, 0, "circuit_open", Sign.NOTHING),
    (IN, Outcome.OK, 200, "", Sign.GOOD),
    (IN, Outcome.CLIENT_ERROR, 400, "", Sign.GOOD),
    (IN, Outcome.SERVER_ERROR, 500, "", Sign.FAILED),
    (IN, Outcome.TIMEOUT, 0, "first_byte_timeout", Sign.FAILED),
    (IN, Outcome.TIMEOUT, 0, "request_timeout", Sign.NOTHING),  # the partner was slow
    (IN, Outcome.CONNECT_ERROR, 0, "connect_refused", Sign.FAILED),
    (IN, Outcome.ABORTED, 0, "caller_gone", Sign.NOTHING),
]


@pytest.mark.parametrize(("direction", "outcome", "status", "code", "sign"), SIGNS)
def test_only_failures_of_the_side_that_is_called_count(direction, outcome, status, code, sign):
    assert sign_of(direction, outcome, status, code) == sign


# Holds.

NOW = datetime(2026, 11, 27, 9, 0, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"0", 0), (b"7", 7), (b"007", 7), (b"999999999", 999_999_999), (b"9999999999", 0),
        (b"-1", 0), (b"1.5", 0), (b"", 0), (b"soon", 0), (b"\xff\xfe", 0),
        (b"Fri, 27 Nov 2026 09:02:00 GMT", 120), (b"Fri, 27 Nov 2026 08:00:00 GMT", 0),
        (b"Friday, 27-Nov-26 09:00:30 GMT", 30), (b"Fri Nov 27 09:00:10 2026", 10),
        (b"Fri, 99 Nov 2026 09:02:00 GMT", 0), (b"Fri, 27 Nov 99999 09:02:00 GMT", 0),
    ],
)  # fmt: skip
def test_how_long_a_retry_after_asks_for(value, seconds):
    assert retry_after_s(value, NOW) == seconds


def test_a_503_holds_everybody_and_a_429_its_installation():
    holds = Holds()
    holds.hold(429, "inst-1", 50)
    assert holds.of("inst-1", 49) == Hold(50, 429)
    assert holds.of("inst-1", 50) is None
    assert holds.of("inst-2", 1) is None
    assert holds.of("", 1) is None
    holds.hold(503, "inst-1", 40)
    assert holds.of("inst-2", 1) == Hold(40, 503)
    assert holds.of("inst-1", 1) == Hold(50, 429)
    holds.hold(429, "", 60)
    assert holds.of("inst-1", 1) == Hold(60, 429)


def test_a_hold_is_never_shortened_and_is_forgotten_when_it_is_over():
    holds = Holds()
    holds.hold(503, "", 50)
    holds.hold(503, "", 20)
    holds.hold(429, "a", 30)
    assert holds.of("", 49) == Hold(50, 503)
    assert holds.expire(49)
    assert holds.installations == 0
    assert not holds.expire(50)


def test_installations_that_are_held_are_bounded():
    holds = Holds()
    for number in range(1_500):
        holds.hold(429, f"inst-{number}", 50)
    assert holds.installations == 1_000
    holds.hold(429, "inst-7", 90)
    assert holds.of("inst-7", 60) == Hold(90, 429)
