"""Deciding about an error group: resolved, ignored, open again, whose it is."""

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.commands import audit
from app.commands.users import find_user
from app.domain.error_group import Decision, Handling, Standing, format_group, standing
from app.errors import Refused
from app.models import ErrorGroupState

_RACE = "somebody else changed this group at the same moment: look again"


@dataclass(frozen=True, slots=True)
class Seen:
    """The group as its decider saw it."""

    number: int
    integration: str
    first_us: int
    last_us: int
    exchanges: int


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be so. `handling` None: as it is; `assign`: to `assignee`, None being nobody."""

    handling: Handling | None = None
    until_us: int | None = None
    more: int | None = None
    assign: bool = False
    assignee: str | None = None


def decide(session: Session, seen: Seen, wish: Wish, *, now_us: int, actor: str) -> bool:
    """Make it so; False when it was so already.

    Raises `Refused` for an end of an ignoring that is none, or when somebody else was faster;
    `NotFound` for an assignee that is no user.
    """
    _check(wish, now_us)
    row = session.scalar(
        select(ErrorGroupState).where(ErrorGroupState.group_id == seen.number)
    ) or _fresh(session, seen, now_us=now_us, actor=actor)
    changed = _decision(row, seen, wish, now_us=now_us, actor=actor)
    if wish.assign:
        changed |= _assignment(session, row, wish.assignee)
    if not changed:
        return False
    _write(session, row, changed)
    audit.record(
        session,
        now_us=now_us,
        actor=actor,
        action="error_group.changed",
        subject=f"{seen.integration} {format_group(seen.number)}",
        detail=_said(wish),
    )
    return True


def _check(wish: Wish, now_us: int) -> None:
    ends = wish.until_us is not None or wish.more is not None
    if ends and wish.handling is not Handling.IGNORED:
        raise Refused("`until` and `more` go with `ignored`")
    if wish.until_us is not None and wish.until_us <= now_us:
        raise Refused("`until` has to be in the future")


def _fresh(session: Session, seen: Seen, *, now_us: int, actor: str) -> ErrorGroupState:
    row = ErrorGroupState(
        group_id=seen.number,
        integration=seen.integration,
        handling=Handling.UNRESOLVED,
        decided_us=now_us,
        decided_by=actor[:300],
        exchanges=seen.exchanges,
        version=0,
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError:
        raise Refused(_RACE) from None
    return row


def _decision(
    row: ErrorGroupState, seen: Seen, wish: Wish, *, now_us: int, actor: str
) -> dict[str, object]:
    if wish.handling is None or _is_so(row, seen, wish, now_us):
        return {}
    return {
        "handling": wish.handling,
        "decided_us": now_us,
        "decided_by": actor[:300],
        "exchanges": seen.exchanges,
        "until_us": wish.until_us,
        "more": wish.more,
    }


def _is_so(row: ErrorGroupState, seen: Seen, wish: Wish, now_us: int) -> bool:
    """Whether the same was decided and still holds: asking for it twice is asking once."""
    if (row.handling, row.until_us, row.more) != (wish.handling, wish.until_us, wish.more):
        return False
    if row.handling is Handling.UNRESOLVED:
        return True
    decision = Decision(row.handling, row.decided_us, row.exchanges, row.until_us, row.more)
    stands = standing(
        decision,
        first_us=seen.first_us,
        last_us=seen.last_us,
        exchanges=seen.exchanges,
        now_us=now_us,
    )
    return stands is not Standing.REGRESSED


def _assignment(session: Session, row: ErrorGroupState, assignee: str | None) -> dict[str, object]:
    wanted = find_user(session, assignee).id if assignee is not None else None
    return {} if wanted == row.assignee_id else {"assignee_id": wanted}


def _write(session: Session, row: ErrorGroupState, changed: dict[str, object]) -> None:
    statement = (
        update(ErrorGroupState)
        .where(ErrorGroupState.group_id == row.group_id, ErrorGroupState.version == row.version)
        .values(**changed, version=row.version + 1)
        .execution_options(synchronize_session=False)
    )
    if session.execute(statement).rowcount != 1:  # type: ignore[attr-defined]
        raise Refused(_RACE)


def _said(wish: Wish) -> str:
    parts = [] if wish.handling is None else [str(wish.handling)]
    if wish.more is not None:
        parts.append(f"until {wish.more} more")
    if wish.until_us is not None:
        parts.append(f"until {wish.until_us} µs")
    if wish.assign:
        parts.append(f"assigned to {wish.assignee or 'nobody'}")
    return ", ".join(parts)
