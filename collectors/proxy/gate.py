"""What one integration may send or be sent in one direction, now: every protection composed.

A gate decides on each exchange twice: when it would go ahead (`admit`), and when it is over
(`leave`), which may let others go ahead that waited. It is told the time and acts on nothing, so
whoever asks carries out what it says.
"""

from collections.abc import Sequence
from math import ceil
from typing import Generic, TypeVar

import msgspec

from app.domain.route import Breaker, Ramp, Route
from collectors.proxy.breaker import Circuit, CircuitBreaker, Sign
from collectors.proxy.bucket import Bucket
from collectors.proxy.bulkhead import Bulkhead
from collectors.proxy.hold import Holds
from collectors.proxy.ramp import rate_at
from collectors.proxy.refusals import (
    CIRCUIT_OPEN,
    CONCURRENCY_FULL,
    PAUSED,
    RATE_LIMIT_HOLD,
    RATE_LIMITED,
    RETRY_AFTER_HOLD,
)
from collectors.proxy.verdicts import Refusal

_W = TypeVar("_W")
_NS_PER_S = 1_000_000_000

#: In place of a permit: it has none yet, and waits for one.
WAITING = -1
_NOBODY: tuple[()] = ()
_UNBOUNDED = 2**62
_FULL = (CONCURRENCY_FULL, "the queue is full")


class Rules(msgspec.Struct, frozen=True):
    """The protection of one integration, as one worker of several keeps it."""

    rate: float | None
    burst: int
    ramp: Ramp | None
    workers: int
    places: int | None
    queue: int
    breaker: Breaker | None
    paused: bool


def rules_of(route: Route, workers: int) -> Rules:
    """One worker's share: rates exactly, counts rounded up and at least one."""
    limits = route.limits
    rate, places = limits.requests_per_second, limits.concurrency
    burst = limits.burst or max(1, ceil(rate or (route.ramp.to_rate if route.ramp else 1)))
    return Rules(
        None if rate is None else rate / workers,
        ceil(burst / workers),
        route.ramp,
        workers,
        None if places is None else ceil(places / workers),
        ceil(limits.queue / workers),
        route.breaker,
        route.paused,
    )


