"""Error groups: what fails, how often, since when, and what was decided about it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, bindparam, select

from app.db import looking_up
from app.db import reading as registry_session
from app.domain import distinct
from app.domain.error_group import (
    RANK,
    Decision,
    Handling,
    Standing,
    format_group,
    standing,
)
from app.domain.ids import format_id
from app.domain.scope import Role, Scope
from app.domain.window import HOUR_US, Window, ceil, floor
from app.domain.words import Direction, Fault, Kind, Outcome
from app.errors import BadQuery, NotFound
from app.models import ErrorGroupState, Integration, Partner, User
from app.queries.reading import Reading
from app.queries.registry import integration_within
from app.queries.results import IntegrationView
from app.store.port import StoredErrorGroup
from app.telemetry import timed_query

#: Steps of the small chart of a group, and the most there are.
_STEPS_H = (1, 2, 3, 6, 12, 24, 48, 168, 336)
_MOST_STEPS = 48
_LONGEST_US = 400 * 24 * HOUR_US
State = Row[*tuple[Any, ...]]
# Made once: every look at a page asks.
_STATES = (
    select(
        ErrorGroupState.group_id,
        ErrorGroupState.handling,
        ErrorGroupState.decided_us,
        ErrorGroupState.decided_by,
        ErrorGroupState.exchanges,
        ErrorGroupState.until_us,
        ErrorGroupState.more,
        User.email.label("assignee"),
    )
    .outerjoin(ErrorGroupState.assignee)
    .where(ErrorGroupState.integration == bindparam("slug"))
)
#: Who acted, for those who may not know the people of the other side.
SOMEBODY = "the platform"


@dataclass(frozen=True, slots=True)
class ErrorGroupView:
    """One group. `exchanges` and `installations` are those of the window, `total` counts since the
    first; `installations_exact` False: an estimate. `points` are (start µs, exchanges), every step
    of the window. `sample` is the id of the newest exchange, None once it is no
    longer kept; `decided_by` and `assignee` None: nobody."""

    id: str
    integration: str
    direction: str
    kind: str
    operation: str
    outcome: str
    status: int | None
    error: str | None
    message: str
    example: str
    fault: str
    first_us: int
    last_us: int
    exchanges: int
    total: int
    installations: int
    installations_exact: bool
    points: tuple[tuple[int, int], ...]
    sample: str | None
    standing: str
    handling: str
    decided_us: int | None
    decided_by: str | None
    until_us: int | None
    more: int | None
    assignee: str | None


@dataclass(frozen=True, slots=True)
class ErrorGroupsView:
    """The groups of one integration that were seen within `window` (whole hours), those that want
    somebody first, then by number. `counts` are all of them by standing."""

    window: Window
    step_us: int
    items: tuple[ErrorGroupView, ...]
    counts: dict[str, int]


@timed_query("error_groups")
def error_groups(
    reading: Reading,
    scope: Scope,
    slug: str,
    window: Window,
    standings: Collection[Standing] | None = None,
) -> ErrorGroupsView:
    """`NotFound` outside the scope, `BadQuery` for a window that is empty or over 400 days;
    `standings` None: all."""
    view = integration_within(reading, scope, slug)
    found = _found(reading, scope, view, window)
    seen = [each for each in found.items if each.exchanges]
    counts = {word.value: 0 for word in Standing}
    for each in seen:
        counts[each.standing] += 1
    wanted = [each for each in seen if standings is None or each.standing in standings]
    wanted.sort(key=lambda it: (RANK[Standing(it.standing)], -it.exchanges, it.id))
    return replace(found, items=tuple(wanted), counts=counts)


@timed_query("get_error_group")
def get_error_group(
    reading: Reading, scope: Scope, slug: str, group: str, window: Window
) -> ErrorGroupView:
    """One, counted within the window; `NotFound` outside the scope and for an id that is none of
    the integration's."""
    view = integration_within(reading, scope, slug)
    for each in _found(reading, scope, view, window).items:
        if each.id == group:
            return each
    raise NotFound(f"no error group {group!r}")


@timed_query("assignees")
def assignees(reading: Reading, scope: Scope, slug: str) -> tuple[str, ...]:
    """The e-mail addresses of those who may be given a group of an integration, as far as the
    caller may know them: a partner knows its own people."""
    view = integration_within(reading, scope, slug)
    members = _members(reading, scope, view)
    if not scope.covers(None):
        return tuple(sorted(members))
    statement = select(User.email).where(
        User.disabled_us.is_(None), User.role.in_((Role.ADMIN, Role.ECOSYSTEM))
    )
    with registry_session(reading.engine) as session:
        return tuple(sorted(members.union(session.scalars(statement))))


