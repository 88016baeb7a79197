"""Whether a number of the last hour is far from what this time of the week usually has. Pure.

"Usual" is robust: the median of the same hour and its neighbours in past weeks, and as their spread
1.4826 times the median absolute deviation (Rousseeuw and Croux, 1993), so that one bad week among
four neither hides the next nor makes it. A spread smaller than chance alone makes (of a count its
square root, of a ratio its binomial error, of a latency a twentieth) is taken for that much.
"""

from collections.abc import Sequence
from math import sqrt
from statistics import median

from alerts.conditions import Verdict, amount, events_of, value_of
from app.domain.alert import Finding
from app.domain.phrases import THIN, count, faults_in_words
from app.domain.rule import LATENCIES, Anomaly, Measure, Side
from app.queries.counts import Counts

#: Of so many past hours at least there must be numbers.
LEAST_HOURS = 6
_TO_SIGMA = 1.4826
_LATENCY_NOISE = 0.05


def odd(condition: Anomaly, found: Counts, usual: Sequence[Counts]) -> Verdict:
    """`found` is the last hour, `usual` the hours of past weeks to hold it against."""
    measure = condition.measure
    past = [
        value
        for each in usual
        if events_of(measure, each) >= max(1, condition.minimum)
        and (value := value_of(measure, each)) is not None
    ]
    now = value_of(measure, found)
    if len(past) < LEAST_HOURS:
        known = f"{len(past)} of {LEAST_HOURS} past hours that it takes to know what is usual"
        return Verdict(Finding.NO_DATA, known, now)
    if now is None or (measure not in _COUNTED and events_of(measure, found) < condition.minimum):
        few = f"{count(events_of(measure, found))} of {count(condition.minimum)} exchanges"
        return Verdict(Finding.NO_DATA, f"{few} that it takes to judge", now)
    middle = median(past)
    distance = now - middle
    limit = max(
        condition.deviations * _spread(measure, past, middle, found),
        condition.change_ratio * abs(middle),
    )
    beyond = abs(distance) > limit and condition.side in (Side.ANY, _side(distance))
    summary = (
        f"{_named(measure, now)} in the last hour; {_range(measure, past)} are usual at this time"
    )
    if beyond and found.bad_by_fault:
        summary = f"{summary}, {faults_in_words(found.bad_by_fault)}"
    edge = middle + limit if distance > 0 else middle - limit
    return Verdict(Finding.TRUE if beyond else Finding.FALSE, summary, now, edge)


_COUNTED = frozenset({Measure.PROXIED, Measure.BAD, Measure.EXCLUDED, Measure.SHED})
_WORDS = {
    Measure.PROXIED: "exchanges", Measure.BAD: "bad exchanges",
    Measure.EXCLUDED: "excluded exchanges", Measure.SHED: "exchanges not recorded",
    Measure.ERROR_RATIO: "errors",
}  # fmt: skip


def _spread(measure: Measure, past: Sequence[float], middle: float, found: Counts) -> float:
    noise = _TO_SIGMA * median(abs(value - middle) for value in past)
    if measure in LATENCIES:
        return max(noise, _LATENCY_NOISE * middle)
    if measure in _COUNTED:
        return max(noise, sqrt(max(middle, 1.0)))
    tried = max(events_of(measure, found), 1)
    chance = max(middle, 1 / tried)
    return max(noise, sqrt(chance * (1 - min(chance, 1.0)) / tried))


def _side(distance: float) -> Side:
    return Side.ABOVE if distance > 0 else Side.BELOW


def _named(measure: Measure, value: float) -> str:
    shown = amount(measure, value)
    return f"{measure.value} {shown}" if measure in LATENCIES else f"{shown} {_WORDS[measure]}"


def _range(measure: Measure, past: Sequence[float]) -> str:
    low, high = amount(measure, min(past)), amount(measure, max(past))
    if measure not in _COUNTED:
        low = low.partition(THIN)[0]
    return high if low == high else f"{low} to {high}"
