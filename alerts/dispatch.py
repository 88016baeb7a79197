"""Sending what is due: lease, send, mark; try again later what may yet succeed."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from alerts.outbox import Letter, Outbox
from app.domain.window import MINUTE_US, SECOND_US
from app.errors import MidspanError
from app.logs import get as get_logger

#: So many messages are in hand at a time.
MOST = 20
_FIRST_RETRY_US = 5 * SECOND_US
_LAST_RETRY_US = 10 * MINUTE_US
_JITTER_RATIO = 0.2

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
    """Send up to `most` letters that are due, each by the sender of its channel."""
    log = get_logger("dispatch")
    sent = retried = failed = 0
    for letter in outbox.lease(clock(), most):
        try:
            senders[letter.channel](letter)
        except MidspanError as error:
            now_us = clock()
            again_us = None
            if not error.permanent:
                again_us = now_us + retry_delay_us(letter.attempts + 1, letter.message_id)
            outbox.failed(letter, str(error), now_us, again_us)
            retried += again_us is not None
            failed += again_us is None
            log.warning("not_sent", message=letter.message_id, reason=str(error))
        else:
            outbox.sent(letter, clock())
            sent += 1
    return Dispatched(sent, retried, failed)
