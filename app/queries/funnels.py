"""Install funnels: how many entered, how far they came, how long it took, where they were lost.

A cohort is the installations whose first step lies in a window, whatever became of them since.
Whole days are read as they were counted (`app.models.FunnelDay`); days that are stale, and the
parts of days at the ends of a window, are counted from their installations.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeVar

import numpy as np
from sqlalchemy import func, literal, select, text
from sqlalchemy.orm import Session

from app.db import reading as registry_session
from app.domain import funnel_counts, histogram
from app.domain.funnel import USUAL, Funnel
from app.domain.funnel_counts import ENOUGH, FunnelCount, Order
from app.domain.health import wilson
from app.domain.scope import Scope
from app.domain.window import DAY_US, Window, ceil, floor
from app.errors import BadQuery
from app.models import FunnelDay, Integration, LifecycleEvent
from app.models.funnels import day_counts, funnels_of, installs_statement, unpack_parts
from app.queries.reading import Reading
from app.queries.registry import integration_within, integrations_within
from app.telemetry import timed_query

Key = TypeVar("Key", bound=Hashable)
LONGEST_US = 400 * DAY_US
#: More values of a plan or source than this are shown as one, called `OTHER`.
MOST_COHORTS = 50
OTHER = "other"


class By(StrEnum):
    """What installs are grouped by."""

    DAY = "day"
    PLAN = "plan"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Cohort:
    """Installs that have something in common. `key` is a day (`2026-11-22`), or the plan or
    source, None where it was not told; `start_us` is that of the day."""

    key: str | None
    count: FunnelCount
    start_us: int | None = None

    @property
    def enough(self) -> bool:
        """Whether there are enough of them to conclude anything."""
        return self.count.entered >= ENOUGH


@dataclass(frozen=True, slots=True)
class FunnelView:
    """The installs of one integration that entered within `window`. `interval` is the Wilson 95 %
    interval of activated / entered. `uninstalled` counts what was uninstalled within the window,
    whenever it was installed, and `reasons` why ("": not told), most first."""

    window: Window
    order: Order
    within_us: int
    count: FunnelCount
    interval: tuple[float, float] | None
    cohorts: tuple[Cohort, ...]
    uninstalled: int
    reasons: dict[str, int]

    @property
    def enough(self) -> bool:
        """Whether there are enough installs to conclude anything."""
        return self.count.entered >= ENOUGH


class Asked(NamedTuple):
    """How to read the counts."""

    order: Order = Order.ANY
    within_us: int = DAY_US
    by: By | None = None


PLAIN = Asked()


@timed_query("funnel")
def funnel(
    reading: Reading, scope: Scope, slug: str, window: Window, asked: Asked = PLAIN
) -> FunnelView:
    """One integration's; `NotFound` outside the scope, `BadQuery` for a window that is empty or
    longer than 400 days."""
    integration_within(reading, scope, slug)
    _check(window)
    with registry_session(reading.engine) as session:
        owner = session.scalar(select(Integration.id).where(Integration.slug == slug)) or 0
        steps = funnels_of(session, [owner])[owner]
        question = _Question(session, window, reading.clock(), {owner: steps}, asked.by)
        days = _days(question, [owner])
        reasons = _reasons(session, owner, window)
    # The empty one: where nobody entered there are counts, too.
    count = _read([("", b""), *(("", each.counts) for each in days)], steps, asked)[""]
    cohorts = _cohorts(days, steps, asked) if asked.by else []
    return FunnelView(
        window, asked.order, asked.within_us, count, wilson(count.activated, count.entered),
        tuple(cohorts), sum(reasons.values()), reasons,
    )  # fmt: skip


@timed_query("funnels")
def funnels(
    reading: Reading, scope: Scope, window: Window, asked: Asked = PLAIN
) -> dict[str, FunnelCount]:
    """Of every current integration within the scope that had installs, by slug."""
    _check(window)
    slugs = {view.slug for view in integrations_within(reading, scope)}
    with registry_session(reading.engine) as session:
        known = session.execute(select(Integration.id, Integration.slug)).all()
        named = {row.id: row.slug for row in known if row.slug in slugs}
        steps = dict.fromkeys(named, USUAL) | funnels_of(session)
        question = _Question(session, window, reading.clock(), steps, asked.by)
        days = _days(question, list(named))
    alike: dict[Funnel, list[tuple[str, bytes]]] = {}
    lists = {owner: alike.setdefault(steps[owner], []) for owner in named}
    for each in days:
        lists[each.owner].append((named[each.owner], each.counts))
    found = [item for its, some in alike.items() for item in _read(some, its, asked).items()]
    return dict(sorted(found))


def _check(window: Window) -> None:
    if not 0 < window.length_us <= LONGEST_US:
        raise BadQuery("from", "a window ends after it starts, and is at most 400 days long")


class _Day(NamedTuple):
    """The installs of one day, or of the part of it that lies in the window."""

    owner: int
    day: int
    counts: bytes
    parts: bytes


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, and what it is asked of."""

    session: Session
    window: Window
    now_us: int
    steps: dict[int, Funnel]
    by: By | None

    @property
    def splits(self) -> bool:
        """Whether the parts of a day are asked for, and not its whole alone."""
        return self.by in {By.PLAN, By.SOURCE}


