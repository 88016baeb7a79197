"""What accounts pay at both ends of a period: most of it counted by the database.

An account that pays in one currency has one step there that reaches over an end. One step that
reaches over both says all of the account; else the step over the opening is joined with the one
over the closing. Who has steps in several currencies is left to `each`.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, or_, select, text
from sqlalchemy.orm import aliased

from app.domain.retention import Days, Holding
from app.models import RevenueStep
from app.models.billing import IS_MIXED

#: Accounts in one list of a statement.
_CHUNK = 500
#: Amounts by currency, in order.
Pays = tuple[tuple[str, int], ...]


def in_several_currencies(reading: Connection, integration_id: int) -> list[str]:
    """The accounts that ever had amounts in more than one."""
    return list(reading.scalars(_several(integration_id)))


def _several(integration_id: int) -> Select[Any]:
    step = RevenueStep
    mine = (step.integration_id == integration_id, text(f"revenue_steps.{IS_MIXED}"))
    return select(step.account).where(*mine).distinct()


class Among:
    """The accounts that pay in one currency, over some days."""

    def __init__(self, integration_id: int, days: Days, *, any_several: bool) -> None:
        self._id, self._days = integration_id, days
        self._any_several = any_several

    def still(self, reading: Connection) -> list[Holding]:
        """Those whose step reaches over both ends, and who pay."""
        step = RevenueStep
        price = (step.currency, step.after_minor, step.active, step.cycle, _anchor(step))
        rows = reading.execute(
            select(*price, func.count())
            .where(*self._paying(step), step.day < self._days.first)
            .where(step.until_day >= self._days.end)
            .group_by(*price)
        )
        return [
            Holding({currency: amount}, {currency: amount}, active, cycle, anchor_day, number)
            for currency, amount, active, cycle, anchor_day, number in rows
        ]

    def moved(self, reading: Connection) -> list[Holding]:
        """Those who paid at the opening, and of whom something changed since."""
        before, after = RevenueStep, aliased(RevenueStep)
        price = (
            before.currency, before.after_minor, after.after_minor, after.active, before.cycle,
            _anchor(before),
        )  # fmt: skip
        same = and_(
            after.integration_id == before.integration_id,
            after.account == before.account,
            after.currency == before.currency,
            after.day < self._days.end,
            # Added to nothing, so that it is found by its account and not among all that reach on.
            after.until_day + 0 >= self._days.end,
        )
        rows = reading.execute(
            select(*price, func.count())
            .join(after, same)
            .where(*self._paying(before), before.day < self._days.first)
            .where(before.until_day >= self._days.first, before.until_day < self._days.end)
            .group_by(*price)
        )
        return [
            Holding(
                {currency: was}, {currency: is_} if is_ else {}, active, cycle, anchor_day, many
            )
            for currency, was, is_, active, cycle, anchor_day, many in rows
        ]

    def closing(self, reading: Connection) -> Counter[tuple[str, int]]:
        """What is paid at the closing by those of whom something changed: how many pay what."""
        step = RevenueStep
        rows = reading.execute(
            select(step.currency, step.after_minor, func.count())
            .where(*self._paying(step), step.day >= self._days.first, step.day < self._days.end)
            .where(step.until_day >= self._days.end)
            .group_by(step.currency, step.after_minor)
        )
        return Counter({(currency, amount): number for currency, amount, number in rows})

    def _paying(self, step: Any) -> list[ColumnElement[bool]]:
        mine = [step.integration_id == self._id, step.after_minor > 0]
        return [*mine, step.account.not_in(_several(self._id))] if self._any_several else mine


def _anchor(step: Any) -> ColumnElement[int]:
    """Makes no difference between accounts that are due within a month."""
    return case((step.cycle == 0, 0), else_=step.anchor_day)


def each(
    reading: Connection, integration_id: int, days: Days, accounts: Sequence[str]
) -> list[Holding]:
    """These accounts, whatever they pay in, equal ones together."""
    found: dict[str, _Account] = defaultdict(_Account)
    for start in range(0, len(accounts), _CHUNK):
        some = accounts[start : start + _CHUNK]
        for step in reading.execute(_reaching(integration_id, days, some)):
            found[step.account].take(step, days)
    alike = Counter(account.standing() for account in found.values())
    return [
        Holding(dict(opening), dict(closing), stays, cycle, anchor_day, number)
        for (opening, closing, stays, cycle, anchor_day), number in alike.items()
    ]


def _reaching(integration_id: int, days: Days, accounts: Collection[str]) -> Any:
    """The steps over one of both ends."""
    step = RevenueStep
    before = and_(step.day < days.first, step.until_day >= days.first)
    return select(
        step.account, step.currency, step.day, step.until_day, step.after_minor, step.active,
        step.cycle, step.anchor_day,
    ).where(
        step.integration_id == integration_id,
        step.account.in_(accounts),
        step.day < days.end,
        or_(before, step.until_day >= days.end),
    )  # fmt: skip


class _Account:
    """An account while its steps are read."""

    __slots__ = (
        "anchor_day", "closed_day", "closing", "cycle", "opened_day", "opening", "stays",
    )  # fmt: skip

    def __init__(self) -> None:
        self.opening: dict[str, int] = {}
        self.closing: dict[str, int] = {}
        self.opened_day = self.closed_day = -1
        self.cycle = self.anchor_day = 0
        self.stays = False

    def take(self, step: Row[Any], days: Days) -> None:
        """One more: what the newest one over an end says holds for the account there."""
        if step.day < days.first <= step.until_day:
            if step.after_minor:
                self.opening[step.currency] = step.after_minor
            if step.day >= self.opened_day:
                self.opened_day = step.day
                self.cycle, self.anchor_day = step.cycle, step.anchor_day
        if step.until_day >= days.end:
            if step.after_minor:
                self.closing[step.currency] = step.after_minor
            if step.day >= self.closed_day:
                self.closed_day, self.stays = step.day, step.active

    def standing(self) -> tuple[Pays, Pays, bool, int, int]:
        """What makes two accounts equal."""
        cycle, anchor_day = (self.cycle, self.anchor_day) if self.cycle else (0, 0)
        return _in_order(self.opening), _in_order(self.closing), self.stays, cycle, anchor_day


def _in_order(amounts: Mapping[str, int]) -> Pays:
    return tuple(sorted(amounts.items()))
