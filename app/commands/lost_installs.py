"""Installs that are late and nobody has judged yet: why each did not go on, kept with its exchange.

What crossed is read from the metrics store: the days of an installation say whether anything failed
at all, and only then are the failed exchanges of its integration searched, along their own index.
An install that goes on after all is no longer late; its next lateness is judged anew.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Engine, Row, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from app.commands import funnel_days
from app.db import reading, transaction
from app.domain.funnel import InstallationState
from app.domain.lost import BEFORE_US, Crossed, Late, Lost, judge
from app.domain.window import Window
from app.domain.words import Fault, Kind, Outcome, Verdict
from app.models import Installation, InstallFailure, Integration
from app.models.facts import unpack
from app.store.port import ExchangeFilter, MetricsStore, StoredExchange

#: The most that one go judges; the rest is judged the next time.
MOST = 500
_MOST_EXCHANGES = 200

_COLUMNS = (
    Installation.id, Installation.integration_id, Installation.external_id,
    Installation.entered_us, Installation.next_step, Installation.due_us, Installation.facts,
    Integration.slug,
)  # fmt: skip


class _Judged(NamedTuple):
    row: Row[*tuple[Any, ...]]
    lost: Lost


def judge_lost(engine: Engine, store: MetricsStore, now_us: int, limit: int = MOST) -> int:
    """Judge what is late and not judged; how many installs. Raises `Unavailable`."""
    statement = (
        select(*_COLUMNS)
        .join(Integration, Integration.id == Installation.integration_id)
        .where(
            Installation.due_us <= now_us,
            Installation.lost_cause.is_(None),
            Installation.state == InstallationState.INSTALLING,
        )
        .order_by(Installation.due_us)
        .limit(limit)
    )
    with reading(engine) as session:
        rows = session.execute(statement).all()
    judged = [_Judged(row, judge(late)) for row, late in _heard(store, rows)]
    if not judged:
        return 0
    with transaction(engine) as session:
        return sum(_keep(session, each) for each in judged)


def _heard(
    store: MetricsStore, rows: Sequence[Row[*tuple[Any, ...]]]
) -> Iterator[tuple[Row[*tuple[Any, ...]], Late]]:
    slugs: dict[str, list[Row[*tuple[Any, ...]]]] = {}
    for row in rows:
        slugs.setdefault(row.slug, []).append(row)
    for slug, mine in slugs.items():
        window = Window(
            max(min(_step_us(row) for row in mine) - BEFORE_US, 0),
            max(row.due_us for row in mine) + 1,
        )
        names = [row.external_id for row in mine]
        activity = store.activity(window, integrations=[slug], installations=names)
        last = dict.fromkeys(names, 0)
        failing: set[str] = set()
        for who, at_us, all_, good in zip(
            activity.who.tolist(), activity.last_us.tolist(), activity.exchanges.tolist(),
            activity.good.tolist(), strict=True,
        ):  # fmt: skip
            name = activity.installations[who]
            last[name] = max(last[name], at_us)
            if good < all_:
                failing.add(name)
        for row in mine:
            found = _exchanges(store, row) if row.external_id in failing else []
            yield row, _late(row, last[row.external_id], found)


def _exchanges(store: MetricsStore, row: Row[*tuple[Any, ...]]) -> list[StoredExchange]:
    """What failed of an install while it was awaited, and what succeeded of the same later."""
    window = Window(max(_step_us(row) - BEFORE_US, 0), row.due_us + 1)
    own = {"integrations": (row.slug,), "installation": row.external_id, "window": window}
    failed = tuple(int(each) for each in Outcome if each != Outcome.OK)
    found = store.find(ExchangeFilter(outcomes=failed, **own), limit=_MOST_EXCHANGES)
    if not found:
        return []
    after = found[-1].id
    mended = ExchangeFilter(verdict=int(Verdict.GOOD), **own)
    return found + store.find(mended, after=after, limit=_MOST_EXCHANGES)


def _late(row: Row[*tuple[Any, ...]], last_us: int, exchanges: Iterable[StoredExchange]) -> Late:
    good: dict[str, int] = {}
    failures = []
    for each in exchanges:
        what = each.topic or each.operation
        if each.outcome == Outcome.OK:
            good[what] = max(good.get(what, 0), each.started_us)
        else:
            failures.append(
                Crossed(
                    each.id,
                    each.started_us,
                    what,
                    each.kind == Kind.WEBHOOK,
                    str(each.status) if each.status else Outcome(each.outcome).word,
                    Fault(each.fault).word,
                )
            )
    return Late(_step_us(row), row.due_us, last_us, good, tuple(failures))


def _step_us(row: Row[*tuple[Any, ...]]) -> int:
    """When the step it reached last happened."""
    newest = unpack(row.facts).newest_step
    found: int = newest.at_us if newest else row.entered_us or row.due_us
    return found


def _keep(session: Session, judged: _Judged) -> bool:
    """Write it down, unless the install has gone on since."""
    row, lost = judged
    statement = (
        update(Installation)
        .where(
            Installation.id == row.id,
            Installation.due_us == row.due_us,
            or_(Installation.lost_cause.is_(None), Installation.lost_cause != lost.cause),
        )
        .values(lost_cause=lost.cause)
    )
    if session.execute(statement).rowcount != 1:  # type: ignore[attr-defined]
        return False
    session.execute(delete(InstallFailure).where(InstallFailure.installation_id == row.id))
    if lost.failure is not None:
        values = {**lost.failure._asdict(), "what": lost.failure.what[:300]}
        session.execute(
            insert(InstallFailure).values(installation_id=row.id, step=row.next_step, **values)
        )
    if row.entered_us is not None:
        funnel_days.stale(session, {(row.integration_id, funnel_days.day_of(row.entered_us))})
    return True
