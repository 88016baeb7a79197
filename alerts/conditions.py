"""Whether a rule holds for one series: counts in, a finding with its sentence out. Pure.

The sentence says what is, against what, and who has to act: it stands in the subject of a mail and
first on a page, so it is complete by itself. Nothing here knows of time passing; `for` and
`keep_firing_for` are `app.domain.alert`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.domain.alert import Finding
from app.domain.health import wilson
from app.domain.objective import Objective, allowed_ratio, burn_rate
from app.domain.phrases import THIN, count, faults_in_words, percent, span
from app.domain.rule import (
    BURN_WINDOWS,
    LATENCIES,
    WAKING,
    BurnRate,
    BurnWindow,
    Measure,
    PlatformOutage,
    Severity,
    Silence,
    Threshold,
)
from app.domain.words import Fault
from app.queries.counts import Counts


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about one series.

    `value` and `limit` are the number that decided and what it was held against, in the number's
    own unit; None where nothing was measured. `severity` is set where the condition decides it;
    `quieter` are then what it also found, less loud, `settles_us` is how long ago an incident must
    have ended for this to be news, and `hold_us` how long it has to hold before anybody is told.
    """

    finding: Finding
    summary: str
    value: float | None = None
    limit: float | None = None
    severity: Severity | None = None
    settles_us: int = 0
    hold_us: int = 0
    quieter: tuple["Verdict", ...] = ()


#: From this share of failures on, the platform is called down.
_OUTAGE_RATIO = 0.5
#: What wakes nobody waits for such a part of its short window, half an hour for P3 and an hour and
#: a half for P4: it may be the beginning of what does, and who reads it at leisure reads it once.
_TICKET_HOLDS = 4
_RATIOS = frozenset({Measure.ERROR_RATIO})
_WORDS = {
    Measure.PROXIED: "exchanges",
    Measure.BAD: "bad exchanges",
    Measure.EXCLUDED: "excluded exchanges",
    Measure.SHED: "exchanges not recorded",
    Measure.ERROR_RATIO: "errors",
}


def threshold(condition: Threshold, found: Counts) -> Verdict:
    """Whether a number is beyond its limit; no data below the least number of exchanges."""
    value = value_of(condition.measure, found)
    limit = condition.above if condition.above is not None else condition.below
    assert limit is not None, "a threshold has one limit"
    enough = events_of(condition.measure, found) >= condition.minimum
    if value is None or not enough:
        few = (
            f"{count(events_of(condition.measure, found))} of {count(condition.minimum)} exchanges"
        )
        return Verdict(Finding.NO_DATA, f"{few} that it takes to judge", value, limit)
    beyond = (
        _surely_above(condition, found, value) if condition.above is not None else value < limit
    )
    summary = (
        f"{_shown(condition.measure, value)} in the last {span(condition.window_us)}"
        f" ({'limit' if condition.above is not None else 'at least'}"
        f" {amount(condition.measure, limit)}), {faults_in_words(found.bad_by_fault)}"
    )
    return Verdict(Finding.TRUE if beyond else Finding.FALSE, summary, value, limit)


def burning(
    condition: BurnRate, objectives: Sequence[Objective], seen: Mapping[int, Counts]
) -> Verdict:
    """Whether an objective's budget is spent too fast, the loudest window of any first.

    `seen` are the counts over every window of `BURN_WINDOWS`, by its length. An objective that has
    too few exchanges in its long window says nothing; no data when that is true of them all. Too
    fast over the long window means surely: the lower end of the ratio's 95 % interval is, so that
    three bad exchanges of a small integration wake nobody.
    """
    asked = [each for each in objectives if condition.objective in (None, each.name)]
    judged, found = False, []
    for window in BURN_WINDOWS:
        for objective in asked:
            long = _eligible(objective, seen[window.long_us])
            short = _eligible(objective, seen[window.short_us])
            if long.total < condition.minimum:
                continue
            judged = True
            verdict = _burn(window, objective, long, short, seen[window.long_us])
            if verdict is not None:
                settles_us = _settles_us(window, objective, seen)
                found.append(replace(verdict, settles_us=settles_us))
                break
    if found:
        return replace(found[0], quieter=tuple(found[1:]))
    if not judged:
        return Verdict(Finding.NO_DATA, f"fewer than {condition.minimum} exchanges count")
    return Verdict(Finding.FALSE, "every budget lasts")


def silent(condition: Silence, found: Counts, expected: float) -> Verdict:
    """Whether nothing is answered that should be.

    `expected` is how many exchanges the same time of past weeks had. Nobody called and nobody
    was expected to: that is idle, not silent.
    """
    when = f"in the last {span(condition.window_us)}"
    tried = found.proxied - found.shed
    if tried >= condition.minimum and found.answered == 0:
        faults = faults_in_words(found.bad_by_fault)
        return Verdict(
            Finding.TRUE, f"Silent: none of {count(tried)} exchanges answered {when}, {faults}",
            0, condition.minimum,
        )  # fmt: skip
    if found.proxied == 0 and expected >= condition.minimum:
        return Verdict(
            Finding.TRUE, f"Silent: 0 of {count(round(expected))} expected exchanges {when}",
            0, expected,
        )  # fmt: skip
    return Verdict(Finding.FALSE, f"{count(found.answered)} exchanges answered {when}")


