"""What goes on for a while: events as they happen."""

import time

import httpx
import pytest

from app.domain.words import Outcome
from tests.journeys.real_software.stage import Through

pytestmark = pytest.mark.slow


#: One every 50 ms: over two seconds, longer than a busy machine keeps one waiting.
EVENTS = 40


def test_events_arrive_while_later_ones_are_not_yet_sent(through: Through) -> None:
    sent, received = [], []
    with (
        httpx.Client(timeout=20) as client,
        client.stream(
            "GET", f"{through.base_url}/events/{EVENTS}", headers=through.headers
        ) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line.startswith("data: "):
                received.append(time.monotonic_ns())
                sent.append(int(line[6:]))
    assert len(received) == EVENTS
    assert received[0] < sent[-1]
    record = through.recorded(answer.headers["midspan-exchange"])
    assert (record.status, record.outcome) == (200, Outcome.OK)
    assert record.total_us >= (sent[-1] - sent[0]) // 1000
    assert record.first_byte_us < record.total_us
    assert record.capture is not None
    assert record.capture.response_body.count(b"event: tick\n") == EVENTS


def test_a_listener_that_leaves_is_recorded_as_one(through: Through) -> None:
    with (
        httpx.Client(timeout=20) as client,
        client.stream("GET", f"{through.base_url}/events/400", headers=through.headers) as answer,
    ):
        next(answer.iter_lines())
    record = through.recorded(answer.headers["midspan-exchange"])
    assert (record.status, record.outcome) == (200, Outcome.ABORTED)
