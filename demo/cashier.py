"""Telling Midspan of money: the past straight into the registry, the present over its API."""

import json
import time
import urllib.request
from pathlib import Path

from app.settings import Settings
from demo import bills
from demo.ground import Ground, dialled
from demo.people import TOKEN_FILE

_TOGETHER = 1_000
RATES_FILE = "rates.csv"


def write_rates(home: Path, own: Ground) -> Path:
    """The file of exchange rates that the demo imports."""
    path = home / RATES_FILE
    lines = ["date,currency,rate", *map(",".join, bills.rates(own.anchor_us, 500))]
    path.write_text("\n".join(lines) + "\n")
    return path


def tell_past(settings: Settings, own: Ground) -> str:
    """Take in what was paid before the demo began; what is known already changes nothing."""
    from app.auth.caller import own_scope
    from app.commands.billing import take
    from app.db import transaction
    from app.migrations import open_registry

    engine, accepted = open_registry(settings), 0
    events = bills.past(own.model)
    try:
        for start in range(0, len(events), _TOGETHER):
            part = events[start : start + _TOGETHER]
            with transaction(engine) as session:
                accepted += take(session, own_scope(), part, now_us=own.anchor_us).accepted
    finally:
        engine.dispose()
    return f"history: {accepted:,} billing events of {len(bills.earning())} integrations"


class Cashier:
    """Posts what is due since it last did. Midspan that is away is tried again the next time."""

    def __init__(self, settings: Settings, own: Ground) -> None:
        self._own = own
        self._token = settings.home / TOKEN_FILE
        self._address = f"http://{dialled(settings.web_bind)}/api/v1/billing-events"
        self._next = own.anchor_us // bills.LIVE_US + 1

    def tell(self, now_us: int) -> int:
        """Post the events that happened by now; how many."""
        due = range(max(self._next, now_us // bills.LIVE_US - 99), now_us // bills.LIVE_US + 1)
        if not due or not self._token.exists():
            return 0
        body = json.dumps([bills.live(self._own.model, slot) for slot in due]).encode()
        request = urllib.request.Request(  # noqa: S310 - our own web process, on loopback
            self._address,
            body,
            {
                "Authorization": f"Bearer {self._token.read_text().strip()}",
                "Content-Type": "application/json",
            },
        )
        try:
            urllib.request.urlopen(request, timeout=10).close()  # noqa: S310
        except OSError:
            return 0
        self._next = due.stop
        return len(due)

    def forever(self) -> None:
        """Tell and wait, until the process ends."""
        while True:
            self.tell(time.time_ns() // 1000)
            time.sleep(20)
