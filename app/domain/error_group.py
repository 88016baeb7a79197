"""Failing exchanges that are one and the same failure, and what people decided about it.

A group is where and how it fails: integration, direction, kind, operation, outcome, status, error
code, and the message with everything taken out that differs from one exchange to the next. Its id
is a digest of these, so it is the same in every process and every database, for ever. An
integration has at most `MAX_GROUPS`; what comes too late falls into a `coarser` one, so that a
service that invents a new message for every failure cannot hide the other failures.

`standing` says where a group stands from what was decided and what was counted since: a failure
that is back after it was resolved, or that used up the patience it was given, is `regressed`.
"""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple

from app.domain.operation import OTHER
from app.domain.window import DAY_US
from app.domain.words import Fault

#: Groups of one integration, the coarsest left out, and messages of one failing operation.
MAX_GROUPS = 200
MAX_MESSAGES = 20
#: For how long after its first exchange a group is called new.
NEW_US = DAY_US


class ErrorGroup(NamedTuple):
    """What the exchanges of a group have in common. `status` 0: no answer."""

    integration: str
    direction: int
    kind: int
    operation: str
    outcome: int
    status: int
    error: str
    message: str


def group_id(group: ErrorGroup) -> int:
    """63 bits that stand for the group; never 0."""
    text = "\x1f".join(map(str, group)).encode(errors="replace")
    digest = blake2b(text, digest_size=8, person=b"midspan group").digest()
    return int.from_bytes(digest, "big") >> 1 or 1


def format_group(number: int) -> str:
    """The printed form: 16 hex digits."""
    return f"{number:016x}"


def without_message(group: ErrorGroup) -> ErrorGroup:
    """The group of the same failure with any other message."""
    return group._replace(message="")


def overflow(group: ErrorGroup, fault: int) -> ErrorGroup:
    """The group of everything that found no place, by direction, outcome and fault."""
    said = f"beyond the first {MAX_GROUPS} groups, fault: {Fault(fault).word}"
    return group._replace(kind=0, operation=OTHER, status=0, error="", message=said)


def is_overflow(group: ErrorGroup) -> bool:
    """Whether it is one that `overflow` made."""
    return group.operation == OTHER and not group.status and group.message.startswith("beyond the")


class Handling(StrEnum):
    """What a person decided about a group."""

    UNRESOLVED = "unresolved"
    RESOLVED = "resolved"
    IGNORED = "ignored"


class Standing(StrEnum):
    """Where a group stands now; the first three want somebody."""

    NEW = "new"
    REGRESSED = "regressed"
    ONGOING = "ongoing"
    RESOLVED = "resolved"
    IGNORED = "ignored"


#: In the order in which people want to see them.
RANK = {standing: place for place, standing in enumerate(Standing)}
OPEN = frozenset({Standing.NEW, Standing.REGRESSED, Standing.ONGOING})


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided at `at_us`, when `exchanges` had been counted. An ignored group stays so
    until `until_us`, or until `more` exchanges came since; neither: for good."""

    handling: Handling
    at_us: int
    exchanges: int
    until_us: int | None = None
    more: int | None = None


def standing(
    decision: Decision | None, *, first_us: int, last_us: int, exchanges: int, now_us: int
) -> Standing:
    """Where a group stands whose exchanges started from `first_us` to `last_us`."""
    if decision is None or decision.handling is Handling.UNRESOLVED:
        return Standing.NEW if now_us - first_us < NEW_US else Standing.ONGOING
    if decision.handling is Handling.RESOLVED:
        return Standing.REGRESSED if last_us > decision.at_us else Standing.RESOLVED
    over = decision.until_us is not None and last_us >= decision.until_us
    spent = decision.more is not None and exchanges - decision.exchanges >= decision.more
    return Standing.REGRESSED if over or spent else Standing.IGNORED
