"""How one integration compares with others of its category, without telling of any of them. Pure.

Only quartiles are told, of at least `LEAST_OTHERS` integrations of as many other partners, rounded
to two significant digits; never the least, the greatest or a name. They are of the last whole
month, which nobody chooses, and the partner's own integrations are left out: so nobody can move a
window or an integration of their own and read a competitor's figure out of what changes. A figure
that rests on too few (`LEAST`) counts neither here nor there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from app.domain.health import MIN_EVENTS
from app.domain.retention import Days
from app.domain.window import DAY_US

#: Other integrations, and other partners, below which nothing is told.
LEAST_OTHERS = 5
#: Denominator below which an integration's ratio is not one of them.
LEAST = MIN_EVENTS
#: What is compared: all of it ratios of one integration within the month.
FIGURES = ("error_ratio", "activation", "trial_conversion", "grr", "logo_churn")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Peer(NamedTuple):
    """One other integration: whose it is, and its figure."""

    partner: str
    value: float


@dataclass(frozen=True, slots=True)
class Quartiles:
    """A quarter of the others lies below `lower`, half below `median`, three quarters below
    `upper`."""

    lower: float
    median: float
    upper: float


def quartiles(peers: Iterable[Peer]) -> Quartiles | None:
    """Those of the others; None: not enough of them."""
    known = list(peers)
    partners = {peer.partner for peer in known}
    if min(len(known), len(partners)) < LEAST_OTHERS:
        return None
    values = sorted(peer.value for peer in known)
    return Quartiles(*(_rounded(_at(values, fourth)) for fourth in (1, 2, 3)))


def _at(values: list[float], fourth: int) -> float:
    """Between two values, as far as rank (n + 1) × p lies between theirs (Weibull): of five the
    lower quartile is half way from the first to the second."""
    place, part = divmod((len(values) + 1) * fourth, 4)
    below, above = values[place - 1], values[min(place, len(values) - 1)]
    return below + (above - below) * part / 4


def _rounded(value: float) -> float:
    return float(f"{value:.2g}")


def last_month(now_us: int) -> Days:
    """The newest calendar month, UTC, that is over."""
    first = (_EPOCH + timedelta(microseconds=now_us)).replace(day=1)
    end = (first - _EPOCH) // timedelta(days=1)
    before = (first - timedelta(days=1)).replace(day=1)
    return Days((before - _EPOCH) // timedelta(days=1), end)


def month_us(days: Days) -> tuple[int, int]:
    """Its start and end in microseconds."""
    return days.first * DAY_US, days.end * DAY_US
