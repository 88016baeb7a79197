"""Frames of a journal as records. What cannot be read is counted with a reason, never fatal."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, NamedTuple

import msgspec

from app.domain.window import MINUTE_US
from collectors.journal.frame import EXCHANGE, LOSS, Frame
from collectors.record import Exchange, Loss

_Id = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
#: Rollups count minutes in 31 bits; that is until the year 6053.
_Instant = Annotated[int, msgspec.Meta(ge=0, lt=2**31 * MINUTE_US)]
#: Microseconds of 35 years; bytes of a thousand disks; sums of many still fit 64 bits.
_Number = Annotated[int, msgspec.Meta(ge=-1, le=2**50)]
_Small = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


class _Bounded(Exchange, array_like=True, gc=False):
    """An exchange whose numbers fit every database: a number that does not would stop a whole
    batch. The order of the fields stays that of `Exchange`."""

    id: _Id
    started_us: _Instant
    status: _Small
    queue_us: _Number
    connect_us: _Number
    tls_us: _Number
    first_byte_us: _Number
    total_us: _Number
    request_bytes: _Number
    response_bytes: _Number
    attempt: _Small


class _BoundedLoss(Loss, array_like=True, gc=False):
    """A loss whose numbers fit every database."""

    minute_us: _Instant
    direction: _Small
    kind: _Small
    count: _Small


_exchange = msgspec.msgpack.Decoder(_Bounded).decode
_loss = msgspec.msgpack.Decoder(_BoundedLoss).decode


class Decoded(NamedTuple):
    """Records in the order they were written; `rejected` counts frames by why they are none:
    `undecodable_exchange`, `undecodable_loss`, `unknown_frame`."""

    exchanges: list[Exchange]
    losses: list[Loss]
    rejected: Counter[str]


def decode(frames: Iterable[Frame]) -> Decoded:
    """The records in `frames`."""
    exchanges: list[Exchange] = []
    losses: list[Loss] = []
    rejected: Counter[str] = Counter()
    append = exchanges.append
    for frame_type, payload in frames:
        try:
            if frame_type == EXCHANGE:
                append(_exchange(payload))
            elif frame_type == LOSS:
                losses.append(_loss(payload))
            else:
                rejected["unknown_frame"] += 1
        except (msgspec.DecodeError, UnicodeDecodeError):
            rejected["undecodable_exchange" if frame_type == EXCHANGE else "undecodable_loss"] += 1
    return Decoded(exchanges, losses, rejected)
