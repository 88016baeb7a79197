"""What stands at this moment at one integration, beside its numbers: the alert that fires, and
circuits and holds that keep exchanges back."""

from collections.abc import Sequence

from app.domain.gates import CLOSED, OPEN, GateState
from app.queries.results import IncidentTime
from dashboards import format as show

_WAY = {"outbound": "to the partner", "inbound": "from the partner"}
#: How what an open circuit refuses counts: docs/numbers.md, refused exchanges.
_COUNTS = {"outbound": "counts as bad", "inbound": "is excluded"}


def firing(found: Sequence[IncidentTime], now_us: int) -> tuple[str, str]:
    """What the link to the newest incident that fires says, and where it leads; "" for none."""
    if not found:
        return "", "/alerts"
    newest = max(found, key=lambda each: (each.fired_us, each.id))
    rest = f", and {len(found) - 1} more" if len(found) > 1 else ""
    whose = "" if newest.taken else "; nobody has it yet"
    when = show.since(newest.fired_us, now_us)
    return (
        f"⚑ {newest.severity} incident {newest.id} fires {when}{rest}{whose}",
        f"/alerts?incident={newest.id}",
    )


def gates(states: Sequence[GateState]) -> str:
    """Why exchanges are refused right now; "" when none are."""
    return " ".join(part for state in states for part in (_circuit(state), _hold(state)) if part)


def _circuit(state: GateState) -> str:
    if state.circuit == CLOSED:
        return ""
    way = f"The circuit for calls {_WAY[state.direction]}"
    since = "" if state.since_us is None else f" since {show.clock(state.since_us)}"
    if state.circuit != OPEN:
        return f"{way}, open{since}, is being tried with a few exchanges."
    why = f", because {show.count(state.failed)} of {show.count(state.counted)} failed"
    again = "" if state.until_us is None else f"; it is tried again at {show.clock(state.until_us)}"
    counts = _COUNTS[state.direction]
    return f"{way} is open{since}{why}{again}. What is refused meanwhile {counts}."


def _hold(state: GateState) -> str:
    if state.held_until_us is not None:
        status = f" {state.held_status}" if state.held_status else ""
        until = show.clock(state.held_until_us)
        return f"Calls {_WAY[state.direction]} wait until {until}, as its answer{status} asked."
    if state.held_installations:
        number = state.held_installations
        several = "s are" if number > 1 else " is"
        return f"{show.count(number)} installation{several} not called for a while, as asked."
    return ""
