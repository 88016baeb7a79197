"""Test messages to receivers: asked for on the page, sent here, the outcome kept for the page."""

from collections.abc import Callable, Iterator, Mapping

from sqlalchemy import Engine, select, update

from alerts.dispatch import Send
from alerts.outbox import Letter
from alerts.stages import Audience
from app.db import reading, transaction
from app.domain.alert import Event
from app.domain.alert_route import Directory
from app.domain.receiver import Channel
from app.domain.rule import Severity
from app.errors import MidspanError
from app.models import ReceiverTest

#: A test letter is about this incident: none.
NO_INCIDENT = 0


def try_receivers(
    engine: Engine, directory: Directory, senders: Mapping[str, Send], clock: Callable[[], int]
) -> int:
    """Send what was asked for and not sent yet; how many receivers were tried."""
    with reading(engine) as session:
        waiting = list(session.scalars(select(ReceiverTest).where(ReceiverTest.done_us.is_(None))))
    for asked in waiting:
        error = _try(asked, directory, senders)
        with transaction(engine) as session:
            session.execute(
                update(ReceiverTest)
                .where(
                    ReceiverTest.receiver == asked.receiver,
                    ReceiverTest.asked_us == asked.asked_us,
                )
                .values(done_us=clock(), error=error)
            )
    return len(waiting)


def _try(asked: ReceiverTest, directory: Directory, senders: Mapping[str, Send]) -> str:
    """What went wrong; "" when every address took it."""
    letters = list(_letters(asked, directory))
    if not letters:
        return "it is no longer configured"
    for letter in letters:
        try:
            senders[letter.channel](letter)
        except MidspanError as error:
            return str(error)
    return ""


def _letters(asked: ReceiverTest, directory: Directory) -> Iterator[Letter]:
    for channel, address, _ in directory.addresses(asked.receiver, asked.asked_us):
        yield _letter(asked, channel, address, Event.FIRED)
        if channel == Channel.PAGERDUTY:
            yield _letter(asked, channel, address, Event.RESOLVED)


def _letter(asked: ReceiverTest, channel: str, address: str, event: Event) -> Letter:
    name = f"<test-{asked.receiver}-{asked.asked_us}.{event}@midspan>"
    return Letter(
        id=0,
        message_id=name,
        thread_id=name,
        event=event,
        level=0,
        audience=Audience.ECOSYSTEM,
        channel=channel,
        address=address,
        receiver=asked.receiver,
        attempts=0,
        incident=NO_INCIDENT,
        rule="test",
        severity=Severity.P4,
        integration=None,
        partner=None,
        summary="a test message; nothing is wrong",
        evidence="{}",
        fired_us=asked.asked_us,
        resolved_us=asked.asked_us if event == Event.RESOLVED else None,
        others=(),
    )
