"""One installation's whole story on one time line: what was told of it, what crossed in either
direction, what was billed, and where witnesses disagreed."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from app.db import reading as registry_session
from app.domain.scope import Scope
from app.domain.window import DAY_US, Window, floor
from app.domain.words import Direction, Kind
from app.models import BilledEvent, Integration, LifecycleEvent
from app.queries.exchanges import list_exchanges
from app.queries.installations import FindingView, InstallationView, findings_of, get_installation
from app.queries.reading import Reading
from app.queries.results import ExchangeView
from app.store.activity import Activity
from app.store.port import ExchangeFilter
from app.telemetry import timed_query

#: The most of each sort that is told: the newest.
MOST = 200
#: How far back days are told of.
_DAYS_US = 400 * DAY_US


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened. `sort`: lifecycle, webhook, call (by the partner), request (by the
    platform), billing or finding. `well` False: it failed, or is wrong. `exchange`: the id of the
    one exchange it was; `exchanges`: how many it sums up, those of one day, else 0."""

    at_us: int
    sort: str
    what: str
    detail: str = ""
    well: bool = True
    exchange: str | None = None
    exchanges: int = 0
    bad: int = 0


@dataclass(frozen=True, slots=True)
class Story:
    """An installation and its moments, newest first. Exchanges one by one back to `single_us`,
    before that by day."""

    view: InstallationView
    moments: tuple[Moment, ...]
    findings: tuple[FindingView, ...]
    single_us: int


@timed_query("story")
def story(reading: Reading, scope: Scope, address: str) -> Story:
    """`NotFound` outside the scope."""
    view = get_installation(reading, scope, address)
    exchanges = list_exchanges(
        reading,
        scope,
        ExchangeFilter(integrations=(view.integration,), installation=view.installation),
        limit=MOST,
    ).items
    now_us = reading.clock()
    oldest_us = exchanges[-1].started_us if exchanges else now_us + DAY_US
    single_us = floor(oldest_us, DAY_US) + (DAY_US if len(exchanges) == MOST else 0)
    activity = reading.store.activity(
        Window(max(now_us - _DAYS_US, 0), now_us + DAY_US),
        integrations=[view.integration],
        installations=[view.installation],
    )
    days = list(_days(activity, exchanges, single_us))
    with registry_session(reading.engine) as session:
        findings = findings_of(session, view.integration, view.installation)
    moments = [
        *_told(reading, view),
        *(_exchange(each) for each in exchanges if each.started_us >= single_us),
        *days,
        *(_found(each) for each in findings),
    ]
    moments.sort(key=lambda each: -each.at_us)
    return Story(view, tuple(moments), tuple(findings), single_us)


def _told(reading: Reading, view: InstallationView) -> Iterator[Moment]:
    lifecycle = (
        select(LifecycleEvent)
        .join(Integration, Integration.id == LifecycleEvent.integration_id)
        .where(
            Integration.slug == view.integration,
            LifecycleEvent.installation == view.installation,
        )
        .order_by(LifecycleEvent.occurred_us.desc())
        .limit(MOST)
    )
    billed = (
        select(BilledEvent)
        .join(Integration, Integration.id == BilledEvent.integration_id)
        .where(
            Integration.slug == view.integration,
            BilledEvent.installation == view.installation,
        )
        .order_by(BilledEvent.occurred_us.desc())
        .limit(MOST)
    )
    with registry_session(reading.engine) as session:
        for told in session.scalars(lifecycle):
            yield Moment(told.occurred_us, "lifecycle", told.step, told.reason or "")
        for bill in session.scalars(billed):
            yield Moment(
                bill.occurred_us, "billing", bill.type.value, bill.plan or "",
                well=bill.type.value != "invoice_failed",
            )  # fmt: skip


def _exchange(each: ExchangeView) -> Moment:
    ended = str(each.status) if each.status else each.outcome
    return Moment(
        each.started_us,
        _sort(each.direction == Direction.INBOUND.word, each.kind == Kind.WEBHOOK.word),
        each.topic or each.operation,
        ended,
        each.verdict != "bad" and each.outcome == "ok",
        each.id,
        1,
        int(each.verdict == "bad"),
    )


def _days(
    activity: Activity, exchanges: tuple[ExchangeView, ...], single_us: int
) -> Iterator[Moment]:
    """The days before exchanges are told one by one, each way a moment at its newest exchange."""
    rows = zip(
        activity.direction.tolist(), activity.kind.tolist(), activity.day_us.tolist(),
        activity.exchanges.tolist(), activity.bad.tolist(), activity.last_us.tolist(), strict=True,
    )  # fmt: skip
    until_us = single_us if exchanges else None
    for direction, kind, day_us, number, bad, last_us in rows:
        if until_us is None or day_us < until_us:
            sort = _sort(direction == Direction.INBOUND, kind == Kind.WEBHOOK)
            yield Moment(last_us, sort, "", "", not bad, None, number, bad)


def _sort(inbound: bool, webhook: bool) -> str:
    return "call" if inbound else "webhook" if webhook else "request"


def _found(finding: FindingView) -> Moment:
    detail = "over" if finding.closed_us else "lasts"
    return Moment(finding.since_us, "finding", finding.kind, detail, well=False)
