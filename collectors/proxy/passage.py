"""An exchange's way through its gate: in, perhaps after a wait, and out again once.

The gate decides; this carries it out. Who was let in by another's leaving goes ahead a moment
later, because whoever made room has not yet put its connection back into the pool.
"""

import asyncio
import time
from typing import TYPE_CHECKING

from app.domain.words import Outcome
from collectors.proxy.breaker import Sign, sign_of
from collectors.proxy.fields import each
from collectors.proxy.head import ResponseHead
from collectors.proxy.hold import retry_after_s
from collectors.proxy.verdicts import Refusal

if TYPE_CHECKING:
    from collectors.proxy.exchange import LiveExchange
    from collectors.proxy.gate import Gate

#: Statuses whose `Retry-After` is obeyed.
_ASKS_TO_WAIT = frozenset({429, 503})
_NS_PER_S = 1_000_000_000
_OK, _GOOD = Outcome.OK, Sign.GOOD


def enter(live: "LiveExchange", gate: "Gate[LiveExchange]") -> bool:
    """Ask the gate; False: it refused, and the exchange is over."""
    verdict = gate.admit(live, live.context.installation, live.started_ns, live.started_us)
    if isinstance(verdict, Refusal):
        live.fail(*verdict)
        return False
    live.gate, live.permit = gate, verdict
    return True


def leave(live: "LiveExchange", outcome: Outcome, code: str, *, most_ns: int, now_ns: int) -> None:
    """Tell the gate how it ended, and those that waited what that means for them.

    A side that asks not to be called is not called for at most `most_ns`.
    """
    gate, live.gate = live.gate, None
    if gate is None:
        return
    if outcome is _OK:
        sign = _GOOD
    else:
        sign = sign_of(live.destination.direction, outcome, live.status, code)
        if live.status in _ASKS_TO_WAIT and live.answer is not None:
            hold_ns = min(most_ns, _asked_ns(live.answer))
            if hold_ns:
                gate.hold(live.status, live.context.installation, now_ns + hold_ns)
    for other, verdict in gate.leave(live, live.permit, sign, now_ns):
        _call(other, verdict)


def _call(live: "LiveExchange", verdict: int | Refusal) -> None:
    loop = asyncio.get_running_loop()
    if isinstance(verdict, Refusal):
        live.gate = None
        loop.call_soon(live.fail, *verdict)
    else:
        live.permit = verdict
        loop.call_soon(live.proceed)


def _asked_ns(answer: ResponseHead) -> int:
    asked = [value for name, _, value in each(answer.fields) if name == b"retry-after"]
    return round(retry_after_s(asked[0], time.time()) * _NS_PER_S) if asked else 0
