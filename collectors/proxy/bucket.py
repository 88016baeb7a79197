"""A token bucket: a steady rate, and a burst after a quiet time. Time is given, never read.

Between any two moments it lets through at most `burst + rate x seconds`.
"""

_NS_PER_S = 1_000_000_000


class Bucket:
    """Begins full. `rate` is per second and may differ from call to call, as a ramp's does."""

    __slots__ = ("_at_ns", "_tokens")

    def __init__(self, burst: float, now_ns: int) -> None:
        self._tokens = burst
        self._at_ns = now_ns

    def take(self, rate: float, burst: float, now_ns: int) -> int:
        """0: one is let through. Else how long until one would be, in nanoseconds."""
        gone_ns = now_ns - self._at_ns
        if gone_ns > 0:
            self._at_ns = now_ns
            self._tokens += rate * gone_ns / _NS_PER_S
        self._tokens = min(self._tokens, burst)
        if self._tokens >= 1:
            self._tokens -= 1
            return 0
        return max(1, round((1 - self._tokens) / rate * _NS_PER_S))
