"""The gates of one worker, by direction and integration, and what it tells others about them.

They outlive the routing table that made them: a new table changes rules, not what was seen. What
is not as usual goes into a small file in the home (`app.domain.gates`), whole, at most once a
second and only when it changed; a file that cannot be written is tried again and harms nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.gates import BEAT_US, CLOSED, FILES, HALF_OPEN, OPEN, GateState, encode_gates
from app.domain.route import Route
from app.domain.words import Direction
from collectors.proxy.breaker import Circuit
from collectors.proxy.gate import Gate, rules_of

if TYPE_CHECKING:
    from collectors.proxy.exchange import LiveExchange

_EVERY_US = 1_000_000
_WORDS = {Circuit.CLOSED: CLOSED, Circuit.OPEN: OPEN, Circuit.HALF_OPEN: HALF_OPEN}

ByName = dict[str, "Gate[LiveExchange]"]


class Gates:
    """See the module. `of` has one mapping for each direction."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self.of: Sequence[ByName] = ({}, {})

    def use(self, routes: Iterable[Route], now_ns: int) -> None:
        """Go by these routes from now on."""
        rules = {route.integration: rules_of(route, self._workers) for route in routes}
        for gates in self.of:
            for name in gates.keys() - rules.keys():
                del gates[name]
            for name, each in rules.items():
                if name in gates:
                    gates[name].use(each)
                else:
                    gates[name] = Gate(each, now_ns)

    def totals(self) -> tuple[int, int]:
        """How many exchanges wait for a place, and how many circuits are not closed."""
        gates = [gate for by_name in self.of for gate in by_name.values()]
        circuits = (gate.breaker and gate.breaker.circuit for gate in gates)
        return sum(gate.waiting for gate in gates), sum(map(bool, circuits))

    def unusual(self, now_ns: int, now_us: int) -> list[GateState]:
        """The gates with a circuit that is not closed, or a hold."""
        return list(self._unusual(now_ns, now_us))

    def _unusual(self, now_ns: int, now_us: int) -> Iterator[GateState]:
        for direction in Direction:
            for name, gate in self.of[direction].items():
                if not gate.refresh(now_ns):
                    yield _state(name, direction, gate, now_ns, now_us)


class GatesFile:
    """What one worker tells others. `OSError`s are suppressed: the next second tries again."""

    def __init__(self, folder: Path, worker: str) -> None:
        self.folder = folder
        self._path = folder / FILES.replace("*", worker)
        self._told: list[GateState] | None = None
        self._at_us = 0

    def tell(self, gates: Gates, now_ns: int, now_us: int) -> None:
        """Write what is new, or what others would soon take for the words of a dead worker."""
        if 0 <= now_us - self._at_us < _EVERY_US:
            return
        states = gates.unusual(now_ns, now_us)
        old = now_us - self._at_us >= BEAT_US
        if states == self._told and not (states and old):
            return
        with suppress(OSError):
            self._write(encode_gates(now_us, states))
            self._told, self._at_us = states, now_us

    def close(self) -> None:
        """The worker ends: there is nothing more to tell."""
        with suppress(OSError):
            self._path.unlink()

    def _write(self, content: bytes) -> None:
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(content)
        fresh.replace(self._path)


def _state(
    name: str, direction: Direction, gate: "Gate[LiveExchange]", now_ns: int, now_us: int
) -> GateState:
    def moment_us(at_ns: int) -> int:
        # To the second, so that two readings of one moment by two clocks are the same.
        return round((now_us - (now_ns - at_ns) // 1_000) / _EVERY_US) * _EVERY_US

    breaker, held = gate.breaker, gate.holds.whole
    is_open = breaker is not None and breaker.circuit != Circuit.CLOSED
    is_held = held.until_ns > now_ns
    return GateState(
        name,
        direction.word,
        _circuit(gate, now_ns),
        moment_us(breaker.left_closed_ns) if breaker and is_open else None,
        moment_us(breaker.until_ns) if breaker and is_open else None,
        breaker.failed if breaker and is_open else 0,
        breaker.failed + breaker.good if breaker and is_open else 0,
        moment_us(held.until_ns) if is_held else None,
        held.status if is_held else None,
        gate.holds.installations,
    )


def _circuit(gate: "Gate[LiveExchange]", now_ns: int) -> str:
    breaker = gate.breaker
    if breaker is None:
        return CLOSED
    due = breaker.circuit == Circuit.OPEN and now_ns >= breaker.until_ns
    return HALF_OPEN if due else _WORDS[breaker.circuit]
