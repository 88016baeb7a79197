"""Who installs what in the demo, and what the platform tells of it: a pure function of seed, role
and hour, so that the past and the present agree wherever they meet.

Customers come all day, more at the working hours. Most get through; some give up, some say no, some
are gone after a week. At one partner the step `verified` broke for an hour: its answer to the
webhook `installation.created` was 500, and whoever came by then never got further.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np

from app.domain.window import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Window, floor
from demo import names
from demo.cast import CAST, Role
from demo.model import load

TOPIC = "installation.created"
#: Where `verified` broke, and when, relative to the start of the demo.
BROKEN_AT, BROKEN = "umbrella-ci", (-3 * HOUR_US, -2 * HOUR_US)
_PER_HOUR = 1.1
_STEPS = ("started", "authorized", "verified", "activated")
_REACHES = (0.05, 0.06, 0.09, 0.80)  # how many come exactly so far
_PLANS, _SOURCES = ("free", "pro", "team"), ("directory", "search", "partner site")
_REASONS = ("too expensive", "no longer needed", "missing feature", None)
#: How old the longest install may be that is still told of: what happens after a week is the end.
_LONGEST_US = 9 * DAY_US


class Install(NamedTuple):
    """One customer's way: steps with their times, and how it ended, if it did."""

    role: Role
    name: str
    customer: str
    plan: str
    source: str
    told: tuple[tuple[str, int, str | None], ...]
    broken: bool

    @property
    def verified_us(self) -> int | None:
        """When the partner was told by webhook: at `verified`, or when that broke."""
        at = {step: at_us for step, at_us, _ in self.told}
        if self.broken:
            return at["authorized"] + 20 * SECOND_US
        return at.get("verified")


def begun(seed: int, anchor_us: int, window: Window) -> Iterator[Install]:
    """Those that begin within a window, of every public integration."""
    first = floor(window.start_us, HOUR_US)
    for role in CAST:
        if role.visibility != "public":
            continue
        for hour_us in range(first, window.end_us, HOUR_US):
            for install in _of_hour(seed, anchor_us, role, hour_us):
                if window.start_us <= install.told[0][1] < window.end_us:
                    yield install


def events(seed: int, anchor_us: int, window: Window) -> list[dict[str, Any]]:
    """What the platform tells of the things that happen within a window, in their order."""
    reach = Window(window.start_us - _LONGEST_US, window.end_us)
    found = [
        (at_us, _event(install, step, at_us, reason))
        for install in begun(seed, anchor_us, reach)
        for step, at_us, reason in install.told
        if window.start_us <= at_us < window.end_us
    ]
    return [event for _, event in sorted(found, key=lambda pair: (pair[0], pair[1]["id"]))]


def long_standing(anchor_us: int) -> list[dict[str, Any]]:
    """The installations behind the demo's traffic, which were there long before."""
    return [
        _event(
            Install(role, names.installation(role, number), names.customer(role, number),
                    _PLANS[number % 3], _SOURCES[number % 3], (), broken=False),
            step,
            anchor_us - (100 + number) * DAY_US + at * MINUTE_US,
            None,
        )
        for role in CAST
        for number in range(role.installations)
        for at, step in enumerate(_STEPS)
    ]  # fmt: skip


def _of_hour(seed: int, anchor_us: int, role: Role, hour_us: int) -> Iterator[Install]:
    chance = np.random.default_rng([seed, hour_us // HOUR_US, *b"install", *role.slug.encode()])
    busy = float(load(np.array([hour_us], dtype=np.int64))[0])
    many = (
        8 if role.slug == BROKEN_AT and _is_broken(role, anchor_us, hour_us + HOUR_US // 2) else 1
    )
    for number in range(int(chance.poisson(_PER_HOUR * busy * many))):
        at_us = hour_us + int(chance.integers(0, HOUR_US))
        yield _install(chance, anchor_us, role, at_us, f"{hour_us // HOUR_US}-{number}")


def _install(
    chance: np.random.Generator, anchor_us: int, role: Role, begun_us: int, own: str
) -> Install:
    reached = int(chance.choice(len(_STEPS), p=_REACHES)) + 1
    gaps = chance.lognormal(np.log([1, 70, 25, 400]), 0.8) * SECOND_US
    times = (begun_us + np.cumsum([0, *gaps[1:]])).astype(np.int64).tolist()
    broken = reached > 2 and _is_broken(role, anchor_us, times[2])
    told: list[tuple[str, int, str | None]] = [
        (step, at_us, None)
        for step, at_us in zip(_STEPS[: 2 if broken else reached], times, strict=False)
    ]
    reason = _REASONS[int(chance.integers(len(_REASONS)))]
    if reached < len(_STEPS) and not broken and chance.random() < 0.4:
        told.append(("declined", told[-1][1] + 30 * SECOND_US, "asks for too much"))
    if reached == len(_STEPS) and not broken and chance.random() < 0.12:
        told.append(("uninstalled", begun_us + int(chance.integers(DAY_US, 8 * DAY_US)), reason))
    return Install(
        role, f"inst-{role.slug.split('-')[0]}-{own}", f"cust-{int(chance.integers(240)):03d}",
        str(chance.choice(_PLANS)), str(chance.choice(_SOURCES)), tuple(told), broken=broken,
    )  # fmt: skip


def _is_broken(role: Role, anchor_us: int, at_us: int) -> bool:
    start, end = BROKEN
    return role.slug == BROKEN_AT and start <= at_us - anchor_us < end


def _event(install: Install, step: str, at_us: int, reason: str | None) -> dict[str, Any]:
    at = datetime.fromtimestamp(at_us // SECOND_US, UTC).isoformat()
    return {
        "id": f"{install.name}-{step}",
        "integration": install.role.slug,
        "installation": install.name,
        "customer": install.customer,
        "step": step,
        "occurred_at": at,
        "plan": install.plan,
        "source": install.source,
        "reason": reason,
    }
