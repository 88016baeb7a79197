"""A circuit breaker: it stops calling who fails, and finds out when that is over.

It judges the ratio of failures over a rolling window, never a run of them: an integration with a
thousand requests a second has ten failures in a row by chance. A failure is one of the side that
is called (HTTP 5xx, no answer in time, no connection); what the caller or the proxy did wrong
says nothing about it. Time is given, never read.
"""

from enum import IntEnum

from app.domain.outcome import judge
from app.domain.route import Breaker
from app.domain.words import Direction, Fault, Outcome

_SLICES = 10
_NS_PER_US = 1_000
#: While all probes are under way: until it is worth asking again.
_PROBING_NS = 1_000_000_000

_ANSWERED = frozenset({Outcome.OK, Outcome.CLIENT_ERROR})
_FAILURES = frozenset(
    {
        Outcome.SERVER_ERROR,
        Outcome.TIMEOUT,
        Outcome.CONNECT_ERROR,
        Outcome.DNS_ERROR,
        Outcome.TLS_ERROR,
        Outcome.PROTOCOL_ERROR,
    }
)
#: Whose fault a failure of the side that is called can be.
_CALLED = {
    Direction.OUTBOUND: frozenset({Fault.PARTNER, Fault.NETWORK}),
    Direction.INBOUND: frozenset({Fault.PLATFORM}),
}


class Sign(IntEnum):
    """What the end of an exchange says about the side that was called."""

    GOOD = 0
    FAILED = 1
    NOTHING = 2


class Circuit(IntEnum):
    """Whether exchanges go through: all, none, or a few to see how they fare."""

    CLOSED = 0
    OPEN = 1
    HALF_OPEN = 2


# Asked for every exchange: looking up a member of an enum costs.
_CLOSED, _OPEN, _HALF_OPEN = Circuit
_GOOD, _FAILED, _NOTHING = Sign


def sign_of(direction: Direction, outcome: Outcome, status: int, code: str) -> Sign:
    """See `Sign`. A 429 says neither: the side that is called is well and wants less."""
    if outcome in _ANSWERED:
        return _NOTHING if status == 429 else _GOOD
    if outcome not in _FAILURES:
        return _NOTHING
    fault = judge(direction, outcome, status, code).fault
    return _FAILED if fault in _CALLED[direction] else _NOTHING


class CircuitBreaker:
    """One circuit. An exchange enters with `enter` and leaves with what that gave it, so that
    what began before the circuit changed has no say after."""

    __slots__ = (
        "_at", "_failed", "_good", "_open_ns", "_patient_ns", "_probes", "_probing", "_slice_ns",
        "circuit", "epoch", "failed", "good", "left_closed_ns", "opened", "rules", "until_ns",
    )  # fmt: skip

    def __init__(self, rules: Breaker, epoch: int = 0) -> None:
        self.rules = rules
        self._slice_ns = max(1, rules.window_us * _NS_PER_US // _SLICES)
        self._open_ns = rules.open_us * _NS_PER_US
        self.epoch = epoch
        #: Until when it is open, since when it is not closed, and how often it has opened.
        self.until_ns = self.left_closed_ns = self.opened = 0
        self._probing = self._probes = 0  # probes under way, and good ones so far
        self._patient_ns = 0  # until when probes under way are waited for
        self.circuit = _CLOSED
        #: Exchanges in the window; once it is open, of the window that opened it.
        self.good = self.failed = 0
        self._at = 0
        self._good, self._failed = [0] * _SLICES, [0] * _SLICES

    def wait_ns(self, now_ns: int) -> int:
        """0: an exchange may enter. Else how long until it is worth asking again."""
        if self.circuit == _CLOSED:
            return 0
        if self.circuit == _OPEN:
            if now_ns < self.until_ns:
                return self.until_ns - now_ns
            self._change(_HALF_OPEN)
            self._patient_ns = now_ns + self._open_ns
        if self._probing + self._probes < self.rules.probes:
            return 0
        if now_ns < self._patient_ns:
            return _PROBING_NS
        # Probes that take this long, WebSockets say, are not waited for: others may tell sooner.
        self._probing = 0
        self._patient_ns = now_ns + self._open_ns
        return 0

    def enter(self) -> int:
        """Take an exchange that `wait_ns` let in; what to leave with."""
        if self.circuit == _HALF_OPEN:
            self._probing += 1
        return self.epoch

    def leave(self, epoch: int, sign: Sign, now_ns: int) -> bool:
        """An exchange ended; whether the circuit changed."""
        if epoch != self.epoch:
            return False
        if self.circuit == _CLOSED:
            return sign != _NOTHING and self._judge(sign, now_ns)
        self._probing = max(0, self._probing - 1)
        if sign == _NOTHING:
            return False
        if sign == _FAILED:
            self._open(now_ns)
            return True
        self._probes += 1
        if self._probes < self.rules.probes:
            return False
        self._change(_CLOSED)
        self._forget()
        return True

    def _judge(self, sign: Sign, now_ns: int) -> bool:
        at = now_ns // self._slice_ns
        if at != self._at:
            self._roll(at)
        place = self._at % _SLICES
        if sign == _GOOD:
            self.good += 1
            self._good[place] += 1
            return False
        self.failed += 1
        self._failed[place] += 1
        counted = self.good + self.failed
        if counted < self.rules.minimum or self.failed < self.rules.error_ratio * counted:
            return False
        self._open(now_ns)
        return True

    def _open(self, now_ns: int) -> None:
        if self.circuit == _CLOSED:
            self.left_closed_ns = now_ns
        self._change(_OPEN)
        self.opened += 1
        self.until_ns = now_ns + self._open_ns

    def _change(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self.epoch += 1
        self._probing = self._probes = 0

    def _roll(self, at: int) -> None:
        """Forget the slices that have left the window; time that stepped back forgets nothing."""
        for slice_at in range(self._at + 1, min(at, self._at + _SLICES) + 1):
            place = slice_at % _SLICES
            self.good -= self._good[place]
            self.failed -= self._failed[place]
            self._good[place] = self._failed[place] = 0
        self._at = max(at, self._at)

    def _forget(self) -> None:
        self.good = self.failed = 0
        self._good, self._failed = [0] * _SLICES, [0] * _SLICES
