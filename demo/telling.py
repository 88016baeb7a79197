"""The platform telling Midspan of installs: the past at once, the present over the API."""

import asyncio
import json
from itertools import islice
from pathlib import Path

from app.commands.event_fields import MOST_EVENTS
from app.commands.lifecycle import record
from app.db import transaction
from app.domain.window import DAY_US, Window
from app.migrations import open_registry
from app.settings import Settings
from demo import installs, names
from demo.ground import Ground, dialled
from demo.people import TOKEN_FILE
from demo.services import Clock
from demo.wire import Caller, CallFailed

_EVERY_S = 5.0


def tell_past(settings: Settings, own: Ground, now_us: int) -> int:
    """Everything up to now; how many events that were new. Told again, it is told once."""
    told = iter(
        [
            *installs.long_standing(own.anchor_us),
            *installs.events(
                own.seed, own.anchor_us, Window(own.anchor_us - own.days * DAY_US, now_us)
            ),
        ]
    )
    engine, taken = open_registry(settings), 0
    try:
        while part := list(islice(told, MOST_EVENTS)):
            with transaction(engine) as session:
                taken += record(session, part, now_us=now_us).accepted
    finally:
        engine.dispose()
    return taken


class Teller:
    """Tells of what happens, and sends partners the webhook of each new installation."""

    def __init__(self, settings: Settings, own: Ground, outbound: Caller, clock: Clock) -> None:
        bind = dialled(settings.web_bind)
        self._web = Caller(bind.host, bind.port)
        self._token: Path = settings.home / TOKEN_FILE
        self._own, self._outbound, self._clock = own, outbound, clock
        self._told_us = self._sent_us = clock()
        self.told = 0

    async def run(self) -> None:
        """For ever. What Midspan does not take now is told again the next time."""
        while True:
            await asyncio.sleep(_EVERY_S)
            await self.turn()

    async def turn(self) -> None:
        """Tell of what happened since the last time that it was taken."""
        now_us, own = self._clock(), self._own
        await self._send(Window(self._sent_us, now_us))
        self._sent_us = now_us
        events = installs.events(own.seed, own.anchor_us, Window(self._told_us, now_us))
        for start in range(0, len(events), MOST_EVENTS):
            part = events[start : start + MOST_EVENTS]
            if not await self._post(json.dumps(part).encode()):
                return  # all of it again next time: what was taken is known by its id
        self._told_us = now_us
        self.told += len(events)

    async def _post(self, body: bytes) -> bool:
        if not self._token.exists():
            return False
        token = self._token.read_text().strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        try:
            answer = await self._web.call("POST", "/api/v1/lifecycle-events", headers, body)
        except CallFailed:
            return False
        return answer.status == 200

    async def _send(self, window: Window) -> None:
        reach = Window(window.start_us - DAY_US, window.end_us)
        for install in installs.begun(self._own.seed, self._own.anchor_us, reach):
            at_us = install.verified_us
            if at_us is None or not window.start_us <= at_us < window.end_us:
                continue
            path = f"/{install.role.slug}/-/webhooks/{installs.TOPIC}"
            headers = {
                "Midspan-Installation": install.name,
                "Midspan-Customer": install.customer,
                "Webhook-Id": names.delivery(at_us),
                "Content-Type": "application/json",
                "User-Agent": "acme-cloud/3.2",
            }
            body = names.payload(installs.TOPIC, install.name, at_us)
            try:
                await self._outbound.call("POST", path, headers, body)
            except CallFailed:
                continue  # the proxy is away for a moment, and its exchanges with it
