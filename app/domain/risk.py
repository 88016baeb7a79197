"""Which installations met more failures than their integration's objective allows. Pure.

An installation is at risk when the bad exchanges among its own counted ones (good and bad) of a
window are more than the strictest availability objective allows: bad > (1 - target) × (good + bad).
Below `LEAST` counted exchanges nothing is concluded: one that met a failure then is unsure, which
is shown beside and never added. An installation that met no failure is neither.
"""

from fractions import Fraction
from functools import lru_cache

from app.domain.health import MIN_EVENTS

#: Counted exchanges below which an installation is not judged.
LEAST = MIN_EVENTS
_DIGITS = 12


@lru_cache(maxsize=1024)
def allowed(target: float) -> Fraction:
    """1 - target, exactly as the target was written: 1/200 for 0.995."""
    return 1 - Fraction(str(round(target, _DIGITS)))


def is_at_risk(good: int, bad: int, target: float) -> bool:
    """Whether failures were more than allowed, among enough exchanges to say so."""
    ratio, counted = allowed(target), good + bad
    return counted >= LEAST and bad * ratio.denominator > ratio.numerator * counted


def is_unsure(good: int, bad: int) -> bool:
    """Whether there was a failure, and too few exchanges to judge it."""
    return bad > 0 and good + bad < LEAST
