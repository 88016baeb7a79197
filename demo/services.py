"""The other side of the wire: the platform's API and each partner's hosts, behaving as modelled.

One process, one listener for each. A partner in an outage refuses connections; one whose
certificate has expired shows it; one that is mute takes a request and never answers.
"""

import asyncio
import json
import random
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from app.domain.words import Direction, Kind
from demo import names
from demo.cast import CAST, Act, Flow, Role
from demo.model import STATUS, Ending, Model, latency_us
from demo.noise import Times
from demo.wire import Answer, Listener, Request

CERTIFICATES = Path(__file__).parent / "certificates"
PLATFORM_SERVICE = "platform"
_MUTE_S = 90.0
_DOORS_S = 0.5
BODIES: Mapping[Ending, dict[str, str]] = {
    Ending.MISSING: {"error": "not_found", "message": "There is no such object."},
    Ending.INVALID: {"error": "invalid", "message": "Field 'title' must not be empty."},
    Ending.THROTTLED: {"error": "rate_limited", "message": "Slow down."},
    Ending.BROKEN: {"error": "internal", "message": "Database connection pool exhausted."},
}
REVOKED = {"error": "invalid_grant", "message": "The customer has revoked this grant."}

Clock = Callable[[], int]


class Scene(NamedTuple):
    """Who answers whom."""

    model: Model
    role: Role
    flow: Flow


def expired_tls() -> ssl.SSLContext:
    """A server context that shows a certificate which ran out years ago."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "expired.pem")
    return context


class PartnerService:
    """One partner's API and webhook endpoint."""

    def __init__(self, role: Role, model: Model, clock: Clock, chance: random.Random) -> None:
        self._role, self._model, self._clock, self._chance = role, model, clock, chance

    async def handle(self, asked: Request) -> Answer | None:
        """Answer as the model says that this partner answers now."""
        now = np.array([self._clock()], dtype=np.int64)
        if self._model.mute(self._role, now)[0]:
            await asyncio.sleep(_MUTE_S)
            return None
        flow = self._flow_of(asked)
        if flow is None:
            return Answer(404, encode(BODIES[Ending.MISSING]))
        if self._is_revoked(asked, now):
            return Answer(401, encode(REVOKED))
        return await answer(Scene(self._model, self._role, flow), asked, now, self._chance)

    def is_down(self) -> bool:
        """Whether connections are to be refused now."""
        now = np.array([self._clock()], dtype=np.int64)
        return bool(self._model.down(self._role, now)[0])

    def _flow_of(self, asked: Request) -> Flow | None:
        kind = Kind.WEBHOOK if asked.path.startswith("/hooks") else Kind.REQUEST
        for flow in self._role.flows:
            if flow.direction is Direction.OUTBOUND and flow.kind is kind:
                return flow
        return None

    def _is_revoked(self, asked: Request, now: Times) -> bool:
        number = names.granted(asked.headers.get("authorization", ""))
        if number is None:
            return False
        return bool(self._model.revoked(self._role, np.array([number]), now)[0])


class PlatformService:
    """The platform's API, as partners call it."""

    def __init__(self, model: Model, clock: Clock, chance: random.Random) -> None:
        self._model, self._clock, self._chance = model, clock, chance
        self._by_token = {names.inbound_token(model.seed, role): role for role in CAST}

    async def handle(self, asked: Request) -> Answer | None:
        """Answer the caller behind the token; 401 for a stranger."""
        role = self._by_token.get(asked.headers.get("authorization", "").removeprefix("Bearer "))
        if role is None:
            return Answer(401, encode({"error": "unknown_token", "message": "Who are you?"}))
        now = np.array([self._clock()], dtype=np.int64)
        for flow in role.flows:
            if flow.direction is Direction.INBOUND:
                return await answer(Scene(self._model, role, flow), asked, now, self._chance)
        return Answer(403, encode({"error": "forbidden", "message": "Not for this integration."}))


async def answer(scene: Scene, asked: Request, now: Times, chance: random.Random) -> Answer:
    """Take the time, and give the status, that the model deals out for this moment."""
    model, role, flow = scene
    act = _act_of(flow, asked)
    deal = latency_us(
        model.median_ms(role, flow, now),
        np.array([act.pace]),
        flow.sigma,
        np.array([chance.gauss(0.0, 1.0)]),
        np.array([chance.random()]),
    )
    await asyncio.sleep(deal[0] / 1e6)
    shares = model.mix(role, flow, now)[:, 0]
    ending = chance.choices(list(Ending), weights=shares.tolist())[0]
    if ending is Ending.OK:
        return Answer(ok_status(flow, asked.method), _result(asked, chance))
    extra = {"Retry-After": "5"} if ending is Ending.THROTTLED else {}
    return Answer(STATUS[ending], encode(BODIES[ending]), extra)


def ok_status(flow: Flow, method: str) -> int:
    """The status of success: 202 for a webhook, 201 for something made."""
    if flow.kind is Kind.WEBHOOK:
        return 202
    return 201 if method == "POST" else 200


def _act_of(flow: Flow, asked: Request) -> Act:
    """The act that a request belongs to, by its method and number of path segments."""
    if flow.kind is Kind.WEBHOOK:
        return flow.acts[0]
    for act in flow.acts:
        method, template = names.split_act(act.name)
        if method == asked.method and template.count("/") == asked.path.count("/"):
            return act
    return flow.acts[0]


def _result(asked: Request, chance: random.Random) -> bytes:
    if asked.path.startswith("/hooks"):
        return b""
    items = [
        {"id": chance.randrange(10**6), "state": "open"} for _ in range(chance.randrange(1, 9))
    ]
    return encode({"path": asked.path.partition("?")[0], "items": items})


def encode(value: object) -> bytes:
    """A JSON body."""
    return json.dumps(value).encode()


class Cast:
    """All services of the demo. `ports` are those had before, so that a restart keeps them."""

    def __init__(self, model: Model, clock: Clock) -> None:
        chance = random.Random(model.seed)
        self._partners = {role.slug: PartnerService(role, model, clock, chance) for role in CAST}
        self.listeners = {
            role.slug: Listener(
                self._partners[role.slug].handle,
                None if role.trouble.expired_since_us is None else expired_tls(),
            )
            for role in CAST
        }
        platform = PlatformService(model, clock, chance)
        self.listeners[PLATFORM_SERVICE] = Listener(platform.handle)

    async def open(self, ports: Mapping[str, int]) -> dict[str, int]:
        """Open every service; name to port."""
        return {
            name: await listener.open(ports.get(name, 0))
            for name, listener in self.listeners.items()
        }

    async def mind_the_doors(self) -> None:
        """Open and close the hosts of partners as their outages begin and end, for ever."""
        while True:
            for slug, service in self._partners.items():
                listener, down = self.listeners[slug], service.is_down()
                if down and listener.is_open:
                    await listener.close()
                elif not down and not listener.is_open:
                    await listener.open()
            await asyncio.sleep(_DOORS_S)

    async def close(self) -> None:
        """End every service."""
        for listener in self.listeners.values():
            await listener.close()
