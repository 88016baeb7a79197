"""How the platform and its partners behave at a moment: a pure function of (seed, anchor, time).

The live services and the back-filled history ask the same `Model`, so a chart runs on without a
seam from the last back-filled minute into the first live one. Every method takes an array of
times, microseconds since 1970, shape (n,), and is free of clock, socket and generator.

Load follows the working day (UTC): low at night, highest around 13:00, two fifths of that at the
weekend. Traffic follows load; so does the latency of a partner that is slow at peaks.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from app.domain.window import DAY_US, HOUR_US, MINUTE_US
from app.domain.words import Direction, Kind
from demo.cast import Episodes, Flow, Role
from demo.noise import Flags, Floats, Times, during, hashed, wave

_NIGHT, _WEEKEND = 0.28, 0.4
_PEAK_HOUR, _DAY_WIDTH_HOURS = 13.0, 4.3
_THURSDAY = 3  # 1 January 1970
#: What the platform itself gets wrong now and then, whoever calls.
_PLATFORM_INCIDENTS = Episodes(
    12 * HOUR_US, 6 * MINUTE_US, 0.35, fixed=((-28 * MINUTE_US, -24 * MINUTE_US),)
)
_REVOKED_OVER_US = 60 * DAY_US


class Ending(IntEnum):
    """How the answering side ends an exchange that reached it."""

    OK = 0
    MISSING = 1
    INVALID = 2
    THROTTLED = 3
    BROKEN = 4


STATUS = {
    Ending.MISSING: 404,
    Ending.INVALID: 422,
    Ending.THROTTLED: 429,
    Ending.BROKEN: 500,
}


def load(times_us: Times) -> Floats:
    """How busy the world is, 0..1."""
    hours = (times_us % DAY_US) / HOUR_US
    bump = np.exp(-(((hours - _PEAK_HOUR) / _DAY_WIDTH_HOURS) ** 2))
    weekday = (times_us // DAY_US + _THURSDAY) % 7
    scale = np.where(weekday >= 5, _WEEKEND, 1.0)
    result: Floats = scale * (_NIGHT + (1.0 - _NIGHT) * bump)
    return result


@dataclass(frozen=True, slots=True)
class Model:
    """`anchor_us` is when the demo started: scripted incidents are relative to it."""

    seed: int
    anchor_us: int

    def rate(self, role: Role, flow: Flow, times_us: Times) -> Floats:
        """First attempts per second."""
        name = f"{role.slug}/{flow.direction.word}/{flow.kind.word}"
        wander = 0.8 + 0.4 * wave(self.seed, name, times_us, 10 * MINUTE_US)
        result: Floats = flow.peak_per_second * load(times_us) * wander
        if flow.kind is Kind.WEBHOOK:
            result = np.where(self.bursting(role, times_us), result * self._burst(role), result)
        if flow.direction is Direction.INBOUND:
            result = np.where(self.mute(role, times_us), 0.0, result)
        return result

    def median_ms(self, role: Role, flow: Flow, times_us: Times) -> Floats:
        """The median latency of the answering side, before an act's own pace."""
        wander = 0.9 + 0.2 * wave(self.seed, role.slug + "/pace", times_us, 20 * MINUTE_US)
        result: Floats = flow.median_ms * wander
        if flow.direction is Direction.OUTBOUND:
            grown = (role.trouble.slowdown - 1.0) * load(times_us) ** 4
            result = result * (1.0 + grown + self.bursting(role, times_us))
        return result

    def mix(self, role: Role, flow: Flow, times_us: Times) -> Floats:
        """The probability of each `Ending`, shape (endings, n); columns sum to 1."""
        bad = np.zeros((len(Ending), len(times_us)))
        if flow.kind is Kind.REQUEST:
            bad[Ending.MISSING], bad[Ending.INVALID] = 0.004, 0.003
        if flow.direction is Direction.INBOUND:
            broken = during(self.seed, "platform", _PLATFORM_INCIDENTS, times_us, self.anchor_us)
            bad[Ending.BROKEN] = np.where(broken, 0.12, 0.0005)
        else:
            bad[Ending.BROKEN] = self.broken_ratio(role, times_us)
            if flow.kind is Kind.WEBHOOK:
                bad[Ending.THROTTLED] = np.where(self.bursting(role, times_us), 0.04, 0.0)
        bad[Ending.OK] = 1.0 - bad.sum(axis=0)
        return bad

    def broken_ratio(self, role: Role, times_us: Times) -> Floats:
        """The share of 500s of a partner's service."""
        trouble, low, high = role.trouble, *role.trouble.errors
        episodes = trouble.error_episodes
        on = during(self.seed, role.slug + "/errors", episodes, times_us, self.anchor_us)
        height = low + (high - low) * wave(self.seed, role.slug + "/height", times_us, MINUTE_US)
        result: Floats = np.where(on, height, trouble.error_ratio)
        return result

    def bursting(self, role: Role, times_us: Times) -> Flags:
        """Whether events pour in."""
        return during(
            self.seed, role.slug + "/bursts", role.trouble.bursts, times_us, self.anchor_us
        )

    def down(self, role: Role, times_us: Times) -> Flags:
        """Whether the partner's hosts refuse connections."""
        return during(
            self.seed, role.slug + "/outages", role.trouble.outages, times_us, self.anchor_us
        )

    def expired(self, role: Role, times_us: Times) -> Flags:
        """Whether the partner's certificate has expired."""
        return self._since(role.trouble.expired_since_us, times_us)

    def mute(self, role: Role, times_us: Times) -> Flags:
        """Whether the partner takes connections and never answers, nor calls."""
        return self._since(role.trouble.mute_since_us, times_us)

    def revoked(self, role: Role, installations: NDArray[np.int64], times_us: Times) -> Flags:
        """Whether the customer behind each installation has withdrawn its grant."""
        if not role.trouble.revoked_ratio:
            return np.zeros(installations.shape, dtype=np.bool_)
        every = round(1.0 / role.trouble.revoked_ratio)
        ago_us = hashed(self.seed, role.slug + "/revoked", installations) * _REVOKED_OVER_US
        found: Flags = (installations % every == every // 2) & (times_us >= self.anchor_us - ago_us)
        return found

    def _since(self, offset_us: int | None, times_us: Times) -> Flags:
        if offset_us is None:
            return np.zeros(times_us.shape, dtype=np.bool_)
        found: Flags = times_us >= self.anchor_us + offset_us
        return found

    def _burst(self, role: Role) -> float:
        return role.trouble.burst_factor


def act_weights(flow: Flow) -> Floats:
    """The share of each act of a flow."""
    weights = np.array([act.weight for act in flow.acts])
    shares: Floats = weights / weights.sum()
    return shares


def installation_weights(role: Role) -> Floats:
    """The share of each installation: few large customers, many small."""
    weights = 1.0 / (np.arange(role.installations) + 3.0) ** 0.8
    shares: Floats = weights / weights.sum()
    return shares


def latency_us(
    median_ms: Floats, pace: Floats, sigma: float, normals: Floats, tail: Floats
) -> NDArray[np.int64]:
    """Log-normal latencies, microseconds, one in eighty of them five times as long.

    `normals` are standard normal, `tail` uniform in [0, 1), all of shape (n,).
    """
    scaled = median_ms * pace * np.exp(sigma * normals) * np.where(tail < 1 / 80, 5.0, 1.0)
    found: NDArray[np.int64] = (scaled * 1000.0).astype(np.int64)
    return found


#: How long after a failed attempt the next attempt of a delivery follows, seconds.
RETRY_AFTER_S = (5.0, 30.0, 120.0)
