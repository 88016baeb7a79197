"""Counting and journaling; the figures and how they are shared."""

import dataclasses
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.domain.route import CapturePolicy, Limits
from app.domain.words import Direction, Kind, Outcome
from collectors.proxy import tap as tap_module
from collectors.proxy.context import Context
from collectors.proxy.head import parse_request_head
from collectors.proxy.metrics import (
    CAPTURED,
    PROXIED,
    RECORDED,
    SHED,
    SIZE,
    Board,
    forget_boards,
    read_boards,
    render,
)
from collectors.proxy.routes import Allowance, Destination, Party
from collectors.proxy.tap import Tap
from tests.collectors.proxy.kit import FakeJournal

HEAD = parse_request_head(b"GET /x?page=2 HTTP/1.1\r\nHost: a\r\nAccept: x\r\nCookie: c\r\n\r\n")


GLOBEX = Party("globex", None, None, Allowance(1, 1, 1, 1, 1), Limits())
DESTINATION = Destination(GLOBEX, Direction.OUTBOUND, Kind.REQUEST, "", "/x")
CONTEXT = Context("i", "c", "o", "d", 2)


@dataclasses.dataclass
class Settled:
    id: bytes = b"\1" * 16
    started_us: int = 61_000_000
    destination: Destination = DESTINATION
    context: Context = CONTEXT
    head: object = HEAD
    answer: object = None
    status: int = 200
    queue_us: int = 1
    connect_us: int = 2
    tls_us: int = 3
    first_byte_us: int = 4
    total_us: int = 5
    request_bytes: int = 6
    response_bytes: int = 7
    request_start: bytes = b"req"
    response_start: bytes = b"res"
    trace_id: str = "t"


def tap_of(journal, counts, capture_ratio):
    return Tap(journal, counts, capture_ratio, lambda: None)


def record(tap, outcome=Outcome.OK, code="", detail="", **facts):
    tap.record(Settled(**facts), outcome, code, detail)
    tap.commit()


def test_a_record_says_what_the_exchange_said():
    journal, counts = FakeJournal(), [0] * SIZE
    record(tap_of(journal, counts, 0), Outcome.TIMEOUT, "idle_timeout", "d" * 900)
    (found,) = journal.exchanges
    assert (found.integration, found.installation, found.customer) == ("globex", "i", "c")
    assert (found.operation, found.delivery, found.attempt) == ("o", "d", 2)
    assert (found.queue_us, found.connect_us, found.tls_us) == (1, 2, 3)
    assert (found.first_byte_us, found.total_us) == (4, 5)
    assert (found.request_bytes, found.response_bytes, found.trace_id) == (6, 7, "t")
    assert (found.outcome, found.error, len(found.error_detail)) == (3, "idle_timeout", 500)
    assert found.capture.request_headers == [("Accept", "x"), ("Cookie", "c")]
    assert found.capture.query == b"page=2"
    assert (found.capture.request_body, found.capture.response_body) == (b"req", b"res")


def test_which_successes_are_captured_follows_from_their_ids():
    chosen = []
    for _ in range(2):
        journal = FakeJournal()
        tap = tap_of(journal, [0] * SIZE, 0.1)
        for number in range(500):
            record(tap, id=number.to_bytes(16, "big"))
        chosen.append([r.id for r in journal.exchanges if r.capture])
    assert chosen[0] == chosen[1]
    assert 20 < len(chosen[0]) < 90


@pytest.mark.parametrize(
    ("policy", "outcome", "captured"),
    [
        (CapturePolicy.SAMPLE, Outcome.OK, True),
        (CapturePolicy.SAMPLE, Outcome.TIMEOUT, True),
        (CapturePolicy.FAILURES, Outcome.OK, False),
        (CapturePolicy.FAILURES, Outcome.TIMEOUT, True),
        (CapturePolicy.NONE, Outcome.OK, False),
        (CapturePolicy.NONE, Outcome.TIMEOUT, False),
    ],
)
def test_an_integration_says_what_may_be_captured(policy, outcome, captured):
    journal, counts = FakeJournal(), [0] * SIZE
    found = replace(DESTINATION, party=replace(GLOBEX, capture=policy))
    record(tap_of(journal, counts, 1), outcome, destination=found)
    assert (journal.exchanges[0].capture is not None) == captured
    assert counts[CAPTURED] == captured


def test_of_a_captured_header_no_more_is_kept_than_a_credential_needs():
    journal = FakeJournal()
    head = parse_request_head(b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: %b\r\n\r\n" % (b"x" * 9000))
    record(tap_of(journal, [0] * SIZE, 1), head=head)
    assert journal.exchanges[0].capture.request_headers == [("X-Long", "x" * 4096)]


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 2), st.integers(0, 1))))
def test_proxied_is_recorded_plus_shed_and_no_loss_is_forgotten(steps):
    journal, counts = FakeJournal(), [0] * SIZE
    tap = tap_of(journal, counts, 0)
    for made, (full, flush, minute, direction) in enumerate(steps, 1):
        found = replace(Settled().destination, direction=Direction(direction))
        tap.record(
            Settled(started_us=minute * 60_000_000 + 5, destination=found), Outcome.OK, "", ""
        )
        if flush:
            journal.full = full
            tap.commit()
            tap.flush_losses()
            assert counts[PROXIED] + counts[PROXIED + 1] == made
        for side in Direction:
            assert counts[PROXIED + side] == counts[RECORDED + side] + counts[SHED + side]
        journaled = sum(loss.count for loss in journal.losses)
        assert journaled + tap.pending == counts[SHED] + counts[SHED + 1]
    journal.full = False
    tap.commit()
    assert tap.flush_losses()
    assert sum(loss.count for loss in journal.losses) == counts[SHED] + counts[SHED + 1]
    assert len(journal.exchanges) == counts[RECORDED] + counts[RECORDED + 1]


def test_losses_of_a_long_time_are_kept_by_the_hour(monkeypatch):
    monkeypatch.setattr(tap_module, "_FINE_LOSSES", 10)
    journal = FakeJournal()
    journal.full = True
    tap = tap_of(journal, [0] * SIZE, 0)
    for minute in range(600):
        record(tap, started_us=minute * 60_000_000)
    assert tap.pending == 600
    assert len(tap._losses) < 10 + 10
    journal.full = False
    assert tap.flush_losses()
    assert sum(loss.count for loss in journal.losses) == 600


def test_metrics_have_every_worker(tmp_path):
    for number in range(2):
        board = Board(tmp_path / "b" / f"worker-{number}.board")
        board.publish([number + 1] * SIZE)
        board.close()
    text = render(read_boards(tmp_path / "b"), {}).decode()
    assert 'midspan_proxied_total{direction="outbound",worker="worker-0"} 1\n' in text
    assert 'midspan_shed_total{direction="inbound",worker="worker-1"} 2\n' in text
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    forget_boards(tmp_path / "b", workers=1)
    assert list(read_boards(tmp_path / "b")) == ["worker-0"]


def test_a_damaged_board_is_left_out(tmp_path):
    (tmp_path / "x.board").write_bytes(b"short")
    assert read_boards(tmp_path) == {}


def test_a_board_is_never_seen_half_written(tmp_path):
    board = Board(tmp_path / "w.board")
    stop = threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            number += 1
            board.publish([number] * SIZE)

    writing = threading.Thread(target=write)
    writing.start()
    try:
        for _ in range(2000):
            for counts in read_boards(tmp_path).values():
                assert len(set(counts)) == 1
    finally:
        stop.set()
        writing.join()
        board.close()
