"""Whether a rule about a circuit or about errors holds for one integration. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from alerts.conditions import Verdict
from app.domain.alert import Finding
from app.domain.foreign import plain
from app.domain.phrases import count, percent, span
from app.domain.rule import CircuitNear, FreshErrors
from app.queries.circuit_counts import CircuitCounts
from app.queries.fresh_errors import FreshGroup

_LONGEST = 80


@dataclass(frozen=True, slots=True)
class Circuit:
    """An open circuit: since when, and what opened it."""

    since_us: int
    reason: str


def circuit_open(circuit: Circuit | None) -> Verdict:
    """Whether the proxy has stopped calling an integration."""
    if circuit is None:
        return Verdict(Finding.FALSE, "the circuit is closed")
    return Verdict(Finding.TRUE, f"Circuit open: {circuit.reason}")


def circuit_near(
    condition: CircuitNear, found: CircuitCounts | None, circuit: Circuit | None
) -> Verdict:
    """Whether a circuit is about to open; one that is open is told of as such. With fewer calls
    than the rule asks for none is near, so a warning does not outlast its traffic."""
    if circuit is not None:
        return Verdict(Finding.FALSE, "the circuit is not closed any more")
    counted = found.counted if found else 0
    if found is None or counted < condition.minimum:
        few = f"{count(counted)} calls, and {count(condition.minimum)} are the fewest that count"
        return Verdict(Finding.FALSE, few, None, condition.used_ratio)
    used = found.used_ratio
    summary = (
        f"{percent(min(1.0, used))} of what opens the circuit is used up:"
        f" {count(found.failed)} of {count(counted)} calls failed in the last"
        f" {span(condition.window_us)} (it opens at {percent(found.opens_ratio)})"
    )
    holds = Finding.TRUE if used >= condition.used_ratio else Finding.FALSE
    return Verdict(holds, summary, used, condition.used_ratio)


def fresh_errors(condition: FreshErrors, found: Sequence[FreshGroup]) -> Verdict:
    """Whether an error group of the standings that are asked for goes on."""
    asked = [
        each
        for each in found
        if each.standing in condition.standings and each.exchanges >= condition.minimum
    ]
    if not asked:
        return Verdict(Finding.FALSE, "no such error goes on")
    worst = max(asked, key=lambda each: (each.exchanges, each.id))
    what = "Back after it was resolved" if worst.standing == "regressed" else "New error"
    message = plain(" ".join(worst.message.split()), _LONGEST)
    said = f" \u201c{message}\u201d" if message else ""
    more = f", and {count(len(asked) - 1)} more" if len(asked) > 1 else ""
    summary = (
        f"{what}: {plain(worst.operation, _LONGEST)} → {worst.ended}{said},"
        f" {count(worst.exchanges)} exchanges in the last {span(condition.window_us)}{more},"
        f" {worst.fault}"
    )
    return Verdict(Finding.TRUE, summary, worst.exchanges, condition.minimum)
