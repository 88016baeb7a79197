"""What the caller says about its request besides the request: context headers and trace. Pure.

The platform (outbound) is believed. A partner (inbound) is not: it can only describe exchanges
recorded under its own integration, so a known one may name its installation and customer, cut to
length; an unknown caller may name nothing, and the operation, delivery and attempt of an inbound
request are never taken from it. All `Midspan-` headers are removed before forwarding either way.
"""

import re

import msgspec

from app.domain.route import UNATTRIBUTED
from app.domain.words import Direction, Kind
from collectors.proxy.fields import Special
from collectors.proxy.head import RequestHead
from collectors.proxy.routes import Destination

_ID_CHARS = 256
_TRACEPARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_ATTEMPT = re.compile(rb"[0-9]{1,6}")
_NO_TRACE, _NO_SPAN = b"0" * 32, b"0" * 16
_OUTBOUND, _INBOUND, _REQUEST, _WEBHOOK = (
    Direction.OUTBOUND, Direction.INBOUND, Kind.REQUEST, Kind.WEBHOOK
)  # fmt: skip


class Context(msgspec.Struct, frozen=True, gc=False):
    """What is recorded of it. "" where nothing was said; `attempt` counts from 1."""

    installation: str = ""
    customer: str = ""
    operation: str = ""
    delivery: str = ""
    attempt: int = 1


class Trace(msgspec.Struct, frozen=True, gc=False):
    """The trace an exchange belongs to, and the header lines that pass it on."""

    trace_id: str
    lines: bytes


NOTHING = Context()


def read_context(head: RequestHead, destination: Destination) -> Context:
    """The context of a request, as far as its caller may set it."""
    own = head.own
    if not own and destination.kind == _REQUEST:
        return NOTHING
    if destination.direction == _INBOUND:
        if destination.party.integration == UNATTRIBUTED:
            return NOTHING
        return Context(_said(own, b"midspan-installation"), _said(own, b"midspan-customer"))
    delivery = _said(own, b"midspan-delivery")
    if not delivery and destination.kind == _WEBHOOK:
        delivery = _said(head.special, b"webhook-id")
    return Context(
        _said(own, b"midspan-installation"),
        _said(own, b"midspan-customer"),
        _said(own, b"midspan-operation"),
        delivery,
        _attempt(own.get(b"midspan-attempt")),
    )


def read_trace(head: RequestHead, begun: str) -> Trace:
    """The caller's trace, passed on unchanged; else the one `begun`, the exchange's id in hex.

    W3C Trace Context: one valid `traceparent`, of any version but ff, or it is as if there were
    none, and `tracestate` goes with it. A begun trace is marked as recorded, as the exchange is.
    """
    parents = head.special.get(b"traceparent")
    if parents and len(parents) == 1 and (trace_id := _valid(parents[0])):
        lines = [b"traceparent: " + parents[0] + b"\r\n"]
        lines += [b"tracestate: " + s + b"\r\n" for s in head.special.get(b"tracestate", ())]
        return Trace(trace_id, b"".join(lines))
    return Trace(begun, f"traceparent: 00-{begun}-{begun[16:]}-01\r\n".encode())


def caller_tokens(head: RequestHead) -> list[bytes]:
    """What an inbound request offers as proof of who calls; the bearer token first."""
    tokens = [
        value[7:].strip()
        for value in head.special.get(b"authorization", ())
        if value[:7].lower() == b"bearer "
    ]
    return [*tokens, *head.special.get(b"x-api-key", ())]


def _said(values: Special, name: bytes) -> str:
    found = values.get(name)
    return found[0][:_ID_CHARS].decode("latin-1") if found else ""


def _attempt(values: list[bytes] | None) -> int:
    number = _ATTEMPT.fullmatch(values[0]) if values else None
    return max(1, int(number[0])) if number else 1


def _valid(parent: bytes) -> str:
    match = _TRACEPARENT.fullmatch(parent)
    if (
        match is None
        or match[1] == b"ff"
        or (match[1] == b"00" and match[4])
        or match[2] == _NO_TRACE
        or match[3] == _NO_SPAN
    ):
        return ""
    return match[2].decode()
