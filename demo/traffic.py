"""The driver: the platform and the partners calling each other through the real proxy.

Every fifth of a second each flow sends as many calls as the model's rate makes likely (Poisson),
spread over that time. A failed webhook delivery is attempted again, its attempts numbered.

Nothing waits for a slow answer, so calls may pile up: above `MAX_CALLS` in flight a call is skipped
(`skipped`), and above `MAX_WAITING` retries in waiting a delivery is given up (`given_up`); a call
that got no answer from the proxy at all is `unanswered`. The counts are told every minute.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from app.domain.words import Direction, Kind
from demo import names
from demo.cast import Act, Flow, Role
from demo.model import RETRY_AFTER_S, Model, act_weights, installation_weights
from demo.past import flows
from demo.services import Clock
from demo.wire import Answer, Caller, CallFailed

TICK_S = 0.2
MAX_CALLS = 400
MAX_WAITING = 3_000
_STRANGERS_PER_S = 0.05


class Call(NamedTuple):
    """One thing to send, and how often it was sent before."""

    role: Role
    flow: Flow
    act: Act
    installation: int
    event: int
    attempt: int = 1


@dataclass(slots=True)
class Counts:
    """What became of calls: by status (0: unanswered), and those that were not sent."""

    by_status: Counter[int] = field(default_factory=Counter)
    skipped: int = 0
    given_up: int = 0
    unanswered: int = 0

    def line(self) -> str:
        """One line for people."""
        sent = sum(self.by_status.values())
        failed = sum(n for status, n in self.by_status.items() if status >= 400)
        left = (("skipped", self.skipped), ("given up", self.given_up))
        rest = (*left, ("unanswered", self.unanswered))
        notes = "".join(f", {number} {word}" for word, number in rest if number)
        return f"{sent} calls answered, {failed} of them with an error{notes}"


class Driver:
    """Sends the demo's traffic until cancelled."""

    def __init__(self, model: Model, outbound: Caller, inbound: Caller, clock: Clock) -> None:
        self._model, self._outbound, self._inbound, self._clock = model, outbound, inbound, clock
        self._chance = np.random.default_rng([model.seed, clock()])
        self._tasks: set[asyncio.Task[None]] = set()
        self._events = count(clock())
        self._waiting = 0
        self.counts = Counts()

    async def run(self) -> None:
        """For ever."""
        while True:
            self.tick()
            await asyncio.sleep(TICK_S)

    def tick(self) -> None:
        """Start the calls of the next fifth of a second."""
        now = np.array([self._clock()], dtype=np.int64)
        for role, flow in flows():
            rate = float(self._model.rate(role, flow, now)[0])
            for _ in range(self._chance.poisson(rate * TICK_S)):
                self._start(self._later(self._pick(role, flow)))
        if self._chance.random() < _STRANGERS_PER_S * TICK_S:
            self._start(self._stranger())

    async def close(self) -> None:
        """Cut what is in flight."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._outbound.close()
        self._inbound.close()

    def _pick(self, role: Role, flow: Flow) -> Call:
        act = flow.acts[self._chance.choice(len(flow.acts), p=act_weights(flow))]
        number = int(self._chance.choice(role.installations, p=installation_weights(role)))
        return Call(role, flow, act, number, next(self._events))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        if len(self._tasks) - self._waiting >= MAX_CALLS:
            self.counts.skipped += 1
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _later(self, call: Call) -> None:
        await asyncio.sleep(self._chance.random() * TICK_S)
        answer = await self.send(call)
        while call.flow.kind is Kind.WEBHOOK and not _taken(answer):
            if call.attempt > len(RETRY_AFTER_S) or self._waiting >= MAX_WAITING:
                self.counts.given_up += 1
                return
            await self._wait(RETRY_AFTER_S[call.attempt - 1])
            call = call._replace(attempt=call.attempt + 1)
            answer = await self.send(call)

    async def _wait(self, after_s: float) -> None:
        self._waiting += 1
        try:
            await asyncio.sleep(after_s * self._chance.uniform(0.8, 1.2))
        finally:
            self._waiting -= 1

    async def send(self, call: Call) -> Answer | None:
        """One exchange through the proxy; None when the proxy did not answer."""
        inbound = call.flow.direction is Direction.INBOUND
        method, path, headers, body = message(self._model.seed, call)
        caller = self._inbound if inbound else self._outbound
        return await self._counted(caller, method, path, headers, body)

    async def _stranger(self) -> None:
        headers = {"Authorization": "Bearer nobody-knows-me", "User-Agent": "curl/8.5.0"}
        await self._counted(self._inbound, "GET", "/v1/members", headers, b"")

    async def _counted(
        self, caller: Caller, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Answer | None:
        try:
            answer = await caller.call(method, path, headers, body)
        except CallFailed:
            self.counts.unanswered += 1
            return None
        self.counts.by_status[answer.status] += 1
        return answer


def message(seed: int, call: Call) -> tuple[str, str, dict[str, str], bytes]:
    """Method, path, headers and body of a call."""
    role, flow = call.role, call.flow
    named = names.installation(role, call.installation)
    headers = {
        "Midspan-Installation": named,
        "Midspan-Customer": names.customer(role, call.installation),
        "User-Agent": "acme-cloud/3.2",
        "Accept": "application/json",
    }
    if flow.kind is Kind.WEBHOOK:
        return _webhook(call, named, headers)
    method, template = names.split_act(call.act.name)
    path = names.path_of(template, call.event)
    body = b"" if method == "GET" else names.payload(call.act.name, named, call.event)
    if body:
        headers["Content-Type"] = "application/json"
    if call.act.told:
        headers["Midspan-Operation"] = call.act.name
    if flow.direction is Direction.INBOUND:
        token = names.inbound_token(seed, role)
        headers |= {"Authorization": f"Bearer {token}", "User-Agent": f"{role.slug}/1.8"}
        return method, path, headers, body
    headers["Authorization"] = f"Bearer {names.grant(role, call.installation)}"
    return method, f"/{role.slug}{path}", headers, body


def _webhook(
    call: Call, named: str, headers: dict[str, str]
) -> tuple[str, str, dict[str, str], bytes]:
    headers |= {
        "Content-Type": "application/json",
        "Webhook-Id": names.delivery(call.event),
        "Midspan-Attempt": str(call.attempt),
    }
    body = names.payload(call.act.name, named, call.event)
    return "POST", f"/{call.role.slug}/-/webhooks/{call.act.name}", headers, body


def _taken(answer: Answer | None) -> bool:
    return answer is not None and 200 <= answer.status < 300
