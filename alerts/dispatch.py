"""Sending what is due: lease, send, mark; try again later what may yet succeed."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from alerts.outbox import LEASE_US, LONGEST_RETRY_US, Letter, Outbox
from app.domain.window import MINUTE_US, SECOND_US
from app.errors import MidspanError, Unavailable
from app.logs import get as get_logger

#: So many messages are in hand at a time.
MOST = 20
_FIRST_RETRY_US = 5 * SECOND_US
_LAST_RETRY_US = 10 * MINUTE_US
_JITTER_RATIO = 0.2
#: A round ends when half its leases are over: what one receiver holds up is not sent twice.
_ROUND_US = LEASE_US // 2

#: Sends one letter; a `MidspanError` says by `permanent` whether trying again can help.
Send = Callable[[Letter], None]


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What one round of sending did."""

    sent: int = 0
    retried: int = 0
    failed: int = 0


def retry_delay_us(attempts: int, message_id: str) -> int:
    """How long to wait after so many attempts: 5 s doubled each time up to 10 min, give or take a
    fifth, which depends on the message so that not all come back at once."""
    base = min(_LAST_RETRY_US, _FIRST_RETRY_US * 2 ** min(attempts - 1, 20))
    digest = hashlib.sha256(f"{message_id}:{attempts}".encode()).digest()
    share = int.from_bytes(digest[:4]) / 2**32 * 2 - 1
    return int(base * (1 + _JITTER_RATIO * share))


def dispatch(
    outbox: Outbox, senders: Mapping[str, Send], clock: Callable[[], int], most: int = MOST
) -> Dispatched:
    """Send up to `most` letters that are due by these channels, each by its sender."""
    log = get_logger("dispatch")
    sent = retried = failed = 0
    for letter in _leased(outbox, senders, clock, most):
        error = _send(senders[letter.channel], letter)
        if error is None:
            outbox.sent(letter, clock())
            sent += 1
            continue
        now_us = clock()
        again_us = None if error.permanent else now_us + _wait_us(letter, error)
        outbox.failed(letter, str(error), now_us, again_us)
        retried += again_us is not None
        failed += again_us is None
        log.warning("not_sent", message=letter.message_id, reason=str(error))
    return Dispatched(sent, retried, failed)


def _send(send: Send, letter: Letter) -> MidspanError | None:
    """What went wrong with a letter; a defect of ours in one of them holds up no other."""
    try:
        send(letter)
    except MidspanError as error:
        return error
    except Exception as error:  # noqa: BLE001 - said, and tried again as if the receiver were away
        get_logger("dispatch").exception("send_broke", message=letter.message_id)
        return Unavailable(f"a defect: {type(error).__name__}")
    return None


def _leased(
    outbox: Outbox, senders: Mapping[str, Send], clock: Callable[[], int], most: int
) -> Iterator[Letter]:
    """Letters in hand, one by one, for as long as their leases last; the rest is given back."""
    begun_us = clock()
    letters = outbox.lease(begun_us, most, list(senders))
    for place, letter in enumerate(letters):
        if clock() - begun_us > _ROUND_US:
            outbox.release(letters[place:])
            return
        yield letter


def _wait_us(letter: Letter, error: MidspanError) -> int:
    ours_us = retry_delay_us(letter.attempts + 1, letter.message_id)
    return min(LONGEST_RETRY_US, max(ours_us, error.retry_after_us or 0))
