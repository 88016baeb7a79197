"""What rules ask beside the counts of exchanges: errors, circuits, installs and money.

Each kind of condition has one question here, asked for all integrations at once and kept for as
long as its answer may serve: some of them cost more than an evaluation may take every 15 s. The
answers are by condition; rules that ask the same are one question (`_question`). One that cannot be
answered is left out, and its rules find an error.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from alerts.earning import Activations
from app.auth.caller import own_scope
from app.domain.rule import (
    CircuitNear,
    Condition,
    Contradictions,
    FreshErrors,
    FunnelDrop,
    InstallsStuck,
    RevenueAtRisk,
    Rule,
)
from app.domain.window import DAY_US, MINUTE_US, Window, floor
from app.errors import MidspanError
from app.logs import get as get_logger
from app.queries import Reading
from app.queries.at_risk import at_risk_of_all
from app.queries.circuit_counts import circuit_counts
from app.queries.contradiction_counts import contradiction_counts
from app.queries.fresh_errors import fresh_errors
from app.queries.funnels import Asked as FunnelAsked
from app.queries.funnels import funnels
from app.queries.stuck_counts import stuck_counts

_USUAL_US = 28 * DAY_US


class Facts:
    """Answers for one evaluation after another."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._known: dict[Condition, tuple[int, Mapping[str, Any]]] = {}
        self._log = get_logger("alerts")

    def see(self, rules: Iterable[Rule], slugs: list[str], now_us: int) -> dict[Condition, Any]:
        """The answers to what these rules ask at `now_us`."""
        wanted = {each for rule in rules for each in rule.conditions if type(each) in _QUESTIONS}
        asked = {condition: _question(condition) for condition in wanted}
        answered = self._answer(set(asked.values()), slugs, now_us)
        return {each: answered[asked[each]] for each in wanted if asked[each] in answered}

    def _answer(
        self, questions: Iterable[Condition], slugs: list[str], now_us: int
    ) -> dict[Condition, Any]:
        found: dict[Condition, Any] = {}
        for condition in questions:
            ask, keep_us = _QUESTIONS[type(condition)]
            at_us = floor(now_us, MINUTE_US)
            turn = floor(now_us, keep_us)
            known = self._known.get(condition)
            if known is None or known[0] != turn:
                try:
                    known = turn, ask(self._reading, condition, slugs, at_us)
                except MidspanError as error:
                    self._log.warning("facts_unread", kind=type(condition).__name__,
                                      reason=str(error))  # fmt: skip
                    continue
            found[condition] = known[1]
            self._known[condition] = known
        self._known = {each: self._known[each] for each in found}
        return found


def _question(condition: Condition) -> Condition:
    """The condition without what only the verdict depends on: one question for all that ask it."""
    match condition:
        case CircuitNear(window_us=window_us):
            return CircuitNear(1.0, window_us)
        case FreshErrors(window_us=window_us):
            return FreshErrors(window_us=window_us)
        case FunnelDrop(window_us=window_us, within_us=within_us):
            return FunnelDrop(window_us, within_us)
        case Contradictions():
            return Contradictions()
        case RevenueAtRisk(currency=currency, window_us=window_us):
            return RevenueAtRisk(0, currency, window_us)
        case _:
            return condition


def _circuits(
    reading: Reading, asked: CircuitNear, slugs: list[str], at_us: int
) -> Mapping[str, Any]:
    return circuit_counts(reading, slugs, Window(at_us - asked.window_us, at_us))


def _errors(
    reading: Reading, asked: FreshErrors, slugs: list[str], at_us: int
) -> Mapping[str, Any]:
    return fresh_errors(reading, slugs, at_us, asked.window_us)


def _stuck(
    reading: Reading, asked: InstallsStuck, _slugs: list[str], at_us: int
) -> Mapping[str, Any]:
    found = stuck_counts(reading, at_us, [(asked.window_us, asked.minimum)])
    return {slug: counts for (slug, _), counts in found.items()}


def _activations(
    reading: Reading, asked: FunnelDrop, _slugs: list[str], at_us: int
) -> Mapping[str, Any]:
    end_us = at_us - asked.within_us
    start_us = end_us - asked.window_us
    how = FunnelAsked(within_us=asked.within_us)
    now = funnels(reading, own_scope(), Window(start_us, end_us), how)
    usual = funnels(reading, own_scope(), Window(start_us - _USUAL_US, start_us), how)
    return {
        slug: Activations(found.entered, found.within, usual[slug].entered, usual[slug].within)
        for slug, found in now.items()
        if slug in usual
    }


def _contradictions(
    reading: Reading, _asked: Contradictions, _slugs: list[str], at_us: int
) -> Mapping[str, Any]:
    return contradiction_counts(reading, at_us)


def _at_risk(
    reading: Reading, asked: RevenueAtRisk, _slugs: list[str], at_us: int
) -> Mapping[str, Any]:
    window = Window(at_us - asked.window_us, at_us)
    return at_risk_of_all(reading, own_scope(), window, asked.currency)


#: The question of each kind of condition, and for how long its answer serves.
_QUESTIONS: dict[type, tuple[Callable[[Reading, Any, list[str], int], Mapping[str, Any]], int]] = {
    CircuitNear: (_circuits, MINUTE_US),
    FreshErrors: (_errors, MINUTE_US),
    InstallsStuck: (_stuck, MINUTE_US),
    FunnelDrop: (_activations, 10 * MINUTE_US),
    Contradictions: (_contradictions, MINUTE_US),
    RevenueAtRisk: (_at_risk, 5 * MINUTE_US),
}
