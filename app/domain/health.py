"""How an integration is doing: a status, the reasons for it in words, and one sentence.

`assess` decides from counts alone, in this order:

- `paused`: the registry says that nothing is let through;
- `idle`: nobody called. `silent`: calls were made and not one was answered. Never the same thing;
- `not_enough_data`: fewer than `MIN_EVENTS` exchanges that count;
- `failing`: the error ratio burns the budget `FAILING_BURN` times too fast, or reaches one half;
- `degraded`: the error ratio is above what the objective allows;
- `slow`: more answers than the objective allows took longer than its threshold;
- `healthy`: none of these.

A ratio is above what is allowed only when the lower end of its 95 % interval is, so that three
bad minutes of a small integration do not shout. An integration without an objective is measured
by `USUAL_TARGET`, and its reasons say so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import sqrt

from app.domain.objective import Objective, allowed_ratio, error_ratio
from app.domain.phrases import count, faults_in_words, percent

MIN_EVENTS = 20
USUAL_TARGET = 0.99
#: The slower of the two paging burn rates of the SRE workbook (5 % of the budget in six hours).
FAILING_BURN = 6.0
FAILING_RATIO = 0.5
#: From this share on, excluded exchanges are a reason to be read.
_NOTABLE_EXCLUDED_RATIO = 0.1
_Z_95 = 1.959963984540054


class Status(StrEnum):
    """In the order in which a list shows them: trouble first."""

    FAILING = "failing"
    SILENT = "silent"
    SLOW = "slow"
    DEGRADED = "degraded"
    HEALTHY = "healthy"
    IDLE = "idle"
    NOT_ENOUGH_DATA = "not_enough_data"
    PAUSED = "paused"


RANK = {status: place for place, status in enumerate(Status)}


@dataclass(frozen=True, slots=True)
class Facts:
    """What was counted over one window. Keys of the mappings are fault words and milliseconds.

    `answered` counts exchanges that got an HTTP answer; `timed` those that `latency` knows;
    `above` how many of them took longer than each threshold of a latency objective.
    """

    good: int = 0
    bad: int = 0
    excluded: int = 0
    shed: int = 0
    answered: int = 0
    bad_by_fault: Mapping[str, int] = field(default_factory=dict)
    excluded_by_fault: Mapping[str, int] = field(default_factory=dict)
    timed: int = 0
    above: Mapping[int, int] = field(default_factory=dict)
    paused: bool = False

    @property
    def eligible(self) -> int:
        """Exchanges that count for an objective."""
        return self.good + self.bad

    @property
    def recorded(self) -> int:
        """All exchanges of which a record was kept."""
        return self.eligible + self.excluded


@dataclass(frozen=True, slots=True)
class Assessment:
    """A status and why, most important reason first."""

    status: Status
    reasons: tuple[str, ...]


def wilson(bad: int, total: int) -> tuple[float, float] | None:
    """The 95 % score interval of bad / total (Wilson 1927); None when `total` is 0."""
    if total == 0:
        return None
    ratio, z2 = bad / total, _Z_95 * _Z_95
    centre = (ratio + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z_95 / (1 + z2 / total) * sqrt(ratio * (1 - ratio) / total + z2 / (4 * total * total))
    low = 0.0 if bad == 0 else max(0.0, centre - half)
    high = 1.0 if bad == total else min(1.0, centre + half)
    return low, high


def assess(facts: Facts, objectives: tuple[Objective, ...]) -> Assessment:
    """Status and reasons of one integration over one window."""
    status = status_of(facts, objectives)
    own = _reasons(status, facts, objectives)
    return Assessment(status, own + _excluded(facts) + _shed(facts))


def status_of(facts: Facts, objectives: tuple[Objective, ...]) -> Status:
    """The status alone. It does not hang on whose fault anything was."""
    if facts.paused:
        return Status.PAUSED
    if facts.recorded + facts.shed == 0:
        return Status.IDLE
    if facts.eligible < MIN_EVENTS:
        return Status.NOT_ENOUGH_DATA
    if facts.answered == 0:
        return Status.SILENT
    if _errs(facts, objectives):
        return _how_bad(facts, objectives)
    return Status.SLOW if breaches(facts, objectives) else Status.HEALTHY


def target_of(objectives: tuple[Objective, ...]) -> tuple[float, bool]:
    """The strictest availability target, and whether anybody set it."""
    targets = [each.target for each in objectives if each.threshold_us is None]
    return (max(targets), True) if targets else (USUAL_TARGET, False)


def _reasons(status: Status, facts: Facts, objectives: tuple[Objective, ...]) -> tuple[str, ...]:
    if status is Status.PAUSED:
        return ("paused in the registry",)
    if status is Status.IDLE:
        return ("no exchange in this window",)
    if status is Status.NOT_ENOUGH_DATA:
        return (_too_few(facts),)
    if status is Status.SILENT:
        return (_unanswered(facts),)
    if status is Status.HEALTHY:
        return ()
    return _errors(facts, objectives) + _slowness(facts, objectives)


def _how_bad(facts: Facts, objectives: tuple[Objective, ...]) -> Status:
    allowed = allowed_ratio(target_of(objectives)[0])
    limit = min(FAILING_BURN * allowed, FAILING_RATIO)
    return Status.FAILING if facts.bad / facts.eligible >= limit else Status.DEGRADED


def _errs(facts: Facts, objectives: tuple[Objective, ...]) -> bool:
    """Whether more failed than is allowed, surely."""
    return _surely_above(facts.bad, facts.eligible, allowed_ratio(target_of(objectives)[0]))


def _errors(facts: Facts, objectives: tuple[Objective, ...]) -> tuple[str, ...]:
    target, given = target_of(objectives)
    ratio = error_ratio(facts.good, facts.bad)
    if ratio is None or not _errs(facts, objectives):
        return ()
    allowed = percent(allowed_ratio(target))
    against = f"objective {allowed}" if given else f"no objective; usual {allowed}"
    return (f"{percent(ratio)} errors ({against}), {faults_in_words(facts.bad_by_fault)}",)


def _slowness(facts: Facts, objectives: tuple[Objective, ...]) -> tuple[str, ...]:
    return tuple(
        f"{percent(above / facts.timed)} slower than {count(each.threshold_us // 1000)}\u202fms"
        f" (objective {percent(allowed_ratio(each.target))})"
        for each, above in breaches(facts, objectives)
        if each.threshold_us is not None
    )


def breaches(facts: Facts, objectives: tuple[Objective, ...]) -> list[tuple[Objective, int]]:
    """The latency objectives that are surely missed, each with how many were too slow."""
    if facts.timed < MIN_EVENTS:
        return []
    return [
        (each, facts.above.get(each.threshold_us // 1000, 0))
        for each in objectives
        if each.threshold_us is not None
        and _surely_above(
            facts.above.get(each.threshold_us // 1000, 0), facts.timed, allowed_ratio(each.target)
        )
    ]


def _surely_above(bad: int, total: int, allowed: float) -> bool:
    interval = wilson(bad, total)
    return interval is not None and interval[0] > allowed


def _too_few(facts: Facts) -> str:
    if facts.recorded == 0:
        return "nothing was recorded"
    if facts.eligible == 0:
        return "no exchange counts for an objective"
    return f"{count(facts.eligible)} of the {MIN_EVENTS} exchanges a ratio needs"


def _unanswered(facts: Facts) -> str:
    faults = faults_in_words(facts.bad_by_fault)
    return f"none of {count(facts.eligible)} exchanges was answered, {faults}"


def _excluded(facts: Facts) -> tuple[str, ...]:
    if facts.excluded == 0 or facts.excluded < _NOTABLE_EXCLUDED_RATIO * facts.recorded:
        return ()
    share = percent(facts.excluded / facts.recorded)
    return (f"{share} excluded, {faults_in_words(facts.excluded_by_fault)}",)


def _shed(facts: Facts) -> tuple[str, ...]:
    if facts.shed == 0:
        return ()
    return (f"{count(facts.shed)} passed unrecorded",)
