"""How often one caller may ask: a bucket per token or session, in the memory of the process.

A bucket holds a minute's worth of requests and drips back evenly. Kept in memory on purpose:
counting must not cost a write each. So each web worker counts for itself (the limits of n workers
are n times these), and a restart forgives. Answers say what is left in the `RateLimit` fields of
the IETF draft; a request too many is 429 with `Retry-After` and is not answered further.
"""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import TooManyRequests

from app.api.context import now_us
from app.domain.window import MINUTE_US, SECOND_US

MAX_KEYS = 10_000
_PREFIX = "/api/"
#: Endpoints whose senders show a signature in place of a token, and send as much as happens.
_SIGNED = frozenset({"api.hook"})


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left to a caller: `remaining` requests now, all of them again after `full_s`.
    `wait_s` above 0: this one is too many."""

    remaining: int
    full_s: int
    wait_s: int = 0


class Limiter:
    """`per_minute` requests a minute for each caller; the least recently seen are forgotten
    beyond `MAX_KEYS`."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._refill_us = MINUTE_US / per_minute
        self._used: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = Lock()

    def take(self, caller: str, at_us: int) -> Standing:
        """Count one request of a caller, unless it is too many."""
        with self._lock:
            used, since_us = self._used.get(caller, (0.0, at_us))
            used = max(0.0, used - max(0, at_us - since_us) / self._refill_us)
            wait_us = (used + 1 - self.per_minute) * self._refill_us
            if wait_us <= 0:
                used += 1
            self._used[caller] = (used, at_us)
            self._used.move_to_end(caller)
            while len(self._used) > MAX_KEYS:
                self._used.popitem(last=False)
        return Standing(
            remaining=int(self.per_minute - used),
            full_s=_seconds(used * self._refill_us),
            wait_s=_seconds(wait_us) if wait_us > 0 else 0,
        )


def install_rate(app: Flask, per_minute: int) -> None:
    """Limit every request below `/api/` that has a caller."""
    limiter = Limiter(per_minute)

    def count() -> None:
        if not request.path.startswith(_PREFIX) or request.endpoint in _SIGNED:
            return
        midspan: Any = current_app.extensions["midspan"]
        standing = limiter.take(midspan.current_actor(), now_us())
        g.midspan_standing = standing
        if standing.wait_s:
            raise TooManyRequests(f"more than {per_minute} requests a minute: wait and ask again")

    def tell(response: Response) -> Response:
        standing: Standing | None = g.pop("midspan_standing", None)
        if standing is not None:
            response.headers["RateLimit-Policy"] = f'"default";q={per_minute};w=60'
            left = f'"default";r={standing.remaining};t={standing.full_s}'
            response.headers["RateLimit"] = left
            if standing.wait_s:
                response.headers["Retry-After"] = str(standing.wait_s)
        return response

    app.before_request(count)
    app.after_request(tell)


def _seconds(length_us: float) -> int:
    return int(-(-length_us // SECOND_US))
