"""The sentence a health page opens with: what is, on whose side, and where.

"8.4 % of webhooks answered 5xx in the last hour. It is on the partner's side: every failure is
`installation.created`." Pure: the same facts always read the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from app.domain.health import Assessment, Facts, Status, breaches
from app.domain.objective import Objective, allowed_ratio
from app.domain.phrases import count, percent, period

#: What most failures did, after "8.4 % of webhooks".
_DID = {
    "client_error": "answered 4xx",
    "server_error": "answered 5xx",
    "timeout": "timed out",
    "connect_error": "could not connect",
    "dns_error": "found no address",
    "tls_error": "failed on TLS",
    "protocol_error": "got a broken answer",
    "aborted": "were given up by the caller",
    "rejected": "were stopped by the proxy",
}
_SIDES = {
    "partner": "on the partner's side",
    "platform": "on the platform's side",
    "network": "the network between",
    "customer": "the customers' to mend",
}
_ONE_CAUSE_RATIO = 0.9


@dataclass(frozen=True, slots=True)
class Group:
    """The exchanges of one kind and direction: `noun` is how they are called."""

    noun: str
    eligible: int
    bad: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where the failures lie. `groups` by direction and kind; the mappings count bad exchanges
    by outcome word and by operation (empty when operations were not asked)."""

    groups: tuple[Group, ...] = ()
    bad_by_outcome: Mapping[str, int] = field(default_factory=dict)
    bad_by_operation: Mapping[str, int] = field(default_factory=dict)


def sentence(
    assessment: Assessment,
    facts: Facts,
    objectives: tuple[Objective, ...],
    evidence: Evidence,
    length_us: int,
    *,
    to_now: bool = True,
) -> str:
    """One or two sentences for a window of `length_us`; `to_now`: it ends now."""
    when = period(length_us, to_now=to_now)
    match assessment.status:
        case Status.PAUSED:
            return "This integration is paused: nothing is let through."
        case Status.IDLE:
            return f"Nobody called {when}."
        case Status.NOT_ENOUGH_DATA:
            return _too_few(facts, when)
        case Status.SILENT:
            return f"{_silence(facts, evidence, when)} {_where(facts, evidence)}"
        case Status.FAILING | Status.DEGRADED:
            return f"{_failures(facts, evidence, when)} {_where(facts, evidence)}"
        case Status.SLOW:
            return _slowness(facts, objectives, when)
        case Status.HEALTHY:
            return _calm(facts, when)


def _too_few(facts: Facts, when: str) -> str:
    if facts.recorded == 0:
        return f"{_exchanges(facts.shed)} passed {when}, and none could be recorded."
    if facts.eligible == 0:
        return f"None of {_exchanges(facts.recorded)} {when} counts for an objective."
    return f"Only {_exchanges(facts.eligible)} {when}: too few to judge."


def _silence(facts: Facts, evidence: Evidence, when: str) -> str:
    noun = evidence.groups[0].noun if len(evidence.groups) == 1 else "exchanges"
    return f"None of {count(facts.eligible)} {noun} was answered {when}."


def _failures(facts: Facts, evidence: Evidence, when: str) -> str:
    group = _main_group(facts, evidence)
    share = f"{percent(group.bad / group.eligible)} of {group.noun}"
    worst = _cause(evidence.bad_by_outcome)
    if worst is None:
        return f"{share} failed {when}."
    if worst.every:
        return f"{share} {_DID[worst.key]} {when}."
    return f"{share} failed {when}; most {_DID[worst.key]}."


def _main_group(facts: Facts, evidence: Evidence) -> Group:
    """The one group that holds every failure, else all exchanges."""
    guilty = [group for group in evidence.groups if group.bad]
    if len(guilty) == 1 and guilty[0].eligible:
        return guilty[0]
    return Group("exchanges", facts.eligible, facts.bad)


def _where(facts: Facts, evidence: Evidence) -> str:
    worst = _cause(facts.bad_by_fault)
    if worst is None:
        side = "More than one side has to act"
    else:
        side = f"It is {'' if worst.every else 'mostly '}{_SIDES[worst.key]}"
    return f"{side}{_operation(evidence.bad_by_operation)}."


def _operation(bad: Mapping[str, int]) -> str:
    if not bad:
        return ""
    total, worst = sum(bad.values()), max(bad, key=lambda name: bad[name])
    if bad[worst] == total:
        return f": every failure is `{worst}`"
    if bad[worst] >= total / 2:
        return f": {percent(bad[worst] / total)} of failures are `{worst}`"
    return f", spread over {count(len(bad))} operations"


def _slowness(facts: Facts, objectives: tuple[Objective, ...], when: str) -> str:
    missed, above = max(breaches(facts, objectives), key=lambda pair: pair[1])
    assert missed.threshold_us is not None
    threshold = f"{count(missed.threshold_us // 1000)}\u202fms"
    return (
        f"{percent(above / facts.timed)} of answers took longer than {threshold} {when};"
        f" {percent(allowed_ratio(missed.target))} may."
    )


def _calm(facts: Facts, when: str) -> str:
    if facts.bad == 0:
        return f"All {_exchanges(facts.good)} were good {when}."
    return f"All but {count(facts.bad)} of {_exchanges(facts.eligible)} were good {when}."


def _exchanges(number: int) -> str:
    return f"{count(number)} exchange{'' if number == 1 else 's'}"


class _Cause(NamedTuple):
    """One key that accounts for nearly all, or for every one, of what was counted."""

    key: str
    every: bool


def _cause(counts: Mapping[str, int]) -> _Cause | None:
    """The main cause; None when there is no single one."""
    total = sum(counts.values())
    if not total:
        return None
    key = max(counts, key=lambda each: counts[each])
    if counts[key] < _ONE_CAUSE_RATIO * total:
        return None
    return _Cause(key, counts[key] == total)
