"""The sign of life: a mail, or a ping to a watcher elsewhere, for as long as rules are evaluated.

Whoever waits for it learns from its absence what no alert can tell: that nobody evaluates. So it is
not sent while evaluation is late, and one that could not be sent is tried again at the next turn.
"""

import time
from collections.abc import Callable

from alerts.notifiers.http import Request, post
from app.domain.window import SECOND_US
from app.logs import get as get_logger
from app.mail import Mail, send
from app.queries.alerts import evaluated_us
from app.settings import Settings

#: How often it is looked whether one is due.
TURN_S = 15.0
_LATE_US = 45 * SECOND_US


class Heartbeat:
    """Beats every `heartbeat_every_us` to where the settings say, if they say it."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._monotonic = monotonic
        self._last_s: float | None = None
        self._log = get_logger("heartbeat")

    def turn(self) -> bool:
        """Beat when it is time; whether it did. Raises a `MidspanError` when it could not."""
        now_s, every_s = self._monotonic(), self._settings.heartbeat_every_us / SECOND_US
        if self._last_s is not None and now_s - self._last_s < every_s:
            return False
        seen_us = evaluated_us(self._settings.home)
        if seen_us is None or self._clock() - seen_us > _LATE_US:
            self._log.warning("withheld", reason="evaluation is late")
            return False
        self._beat()
        self._last_s = now_s
        return True

    def _beat(self) -> None:
        where, now_us = self._settings.heartbeat or "", self._clock()
        if where.startswith("mailto:"):
            text = f"Rules are being evaluated. {self._settings.base_url}/alerts\n"
            mail = Mail(where.removeprefix("mailto:"), "Midspan is watching", text)
            send(self._settings, mail, now_us)
        else:
            # Whoever runs Midspan wrote the address: it may be inside the network.
            post(Request(where, b"", private=True))
