"""Error groups in the database: adding what a batch brings, finding them a place, answering.

Every function works inside a transaction that its caller holds. A group that is there keeps its
place; a new one gets one as long as its integration has room, else its exchanges go to a coarser
group (`admit`, pure), so the number of rows is bounded whatever services answer.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, case, exists, func, literal, select, text

from app.domain import distinct
from app.domain.error_group import (
    MAX_GROUPS,
    MAX_MESSAGES,
    ErrorGroup,
    group_id,
    is_overflow,
    overflow,
    without_message,
)
from app.domain.window import DAY_US, MINUTE_US, Window
from app.store.backend import Backend
from app.store.names import Names, Settled
from app.store.port import ErrorSum, StoredErrorGroup
from app.store.tables import error_groups, error_hours, exchanges

_g, _h = error_groups.c, error_hours.c
#: Ids in one statement.
_CHUNK = 5_000
#: A group that was not seen for as long gives its place back.
KEPT_US = 30 * DAY_US

_COLUMNS = [column.name for column in error_groups.columns]
_ADD_GROUP = text(
    f"INSERT INTO error_groups ({', '.join(_COLUMNS)}) "  # noqa: S608
    f"VALUES ({', '.join(f':{name}' for name in _COLUMNS)}) ON CONFLICT (id) DO UPDATE SET "
    "first_us = CASE WHEN excluded.first_us < error_groups.first_us "
    "THEN excluded.first_us ELSE error_groups.first_us END, "
    "sample = CASE WHEN excluded.last_us >= error_groups.last_us "
    "THEN excluded.sample ELSE error_groups.sample END, "
    "example = CASE WHEN excluded.last_us >= error_groups.last_us "
    "THEN excluded.example ELSE error_groups.example END, "
    "last_us = CASE WHEN excluded.last_us > error_groups.last_us "
    "THEN excluded.last_us ELSE error_groups.last_us END, "
    "exchanges = error_groups.exchanges + excluded.exchanges"
)
_PUT_HOUR = text(
    "INSERT INTO error_hours (group_id, start_minute, exchanges, installations) "
    "VALUES (:group_id, :start_minute, :exchanges, :installations) "
    "ON CONFLICT (group_id, start_minute) DO UPDATE SET "
    "exchanges = excluded.exchanges, installations = excluded.installations"
)
_CUT_HOURS = text(
    "DELETE FROM error_hours WHERE (group_id, start_minute) IN (SELECT group_id, start_minute "
    "FROM error_hours WHERE group_id IN (SELECT id FROM error_groups) "
    "AND start_minute < :before LIMIT :limit)"
)
_CUT_GROUPS = text(
    "DELETE FROM error_groups WHERE id IN (SELECT id FROM error_groups g WHERE last_us < :before "
    "AND NOT EXISTS (SELECT 1 FROM error_hours h WHERE h.group_id = g.id) LIMIT :limit)"
)

_OF_ONE = select(error_groups, exists().where(exchanges.c.id == _g.sample).label("sampled")).where(
    _g.integration_id == bindparam("owner")
)

#: Integration, direction, operation, outcome, status, error: whose messages are counted.
_Failure = tuple[Any, ...]


class Room(NamedTuple):
    """How many groups each integration has, and how many messages each of its failures."""

    groups: Counter[str]
    messages: Counter[_Failure]


def admit(errors: Iterable[ErrorSum], known: set[int], room: Room) -> Iterator[ErrorSum]:
    """Each of `errors` in the finest group that is `known` or has room; counts both on."""
    for each in errors:
        group = next(found for found in _ladder(each) if _fits(found, known, room))
        number = group_id(group)
        if number not in known:
            known.add(number)
            room.groups[group.integration] += 1
            room.messages[_failure(group)] += 1
        yield each._replace(group=group)


def _ladder(each: ErrorSum) -> tuple[ErrorGroup, ...]:
    return each.group, without_message(each.group), overflow(each.group, each.fault)


def _fits(group: ErrorGroup, known: set[int], room: Room) -> bool:
    if group_id(group) in known or is_overflow(group):
        return True
    if room.groups[group.integration] >= MAX_GROUPS:
        return False
    return not group.message or room.messages[_failure(group)] < MAX_MESSAGES


def _failure(group: ErrorGroup) -> _Failure:
    return (group.integration, group.direction, *group[3:7])


def add(connection: Connection, names: Names, settled: Settled, errors: Sequence[ErrorSum]) -> None:
    """Add what a batch brings."""
    known = _known(connection, {group_id(rung) for each in errors for rung in _ladder(each)})
    new = {each.group.integration for each in errors if group_id(each.group) not in known}
    placed = list(admit(errors, known, _room(connection, names, new)))
    _put_groups(connection, settled, placed)
    _put_hours(connection, placed)


def cut(connection: Connection, hours_before_us: int, now_us: int, limit: int) -> int:
    """Delete up to `limit` hours that start before, and groups not seen for `KEPT_US`; how many."""
    hours = {"before": hours_before_us // MINUTE_US, "limit": limit}
    groups = {"before": now_us - KEPT_US, "limit": limit}
    return (
        connection.execute(_CUT_HOURS, hours).rowcount
        + connection.execute(_CUT_GROUPS, groups).rowcount
    )


def find(
    connection: Connection,
    backend: Backend,
    names: Names,
    *,
    integration: str,
    window: Window,
    step_us: int,
) -> list[StoredErrorGroup]:
    """See `MetricsStore.error_groups`."""
    owner = names.integrations.get(integration)
    if owner is None:
        return []
    step = step_us // MINUTE_US
    rows = connection.execute(_OF_ONE, {"owner": owner}).all()
    counted = connection.execute(
        text(
            f"SELECT h.group_id, h.start_minute - h.start_minute % {step}, "  # noqa: S608
            f"CAST(sum(h.exchanges) AS BIGINT), {backend.joined.format('h.installations')} "
            "FROM error_groups g JOIN error_hours h ON h.group_id = g.id "
            "WHERE g.integration_id = :owner AND g.last_us >= :start "
            "AND h.start_minute >= :first AND h.start_minute < :last "
            f"GROUP BY h.group_id, h.start_minute - h.start_minute % {step} ORDER BY 1, 2"
        ),
        {
            "owner": owner,
            "start": window.start_us,
            "first": window.start_us // MINUTE_US,
            "last": window.end_us // MINUTE_US,
        },
    )
    steps: dict[int, list[Sequence[Any]]] = {}
    for row in counted:
        steps.setdefault(row[0], []).append(row)
    return [_stored(row, names, steps.get(row.id, ())) for row in rows]


def failing(
    connection: Connection,
    names: Names,
    *,
    integrations: Sequence[str],
    hours: Window,
    seen_us: int,
) -> list[StoredErrorGroup]:
    """See `MetricsStore.failing_groups`."""
    owners = [names.integrations[slug] for slug in integrations if slug in names.integrations]
    found: list[StoredErrorGroup] = []
    remaining = iter(owners)
    while part := list(islice(remaining, _CHUNK)):
        counted = (
            select(_h.group_id, func.sum(_h.exchanges).label("number"))
            .join(error_groups, _g.id == _h.group_id)
            .where(
                _g.integration_id.in_(part),
                _g.last_us >= seen_us,
                _h.start_minute >= hours.start_us // MINUTE_US,
                _h.start_minute < hours.end_us // MINUTE_US,
            )
            .group_by(_h.group_id)
            .subquery()
        )
        statement = select(error_groups, counted.c.number, literal(0).label("sampled")).join(
            counted, counted.c.group_id == _g.id
        )
        for row in connection.execute(statement):
            step = (0, hours.start_us // MINUTE_US, int(row.number), b"")
            found.append(_stored(row, names, [step]))
    return found


def _stored(row: Row[Any], names: Names, steps: Sequence[Sequence[Any]]) -> StoredErrorGroup:
    group = ErrorGroup(
        names.slug_of[row.integration_id],
        row.direction,
        row.kind,
        names.operation_of[row.operation_id],
        row.outcome,
        row.status,
        row.error,
        row.message,
    )
    return StoredErrorGroup(
        id=row.id,
        group=group,
        fault=row.fault,
        first_us=row.first_us,
        last_us=row.last_us,
        exchanges=row.exchanges,
        sample=row.sample if row.sampled else None,
        example=row.example,
        hours=tuple((minute * MINUTE_US, number) for _, minute, number, _ in steps),
        installations=distinct.merged(*(blob or b"" for *_, blob in steps)),
    )


def _known(connection: Connection, numbers: set[int]) -> set[int]:
    found: set[int] = set()
    remaining = iter(numbers)
    while part := list(islice(remaining, _CHUNK)):
        found |= set(connection.scalars(select(_g.id).where(_g.id.in_(part))))
    return found


def _room(connection: Connection, names: Names, slugs: set[str]) -> Room:
    """What is taken already of the integrations `slugs`."""
    room = Room(Counter(), Counter())
    owners = [names.integrations[slug] for slug in slugs if slug in names.integrations]
    failure = (_g.integration_id, _g.direction, _g.operation_id, _g.outcome, _g.status, _g.error)
    messages = func.sum(case((_g.message != "", 1), else_=0))
    statement = select(*failure, func.count(), messages).where(_g.integration_id.in_(owners))
    for owner, direction, operation, outcome, status, error, groups, said in connection.execute(
        statement.group_by(*failure)
    ):
        slug = names.slug_of[owner]
        key = (slug, direction, names.operation_of[operation], outcome, status, error)
        room.groups[slug] += groups
        room.messages[key] += said
    return room


def _put_groups(connection: Connection, settled: Settled, errors: Sequence[ErrorSum]) -> None:
    rows: dict[int, dict[str, Any]] = {}
    for each in sorted(errors, key=lambda it: it.last_us):
        number = group_id(each.group)
        row = rows.setdefault(number, _row(number, each, settled))
        row["first_us"] = min(row["first_us"], each.first_us)
        row |= {"last_us": each.last_us, "sample": each.sample, "example": each.example}
        row["exchanges"] += each.exchanges
    connection.execute(_ADD_GROUP, list(rows.values()))


def _row(number: int, each: ErrorSum, settled: Settled) -> dict[str, Any]:
    group = each.group._asdict()
    integration, operation = group.pop("integration"), group.pop("operation")
    return {
        "id": number,
        "integration_id": settled.integrations[integration],
        "operation_id": settled.operations[operation],
        **group,
        "fault": each.fault,
        "first_us": each.first_us,
        "exchanges": 0,
    }


def _put_hours(connection: Connection, errors: Sequence[ErrorSum]) -> None:
    """Read, merge, write: a sketch is not merged by the database."""
    rows = _hours_of(connection, errors)
    for each in errors:
        key = group_id(each.group), each.hour_us // MINUTE_US
        number, touched = rows.get(key, (0, b""))
        rows[key] = number + each.exchanges, touched + each.installations
    wanted = {(group_id(each.group), each.hour_us // MINUTE_US) for each in errors}
    values = [
        {
            "group_id": number,
            "start_minute": minute,
            "exchanges": rows[number, minute][0],
            "installations": distinct.merged(rows[number, minute][1]),
        }
        for number, minute in sorted(wanted)
    ]
    connection.execute(_PUT_HOUR, values)


def _hours_of(
    connection: Connection, errors: Sequence[ErrorSum]
) -> dict[tuple[int, int], tuple[int, bytes]]:
    found: dict[tuple[int, int], tuple[int, bytes]] = {}
    minutes = {each.hour_us // MINUTE_US for each in errors}
    remaining = iter({group_id(each.group) for each in errors})
    while part := list(islice(remaining, _CHUNK)):
        statement = select(error_hours).where(
            _h.group_id.in_(part), _h.start_minute >= min(minutes), _h.start_minute <= max(minutes)
        )
        for number, minute, *counted in connection.execute(statement):
            found[number, minute] = (counted[0], counted[1])
    return found
