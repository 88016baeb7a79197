"""What is kept of an incident when it fires: its numbers, chart and samples, as they were then.

Exchanges and their captures are gone in days; an incident is read in weeks. So everything that a
mail or the page of an incident shows is frozen here as JSON. What cannot be read is left out, and
the incident stands all the same.

When many begin at once, nobody waits for all there is to say of each: what is not read at once is
owed, and read by the next evaluations, for the time at which the incident began. Its numbers are
read for all together, because routes ask whose fault it is before anybody is told.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from alerts.changes import Change, Key
from app.auth.caller import own_scope
from app.domain.objective import allowed_ratio
from app.domain.window import HOUR_US, MINUTE_US, Window, floor
from app.domain.words import Verdict as Counted
from app.errors import MidspanError
from app.logs import get as get_logger
from app.queries import (
    ExchangeFilter,
    Reading,
    at_risk,
    budgets,
    get_integration,
    health,
    league,
    list_exchanges,
    operations,
    series,
)
from app.queries.at_risk import RiskView
from app.queries.budgets import BudgetView
from app.queries.results import ExchangeView, Health, IntegrationView, OperationView

VERSION = 1
#: So many integrations are read in one evaluation, about a second of work.
AT_ONCE = 20
#: Stands in evidence that is still to be read.
OWED = "owed"
_SPAN_US = 3 * HOUR_US
_STEP_US = 3 * MINUTE_US
_WINDOW_US = HOUR_US
_OPERATIONS = 3
_SAMPLES = 3
#: Failures among which those samples are sought.
_LOOKED_AT = 50


def freeze(
    reading: Reading, fired: Sequence[Change], now_us: int, runbooks: Mapping[str, str]
) -> dict[Key, str]:
    """The evidence of changes that fire, as JSON, loudest first. What several rules say of one
    integration is read once; beyond `AT_ONCE` integrations the rest is owed (`pay`). `runbooks`:
    the address of each rule that has one."""
    loudest = sorted(fired, key=lambda each: each.severity)
    slugs = list(dict.fromkeys(each.subject.integration for each in loudest))
    named = [slug for slug in slugs if slug is not None]
    known = {slug: _of_integration(reading, slug, now_us) for slug in named[:AT_ONCE]}
    known |= _owed(reading, named[AT_ONCE:], now_us)
    found = {}
    for change in loudest:
        evidence: dict[str, Any] = {
            "version": VERSION,
            "at_us": now_us,
            "value": change.verdict.value,
            "limit": change.verdict.limit,
            "runbook": runbooks.get(change.key.rule),
        }
        slug = change.subject.integration
        if slug is not None:
            evidence |= known[slug]
        found[change.key] = json.dumps(evidence)
    return found


def pay(reading: Reading, evidence: str, slug: str) -> str:
    """Evidence that is owed, as it would have been when its incident began."""
    found = json.loads(evidence)
    del found[OWED]
    return json.dumps(found | _of_integration(reading, slug, found["at_us"]))


def _owed(reading: Reading, slugs: Sequence[str], now_us: int) -> dict[str, dict[str, Any]]:
    """The numbers of each, from one reading of them all; everything else is owed."""
    if not slugs:
        return {}
    try:
        healths = {view.slug: each for view, each in league(reading, own_scope(), _now(now_us))}
    except MidspanError as error:
        get_logger("alerts").warning("evidence_unread", reason=str(error))
        healths = {}
    return {
        slug: {OWED: True} | ({"now": _numbers(healths[slug])} if slug in healths else {})
        for slug in slugs
    }


def _now(now_us: int) -> Window:
    end_us = floor(now_us, MINUTE_US)
    return Window(end_us - _WINDOW_US, end_us)


def _of_integration(reading: Reading, slug: str, now_us: int) -> dict[str, Any]:
    try:
        return _read(reading, slug, now_us)
    except MidspanError as error:
        get_logger("alerts").warning("evidence_unread", reason=str(error))
        return {}


def _read(reading: Reading, slug: str, now_us: int) -> dict[str, Any]:
    scope, window = own_scope(), _now(now_us)
    span = Window(window.end_us - _SPAN_US, window.end_us)
    chart = series(reading, scope, slug, span, _STEP_US)
    failed = ExchangeFilter(integrations=(slug,), window=window, verdict=int(Counted.BAD))
    view, then = get_integration(reading, scope, slug), replace(reading, clock=lambda: now_us)
    worst = [each for each in operations(reading, scope, slug, window)[:_OPERATIONS] if each.bad]
    return {
        "window_us": _WINDOW_US,
        "now": _numbers(health(reading, scope, slug, window)),
        "before": _numbers(health(reading, scope, slug, window.previous())),
        "budgets": [_budget(each) for each in budgets(then, scope, slug)],
        "operations": [_operation(each) for each in worst],
        "samples": [_sample(each) for each in _different(reading, failed)],
        "at_risk": _at_risk(at_risk(then, scope, slug, window)),
        "chart": {
            "step_us": _STEP_US,
            "allowed_ratio": _allowed(view),
            "points": [
                [each.start_us, each.exchanges, each.bad, each.latency_ms.p95]
                for each in chart.points
            ],
        },
    }


def _different(reading: Reading, failed: ExchangeFilter) -> list[ExchangeView]:
    """The newest failure of each kind, then the newest others."""
    found = list_exchanges(reading, own_scope(), failed, None, _LOOKED_AT).items
    kinds = {(each.operation, each.status, each.error): each for each in reversed(found)}
    first = [each for each in found if each in kinds.values()]
    return [*first, *(each for each in found if each not in first)][:_SAMPLES]


def _at_risk(found: RiskView | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "amount_minor": found.at_risk_minor,
        "currency": found.currency,
        "installations": found.installations,
        "by_fault": dict(found.by_fault),
    }


def _budget(found: BudgetView) -> dict[str, Any]:
    return {
        "name": found.objective.name,
        "window": found.objective.window,
        "remaining_ratio": found.standing.remaining_ratio,
        "allowed_ratio": allowed_ratio(found.objective.target),
        "threshold_ms": found.objective.threshold_ms,
    }


def _allowed(view: IntegrationView) -> float | None:
    """The error ratio that the strictest availability objective allows; None without one."""
    targets = [each.target for each in view.objectives if each.threshold_ms is None]
    return allowed_ratio(max(targets)) if targets else None


def _numbers(found: Health) -> dict[str, Any]:
    return {
        "proxied": found.proxied,
        "good": found.good,
        "bad": found.bad,
        "excluded": found.excluded,
        "error_ratio": found.error_ratio,
        "latency_ms": asdict(found.latency_ms),
        "by_fault": found.by_fault,
        "sentence": found.sentence,
    }


def _operation(found: OperationView) -> dict[str, Any]:
    return {
        "operation": found.operation,
        "bad": found.bad,
        "exchanges": found.exchanges,
        "error_ratio": found.error_ratio,
        "p95_ms": found.latency_ms.p95,
        "fault": found.main_fault,
    }


def _sample(found: ExchangeView) -> dict[str, Any]:
    return {
        "id": found.id,
        "started_us": found.started_us,
        "operation": found.operation,
        "method": found.method,
        "path": found.path,
        "status": found.status,
        "outcome": found.outcome,
        "error": found.error,
        "error_detail": found.error_detail,
        "fault": found.fault,
        "total_ms": found.total_ms,
    }
