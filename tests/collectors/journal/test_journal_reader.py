"""The reader: where it goes on, what it passes over and how it counts that."""

import os
from pathlib import Path

import pytest

from app.errors import Unavailable
from collectors.journal import EXCHANGE, LOSS, MAX_PAYLOAD_BYTES, Position, Reader, Skip, journals
from collectors.journal.frame import BEGIN_BYTES, HEADER_BYTES, encode
from tests.collectors.journal.journal_faults import open_writer, read_all, segments

FRAME_BYTES = HEADER_BYTES + 5
PER_SEGMENT = 14


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal" / "worker-0"


def record(index: int) -> bytes:
    return f"r{index:04d}".encode()


def records(*indexes: int) -> list[bytes]:
    return [record(index) for index in indexes]


def write(folder: Path, first: int, count: int, now_us: int = 1) -> None:
    with open_writer(folder, now_us=now_us) as writer:
        for index in range(first, first + count):
            assert writer.append(EXCHANGE, record(index))


def offset_of(index: int) -> int:
    """Where a record of the first segment begins."""
    return BEGIN_BYTES + index * FRAME_BYTES


def damage(path: Path, offset: int, count: int = 1) -> None:
    data = bytearray(path.read_bytes())
    for at in range(offset, offset + count):
        data[at] ^= 0x55
    path.write_bytes(data)


def test_a_journal_not_begun_has_nothing(folder: Path) -> None:
    reader = Reader(folder)
    assert reader.read() == ([], Position(0, 0, 0), ())
    assert reader.lag_bytes() == 0
    assert reader.drop_loaded(Position(5, 0, 5)) == 0
    assert journals(folder.parent) == []


def test_journals_are_the_folders_by_name(folder: Path) -> None:
    for name in ("worker-1", "worker-0"):
        write(folder.parent / name, 0, 1)
    (folder.parent / "notes.txt").write_text("")
    assert [path.name for path in journals(folder.parent)] == ["worker-0", "worker-1"]


def test_types_and_payloads_come_back_as_written(folder: Path) -> None:
    with open_writer(folder) as writer:
        writer.append(EXCHANGE, b"one")
        writer.append(LOSS, b"")
        writer.append(255, b"two")
        assert Reader(folder).read().frames == [(EXCHANGE, b"one"), (LOSS, b""), (255, b"two")]


@pytest.mark.parametrize("max_frames", [1, 3, PER_SEGMENT, 99])
def test_reading_goes_on_exactly_where_the_position_says(folder: Path, max_frames: int) -> None:
    write(folder, 0, 50)
    position, found = None, []
    while True:
        result = Reader(folder, position).read(max_frames)
        if not result.frames:
            break
        assert len(result.frames) <= max_frames
        found += [payload for _, payload in result.frames]
        position = result.position
    assert found == records(*range(50))


def test_a_reader_set_back_reads_the_same_again(folder: Path) -> None:
    write(folder, 0, 40)
    reader = Reader(folder)
    committed = reader.read(10).position
    again = reader.read(10)
    reader.position = committed
    assert reader.read(10) == again


def test_a_read_ends_with_the_record_that_reaches_its_bytes(folder: Path) -> None:
    write(folder, 0, 10)
    assert len(Reader(folder).read(max_bytes=1).frames) == 1
    assert len(Reader(folder).read(max_bytes=3 * FRAME_BYTES).frames) == 3
    assert len(Reader(folder).read(max_bytes=3 * FRAME_BYTES + 1).frames) == 4


def test_the_longest_records_are_read_across_blocks(folder: Path) -> None:
    payloads = [bytes([index]) * (MAX_PAYLOAD_BYTES - index) for index in range(5)]
    with open_writer(folder, segment_bytes=1 << 24) as writer:
        assert all(writer.append(EXCHANGE, payload) for payload in payloads)
    assert read_all(folder)[:2] == (payloads, [])


def test_records_and_segments_written_later_are_seen(folder: Path) -> None:
    reader = Reader(folder)
    with open_writer(folder) as writer:
        for index in range(100):
            writer.append(EXCHANGE, record(index))
            assert reader.read().frames == [(EXCHANGE, record(index))]
            assert reader.read().frames == []
            assert reader.lag_bytes() == 0
    assert reader.position.segment == int(segments(folder)[-1].stem)


