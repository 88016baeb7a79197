"""Three witnesses of every installation, and where they contradict each other. Pure.

What the platform says (lifecycle events), what the wire shows (webhooks acknowledged, calls made)
and what billing says (paying or not) should tell one story. `judge` hears them about one
installation, `twice` about those of one customer; both name what does not fit, since when, and the
times and counts it follows from.

A witness that says nothing accuses nobody: an integration whose installs the platform never told of
has no uninvited guests, one that never calls has nobody who fails to. And what is merely fresh is
no finding: each kind has a grace period, because events come late, webhooks are tried again, and
what was on its way arrives.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from app.domain.funnel import InstallationState
from app.domain.window import DAY_US, HOUR_US

#: A webhook is tried again for so long before it counts as not acknowledged.
ACKNOWLEDGE_US = 24 * HOUR_US
#: After its webhook was acknowledged, an installation has so long to call for the first time.
FIRST_CALL_US = 3 * DAY_US
#: Calls that were on their way when the installation went.
LAST_CALLS_US = HOUR_US
#: Webhooks about the removal itself, and their repeats.
LAST_WEBHOOKS_US = 24 * HOUR_US
#: How much later than the first call the platform may tell of an installation.
TELL_US = HOUR_US
#: Who pays and made or got no request for so long is silent.
SILENT_US = 14 * DAY_US
#: A customer who installs anew may have two for so long.
CHANGEOVER_US = 24 * HOUR_US
#: What has not happened again for so long has stopped.
STOPPED_US = 7 * DAY_US


class Discrepancy(StrEnum):
    """What does not fit."""

    NEVER_ACKNOWLEDGED = "never_acknowledged"
    ACKNOWLEDGED_NEVER_CALLED = "acknowledged_never_called"
    UNINSTALLED_STILL_CALLING = "uninstalled_still_calling"
    UNINSTALLED_STILL_RECEIVING = "uninstalled_still_receiving"
    CALLING_WITHOUT_INSTALL = "calling_without_install"
    PAYING_BUT_SILENT = "paying_but_silent"
    INSTALLED_TWICE = "installed_twice"


class Platform(NamedTuple):
    """What lifecycle events say. `since_us`: active, or else known, from then on."""

    state: InstallationState
    since_us: int
    uninstalled_us: int | None = None
    customer: str | None = None


class Wire(NamedTuple):
    """What crossed, ever: webhooks sent and acknowledged (answered well), calls by the partner for
    this installation, requests by the platform. Times are the first and last; 0: there was none."""

    webhooks: int = 0
    first_webhook_us: int = 0
    last_webhook_us: int = 0
    acknowledged: int = 0
    first_acknowledged_us: int = 0
    calls: int = 0
    first_call_us: int = 0
    last_call_us: int = 0
    last_request_us: int = 0


class Billing(NamedTuple):
    """What is paid for it: since when, or None: nothing."""

    paying_us: int | None = None


@dataclass(frozen=True, slots=True)
class Habits:
    """What is usual at one integration. `told_us`: the platform tells of its installs since then,
    None: it never did; `seen_us`: its traffic names installations since then; `calls`: some
    installation of it calls."""

    told_us: int | None
    seen_us: int | None
    calls: bool


Evidence = Mapping[str, int | str]


class Found(NamedTuple):
    """One discrepancy, since when it holds, and the numbers it follows from: times end in `_us`."""

    kind: Discrepancy
    since_us: int
    evidence: Evidence


UNSEEN = Wire()


def judge(
    platform: Platform | None, wire: Wire, billing: Billing, habits: Habits, now_us: int
) -> list[Found]:
    """Where the witnesses of one installation contradict each other. `platform` None: the platform
    never told of it."""
    found: list[Found] = []
    if platform is None:
        _uninvited(found, wire, habits, now_us)
    elif platform.state is InstallationState.UNINSTALLED:
        _removed(found, platform, wire, now_us)
    elif platform.state is InstallationState.ACTIVE:
        _installed(found, platform, wire, habits, now_us)
    if billing.paying_us is not None:
        _paying(found, billing.paying_us, wire, habits, now_us)
    return found


def twice(active: Iterable[tuple[str, int]], now_us: int) -> list[tuple[str, Found]]:
    """The active installations of one customer and one integration, as (name, since when): all but
    the oldest are found, the name of the oldest being the evidence."""
    (first, _), *others = sorted(active, key=lambda it: (it[1], it[0]))
    return [
        (name, Found(Discrepancy.INSTALLED_TWICE, since_us, {"beside": first}))
        for name, since_us in others
        if now_us - since_us > CHANGEOVER_US
    ]


def _uninvited(found: list[Found], wire: Wire, habits: Habits, now_us: int) -> None:
    if not wire.calls or habits.told_us is None or wire.first_call_us < habits.told_us:
        return
    if now_us - wire.first_call_us > TELL_US and now_us - wire.last_call_us < STOPPED_US:
        found.append(Found(Discrepancy.CALLING_WITHOUT_INSTALL, wire.first_call_us, _calls(wire)))


def _removed(found: list[Found], platform: Platform, wire: Wire, now_us: int) -> None:
    removed_us = platform.uninstalled_us or platform.since_us
    said = {"uninstalled_us": removed_us}
    recently_us = now_us - STOPPED_US
    if wire.last_call_us > max(removed_us + LAST_CALLS_US, recently_us):
        evidence = {**said, "last_call_us": wire.last_call_us}
        found.append(Found(Discrepancy.UNINSTALLED_STILL_CALLING, removed_us, evidence))
    if wire.last_webhook_us > max(removed_us + LAST_WEBHOOKS_US, recently_us):
        evidence = {**said, "last_webhook_us": wire.last_webhook_us}
        found.append(Found(Discrepancy.UNINSTALLED_STILL_RECEIVING, removed_us, evidence))


def _installed(
    found: list[Found], platform: Platform, wire: Wire, habits: Habits, now_us: int
) -> None:
    if wire.webhooks and not wire.acknowledged:
        if now_us - wire.first_webhook_us > ACKNOWLEDGE_US:
            evidence = {
                "webhooks": wire.webhooks,
                "first_webhook_us": wire.first_webhook_us,
                "last_webhook_us": wire.last_webhook_us,
            }
            since_us = wire.first_webhook_us
            found.append(Found(Discrepancy.NEVER_ACKNOWLEDGED, since_us, evidence))
        return
    since_us = max(wire.first_acknowledged_us, platform.since_us)
    quiet = wire.acknowledged and not wire.calls and habits.calls
    if quiet and now_us - since_us > FIRST_CALL_US:
        evidence = {
            "acknowledged": wire.acknowledged,
            "first_acknowledged_us": wire.first_acknowledged_us,
        }
        found.append(Found(Discrepancy.ACKNOWLEDGED_NEVER_CALLED, since_us, evidence))


def _paying(found: list[Found], paying_us: int, wire: Wire, habits: Habits, now_us: int) -> None:
    """Webhooks are no sign of use: the platform sends them whether anybody uses it or not."""
    if habits.seen_us is None:
        return
    used_us = max(wire.last_call_us, wire.last_request_us)
    since_us = max(used_us, paying_us, habits.seen_us)
    if now_us - since_us > SILENT_US:
        evidence = {"paying_us": paying_us}
        if used_us:
            evidence["last_used_us"] = used_us
        found.append(Found(Discrepancy.PAYING_BUT_SILENT, since_us, evidence))


def _calls(wire: Wire) -> Evidence:
    return {
        "calls": wire.calls,
        "first_call_us": wire.first_call_us,
        "last_call_us": wire.last_call_us,
    }