def _found(
    reading: Reading, scope: Scope, view: IntegrationView, window: Window
) -> ErrorGroupsView:
    """Every group of an integration, seen within the window or not; `BadQuery` for a window that
    is none or too long."""
    if not 0 < window.length_us <= _LONGEST_US:
        raise BadQuery("from", "a window ends after it starts, and is at most 400 days long")
    hours = Window(floor(window.start_us, HOUR_US), ceil(window.end_us, HOUR_US))
    step_us = next(
        step * HOUR_US for step in _STEPS_H if hours.length_us <= step * HOUR_US * _MOST_STEPS
    )
    stored = reading.store.error_groups(view.slug, hours, step_us)
    states = _states(reading, view.slug)
    known = None if scope.covers(None) else _members(reading, scope, view)
    now_us = reading.clock()
    items = [_view(each, states.get(each.id), known, now_us) for each in stored]
    dense = [replace(each, points=_dense(each.points, hours, step_us)) for each in items]
    return ErrorGroupsView(hours, step_us, tuple(dense), {})


def _states(reading: Reading, slug: str) -> dict[int, State]:
    with looking_up(reading.engine) as connection:
        return {row.group_id: row for row in connection.execute(_STATES, {"slug": slug})}


def _members(reading: Reading, scope: Scope, view: IntegrationView) -> frozenset[str]:
    """The addresses of a partner's own people; for who sees but this integration of it, of those
    who build it."""
    statement = select(User.email).where(User.disabled_us.is_(None))
    if scope.covers(view.partner_slug):
        statement = statement.join(User.partners).where(Partner.slug == view.partner_slug)
    else:
        statement = statement.join(User.integrations).where(Integration.slug == view.slug)
    with registry_session(reading.engine) as session:
        return frozenset(session.scalars(statement))


def _view(
    stored: StoredErrorGroup,
    state: State | None,
    known: frozenset[str] | None,
    now_us: int,
) -> ErrorGroupView:
    group = stored.group
    touched = distinct.estimate(stored.installations)
    assignee = state.assignee if state else None
    return ErrorGroupView(
        id=format_group(stored.id),
        integration=group.integration,
        direction=Direction(group.direction).word,
        kind=Kind(group.kind).word,
        operation=group.operation,
        outcome=Outcome(group.outcome).word,
        status=group.status or None,
        error=group.error or None,
        message=group.message,
        example=stored.example,
        fault=Fault(stored.fault).word,
        first_us=stored.first_us,
        last_us=stored.last_us,
        exchanges=sum(number for _, number in stored.hours),
        total=stored.exchanges,
        installations=touched,
        installations_exact=touched < distinct.KEPT,
        points=stored.hours,
        sample=format_id(stored.sample) if stored.sample else None,
        standing=standing_of(stored, state, now_us).value,
        handling=(state.handling if state else Handling.UNRESOLVED).value,
        decided_us=state.decided_us if state else None,
        decided_by=_told(state.decided_by.partition(":")[2], known) if state else None,
        until_us=state.until_us if state else None,
        more=state.more if state else None,
        assignee=_told(assignee, known) if assignee else None,
    )


def standing_of(stored: StoredErrorGroup, state: State | None, now_us: int) -> Standing:
    """Where a group stands by what was decided about it; `state` None: nothing was."""
    decision = None
    if state is not None:
        decision = Decision(
            state.handling, state.decided_us, state.exchanges, state.until_us, state.more
        )
    return standing(
        decision,
        first_us=stored.first_us,
        last_us=stored.last_us,
        exchanges=stored.exchanges,
        now_us=now_us,
    )


def _told(name: str, known: frozenset[str] | None) -> str:
    """A name, for somebody who may know only those in `known`."""
    return name if known is None or name in known else SOMEBODY


def _dense(
    points: Sequence[tuple[int, int]], window: Window, step_us: int
) -> tuple[tuple[int, int], ...]:
    """Every step of the window, zeros too."""
    counted = dict(points)
    starts = range(floor(window.start_us, step_us), window.end_us, step_us)
    return tuple((at_us, counted.get(at_us, 0)) for at_us in starts)