def test_lag_is_what_lies_behind_the_position(folder: Path) -> None:
    write(folder, 0, 40)
    total = sum(path.stat().st_size for path in segments(folder))
    reader = Reader(folder)
    assert reader.lag_bytes() == total
    reader.read(3)
    assert reader.lag_bytes() == total - BEGIN_BYTES - 3 * FRAME_BYTES


def test_dropping_never_removes_what_is_unread_nor_the_newest_segment(folder: Path) -> None:
    write(folder, 0, 60)
    for count in range(0, 61, 5):
        reader = Reader(folder)
        before = len(segments(folder))
        kept = read_all(folder, reader.read(count).position)[0] if count else read_all(folder)[0]
        position = reader.position
        dropped = reader.drop_loaded(position)
        assert len(segments(folder)) == before - dropped >= 1
        assert read_all(folder, position)[0] == kept
        if dropped:
            break
    reader = Reader(folder, read_all(folder)[2])
    reader.drop_loaded(reader.position)
    assert len(segments(folder)) == 1
    assert reader.drop_loaded(Position(2**63, 0, 0)) == 0


def test_a_damaged_record_is_passed_and_counted_with_its_place(folder: Path) -> None:
    write(folder, 0, 10)
    damage(segments(folder)[0], offset_of(4) + 7)
    payloads, skips, _ = read_all(folder)
    assert payloads == records(0, 1, 2, 3, 5, 6, 7, 8, 9)
    assert skips == [Skip("damaged", 1, offset_of(4), FRAME_BYTES, 1)]


def test_damage_over_several_records_is_one_skip(folder: Path) -> None:
    write(folder, 0, 10)
    damage(segments(folder)[0], offset_of(4), 3 * FRAME_BYTES)
    payloads, skips, _ = read_all(folder, max_frames=1)
    assert payloads == records(0, 1, 2, 3, 7, 8, 9)
    assert skips == [Skip("damaged", 1, offset_of(4), 3 * FRAME_BYTES, 3)]


def test_a_damaged_first_frame_costs_no_record(folder: Path) -> None:
    write(folder, 0, 20)
    for path in segments(folder):
        damage(path, 3)
    payloads, skips, _ = read_all(folder)
    assert payloads == records(*range(20))
    assert [(skip.bytes, skip.records) for skip in skips] == [(BEGIN_BYTES, 0)] * 2


def test_the_end_of_the_newest_segment_is_not_yet_there(folder: Path) -> None:
    write(folder, 0, 5)
    newest = segments(folder)[0]
    whole = newest.read_bytes()
    for cut in range(len(whole)):
        newest.write_bytes(whole[:cut])
        reader = Reader(folder)
        found = reader.read()
        assert found.skipped == ()
        newest.write_bytes(whole)
        rest = reader.read()
        assert found.frames + rest.frames == [(EXCHANGE, payload) for payload in records(*range(5))]
        assert rest.skipped == ()


@pytest.mark.parametrize("torn", [b"\0", b"\0" * 19, b"\0" * 4096, b"MJ1" * 50, b"\x01" * 21])
def test_the_torn_end_of_an_older_segment_is_passed_and_counted(folder: Path, torn: bytes) -> None:
    write(folder, 0, 5)
    with segments(folder)[0].open("ab") as file:
        file.write(torn)
    reader = Reader(folder)
    assert reader.read().skipped == ()
    write(folder, 5, 5, now_us=100)
    result = reader.read()
    assert [payload for _, payload in result.frames] == records(5, 6, 7, 8, 9)
    assert result.skipped == (Skip("torn", 1, offset_of(5), len(torn), 0),)


def test_a_record_damaged_at_the_end_of_a_segment_is_missed_at_the_next(folder: Path) -> None:
    write(folder, 0, 20)
    damage(segments(folder)[0], offset_of(PER_SEGMENT - 1))
    payloads, skips, _ = read_all(folder)
    assert payloads == records(*range(PER_SEGMENT - 1), *range(PER_SEGMENT, 20))
    assert skips == [
        Skip("torn", 1, offset_of(PER_SEGMENT - 1), FRAME_BYTES, 0),
        Skip("missing", 1 + PER_SEGMENT, 0, 0, 1),
    ]


def test_a_body_that_contains_frames_of_later_records_forges_none(folder: Path) -> None:
    forged = b"".join(encode(EXCHANGE, sequence, b"forged") for sequence in (40, 10**6, 2**60))
    with open_writer(folder, now_us=1) as writer:
        for payload in (b"real 0", forged, b"real 2"):
            assert writer.append(EXCHANGE, payload)
    damage(segments(folder)[0], BEGIN_BYTES + HEADER_BYTES + 6 + 8)
    payloads, skips, _ = read_all(folder)
    assert payloads == [b"real 0", b"real 2"]
    assert [skip.records for skip in skips] == [1]