class Gate(Generic[_W]):
    """See the module. `_W` is what waits in the queue."""

    __slots__ = ("_bucket", "_bulkhead", "_calm", "_plain", "_rules", "breaker", "holds")

    def __init__(self, rules: Rules, now_ns: int) -> None:
        self._bulkhead: Bulkhead[_W] = Bulkhead(_UNBOUNDED, 0)
        self._bucket = Bucket(rules.burst, now_ns)
        self.breaker = CircuitBreaker(rules.breaker) if rules.breaker else None
        self.holds = Holds()
        self._calm = True  # the circuit is closed and nothing is held
        self.use(rules)

    def use(self, rules: Rules) -> None:
        """Go by these rules from now on. Who is in stays in; a breaker whose own rules are the
        same keeps its state."""
        if self.breaker is None or rules.breaker != self.breaker.rules:
            epoch = self.breaker.epoch + 1 if self.breaker else 0
            self.breaker = CircuitBreaker(rules.breaker, epoch) if rules.breaker else None
        self._rules = rules
        self._bulkhead.queue = rules.queue
        self._bulkhead.places = _UNBOUNDED if rules.places is None else rules.places
        unlimited = rules.rate is None and rules.ramp is None and rules.places is None
        self._plain = unlimited and not rules.paused

    def admit(self, who: _W, installation: str, now_ns: int, now_us: int) -> int | Refusal:
        """A permit to go ahead with, `WAITING`, or why it may not. What is admitted leaves."""
        if self._plain and self._calm:
            self._bulkhead.inside += 1
            return self.breaker.epoch if self.breaker else 0
        refused = None
        if not self._calm or self._rules.paused:
            refused = self._refuse_at_all(installation, now_ns)
        if refused is None:
            refused = self._refuse_rate(now_ns, now_us)
        if refused is not None:
            return refused
        if self._bulkhead.enter():
            return self._permit()
        return WAITING if self._bulkhead.wait(who) else Refusal(*_FULL, retry_after_s=1)

    def leave(
        self, who: _W, permit: int, sign: Sign, now_ns: int
    ) -> Sequence[tuple[_W, int | Refusal]]:
        """An admitted exchange is over. Who waited and is decided on by that, and how."""
        if permit == WAITING:
            self._bulkhead.give_up(who)
            return self._let_in(now_ns)  # there may be more places than when they came
        if self.breaker and self.breaker.leave(permit, sign, now_ns):
            self._calm = False
        return self._let_in(now_ns) if self._bulkhead.leave() else _NOBODY

    def hold(self, status: int, installation: str, until_ns: int) -> None:
        """The side that is called asks not to be called until then."""
        self.holds.hold(status, installation, until_ns)
        self._calm = False

    def refresh(self, now_ns: int) -> bool:
        """Forget what is over; whether all is calm: the circuit closed and nothing held."""
        if not self._calm:
            closed = self.breaker is None or self.breaker.circuit == Circuit.CLOSED
            self._calm = not self.holds.expire(now_ns) and closed
        return self._calm

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return self._bulkhead.waiting

    # Inside.

    def _permit(self) -> int:
        return self.breaker.enter() if self.breaker else 0

    def _let_in(self, now_ns: int) -> list[tuple[_W, int | Refusal]]:
        decided: list[tuple[_W, int | Refusal]] = []
        while (who := self._bulkhead.next()) is not None:
            # Of holds only one of everybody: whom else it is for is not known here.
            refused = self._refuse_at_all("", now_ns)
            if refused is None:
                decided.append((who, self._permit()))
            else:
                self._bulkhead.leave()
                decided.append((who, refused))
        return decided

    def _refuse_at_all(self, installation: str, now_ns: int) -> Refusal | None:
        if self._rules.paused:
            return Refusal(PAUSED, "paused in the registry")
        if self._calm:
            return None
        return self._refuse_open(now_ns) or self._refuse_held(installation, now_ns)

    def _refuse_open(self, now_ns: int) -> Refusal | None:
        breaker = self.breaker
        wait_ns = breaker.wait_ns(now_ns) if breaker else 0
        if breaker is None or not wait_ns:
            return None
        counted = breaker.good + breaker.failed
        detail = f"{breaker.failed} of {counted} exchanges failed"
        return Refusal(CIRCUIT_OPEN, detail, retry_after_s=_seconds(wait_ns))

    def _refuse_held(self, installation: str, now_ns: int) -> Refusal | None:
        held = self.holds.of(installation, now_ns)
        if held is None:
            return None
        code = RATE_LIMIT_HOLD if held.status == 429 else RETRY_AFTER_HOLD
        wait_s = _seconds(held.until_ns - now_ns)
        return Refusal(code, f"for {wait_s} s", retry_after_s=wait_s)

    def _refuse_rate(self, now_ns: int, now_us: int) -> Refusal | None:
        rules = self._rules
        rate, burst, ramp = rules.rate, rules.burst, rules.ramp
        if ramp is not None:
            ramped = rate_at(ramp, now_us) / rules.workers
            rate = ramped if rate is None else min(rate, ramped)
            burst = min(burst, ceil(rate))
        if rate is None:
            return None
        wait_ns = self._bucket.take(rate, burst, now_ns)
        if not wait_ns:
            return None
        detail = f"over {rate:.4g} requests per second"
        return Refusal(RATE_LIMITED, detail, retry_after_s=_seconds(wait_ns))


def _seconds(wait_ns: int) -> int:
    """Whole seconds, at least 1, not less than it is."""
    return max(1, -(-wait_ns // _NS_PER_S))
