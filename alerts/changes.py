"""From a round of evaluations to the changes it makes. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from alerts.conditions import Verdict
from alerts.evaluate import Evaluation, Round, Subject
from app.domain.alert import Event, Finding, Patience, Standing, State, advance
from app.domain.rule import WAKING, Rule, Severity


class Key(NamedTuple):
    """One rule instance."""

    rule: str
    series: str


@dataclass(frozen=True, slots=True)
class Held:
    """A rule instance as the registry holds it. `version` is for compare-and-set."""

    id: int
    version: int
    standing: Standing
    subject: Subject
    severity: Severity


@dataclass(frozen=True, slots=True)
class Change:
    """A rule instance that no longer stands where it stood. `held` None: it was never seen."""

    key: Key
    held: Held | None
    standing: Standing
    event: Event | None
    subject: Subject
    verdict: Verdict
    severity: Severity


_GONE = Verdict(Finding.GONE, "there is no such series any more")
_CALMED = Verdict(Finding.FALSE, "what was told of is over")
_AT_ONCE = Patience()


def changes(held: Mapping[Key, Held], found: Round, now_us: int) -> list[Change]:
    """What changes at `now_us`; instances that stay as they are, are left out."""
    return [*_evaluated(held, found, now_us), *_gone(held, found, now_us)]


def _evaluated(held: Mapping[Key, Held], found: Round, now_us: int) -> Iterator[Change]:
    for each in found.evaluations:
        key = Key(each.rule.name, each.subject.series)
        before = held.get(key)
        standing = before.standing if before else Standing()
        verdict = _news(each, before, now_us)
        severity = _capped(each.rule, verdict)
        louder = before is not None and severity in WAKING and before.severity not in WAKING
        patience = replace(each.patience, for_us=max(each.patience.for_us, verdict.hold_us))
        step = advance(standing, verdict.finding, now_us, patience, louder=louder)
        if step.standing != standing:
            # only what fires says how loud the incident is; a calm in between does not
            told = severity if step.event == Event.FIRED or before is None else before.severity
            yield Change(
                key, before, step.standing, step.event, each.subject, verdict, told
            )  # fmt: skip


def _news(each: Evaluation, before: Held | None, now_us: int) -> Verdict:
    """What of a finding counts beside the incident that the instance has or just had.

    Hours after an outage its long windows still find it. So an incident goes on only while
    something as loud as itself is found, and after its end something counts only when what came
    later suffices for it.
    """
    verdict = each.verdict
    if before is None or verdict.finding != Finding.TRUE or verdict.severity is None:
        return verdict
    if before.standing.open:
        loud = _capped(each.rule, verdict) <= before.severity
        return verdict if loud else _CALMED
    if before.standing.state != State.RESOLVED:
        return verdict
    calm_us = now_us - before.standing.since_us
    return next((it for it in (verdict, *verdict.quieter) if it.settles_us <= calm_us), _CALMED)


def _capped(rule: Rule, verdict: Verdict) -> Severity:
    """How loud it is: as the condition found, never louder than the rule."""
    return max(rule.severity, verdict.severity or rule.severity)


def _gone(held: Mapping[Key, Held], found: Round, now_us: int) -> Iterator[Change]:
    """Instances of which nothing is heard: their rule is gone, or what it was about."""
    heard = {Key(each.rule.name, each.subject.series) for each in found.evaluations}
    for key, before in held.items():
        if key in heard or key.rule in found.partial:
            continue
        step = advance(before.standing, Finding.GONE, now_us, _AT_ONCE)
        if step.standing != before.standing:
            yield Change(
                key, before, step.standing, step.event, before.subject, _GONE, before.severity
            )  # fmt: skip
