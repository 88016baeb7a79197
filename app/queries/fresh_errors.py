"""Error groups that are new or back, and go on: what alert rules ask of all at once."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import select

from app.db import reading as registry_session
from app.domain.error_group import Standing, format_group
from app.domain.window import HOUR_US, MINUTE_US, Window, ceil, floor
from app.domain.words import Fault, Outcome
from app.models import ErrorGroupState
from app.queries.error_groups import standing_of
from app.queries.reading import Reading
from app.telemetry import timed_query

_DECIDED = select(
    ErrorGroupState.group_id, ErrorGroupState.handling, ErrorGroupState.decided_us,
    ErrorGroupState.exchanges, ErrorGroupState.until_us, ErrorGroupState.more,
)  # fmt: skip
#: Seen so lately, a group goes on.
GOES_ON_US = 5 * MINUTE_US


@dataclass(frozen=True, slots=True)
class FreshGroup:
    """One group: `exchanges` within the hours that were asked for; `ended` is its status, its error
    code or its outcome."""

    id: str
    standing: Standing
    operation: str
    ended: str
    message: str
    fault: str
    exchanges: int


@timed_query("fresh_errors")
def fresh_errors(
    reading: Reading, slugs: list[str], now_us: int, window_us: int
) -> dict[str, list[FreshGroup]]:
    """By slug the groups that are new or regressed at `now_us` and were seen within `GOES_ON_US`,
    counted over the hours that the window touches. Asked by no caller but the scheduler: it has no
    scope."""
    hours = Window(floor(now_us - window_us, HOUR_US), ceil(now_us, HOUR_US))
    stored = reading.store.failing_groups(slugs, hours, now_us - GOES_ON_US)
    if not stored:
        return {}
    with registry_session(reading.engine) as session:
        states = {row.group_id: row for row in session.execute(_DECIDED)}
    found: dict[str, list[FreshGroup]] = defaultdict(list)
    for each in stored:
        standing = standing_of(each, states.get(each.id), now_us)
        if standing in (Standing.NEW, Standing.REGRESSED) and each.first_us <= now_us:
            group = each.group
            found[group.integration].append(
                FreshGroup(
                    format_group(each.id),
                    standing,
                    group.operation,
                    str(group.status or group.error or Outcome(group.outcome).word),
                    group.message,
                    Fault(each.fault).word,
                    sum(number for _, number in each.hours),
                )
            )
    return found