def test_damage_larger_than_a_block_is_passed(folder: Path) -> None:
    block = 2 * MAX_PAYLOAD_BYTES
    with open_writer(folder, segment_bytes=1 << 24) as writer:
        for index in range(7):
            writer.append(EXCHANGE, bytes([index]) * (MAX_PAYLOAD_BYTES - 9))
    path = segments(folder)[0]
    damage(path, BEGIN_BYTES + MAX_PAYLOAD_BYTES + 99, block + 5000)
    payloads, skips, _ = read_all(folder)
    assert [payload[0] for payload in payloads] == [0, 4, 5, 6]
    assert {skip.reason for skip in skips} == {"damaged"}
    assert sum(skip.records for skip in skips) == 3
    assert sum(skip.bytes for skip in skips) == 3 * (MAX_PAYLOAD_BYTES - 9 + HEADER_BYTES)


def test_a_deleted_segment_is_missing_by_its_records(folder: Path) -> None:
    write(folder, 0, 50)
    reader = Reader(folder)
    reader.read(5)
    first, second, third = segments(folder)[:3]
    first.unlink()
    second.unlink()
    result = reader.read()
    assert [payload for _, payload in result.frames] == records(*range(2 * PER_SEGMENT, 50))
    assert result.skipped == (Skip("missing", int(third.stem), 0, 0, 2 * PER_SEGMENT - 5),)


def test_a_new_writer_after_a_loss_is_no_gap_beyond_what_is_known(folder: Path) -> None:
    write(folder, 0, 5, now_us=1)
    write(folder, 5, 5, now_us=1_000_000)
    segments(folder)[0].unlink()
    assert read_all(folder, Position(1, offset_of(2), 3))[1] == [
        Skip("missing", 1_000_000, 0, 0, 3)
    ]
    assert read_all(folder, Position(1, offset_of(5), 6))[1] == []
    assert read_all(folder, Position(1, offset_of(50), 51))[:2] == (records(5, 6, 7, 8, 9), [])


def test_segments_already_loaded_are_not_read_again(folder: Path) -> None:
    write(folder, 0, 50)
    assert read_all(folder, Position(2**62, 0, 2**62))[0] == []


def test_other_files_in_the_folder_are_none_of_its_business(folder: Path) -> None:
    write(folder, 0, 3)
    for name in ("notes.seg", "1.seg", f"{1:020d}.seg.bak", f"{7:020d}.tmp"):
        (folder / name).write_bytes(b"not a segment")
    assert read_all(folder)[:2] == (records(0, 1, 2), [])


def test_a_torn_end_that_is_cut_off_while_it_is_read_is_no_damage(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, 0, 3)
    newest, pread = segments(folder)[0], os.pread
    with newest.open("ab") as file:
        file.write(b"torn")

    def read_after_the_cut(descriptor: int, count: int, offset: int) -> bytes:
        os.truncate(newest, offset_of(3))
        return pread(descriptor, count, offset)

    monkeypatch.setattr(os, "pread", read_after_the_cut)
    payloads, skips, position = read_all(folder)
    assert (payloads, skips, position.offset) == (records(0, 1, 2), [], offset_of(3))


def test_a_page_that_cannot_be_read_is_an_error_and_not_passed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, 0, 10)
    bad, pread = offset_of(5) + 3, os.pread

    def read_up_to_the_bad_page(descriptor: int, count: int, offset: int) -> bytes:
        if offset >= bad:
            raise OSError(5, "Input/output error")
        return pread(descriptor, min(count, bad - offset), offset)

    reader = Reader(folder)
    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", read_up_to_the_bad_page)
        assert [payload for _, payload in reader.read().frames] == records(0, 1, 2, 3, 4)
        for _ in range(2):
            with pytest.raises(Unavailable, match="Input/output error"):
                reader.read()
    result = reader.read()
    assert ([payload for _, payload in result.frames], result.skipped) == (
        records(5, 6, 7, 8, 9),
        (),
    )


def test_a_disk_that_fails_to_read_is_an_error_worth_trying_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, 0, 3)
    reader = Reader(folder)

    def fail(*_: int) -> bytes:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", fail)
        with pytest.raises(Unavailable, match="Input/output error"):
            reader.read()
    assert [payload for _, payload in reader.read().frames] == records(0, 1, 2)