def platform_out(condition: PlatformOutage, found: Counts, expected: float) -> Verdict:
    """Whether the platform is down. `found` and `expected` are of all integrations together."""
    when = f"in the last {span(condition.window_us)}"
    recorded = found.eligible + found.excluded
    failed = found.excluded_by_fault.get(Fault.PLATFORM.word, 0)
    if recorded >= condition.minimum and failed >= _OUTAGE_RATIO * recorded:
        share = percent(failed / recorded)
        summary = f"{share} of {count(recorded)} exchanges failed by the platform's fault {when}"
        return Verdict(Finding.TRUE, summary, failed / recorded, _OUTAGE_RATIO)
    if found.proxied == 0 and expected >= condition.minimum:
        summary = f"Nothing crosses: 0 of {count(round(expected))} expected exchanges {when}"
        return Verdict(Finding.TRUE, summary, 0, expected)
    return Verdict(Finding.FALSE, f"{count(found.proxied)} exchanges {when}")


@dataclass(frozen=True, slots=True)
class _Eligible:
    bad: int
    total: int

    @property
    def ratio(self) -> float:
        return self.bad / self.total if self.total else 0.0


def _eligible(objective: Objective, found: Counts) -> _Eligible:
    """Bad and all exchanges that count for an objective (`app.domain.objective`)."""
    if objective.threshold_us is None:
        return _Eligible(found.bad, found.eligible)
    return _Eligible(found.above.get(objective.threshold_us // 1000, 0), found.timed)


def _burn(
    window: BurnWindow, objective: Objective, long: _Eligible, short: _Eligible, found: Counts
) -> Verdict | None:
    factor = window.factor(objective)
    burn = burn_rate(long.ratio, objective.target)
    if burn <= factor or burn_rate(short.ratio, objective.target) <= factor:
        return None
    least, _ = wilson(long.bad, long.total) or (0.0, 0.0)
    if burn_rate(least, objective.target) <= factor:
        return None
    if objective.threshold_us is None:
        what = (
            f"{percent(long.ratio)} errors (objective {percent(allowed_ratio(objective.target))})"
        )
        whose = f", {faults_in_words(found.bad_by_fault)}"
    else:
        limit = f"{count(objective.threshold_us // 1000)}{THIN}ms"
        allowed = percent(allowed_ratio(objective.target))
        what, whose = f"{percent(long.ratio)} slower than {limit} (objective {allowed})", ""
    summary = f"{what} in the last {span(window.long_us)}{whose}; burning {burn:.1f}×"
    hold_us = 0 if window.severity in WAKING else window.short_us // _TICKET_HOLDS
    return Verdict(Finding.TRUE, summary, burn, factor, window.severity, hold_us=hold_us)


def _settles_us(window: BurnWindow, objective: Objective, seen: Mapping[int, Counts]) -> int:
    """The shortest time whose bad exchanges alone spend that much of the budget: what was bad
    before an incident ended was told of, and does not count again."""
    least = window.factor(objective) * allowed_ratio(objective.target)
    total = _eligible(objective, seen[window.long_us]).total
    return next(
        (
            length_us
            for length_us in sorted(seen)
            if window.short_us <= length_us <= window.long_us
            and _eligible(objective, seen[length_us]).bad > least * total
        ),
        window.long_us,
    )


def value_of(measure: Measure, found: Counts) -> float | None:
    """The number itself; None where there is none."""
    match measure:
        case Measure.PROXIED:
            return found.proxied
        case Measure.BAD:
            return found.bad
        case Measure.EXCLUDED:
            return found.excluded
        case Measure.SHED:
            return found.shed
        case Measure.ERROR_RATIO:
            return found.bad / found.eligible if found.eligible else None
        case Measure.P50:
            return found.latency_ms.p50
        case Measure.P95:
            return found.latency_ms.p95
        case Measure.P99:
            return found.latency_ms.p99


def events_of(measure: Measure, found: Counts) -> int:
    """How many exchanges a number was made from."""
    if measure in LATENCIES:
        return found.timed
    return found.eligible if measure in _RATIOS else found.proxied


def _surely_above(condition: Threshold, found: Counts, value: float) -> bool:
    assert condition.above is not None
    if condition.measure not in _RATIOS:
        return value > condition.above
    interval = wilson(found.bad, found.eligible)
    return interval is not None and interval[0] > condition.above


def _shown(measure: Measure, value: float) -> str:
    if measure in LATENCIES:
        return f"{measure.value} {amount(measure, value)}"
    return f"{amount(measure, value)} {_WORDS[measure]}"


def amount(measure: Measure, value: float) -> str:
    """A number with its unit."""
    if measure in _RATIOS:
        return percent(value)
    return f"{count(round(value))}{THIN}ms" if measure in LATENCIES else count(round(value))