def _days(question: _Question, owners: list[int]) -> list[_Day]:
    """All days of the window."""
    window = question.window
    first, last = ceil(window.start_us, DAY_US), floor(window.end_us, DAY_US)
    found: list[_Day] = []
    if first < last:
        kept, stale = _kept(question, owners, Window(first, last))
        found = kept + _counted(question, stale)
    for part in _ends(window, first, last):
        found += _of_installs(question, owners, part)
    return found


def _ends(window: Window, first: int, last: int) -> Iterable[Window]:
    """The parts of days at the ends of a window."""
    if first > last:  # all of it lies within one day
        return [window]
    parts = (Window(window.start_us, first), Window(last, window.end_us))
    return [part for part in parts if part.length_us > 0]


def _kept(
    question: _Question, owners: Sequence[int], window: Window
) -> tuple[list[_Day], dict[int, list[int]]]:
    """Days as they were counted, and by day the integrations for which that is stale."""
    split = FunnelDay.parts if question.splits else literal(b"").label("parts")
    statement = select(
        FunnelDay.integration_id, FunnelDay.day, FunnelDay.counts, split, FunnelDay.stale,
        FunnelDay.due_us,
    ).where(
        FunnelDay.integration_id.in_(owners),
        FunnelDay.day >= window.start_us // DAY_US,
        FunnelDay.day < window.end_us // DAY_US,
    )  # fmt: skip
    kept: list[_Day] = []
    stale: dict[int, list[int]] = {}
    rows = question.session.connection().execute(statement).all()
    for owner, day, counts, parts, is_stale, due_us in rows:
        if is_stale or (due_us is not None and due_us <= question.now_us):
            stale.setdefault(day, []).append(owner)
        else:
            kept.append(_Day(owner, day, counts, parts))
    return kept, stale


#: From so many stale days on their installations are read together.
_FEW = 8


def _counted(question: _Question, stale: Mapping[int, list[int]]) -> list[_Day]:
    if len(stale) <= _FEW:
        return [
            each
            for day, owners in stale.items()
            for each in _of_installs(question, owners, _day_window(day))
        ]
    owners = sorted({owner for some in stale.values() for owner in some})
    window = Window(min(stale) * DAY_US, (max(stale) + 1) * DAY_US)
    every = _of_installs(question, owners, window)
    return [each for each in every if each.owner in stale.get(each.day, ())]


def _day_window(day: int) -> Window:
    return Window(day * DAY_US, (day + 1) * DAY_US)


def _of_installs(question: _Question, owners: Sequence[int], window: Window) -> list[_Day]:
    statement = installs_statement(owners, window.start_us, window.end_us)
    rows = question.session.execute(statement).all()
    counted = day_counts(rows, question.steps, question.now_us, question.splits)
    return [_Day(*key, each.counts, each.parts) for key, each in counted.items()]


def _read(
    counts: Sequence[tuple[Key, bytes]], steps: Funnel, asked: Asked
) -> dict[Key, FunnelCount]:
    """The counts that have a key in common, added up and read."""
    places: dict[Key, int] = {}
    groups = [places.setdefault(key, len(places)) for key, _blob in counts]
    summed = histogram.decode_into(
        [blob for _key, blob in counts],
        np.array(groups, dtype=np.int64),
        (len(places), funnel_counts.width(steps)),
    )
    read = funnel_counts.read(summed, steps, asked.order, asked.within_us)
    return dict(zip(places, read, strict=True))


def _cohorts(days: Sequence[_Day], steps: Funnel, asked: Asked) -> list[Cohort]:
    """In the order of days, or the largest first."""
    if asked.by is By.DAY:
        by_day = _read([(each.day, each.counts) for each in days], steps, asked)
        return [
            Cohort(str(np.datetime64(day, "D")), count, day * DAY_US)
            for day, count in sorted(by_day.items())
        ]
    read = _read(_largest(days, str(asked.by)), steps, asked)
    return [
        Cohort(OTHER if rest else value or None, count) for (rest, value), count in read.items()
    ]


def _largest(days: Sequence[_Day], by: str) -> list[tuple[tuple[bool, str], bytes]]:
    """Counts by plan or source, the largest first, keys (False, value); of more than `MOST_COHORTS`
    the smallest together, (True, "")."""
    found: dict[str, list[bytes]] = {}
    for each in days:
        for value, counts in unpack_parts(each.parts)[by].items():
            found.setdefault(value, []).append(counts)
    entered = {value: sum(map(funnel_counts.entered, blobs)) for value, blobs in found.items()}
    ordered = sorted(found, key=lambda value: (-entered[value], value))
    return [
        ((False, value) if at < MOST_COHORTS else (True, ""), blob)
        for at, value in enumerate(ordered)
        for blob in found[value]
    ]


def _reasons(session: Session, owner: int, window: Window) -> dict[str, int]:
    """Uninstalls within the window, by reason ("": none was told), most first. One that was told
    of twice happened once."""
    told = (
        select(LifecycleEvent.installation, LifecycleEvent.occurred_us, LifecycleEvent.reason)
        .where(
            LifecycleEvent.integration_id == owner,
            text("step = 'uninstalled'"),  # literally: lets the partial index be used
            LifecycleEvent.occurred_us >= window.start_us,
            LifecycleEvent.occurred_us < window.end_us,
        )
        .distinct()
        .subquery()
    )
    statement = select(func.coalesce(told.c.reason, ""), func.count()).group_by(told.c.reason)
    found = [(str(reason), int(number)) for reason, number in session.execute(statement)]
    return dict(sorted(found, key=lambda item: (-item[1], item[0])))
