"""A rate that grows over time, as a pure function of now."""

from app.domain.route import Ramp


def rate_at(ramp: Ramp, now_us: int) -> float:
    """Requests per second allowed at `now_us`: `from_rate` before the ramp begins, then evenly
    more, `to_rate` from its end on."""
    gone = (now_us - ramp.begun_us) / ramp.over_us
    share = min(1.0, max(0.0, gone))
    return ramp.from_rate + (ramp.to_rate - ramp.from_rate) * share
