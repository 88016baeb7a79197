"""When an exchange has waited long enough, and whose wait it was. Pure.

There is no timer per exchange: the worker looks over the live ones every `SWEEP_S`, and decides as
of its look before. What had arrived by then has been read meanwhile, however late the worker is
itself, so nobody is blamed for an answer that lay in a socket's buffer. A timeout strikes at most
twice that much late.
"""

from enum import IntEnum
from typing import NamedTuple

from collectors.proxy.errors import (
    CALLER_STALLED,
    CONNECT_TIMEOUT,
    DNS_TIMEOUT,
    FIRST_BYTE_TIMEOUT,
    IDLE_TIMEOUT,
    REQUEST_TIMEOUT,
    TOTAL_TIMEOUT,
    TUNNEL_IDLE,
)
from collectors.proxy.refusals import CONCURRENCY_FULL
from collectors.proxy.routes import Allowance

SWEEP_S = 0.05
_NS_PER_S = 1_000_000_000
_SWEEP_NS = int(SWEEP_S * _NS_PER_S)
#: How long a body may come as slowly as it likes.
GRACE_NS = 10 * _NS_PER_S
#: How long a connection may be idle while connections are few.
PRESSED_NS = 5 * _NS_PER_S
#: How long, and how many bytes, a refused request's body is still read so that its sender sees
#: the answer.
LINGER_NS = 2_000_000_000
LINGER_BYTES = 256 * 1024
#: How long a tunnel may be silent, unless idle_ms is more; it has no total.
TUNNEL_IDLE_NS = 300_000_000_000


class Stage(IntEnum):
    """What a live exchange is waiting for."""

    LOOKING_UP = 0  # the upstream's name
    CONNECTING = 1
    SENDING = 2  # the request's body is on its way
    WAITING = 3  # for the first byte of the answer
    ANSWERING = 4  # the answer's body is on its way
    TUNNELLING = 5  # bytes pass both ways, until one side ends
    QUEUED = 6  # for a place among the exchanges that its integration may have under way


class Progress(NamedTuple):
    """How far an exchange is. Times are of one monotonic clock, in nanoseconds.

    `moved_ns` is when bytes last moved in either direction, `caller_blocks` whether the answer
    waits for the caller to read, `upstream_blocks` whether the request waits for the upstream to.
    `paced_bytes` of the request's body came since `paced_ns`, and nobody but the caller was slow.
    """

    stage: Stage
    started_ns: int
    stage_ns: int
    moved_ns: int
    caller_blocks: bool = False
    upstream_blocks: bool = False
    paced_ns: int = 0
    paced_bytes: int = 0


def overdue(progress: Progress, allowance: Allowance, now_ns: int) -> str | None:
    """The code of the timeout that has struck; None while there is time."""
    stage = progress.stage
    if stage == Stage.TUNNELLING:
        return TUNNEL_IDLE if now_ns > _tunnel_due_ns(progress, allowance) else None
    in_stage, still = now_ns - progress.stage_ns, now_ns - progress.moved_ns
    if stage == Stage.QUEUED:
        return CONCURRENCY_FULL if in_stage > allowance.queue_ns else None
    if stage <= Stage.CONNECTING and in_stage > allowance.connect_ns:
        return DNS_TIMEOUT if stage == Stage.LOOKING_UP else CONNECT_TIMEOUT
    if stage == Stage.WAITING and in_stage > allowance.first_byte_ns:
        return FIRST_BYTE_TIMEOUT
    moving = stage in (Stage.SENDING, Stage.ANSWERING)
    if moving and still > allowance.idle_ns:
        return _blocked_by(progress, IDLE_TIMEOUT)
    if now_ns - progress.started_ns > allowance.total_ns:
        return _blocked_by(progress, TOTAL_TIMEOUT)
    return None


def look_again_ns(progress: Progress, allowance: Allowance, now_ns: int) -> int:
    """When, at the earliest, a timeout can strike an exchange that is not overdue now.

    Whatever stage it enters from now on lasts at least as long as the shortest one may.
    """
    stage = progress.stage
    if stage == Stage.TUNNELLING:
        return _tunnel_due_ns(progress, allowance)
    if stage <= Stage.CONNECTING:
        due = progress.stage_ns + allowance.connect_ns
    elif stage == Stage.QUEUED:
        due = progress.stage_ns + allowance.queue_ns
    elif stage == Stage.WAITING:
        due = progress.stage_ns + allowance.first_byte_ns
    else:
        due = progress.moved_ns + allowance.idle_ns
    shortest = min(allowance.connect_ns, allowance.first_byte_ns, allowance.idle_ns)
    if stage == Stage.SENDING:
        shortest = min(shortest, _NS_PER_S)
    return min(due, progress.started_ns + allowance.total_ns, now_ns + shortest)


def _tunnel_due_ns(progress: Progress, allowance: Allowance) -> int:
    return progress.moved_ns + max(allowance.idle_ns, TUNNEL_IDLE_NS)


def stood_still_ns(seen_ns: int, now_ns: int) -> int:
    """How long the worker itself did nothing since it looked at `seen_ns`; 0 for what is usual."""
    late_ns = now_ns - seen_ns - _SWEEP_NS
    return late_ns if late_ns > _SWEEP_NS else 0


def crawls(progress: Progress, bytes_per_second: int, now_ns: int) -> bool:
    """Whether the caller sends its body more slowly than that, its first `GRACE_NS` aside."""
    if progress.stage != Stage.SENDING or progress.upstream_blocks:
        return False
    counted_ns = now_ns - progress.paced_ns - GRACE_NS
    return progress.paced_bytes * _NS_PER_S < bytes_per_second * counted_ns


def _blocked_by(progress: Progress, otherwise: str) -> str:
    if progress.caller_blocks:
        return CALLER_STALLED
    if progress.stage == Stage.SENDING and not progress.upstream_blocks:
        return REQUEST_TIMEOUT
    return otherwise
