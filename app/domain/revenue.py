"""What customers pay a month, how that moves, and what it says of them.

MRR comes from plans, never from invoices. A subscription counts while it is active on both tracks:
billed (not in trial, paused, cancelled or expired) and installed (not uninstalled or suspended).
An **account** is a customer of one integration, with all its subscriptions; it pays while one of
them is worth something.

`steps` turns the accounts' lines into what changed from the end of one UTC day to the end of the
next. What happens within one day and is undone in it has not moved anything, so that a change of
plan told as an end and a beginning is no churn. Kinds of movement, by account and currency:

- *new*: it pays for the first time;
- *reactivation*: it paid before, had left, and pays again;
- *expansion*: it pays more, or pays again after it had stayed for nothing;
- *contraction*: it pays less, down to nothing while it stays (a free plan);
- *churn*: it pays nothing any more and is not active: cancelled, expired, paused or uninstalled.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from app.domain.funnel import REINSTALLED, RESUMED, SUSPENDED, UNINSTALLED
from app.domain.money import cycle_months
from app.domain.subscription import Status, Stretch
from app.domain.window import DAY_US

#: Lifecycle events that say whether something is installed.
STANDS = frozenset({UNINSTALLED, REINSTALLED, SUSPENDED, RESUMED})
#: The day on which the newest step of an account in a currency ends: it has not.
OPEN_DAY = 2**31 - 1


class Movement(StrEnum):
    """Why MRR is another than the day before. `still`: it is not, but something about it is."""

    NEW = "new"
    EXPANSION = "expansion"
    CONTRACTION = "contraction"
    CHURN = "churn"
    REACTIVATION = "reactivation"
    STILL = "still"


class Span(NamedTuple):
    """[start_us, end_us); `end_us` None: it goes on."""

    start_us: int
    end_us: int | None


def absences(told: Iterable[tuple[int, str, str]]) -> list[Span]:
    """When an installation was not installed, from its lifecycle events: when, id and step of each
    that is in `STANDS`. What was uninstalled is back once it is reinstalled, what was suspended
    once it is resumed, too."""
    gone = held = False
    away_us: int | None = None
    found: list[Span] = []
    for at_us, _, step in sorted(told):
        gone = step == UNINSTALLED or (gone and step != REINSTALLED)
        held = step == SUSPENDED or (held and step not in {RESUMED, REINSTALLED})
        if gone or held:
            away_us = at_us if away_us is None else away_us
        elif away_us is not None:
            if at_us > away_us:
                found.append(Span(away_us, at_us))
            away_us = None
    return found if away_us is None else [*found, Span(away_us, None)]


class Stand(NamedTuple):
    """How one subscription stands on both tracks. `cycle`: after how many months it is due again
    (0: within a month), counted from `anchor_day`."""

    active: bool
    currency: str | None
    mrr_minor: int
    cycle: int
    anchor_day: int


#: One subscription over time: from when on it stood how, oldest first.
Line = Sequence[tuple[int, Stand]]


class Step(NamedTuple):
    """What an account pays in one currency from the end of `day` to that of `until_day`.

    `active`, `cycle` and `anchor_day` are of the account as a whole; of steps of several currencies
    those of the newest day hold. `mixed`: the account has steps in several.
    """

    currency: str
    day: int
    until_day: int
    before_minor: int
    after_minor: int
    kind: Movement
    active: bool
    cycle: int
    anchor_day: int
    mixed: bool = False


def line(stretches: Sequence[Stretch], away: Sequence[Span]) -> Line:
    """One subscription on both tracks. `away`: when its installation was not installed, in order
    and apart."""
    times = {each.at_us for each in stretches}
    begun_us = stretches[0].at_us
    for span in away:
        times.update(at for at in span if at is not None and at > begun_us)
    found: list[tuple[int, Stand]] = []
    index, gap = 0, 0
    for at_us in sorted(times):
        while index + 1 < len(stretches) and stretches[index + 1].at_us <= at_us:
            index += 1
        while gap < len(away) and (end := away[gap].end_us) is not None and end <= at_us:
            gap += 1
        installed = gap == len(away) or away[gap].start_us > at_us
        found.append((at_us, _stand(stretches[index], installed)))
    return found


def _stand(stretch: Stretch, installed: bool) -> Stand:
    terms = stretch.terms
    active = installed and stretch.status is Status.ACTIVE
    return Stand(
        active,
        terms.currency,
        terms.monthly_minor if active else 0,
        cycle_months(terms.interval, terms.every),
        stretch.anchor_us // DAY_US,
    )


class _Held(NamedTuple):
    """An account at the end of a day."""

    amounts: dict[str, int]
    active: bool
    cycle: int
    anchor_day: int


_NOTHING = _Held({}, False, 0, 0)


def steps(lines: Sequence[Line]) -> list[Step]:
    """Every step of an account, oldest first."""
    days: dict[int, dict[int, Stand]] = {}
    for number, each in enumerate(lines):
        for at_us, stand in each:
            days.setdefault(at_us // DAY_US, {})[number] = stand
    now: dict[int, Stand] = {}
    before, paid, found = _NOTHING, False, list[Step]()
    last: dict[str, int] = {}
    for day in sorted(days):
        now |= days[day]
        after = _held(now.values())
        if after == before:
            continue
        for currency in _touched(before, after, now.values(), last):
            if currency in last:
                found[last[currency]] = found[last[currency]]._replace(until_day=day)
            last[currency] = len(found)
            found.append(_step(currency, day, before, after, paid))
        paid = paid or bool(after.amounts)
        before = after
    # One that was told of without any amount has a step without a currency, which is none.
    if len(last.keys() - {""}) > 1:
        found = [each._replace(mixed=True) for each in found]
    return found


def _held(stands: Iterable[Stand]) -> _Held:
    amounts: dict[str, int] = {}
    active, cycles = False, list[tuple[int, int]]()
    for stand in stands:
        active |= stand.active
        if stand.mrr_minor and stand.currency is not None:
            amounts[stand.currency] = amounts.get(stand.currency, 0) + stand.mrr_minor
            cycles.append((stand.cycle, stand.anchor_day if stand.cycle else 0))
    return _Held(amounts, active, *min(cycles, default=(0, 0)))


def _touched(
    before: _Held, after: _Held, stands: Iterable[Stand], last: Mapping[str, int]
) -> list[str]:
    """The currencies whose amounts changed; else the one in which the account is told of."""
    moved = [
        currency
        for currency in sorted({*before.amounts, *after.amounts})
        if before.amounts.get(currency, 0) != after.amounts.get(currency, 0)
    ]
    if moved:
        return moved
    if after.amounts:
        return [max(after.amounts, key=lambda currency: (after.amounts[currency], currency))]
    if last:
        return [max(last, key=lambda currency: last[currency])]
    return [next((each.currency for each in stands if each.currency is not None), "")]


def _step(currency: str, day: int, before: _Held, after: _Held, paid: bool) -> Step:
    earlier, later = before.amounts.get(currency, 0), after.amounts.get(currency, 0)
    if earlier == later:
        kind = Movement.STILL
    elif later < earlier:
        kind = Movement.CONTRACTION if after.active else Movement.CHURN
    elif before.amounts:
        kind = Movement.EXPANSION
    elif not paid:
        kind = Movement.NEW
    else:
        kind = Movement.EXPANSION if before.active else Movement.REACTIVATION
    return Step(
        currency, day, OPEN_DAY, earlier, later, kind, after.active, after.cycle, after.anchor_day
    )


@dataclass(frozen=True, slots=True)
class Movements:
    """How MRR came from one balance to the next, minor units of one currency; all but balances
    are 0 or more. `closing` follows from the others, so they always add up."""

    opening: int = 0
    new: int = 0
    expansion: int = 0
    contraction: int = 0
    churn: int = 0
    reactivation: int = 0

    @property
    def closing(self) -> int:
        """The balance at the end."""
        gained = self.new + self.expansion + self.reactivation
        return self.opening + gained - self.contraction - self.churn
