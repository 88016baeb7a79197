"""Do installations that met failures leave more often than others like them? Pure.

Time is cut into periods of equal length. An installation that is there at the end of a period, and
of which the period has enough exchanges, is followed through the next one: exposed, if in the first
period it met more failures than its objective allows (`app.domain.risk`); left, if it uninstalled
or cancelled in the second. Periods do not overlap, so nobody's leaving counts twice. Who leaves
while being exposed is in neither group.

Exposed ones are compared only with others of the same `Stratum`: plan, age band and usage band.
Strata without one of the two groups say nothing and are left out. The ratio of rates over the rest
is that of Mantel and Haenszel (1959), with the interval of Greenland and Robins (Biometrics 41,
1985); of a single stratum it is the log interval of Katz et al. (Biometrics 34, 1978).

It says what went together, never why: who meets failures may differ in what nobody recorded.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import NamedTuple

from app.domain.phrases import count, percent
from app.domain.window import DAY_US

#: Length of a period; leaving is looked for in as many days after one.
PERIOD_DAYS = 14
#: Members of each group, and departures of both together, below which nothing is concluded.
LEAST_MEMBERS, LEAST_LEFT = 20, 5
#: Upper ends of the age bands, in days.
_AGES = ((30, "up to 30 days"), (180, "up to 180 days"))
_OLDER, _UNKNOWN = "older", "unknown"
_Z_95 = 1.959963984540054


class Stratum(NamedTuple):
    """Installations that are alike: plan ("": not told), age, exchanges a day in powers of ten."""

    plan: str
    age: str
    usage: int


class Counted(NamedTuple):
    """Members of the two groups of a stratum, and how many of each left."""

    exposed: int
    exposed_left: int
    others: int
    others_left: int


@dataclass(frozen=True, slots=True)
class Study:
    """Both groups over the strata that have both. `others_ratio` is the rate that the others would
    have, were they mixed like the exposed. None: not enough data, or no such ratio. `unmatched`:
    exposed ones without anybody like them."""

    exposed: int
    exposed_left: int
    others: int
    others_left: int
    unmatched: int
    strata: int
    exposed_ratio: float | None
    others_ratio: float | None
    ratio: float | None
    interval: tuple[float, float] | None
    enough: bool


def age_band(age_us: int | None) -> str:
    """How old an installation is; None: nobody told when it came."""
    if age_us is None:
        return _UNKNOWN
    return next((name for days, name in _AGES if age_us <= days * DAY_US), _OLDER)


def usage_band(exchanges: int) -> int:
    """Exchanges a day as a power of ten: 0 below 10, 1 below 100, and so on."""
    return len(str(max(exchanges, 0) // PERIOD_DAYS)) - 1


def study(counted: Iterable[Counted]) -> Study:
    """Compare the two groups stratum by stratum."""
    every = list(counted)
    strata = [each for each in every if each.exposed and each.others]
    exposed, left = sum(s.exposed for s in strata), sum(s.exposed_left for s in strata)
    others, others_left = sum(s.others for s in strata), sum(s.others_left for s in strata)
    enough = min(exposed, others) >= LEAST_MEMBERS and left + others_left >= LEAST_LEFT
    ratio, interval = _ratio(strata) if enough else (None, None)
    return Study(
        exposed=exposed,
        exposed_left=left,
        others=others,
        others_left=others_left,
        unmatched=sum(each.exposed for each in every if not each.others),
        strata=len(strata),
        exposed_ratio=left / exposed if enough else None,
        others_ratio=_standardised(strata, exposed) if enough else None,
        ratio=ratio,
        interval=interval,
        enough=enough,
    )


def _standardised(strata: list[Counted], exposed: int) -> float:
    return sum(s.exposed * s.others_left / s.others for s in strata) / exposed


def _ratio(strata: list[Counted]) -> tuple[float | None, tuple[float, float] | None]:
    """The pooled ratio and its 95 % interval; None where a group lost nobody at all."""
    above = sum(s.exposed_left * s.others / (s.exposed + s.others) for s in strata)
    below = sum(s.others_left * s.exposed / (s.exposed + s.others) for s in strata)
    if not above or not below:
        return None, None
    spread = sum(_spread(s) for s in strata) / (above * below)
    ratio, half = above / below, _Z_95 * sqrt(max(spread, 0.0))
    return ratio, (exp(log(ratio) - half), exp(log(ratio) + half))


def _spread(stratum: Counted) -> float:
    n = stratum.exposed + stratum.others
    left = stratum.exposed_left + stratum.others_left
    both = stratum.exposed_left * stratum.others_left
    return (stratum.exposed * stratum.others * left - both * n) / (n * n)


def sentence(found: Study) -> str:
    """What may be said of it, and no more."""
    if not found.enough:
        return (
            f"Not enough data to compare: {_left(found.exposed_left, found.exposed)} that met too "
            f"many failures left, and {_left(found.others_left, found.others)} like them that did "
            f"not."
        )
    said = (
        f"Of {count(found.exposed)} installations that met too many failures "
        f"{percent(found.exposed_ratio or 0.0)} left within the next {PERIOD_DAYS} days; of "
        f"others of the same plan, age and usage {percent(found.others_ratio or 0.0)} did."
    )
    return f"{said} {_compared(found)} Whether failures were the reason, this cannot say."


def _left(left: int, members: int) -> str:
    return f"{count(left)} of {count(members)}"


def _compared(found: Study) -> str:
    if found.ratio is None or found.interval is None:
        return "One of the groups lost nobody, so there is no ratio."
    low, high = found.interval
    span = f"{found.ratio:.1f} times as many (95\u202f% interval {low:.1f} to {high:.1f})"
    if low <= 1 <= high:
        return f"That is {span}: no difference that can be told from chance."
    return f"That is {span}."
