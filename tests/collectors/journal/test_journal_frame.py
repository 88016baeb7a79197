"""Frames: what passes the check, and how the next one is found behind damage."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.journal.frame import (
    HEADER_BYTES,
    MAX_PAYLOAD_BYTES,
    Frame,
    decode_begin,
    encode,
    encode_begin,
    resync,
    take,
)

FIRST = 1_795_354_710_717_851
EVERYTHING = 1 << 62

some_frames = st.lists(st.tuples(st.integers(1, 255), st.binary(max_size=60)), max_size=20)


def image(frames: list[Frame], first: int = FIRST) -> bytes:
    return b"".join(
        encode(frame_type, first + index, payload)
        for index, (frame_type, payload) in enumerate(frames)
    )


def scan(data: bytes, sequence: int = FIRST) -> tuple[list[Frame], int]:
    """All frames that can be had, and how many sequences are missing between them."""
    frames: list[Frame] = []
    offset = lost = 0
    while True:
        offset, sequence = take(data, offset, sequence, frames, limit=EVERYTHING, stop=EVERYTHING)
        offset, found = resync(data, offset, sequence, sequence + len(data) // HEADER_BYTES)
        if found is None:
            return frames, lost
        lost += found - sequence
        sequence = found


def test_the_format_on_disk_does_not_change_by_accident() -> None:
    assert encode(2, 0x0807060504030201, b"payload").hex(" ") == (
        "7e 2b 13 b4 4d 4a 31 02 07 00 00 00 01 02 03 04 05 06 07 08 70 61 79 6c 6f 61 64"
    )
    assert encode_begin(3, 2)[4:].hex(" ") == (
        "4d 4a 31 00 08 00 00 00 03 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00"
    )


@given(some_frames)
def test_what_is_encoded_is_taken_in_order(frames: list[Frame]) -> None:
    assert scan(image(frames)) == (frames, 0)


@given(some_frames)
def test_a_journal_cut_anywhere_reads_as_a_prefix(frames: list[Frame]) -> None:
    data = image(frames)
    ends = [len(image(frames[:count])) for count in range(len(frames) + 1)]
    for cut in range(len(data) + 1):
        whole = sum(end <= cut for end in ends) - 1
        assert scan(data[:cut]) == (frames[:whole], 0)


@given(some_frames, st.binary(max_size=200), some_frames)
def test_garbage_between_frames_is_passed(
    before: list[Frame], garbage: bytes, after: list[Frame]
) -> None:
    data = image(before) + garbage + image(after, FIRST + len(before))
    assert scan(data) == (before + after, 0)


def test_a_flip_of_any_bit_of_any_byte_costs_at_most_the_record_it_hits() -> None:
    rng = random.Random(20)
    frames = [(1 + index % 3, rng.randbytes(rng.randrange(40))) for index in range(1000)]
    data = image(frames)
    starts = [0]
    for _, payload in frames:
        starts.append(starts[-1] + HEADER_BYTES + len(payload))
    for hit in range(1000):
        # What lies before the hit frame is read before it, so a window behind it says all.
        until = min(hit + 4, 1000)
        window = data[starts[hit] : starts[until]]
        for at in range(starts[hit + 1] - starts[hit]):
            flipped = bytearray(window)
            flipped[at] ^= 1 << rng.randrange(8)
            survivors = frames[hit + 1 : until]
            lost = 1 if survivors else 0
            assert scan(bytes(flipped), FIRST + hit) == (survivors, lost), (hit, at)


def test_a_flip_in_a_whole_segment_costs_one_record_and_is_counted() -> None:
    rng = random.Random(21)
    frames = [(1, rng.randbytes(rng.randrange(300))) for _ in range(1000)]
    data = image(frames)
    for _ in range(100):
        flipped = bytearray(data)
        flipped[rng.randrange(len(data) - 400)] ^= 1 << rng.randrange(8)
        found, lost = scan(bytes(flipped))
        assert len(found) == 999
        assert lost == 1
        assert set(found) <= set(frames)


@pytest.mark.parametrize("count", [1, 19, 20, 21, 512, 4096, 100_000])
def test_zeros_are_never_a_frame(count: int) -> None:
    frames = [(1, b"real")]
    assert scan(image(frames) + bytes(count)) == (frames, 0)
    assert scan(bytes(count), sequence=0) == ([], 0)


def test_the_image_of_a_frame_in_a_damaged_payload_is_not_taken_for_one() -> None:
    forged = encode(1, 7, b"forged") + encode(1, FIRST - 1, b"forged") + encode(1, 2**63, b"forged")
    damaged = bytearray(encode(1, FIRST, forged))
    damaged[8] ^= 1
    assert scan(bytes(damaged) + encode(1, FIRST + 1, b"real")) == ([(1, b"real")], 1)


def test_a_frame_that_may_still_be_completed_is_not_passed() -> None:
    whole = encode(1, FIRST + 1, b"x" * 50)
    data = b"garbage" + whole[:-1]
    assert resync(data, 0, FIRST, FIRST + 9) == (7, None)
    assert resync(b"garbage" + whole, 0, FIRST, FIRST + 9) == (7, FIRST + 1)


def test_a_header_cut_short_is_not_passed() -> None:
    data = b"garbage" + encode(1, FIRST, b"")[:10]
    offset, sequence = resync(data, 0, FIRST, FIRST + 9)
    assert sequence is None
    assert offset <= 7


def test_a_length_no_payload_may_have_is_no_promise_of_more() -> None:
    absurd = encode(1, FIRST, bytes(MAX_PAYLOAD_BYTES + 1))[:2000]
    offset, sequence = resync(absurd, 0, FIRST, FIRST + 9)
    assert (offset, sequence) == (2000 - HEADER_BYTES + 1, None)


def test_take_stops_at_its_limits() -> None:
    data = image([(1, bytes(10))] * 10)
    for limit, stop, count in [
        (3, EVERYTHING, 3),
        (99, 1, 1),
        (99, 30, 1),
        (99, 31, 2),
        (99, 0, 0),
    ]:
        frames: list[Frame] = []
        offset, sequence = take(data, 0, FIRST, frames, limit=limit, stop=stop)
        assert (len(frames), offset, sequence) == (count, count * 30, FIRST + count)


def test_a_begin_frame_tells_what_lay_before_and_belongs_to_its_segment() -> None:
    data = encode_begin(FIRST, FIRST - 5)
    assert decode_begin(data, FIRST) == FIRST - 5
    assert decode_begin(data, FIRST + 1) is None
    assert decode_begin(encode(1, FIRST, bytes(8)), FIRST) is None
    assert decode_begin(data[:-1], FIRST) is None
