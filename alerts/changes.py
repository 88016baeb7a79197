"""From a round of evaluations to the changes it makes. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from alerts.conditions import Verdict
from alerts.evaluate import Evaluation, Round, Subject
from alerts.stages import is_quiet
from app.domain.alert import Event, Finding, Patience, Standing, advance
from app.domain.rule import Severity


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
    """A rule instance that no longer stands where it stood. `held` None: it was never seen.
    `quiet`: `alerts.stages.is_quiet` of its rule."""

    key: Key
    held: Held | None
    standing: Standing
    event: Event | None
    quiet: bool
    subject: Subject
    verdict: Verdict
    severity: Severity


_GONE = Verdict(Finding.GONE, "there is no such series any more")
_AT_ONCE = Patience()


def changes(held: Mapping[Key, Held], found: Round, now_us: int) -> list[Change]:
    """What changes at `now_us`; instances that stay as they are, are left out."""
    return [*_evaluated(held, found, now_us), *_gone(held, found, now_us)]


def _evaluated(held: Mapping[Key, Held], found: Round, now_us: int) -> Iterator[Change]:
    for each in found.evaluations:
        key = Key(each.rule.name, each.subject.series)
        before = held.get(key)
        standing = before.standing if before else Standing()
        step = advance(standing, each.verdict.finding, now_us, each.patience)
        if step.standing != standing:
            yield Change(
                key, before, step.standing, step.event, is_quiet(each.rule), each.subject,
                each.verdict, _severity(each, before, step.event),
            )  # fmt: skip


def _severity(each: Evaluation, before: Held | None, event: Event | None) -> Severity:
    """Of an incident that begins: what was found; of one that goes on: what it began with."""
    if event == Event.RESOLVED and before is not None:
        return before.severity
    return max(each.rule.severity, each.verdict.severity or each.rule.severity)


def _gone(held: Mapping[Key, Held], found: Round, now_us: int) -> Iterator[Change]:
    """Instances of which nothing is heard: their rule is gone, or what it was about."""
    heard = {Key(each.rule.name, each.subject.series) for each in found.evaluations}
    for key, before in held.items():
        if key in heard or key.rule in found.partial:
            continue
        step = advance(before.standing, Finding.GONE, now_us, _AT_ONCE)
        if step.standing != before.standing:
            yield Change(
                key, before, step.standing, step.event, False, before.subject, _GONE,
                before.severity,
            )  # fmt: skip
