"""Rows as the values that `app.domain.funnel` speaks of: the funnels of integrations, installs."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from app.domain import funnel_counts
from app.domain.funnel import USUAL, Funnel, funnel_of
from app.domain.funnel_counts import Install
from app.domain.window import DAY_US
from app.models.facts import unpack
from app.models.installation import Installation
from app.models.integration import FunnelDeadline, FunnelStep

#: By what a day's counts are split, beside the whole.
PARTS = ("plan", "source")
Parts = dict[str, dict[str, bytes]]
_decoder = msgspec.msgpack.Decoder(Parts)
#: More integrations than this are not named in a query: most have the usual funnel.
_FEW = 20


class DayCounts(NamedTuple):
    """The installs of one integration and day. `due_us`: when the next of them is late."""

    due_us: int | None
    counts: bytes
    parts: bytes


def funnels_of(session: Session, ids: Iterable[int] | None = None) -> dict[int, Funnel]:
    """The funnel of each integration; without `ids` of all that name steps or deadlines."""
    steps: dict[int, list[str]] = {}
    deadlines: dict[int, dict[str, int]] = {}
    ordered = select(FunnelStep.integration_id, FunnelStep.name).order_by(
        FunnelStep.integration_id, FunnelStep.position
    )
    limits = select(FunnelDeadline.integration_id, FunnelDeadline.step, FunnelDeadline.deadline_us)
    wanted = None if ids is None else sorted(ids)
    if wanted is not None and len(wanted) <= _FEW:
        ordered = ordered.where(FunnelStep.integration_id.in_(wanted))
        limits = limits.where(FunnelDeadline.integration_id.in_(wanted))
    for number, name in session.connection().execute(ordered):
        steps.setdefault(number, []).append(name)
    for number, step, deadline_us in session.connection().execute(limits):
        deadlines.setdefault(number, {})[step] = deadline_us
    named = steps.keys() | deadlines.keys() if wanted is None else wanted
    return {at: funnel_of(steps.get(at, ()), deadlines.get(at, {})) for at in named}


def installs_statement(ids: Sequence[int], start_us: int, end_us: int) -> Select[*tuple[Any, ...]]:
    """What `day_counts` needs of the installations that entered within a time."""
    return select(
        Installation.integration_id, Installation.entered_us, Installation.plan,
        Installation.source, Installation.next_step, Installation.due_us, Installation.lost_cause,
        Installation.facts,
    ).where(
        Installation.integration_id.in_(ids),
        Installation.entered_us >= start_us,
        Installation.entered_us < end_us,
    )  # fmt: skip


def day_counts(
    rows: Sequence[Row[Any]], funnels: dict[int, Funnel], now_us: int, split: bool = True
) -> dict[tuple[int, int], DayCounts]:
    """The counts of installations, rows of `installs_statement`, by integration and day; `parts`
    are empty unless they are to be split."""
    alike: dict[Funnel, list[Row[Any]]] = {}
    for row in rows:
        alike.setdefault(funnels.get(row.integration_id, USUAL), []).append(row)
    found: dict[tuple[int, int], DayCounts] = {}
    for funnel, some in alike.items():
        found |= _of_funnel(some, funnel, now_us, split)
    return found


def unpack_parts(packed: bytes) -> Parts:
    """Counts by the values of each of `PARTS`; what was not told is under ""."""
    return _decoder.decode(packed) if packed else {name: {} for name in PARTS}


def _of_funnel(
    rows: list[Row[Any]], funnel: Funnel, now_us: int, split: bool
) -> dict[tuple[int, int], DayCounts]:
    installs = [
        Install(unpack(row.facts).steps, row.next_step, row.due_us, row.lost_cause) for row in rows
    ]
    days = [(row.integration_id, row.entered_us // DAY_US) for row in rows]
    members: dict[tuple[int, int], list[Install]] = {}
    for day, install in zip(days, installs, strict=True):
        members.setdefault(day, []).append(install)
    parts: dict[tuple[int, int], Parts] = {day: {name: {} for name in PARTS} for day in members}
    for name in PARTS if split else ():
        keys = [(day, getattr(row, name) or "") for day, row in zip(days, rows, strict=True)]
        for (day, value), counts in _grouped(installs, keys, funnel, now_us).items():
            parts[day][name][value] = counts
    return {
        day: DayCounts(
            funnel_counts.due_us(members[day], now_us), counts, msgspec.msgpack.encode(parts[day])
        )
        for day, counts in _grouped(installs, days, funnel, now_us).items()
    }


def _grouped(
    installs: list[Install], keys: Sequence[Any], funnel: Funnel, now_us: int
) -> dict[Any, bytes]:
    numbers = {key: at for at, key in enumerate(dict.fromkeys(keys))}
    groups = np.fromiter((numbers[key] for key in keys), dtype=np.int64, count=len(keys))
    counted = funnel_counts.measure(installs, groups, len(numbers), funnel, now_us)
    return dict(zip(numbers, counted, strict=True))
