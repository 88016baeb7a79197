"""Which rule instances there are and what holds for each of them now. Pure.

`asked` says what has to be measured for a set of rules, `evaluate` takes what was measured. A rule
whose numbers could not be read finds an error for each of its instances, and the others go on.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from alerts.anomaly import odd
from alerts.conditions import Verdict, burning, platform_out, silent, threshold
from alerts.earning import contradictions, funnel_drop, installs_stuck, revenue_at_risk
from alerts.failing import Circuit, circuit_near, circuit_open, fresh_errors
from app.domain.alert import Finding, Patience
from app.domain.objective import Objective
from app.domain.rule import (
    BURN_WINDOWS,
    MIN_EVENTS,
    Anomaly,
    BurnRate,
    By,
    CircuitNear,
    CircuitOpen,
    Condition,
    Contradictions,
    FreshErrors,
    FunnelDrop,
    InstallsStuck,
    Own,
    OwnFault,
    PlatformOutage,
    RevenueAtRisk,
    Rule,
    Silence,
    Threshold,
)
from app.domain.window import HOUR_US, parse_duration
from app.queries.counts import Counts, CountsView, together
from app.queries.results import IntegrationView

MIDSPAN = "midspan"


class Asked(NamedTuple):
    """A window to be counted, by integration or by operation."""

    window_us: int
    operations: bool = False


class Subject(NamedTuple):
    """What one rule instance is about. `series` is its name within the rule."""

    series: str
    integration: str | None = None
    partner: str | None = None
    operation: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that was measured at one time.

    `counts` lacks what could not be read. `expected` is by (integration, window): how many
    exchanges the same time of past weeks had; `usual` is by integration: the same hour of past
    weeks and its neighbours, where an anomaly asks for them; `facts` has what else conditions ask,
    by condition and integration, and lacks what could not be read (`alerts.facts`). `own` has what
    is known of Midspan itself. Not `readable`: not even the integrations could be read.
    """

    integrations: Sequence[IntegrationView]
    counts: Mapping[Asked, CountsView] = field(default_factory=dict)
    expected: Mapping[tuple[str, int], float] = field(default_factory=dict)
    usual: Mapping[str, Sequence[Counts]] = field(default_factory=dict)
    circuits: Mapping[str, Circuit] = field(default_factory=dict)
    own: Mapping[Own, Verdict] = field(default_factory=dict)
    facts: Mapping[Condition, Mapping[str, Any]] = field(default_factory=dict)
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One rule instance and what was found."""

    rule: Rule
    subject: Subject
    verdict: Verdict
    patience: Patience


@dataclass(frozen=True, slots=True)
class Round:
    """One evaluation of everything. An instance that is not here is gone, unless its rule is in
    `partial`: rules of which instances may be missing, because numbers could not be read."""

    evaluations: tuple[Evaluation, ...]
    partial: frozenset[str] = frozenset()


def asked(rules: Iterable[Rule]) -> set[Asked]:
    """What has to be counted for these rules."""
    found: set[Asked] = set()
    for rule in rules:
        for condition in rule.conditions:
            match condition:
                case Threshold():
                    found.add(Asked(condition.window_us, rule.by == By.OPERATION))
                case BurnRate():
                    found |= {
                        Asked(length)
                        for each in BURN_WINDOWS
                        for length in (each.long_us, each.short_us)
                    }
                case Silence() | PlatformOutage():
                    found.add(Asked(condition.window_us))
                case Anomaly():
                    found.add(Asked(HOUR_US))
    return found


def quiet_windows(rules: Iterable[Rule]) -> set[int]:
    """The windows for which it has to be known how many exchanges were to be expected."""
    conditions = (condition for rule in rules for condition in rule.conditions)
    return {each.window_us for each in conditions if isinstance(each, Silence | PlatformOutage)}


def compares_weeks(rules: Iterable[Rule]) -> bool:
    """Whether it has to be known what is usual."""
    return any(isinstance(each, Anomaly) for rule in rules for each in rule.conditions)


def evaluate(rules: Sequence[Rule], seen: Seen) -> Round:
    """Every instance of every rule."""
    found = tuple(each for rule in rules for each in _of_rule(rule, seen))
    unread = not seen.readable or any(each not in seen.counts for each in asked(rules))
    return Round(found, frozenset(rule.name for rule in rules) if unread else frozenset())


def _of_rule(rule: Rule, seen: Seen) -> Iterator[Evaluation]:
    if rule.by == By.MIDSPAN:
        yield Evaluation(rule, Subject(MIDSPAN), _of_midspan(rule, seen), rule.patience)
        return
    chosen = [
        view
        for view in seen.integrations
        if rule.only.takes(view.slug, view.partner_slug, view.category, view.visibility)
    ]
    if rule.by == By.PARTNER:
        yield from _by_partner(rule, chosen, seen)
        return
    for view in chosen:
        condition, patience = _held(rule, view)
        if rule.by == By.OPERATION:
            yield from _by_operation(rule, view, condition, patience, seen)
        else:
            subject = Subject(f"integration={view.slug}", view.slug, view.partner_slug)
            yield Evaluation(rule, subject, _of_integration(condition, view, seen), patience)


def _held(rule: Rule, view: IntegrationView) -> tuple[Condition, Patience]:
    """The condition and patience that hold for one integration."""
    for each in rule.overrides:
        if each.only.takes(view.slug, view.partner_slug, view.category, view.visibility):
            return each.condition, each.patience
    return rule.condition, rule.patience


def _by_partner(rule: Rule, chosen: Sequence[IntegrationView], seen: Seen) -> Iterator[Evaluation]:
    assert isinstance(rule.condition, Threshold), "only a threshold is by partner"
    view = seen.counts.get(Asked(rule.condition.window_us))
    for partner in sorted({each.partner_slug for each in chosen}):
        own = [each.slug for each in chosen if each.partner_slug == partner]
        verdict = (
            threshold(rule.condition, together(view.of(slug) for slug in own)) if view else _UNREAD
        )
        yield Evaluation(rule, Subject(f"partner={partner}", None, partner), verdict, rule.patience)


def _by_operation(
    rule: Rule, view: IntegrationView, condition: Condition, patience: Patience, seen: Seen
) -> Iterator[Evaluation]:
    assert isinstance(condition, Threshold), "only a threshold is by operation"
    counted = seen.counts.get(Asked(condition.window_us, operations=True))
    if counted is None:
        return
    for key, found in counted.counts.items():
        if key.integration == view.slug and key.operation:
            series = f"integration={view.slug} operation={key.operation}"
            subject = Subject(series, view.slug, view.partner_slug, key.operation)
            yield Evaluation(rule, subject, threshold(condition, found), patience)


def _of_integration(condition: Condition, view: IntegrationView, seen: Seen) -> Verdict:
    match condition:
        case BurnRate():
            return _burning(condition, view, seen)
        case CircuitOpen():
            return circuit_open(seen.circuits.get(view.slug))
        case Threshold():
            found = _counts(seen, condition.window_us, view.slug)
            return threshold(condition, found) if found else _UNREAD
        case Anomaly():
            found = _counts(seen, HOUR_US, view.slug)
            return odd(condition, found, seen.usual.get(view.slug, ())) if found else _UNREAD
        case Silence():
            found = _counts(seen, condition.window_us, view.slug)
            expected = _expected(view.slug, condition.window_us, seen)
            return silent(condition, found, expected) if found else _UNREAD
        case _:
            facts = seen.facts.get(condition)
            return _UNREAD if facts is None else _of_facts(condition, view.slug, facts, seen)


def _of_facts(condition: Condition, slug: str, facts: Mapping[str, Any], seen: Seen) -> Verdict:
    found = facts.get(slug)
    match condition:
        case CircuitNear():
            return circuit_near(condition, found, seen.circuits.get(slug))
        case FreshErrors():
            return fresh_errors(condition, found or ())
        case InstallsStuck():
            return installs_stuck(condition, found)
        case FunnelDrop():
            return funnel_drop(condition, found)
        case Contradictions():
            return contradictions(condition, found or {})
        case RevenueAtRisk():
            return revenue_at_risk(condition, found)
        case _:
            raise AssertionError(f"{condition} is not about an integration")


def _expected(slug: str, window_us: int, seen: Seen) -> float:
    """How many exchanges were to be expected: as many as at the same time of past weeks, and fewer
    on a day on which the others have fewer, too."""
    usual = seen.expected.get((slug, window_us), 0.0)
    view = seen.counts.get(Asked(window_us))
    if view is None or usual == 0:
        return usual
    others = sum(
        number
        for (name, length), number in seen.expected.items()
        if length == window_us and name != slug
    )
    if others < MIN_EVENTS:
        return usual
    crossed = sum(each.proxied for key, each in view.counts.items() if key.integration != slug)
    return usual * min(1.0, crossed / others)


def _of_midspan(rule: Rule, seen: Seen) -> Verdict:
    condition = rule.condition
    if isinstance(condition, OwnFault):
        return seen.own.get(condition.fault, _FINE)
    assert isinstance(condition, PlatformOutage), "nothing else is about Midspan"
    counted = seen.counts.get(Asked(condition.window_us))
    if counted is None:
        return _UNREAD
    expected = sum(
        seen.expected.get((view.slug, condition.window_us), 0.0) for view in seen.integrations
    )
    return platform_out(condition, together(counted.counts.values()), expected)


def _burning(condition: BurnRate, view: IntegrationView, seen: Seen) -> Verdict:
    counted: dict[int, Counts] = {}
    for window in BURN_WINDOWS:
        for length_us in (window.long_us, window.short_us):
            found = _counts(seen, length_us, view.slug)
            if found is None:
                return _UNREAD
            counted[length_us] = found
    return burning(condition, _objectives(view), counted)


def _objectives(view: IntegrationView) -> list[Objective]:
    return [
        Objective(
            each.name,
            each.target,
            parse_duration(each.window),
            None if each.threshold_ms is None else each.threshold_ms * 1000,
        )
        for each in view.objectives
    ]


def _counts(seen: Seen, window_us: int, integration: str) -> Counts | None:
    view = seen.counts.get(Asked(window_us))
    return None if view is None else view.of(integration)


_UNREAD = Verdict(Finding.ERROR, "what it asks about could not be read")
_FINE = Verdict(Finding.FALSE, "nothing is wrong")
