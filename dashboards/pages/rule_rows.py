"""Rules, and what they would have told, as rows and sentences. Pure, but for `pressed`."""

from typing import Any

from dash import ctx

from app.domain.phrases import percent, short_duration, span
from app.domain.rule import (
    Anomaly,
    BurnRate,
    CircuitNear,
    CircuitOpen,
    Condition,
    Contradictions,
    FreshErrors,
    FunnelDrop,
    InstallsStuck,
    OwnFault,
    PlatformOutage,
    RevenueAtRisk,
    Rule,
    Silence,
    Threshold,
)
from app.domain.trial import Tried, WouldTell
from app.domain.units import money
from dashboards import format as show

Row = dict[str, Any]
#: So many events of a trial are shown.
MOST = 500
_CELL = 300


def pressed() -> str | None:
    """The id of the button that was pressed, in a callback."""
    return str(ctx.triggered_id) if ctx.triggered_id else None


def opening(standing: int, own: int) -> str:
    """What the page opens with."""
    if not own:
        return f"{standing} rules stand, all as they come out of the box."
    return f"{standing} rules stand, {own} of them from files."


def rule_row(rule: Rule, file: str | None) -> Row:
    """One rule; `file` None: it came out of the box."""
    return {
        "id": rule.name,
        "name": rule.name,
        "when": show.plain(rule.description or when(rule.condition), _CELL),
        "severity": "P1 to P4" if isinstance(rule.condition, BurnRate) else rule.severity.value,
        "about": show.plain(_about(rule), _CELL),
        "origin": "out of the box" if file is None else show.plain(file, _CELL),
    }


def when(condition: Condition) -> str:
    """A condition in words."""
    match condition:
        case Threshold():
            limit, side = (
                (condition.below, "below") if condition.above is None
                else (condition.above, "above")
            )  # fmt: skip
            return f"{condition.measure.value} {side} {limit:g} over {span(condition.window_us)}"
        case BurnRate():
            return f"the budget of {condition.objective or 'any objective'} is spent too fast"
        case Silence():
            return f"nothing is answered in {span(condition.window_us)} although it should be"
        case Anomaly():
            side = "off" if condition.side == "any" else f"far {condition.side.value}"
            return f"{condition.measure.value} is {side} from what this hour of past weeks had"
        case CircuitOpen():
            return "the proxy has stopped calling"
        case PlatformOutage():
            return "the platform itself is down"
        case OwnFault():
            return "something is wrong with Midspan itself"
        case _:
            return _beyond_traffic(condition)


def _beyond_traffic(condition: Condition) -> str:
    match condition:
        case CircuitNear():
            return f"{percent(condition.used_ratio)} of what opens the circuit is used up"
        case FreshErrors():
            return f"an error is {' or '.join(sorted(condition.standings))}"
        case InstallsStuck():
            return f"more installs than usual are late in {span(condition.window_us)}"
        case FunnelDrop():
            fewer = percent(condition.drop_ratio)
            return f"at least {fewer} fewer installs than usual are activated in time"
        case Contradictions():
            return "installations do not fit what platform, wire and billing say"
        case RevenueAtRisk():
            return f"over {money(condition.above_minor, condition.currency)} MRR is at risk"
        case _:
            raise AssertionError(f"no words for {condition}")


def _about(rule: Rule) -> str:
    only = [
        ", ".join(sorted(names))
        for names in (
            rule.only.integrations, rule.only.partners, rule.only.categories,
            rule.only.visibilities,
        )
        if names
    ]  # fmt: skip
    if rule.by.value == "midspan":
        return "Midspan"
    return f"each {rule.by.value}" + (f" of {'; '.join(only)}" if only else "")


def would_have(found: Tried) -> str:
    """The answer of a trial."""
    days = span(found.over_us)
    often = short_duration(found.step_us)
    times = {0: "not once", 1: "once"}.get(found.fired, f"{found.fired} times")
    more = f"; the first {MOST} events are shown" if len(found.told) > MOST else ""
    return f"Would have fired {times} in the last {days}, looked at every {often}{more}."


def told_row(told: WouldTell) -> Row:
    """One event of a trial."""
    return {
        "id": f"{told.at_us}-{told.about}-{told.event}",
        "at": show.minute(told.at_us),
        "event": f"{told.event}, {told.severity.value}",
        "about": show.plain(told.about, _CELL),
        "summary": show.plain(told.summary, _CELL),
    }
