"""Frames that are records, and those that are none."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.journal import EXCHANGE, LOSS
from collectors.loader.decode import decode
from collectors.record import Capture, Loss
from tests.collectors.loader.loader_fakes import encode, exchange

CAPTURED = exchange(capture=Capture([("a", "b")], b"\x00\xff", [], b""))


def fields(record: object) -> tuple:
    return msgspec.structs.astuple(record)


def test_records_come_out_as_they_were_written():
    loss = Loss(60_000_000, "globex", 0, 1, 5)
    plain = exchange()
    frames = [(EXCHANGE, encode(plain)), (LOSS, encode(loss)), (EXCHANGE, encode(CAPTURED))]
    exchanges, losses, rejected = decode(frames)
    assert [fields(each) for each in exchanges] == [fields(plain), fields(CAPTURED)]
    assert [fields(each) for each in losses] == [fields(loss)]
    assert not rejected


def test_a_record_of_an_older_version_reads_with_defaults_and_of_a_newer_one_without_its_news():
    older = encode(list(fields(exchange()))[:-1])
    newer = encode([*fields(exchange()), "from the future"])
    exchanges, _, rejected = decode([(EXCHANGE, older), (EXCHANGE, newer)])
    assert [each.capture for each in exchanges] == [None, None]
    assert not rejected


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ((EXCHANGE, b""), "undecodable_exchange"),
        ((EXCHANGE, b"\xc1"), "undecodable_exchange"),
        ((EXCHANGE, encode([])), "undecodable_exchange"),
        ((EXCHANGE, encode(exchange())[:-4]), "undecodable_exchange"),
        (
            (EXCHANGE, encode(exchange()).replace(b"globex", b"glob\xff\xfe")),
            "undecodable_exchange",
        ),
        ((EXCHANGE, encode(exchange(total_us=2**63))), "undecodable_exchange"),
        ((EXCHANGE, encode(exchange(status=2**40))), "undecodable_exchange"),
        ((EXCHANGE, encode(exchange(-5, id=b"x" * 16))), "undecodable_exchange"),
        ((EXCHANGE, encode(exchange(2**60, id=b"x" * 16))), "undecodable_exchange"),
        ((EXCHANGE, encode(exchange(id=b"short"))), "undecodable_exchange"),
        ((LOSS, encode(Loss(0, "globex", 0, 0, -1))), "undecodable_loss"),
        ((LOSS, b"\x00"), "undecodable_loss"),
        ((7, encode(exchange())), "unknown_frame"),
    ],
    ids=range(13),
)
def test_what_is_no_record_is_counted_with_a_reason_and_stops_nothing(frame, reason):
    exchanges, losses, rejected = decode([frame, (EXCHANGE, encode(exchange()))])
    assert (len(exchanges), losses, rejected) == (1, [], {reason: 1})


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=60)), max_size=20))
def test_no_frame_is_fatal_and_each_is_accounted_for(frames):
    exchanges, losses, rejected = decode(frames)
    assert len(exchanges) + len(losses) + rejected.total() == len(frames)
