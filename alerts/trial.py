"""A rule tried on the past: what it would have told, and when. It writes nothing.

Counts are those of then, as far as they are still kept by the minute; what past weeks led to expect
is as of now, and circuits and Midspan's own faults of the past are not known.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from alerts.changes import Change, Held, Key, changes
from alerts.evaluate import evaluate
from alerts.measures import Measures
from app.commands import registry_checks as check
from app.commands.rule_file import parse
from app.commands.rules import standing_rules
from app.db import registry_engine
from app.domain.default_rules import DEFAULT_RULES
from app.domain.rule import Rule
from app.domain.trial import Tried, WouldTell
from app.domain.window import HOUR_US, MINUTE_US, floor, parse_duration
from app.errors import MidspanError, NotFound
from app.queries import Reading
from app.queries.reading import now_us
from app.settings import Settings
from app.store.open import open_store

_MOST = 10_000
_PATIENCE_S = 8.0


class Told(NamedTuple):
    """One event that people would have been told of."""

    at_us: int
    change: Change


def trial(measures: Measures, rules: Sequence[Rule], times_us: Sequence[int]) -> Iterator[Told]:
    """What the rules would have told at these times, in order."""
    held: dict[Key, Held] = {}
    for at_us in times_us:
        for change in changes(held, evaluate(rules, measures.see(rules, at_us, {})), at_us):
            held[change.key] = Held(0, 0, change.standing, change.subject, change.severity)
            if change.event is not None:
                yield Told(at_us, change)


def tried(reading: Reading, home: Path, rule: Rule, end_us: int, over_us: int) -> Tried:
    """What a rule would have told over the past, looked at every hour, for somebody who waits for
    the answer: as much of the newest past as about `_PATIENCE_S` allow."""
    measures = Measures(reading, home)
    measures.see([rule], end_us, {})
    begun_s = time.perf_counter()
    measures.see([rule], end_us - HOUR_US, {})
    once_s = max(0.001, time.perf_counter() - begun_s)
    looks = max(1, min(over_us // HOUR_US, int(_PATIENCE_S / once_s)))
    last_us = floor(end_us, MINUTE_US)
    times_us = range(last_us - (looks - 1) * HOUR_US, last_us + 1, HOUR_US)
    told = tuple(_would_tell(each) for each in trial(measures, [rule], times_us))
    return Tried(looks * HOUR_US, HOUR_US, told)


def _would_tell(told: Told) -> WouldTell:
    change = told.change
    assert change.event is not None, "a trial tells of events"
    subject = change.subject
    about = subject.integration or subject.partner or subject.series
    if subject.operation:
        about = f"{about} {subject.operation}"
    return WouldTell(told.at_us, change.event.value, change.severity, about, change.verdict.summary)


def print_trial(settings: Settings, rule: str, at: str, over: str, every: str) -> None:
    """Try a rule and say what it would have told."""
    try:
        end_us = now_us() if at == "now" else check.moment(at)
        over_us, step_us = parse_duration(over), max(MINUTE_US, parse_duration(every))
    except ValueError as error:
        raise MidspanError(str(error)) from None
    if over_us // step_us > _MOST:
        raise MidspanError(f"that is more than {_MOST:,} evaluations: take a longer --every")
    rules = _rules(settings.home, rule)
    reading = Reading(
        registry_engine(settings.registry_url), open_store(settings.metrics_url, read_only=True)
    )
    start_us = floor(end_us - over_us, step_us)
    times_us = range(start_us, end_us, step_us)
    fired = 0
    for told in trial(Measures(reading, settings.home), rules, times_us):
        fired += told.change.event is not None and told.change.event.value == "fired"
        print(_line(told))  # noqa: T201 - what a command says
    print(f"would have fired {fired} times in {over}")  # noqa: T201


def _line(told: Told) -> str:
    at = datetime.fromtimestamp(told.at_us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%MZ")
    change = told.change
    event = change.event.value if change.event else ""
    return (
        f"{at}  {event:<8}  {change.severity.value}  {change.key.series}  {change.verdict.summary}"
    )


def _rules(home: Path, name: str) -> tuple[Rule, ...]:
    path = Path(name)
    if path.is_file():
        files = parse(path.read_bytes(), path.name)
        if files.problems:
            raise MidspanError("\n".join(files.problems))
        return files.rules
    standing, _ = standing_rules(home, DEFAULT_RULES)
    found = tuple(rule for rule in standing if rule.name == name)
    if not found:
        known = ", ".join(sorted(rule.name for rule in standing))
        raise NotFound(f"no rule {name!r}: it is a file, or one of {known}")
    return found
