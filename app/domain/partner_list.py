"""A partner's own list of installations against what the platform tells of them. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from app.domain.funnel import InstallationState


class ListState(StrEnum):
    """Where an installation stands on a partner's list."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    UNINSTALLED = "uninstalled"


class ListDifference(StrEnum):
    """How two lists can differ about one installation."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    DIFFERENT_STATE = "different_state"


class ListFailure(StrEnum):
    """Why a list was not taken. Then the one before stands."""

    UNDER_WAY = "under_way"
    NO_TOKEN = "no_token"  # noqa: S105 - the word, not a secret
    DENIED = "denied"
    UNREACHABLE = "unreachable"
    TOO_SLOW = "too_slow"
    REDIRECTED = "redirected"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    TOO_MANY_PAGES = "too_many_pages"
    PAGING_LOOPS = "paging_loops"
    PAGING_LEAVES = "paging_leaves"
    COUNT_DIFFERS = "count_differs"
    BAD_ITEM = "bad_item"
    REPEATED = "repeated"


class Difference(NamedTuple):
    """One installation that the two do not agree on. None: not on that list."""

    kind: ListDifference
    installation: str
    here: str | None
    there: str | None


#: Of which the partner need not know: on their way, or never arrived.
_UNSETTLED = frozenset({InstallationState.INSTALLING, InstallationState.DECLINED})


def differences(
    here: Mapping[str, InstallationState], there: Mapping[str, ListState]
) -> list[Difference]:
    """What the platform tells (`here`) against the partner's list (`there`), by name. An
    installation that is gone may be on a list or not; one that is under way is not compared."""
    found = []
    for name in sorted(here.keys() | there.keys()):
        ours, theirs = here.get(name), there.get(name)
        if ours in _UNSETTLED:
            continue
        if ours is None:
            if theirs is not ListState.UNINSTALLED:
                found.append(Difference(ListDifference.MISSING_HERE, name, None, theirs))
        elif theirs is None:
            if ours is not InstallationState.UNINSTALLED:
                found.append(Difference(ListDifference.MISSING_THERE, name, ours, None))
        elif ours.value != theirs.value:
            found.append(Difference(ListDifference.DIFFERENT_STATE, name, ours, theirs))
    return found
