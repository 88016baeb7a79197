"""Failures into error groups: what is one and the same failure is counted together. Pure.

What a failure says is its error's own words, or, where the other side answered, the telling part
of the captured answer; both are scrubbed already. A failure without either is known by where and
how it failed.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from app.domain import distinct
from app.domain.error_group import ErrorGroup
from app.domain.message import MAX_CHARS, normalised, said
from app.domain.window import HOUR_US, floor
from app.domain.words import Outcome
from app.store.port import ErrorSum, StoredCapture, StoredExchange

_Key = tuple[ErrorGroup, int]


def group(rows: Iterable[StoredExchange], captures: Iterable[StoredCapture]) -> list[ErrorSum]:
    """What `rows` add to the error groups; each (group, hour) once."""
    failed = [row for row in rows if row.outcome != Outcome.OK]
    if not failed:
        return []
    answers = {each.id: each.response_body for each in captures if each.response_body}
    found: dict[_Key, list[tuple[StoredExchange, str]]] = {}
    for row in failed:
        spoken, message = _message(row.error_detail, answers.get(row.id, b""))
        key = (_group(row, message), floor(row.started_us, HOUR_US))
        found.setdefault(key, []).append((row, spoken))
    return [_sum(*key, members) for key, members in found.items()]


def _group(row: StoredExchange, message: str) -> ErrorGroup:
    return ErrorGroup(
        row.integration,
        row.direction,
        row.kind,
        row.operation,
        row.outcome,
        row.status,
        row.error,
        message,
    )


def _sum(
    group: ErrorGroup, hour_us: int, members: Sequence[tuple[StoredExchange, str]]
) -> ErrorSum:
    newest, spoken = max(members, key=lambda member: member[0].id)
    return ErrorSum(
        group=group,
        fault=newest.fault,
        hour_us=hour_us,
        exchanges=len(members),
        first_us=min(row.started_us for row, _ in members),
        last_us=newest.started_us,
        sample=newest.id,
        example=spoken,
        installations=distinct.sketch({row.installation for row, _ in members}),
    )


@lru_cache(maxsize=4096)
def _message(detail: str, body: bytes) -> tuple[str, str]:
    """What was said, and what it means; services repeat themselves."""
    spoken = " ".join(said(detail, body.decode(errors="replace")).split())
    return spoken[:MAX_CHARS], normalised(spoken)
