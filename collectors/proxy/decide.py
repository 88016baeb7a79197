"""The one decision about a request: whose it is, and where it goes or why not. Pure."""

from typing import NamedTuple

from app.domain.words import Direction
from collectors.proxy.admission import admit
from collectors.proxy.context import caller_tokens
from collectors.proxy.errors import UNKNOWN_HOST
from collectors.proxy.head import RequestHead, refusal
from collectors.proxy.routes import Destination, Routed, Router, stray
from collectors.proxy.verdicts import Refusal

_INBOUND = Direction.INBOUND


class House(NamedTuple):
    """What holds for every request: the name in Via headers and the header itself, and the hosts
    that the inbound listener answers to, lower-case (none: any)."""

    pseudonym: bytes
    via: bytes
    inbound_hosts: frozenset[str]


def decide(
    router: Router, house: House, direction: Direction, head: RequestHead
) -> tuple[Destination, Routed | Refusal]:
    """Under what a request is recorded, and what becomes of it."""
    refused = refusal(head, house.pseudonym)
    if refused is None and direction == _INBOUND:
        refused = _refuse_host(head, house)
    if refused is not None:
        return stray(direction, head.path), refused
    if direction == _INBOUND:
        found, verdict = router.inbound(caller_tokens(head), head.path, head.query)
    else:
        found, verdict = router.outbound(head.method, head.path, head.query)
    if isinstance(verdict, Refusal):
        return found, verdict
    return found, admit(head, found.party.limits) or verdict


def _refuse_host(head: RequestHead, house: House) -> Refusal | None:
    host = head.special[b"host"][0].decode("latin-1").lower()
    name = host.rpartition(":")[0] if host[-1:] != "]" and ":" in host else host
    if house.inbound_hosts and name.strip("[]") not in house.inbound_hosts:
        return Refusal(UNKNOWN_HOST, name)
    return None
