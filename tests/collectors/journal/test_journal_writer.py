"""The writer: what it refuses and why, how it recovers, what it leaves on disk."""

import errno
import os
import random
import shutil
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import MidspanError
from collectors.journal import EXCHANGE, MAX_PAYLOAD_BYTES, Position, Reader, Writer
from collectors.journal.frame import BEGIN_BYTES, HEADER_BYTES
from collectors.journal.writer import REST_S, RETRY_S
from tests.collectors.journal.journal_faults import (
    SEGMENT_BYTES,
    FaultyDisk,
    HandClock,
    kill,
    open_writer,
    read_all,
    segments,
    wait_until,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal" / "worker-0"


def fill(writer: Writer, count: int, name: str = "r") -> list[bytes]:
    """Append `count` records; those that were taken."""
    payloads = [f"{name}{index:04d}".encode() for index in range(count)]
    return [payload for payload in payloads if writer.append(EXCHANGE, payload)]


def test_what_is_appended_is_read_in_order_across_segments(folder: Path) -> None:
    with open_writer(folder) as writer:
        taken = fill(writer, 100)
        assert writer.stats.segments == len(segments(folder)) > 5
    assert len(taken) == 100
    assert read_all(folder)[:2] == (taken, [])
    assert all(path.stat().st_size <= SEGMENT_BYTES for path in segments(folder))


def test_one_record_is_one_write(folder: Path) -> None:
    disk = FaultyDisk()
    with open_writer(folder, disk, segment_bytes=1 << 20) as writer:
        fill(writer, 1)
        disk.calls.clear()
        fill(writer, 50)
        assert disk.calls == ["write"] * 50


def test_only_the_owner_may_read_a_journal(folder: Path) -> None:
    with open_writer(folder) as writer:
        fill(writer, 1)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600] * 2


def test_a_quiet_journal_does_not_keep_what_was_loaded(folder: Path) -> None:
    clock = HandClock()
    with open_writer(folder, clock=clock, segment_bytes=1 << 20) as writer:
        taken = fill(writer, 3)
        clock.now = REST_S - 1
        writer.rest()
        assert len(segments(folder)) == 1
        clock.now = REST_S
        writer.rest()
        reader = Reader(folder)
        assert [payload for _, payload in reader.read().frames] == taken
        assert reader.drop_loaded(reader.position) == 1
        clock.now = 9 * REST_S
        writer.rest()
        assert [path.stat().st_size for path in segments(folder)] == [BEGIN_BYTES]
        taken = fill(writer, 2)
        assert [payload for _, payload in reader.read().frames] == taken


def test_a_journal_with_a_backlog_does_not_rest(folder: Path) -> None:
    clock = HandClock()
    with open_writer(folder, clock=clock) as writer:
        fill(writer, 30)
        before = segments(folder)
        assert len(before) > 1
        clock.now = REST_S
        writer.rest()
        assert segments(folder) == before


def test_a_journal_that_cannot_rest_goes_on_when_the_disk_is_well(folder: Path) -> None:
    clock, disk = HandClock(), FaultyDisk()
    with open_writer(folder, disk, clock, segment_bytes=1 << 20) as writer:
        taken = fill(writer, 3)
        disk.failing = {"create": errno.ENOSPC}
        clock.now = REST_S
        writer.rest()
        disk.failing = {}
        clock.now += RETRY_S
        taken += fill(writer, 3, "s")
        assert len(taken) == 6
    assert read_all(folder)[:2] == (taken, [])


def test_a_segment_is_named_by_its_first_sequence(folder: Path) -> None:
    with open_writer(folder, now_us=77) as writer:
        fill(writer, 20)
        first, second = segments(folder)[:2]
    per_segment = (SEGMENT_BYTES - BEGIN_BYTES) // (HEADER_BYTES + 5)
    assert (first.name, second.name) == (f"{77:020d}.seg", f"{77 + per_segment:020d}.seg")


def test_a_writer_that_recorded_nothing_leaves_no_segment(folder: Path) -> None:
    with open_writer(folder):
        pass
    assert segments(folder) == []


def test_a_second_writer_is_refused_in_one_line_until_the_first_is_gone(folder: Path) -> None:
    with open_writer(folder), pytest.raises(MidspanError, match="another process") as refused:
        open_writer(folder)
    assert "\n" not in str(refused.value)
    open_writer(folder).close()


def test_a_home_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("a file where the folder should be")
    with pytest.raises(MidspanError, match="cannot write the journal") as refused:
        open_writer(tmp_path / "journal" / "worker-0")
    assert "\n" not in str(refused.value)


def test_a_new_writer_goes_on_behind_the_last_one_in_a_segment_of_its_own(folder: Path) -> None:
    with open_writer(folder, segment_bytes=1 << 20, now_us=100) as writer:
        first = fill(writer, 5, "a")
    with open_writer(folder, segment_bytes=1 << 20, now_us=500) as writer:
        second = fill(writer, 5, "b")
    assert [int(path.stem) for path in segments(folder)] == [100, 500]
    assert read_all(folder)[:2] == (first + second, [])


def test_sequences_rise_even_if_the_clock_was_set_back(folder: Path) -> None:
    taken: list[bytes] = []
    for now_us in (10**9, 5, 10**9, 0):
        with open_writer(folder, now_us=now_us) as writer:
            taken += fill(writer, 30, f"{now_us}-{len(taken)}-")
    assert read_all(folder)[:2] == (taken, [])


@pytest.mark.parametrize("left", [b"", b"\0" * 10, b"\0" * 5000, b"garbage" * 99])
def test_a_newest_segment_without_a_sound_record_does_not_stop_the_next_writer(
    folder: Path, left: bytes
) -> None:
    folder.mkdir(parents=True)
    (folder / f"{400:020d}.seg").write_bytes(left)
    with open_writer(folder, now_us=400) as writer:
        taken = fill(writer, 3)
    payloads, skips, _ = read_all(folder)
    assert payloads == taken
    assert [(skip.reason, skip.bytes, skip.records) for skip in skips] == (
        [("torn", len(left), 0)] if left else []
    )


def test_a_newest_segment_that_cannot_be_read_does_not_stop_the_next_writer(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_writer(folder, now_us=5) as writer:
        taken = fill(writer, 5, "a")

    def fail(*_: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", fail)
        second = open_writer(folder, now_us=5)
    with second:
        taken += fill(second, 5, "b")
    assert len(taken) == 10
    assert read_all(folder)[:2] == (taken, [])


def test_a_disk_full_at_the_start_is_no_gap(folder: Path) -> None:
    with open_writer(folder) as writer:
        taken = fill(writer, 5, "a")
    disk, clock = FaultyDisk(BEGIN_BYTES), HandClock()
    with open_writer(folder, disk, clock, now_us=10**9) as writer:
        assert fill(writer, 5) == []
        disk.left = None
        clock.now += RETRY_S
        taken += fill(writer, 5, "b")
    assert read_all(folder)[:2] == (taken, [])


def test_a_record_too_large_is_refused_and_the_next_one_taken(folder: Path) -> None:
    with open_writer(folder) as writer:
        assert not writer.append(EXCHANGE, bytes(MAX_PAYLOAD_BYTES + 1))
        assert writer.append(EXCHANGE, bytes(MAX_PAYLOAD_BYTES))
        assert writer.append(EXCHANGE, b"small")
        assert not writer.append(EXCHANGE, bytes(MAX_PAYLOAD_BYTES + 1))
        assert writer.stats.refused == {"too_large": 2}
        assert writer.stats.blocked is None
    payloads, skips, _ = read_all(folder)
    assert ([len(payload) for payload in payloads], skips) == ([MAX_PAYLOAD_BYTES, 5], [])


@pytest.mark.parametrize("capacity", range(0, 1100, 7))
def test_a_disk_full_anywhere_costs_only_what_was_refused(folder: Path, capacity: int) -> None:
    disk, clock = FaultyDisk(capacity), HandClock()
    with open_writer(folder, disk, clock) as writer:
        taken = fill(writer, 50, "a")
        assert len(taken) < 50
        assert writer.stats.blocked in {"short_write", "no_space"}
        clock.now += RETRY_S
        taken += fill(writer, 5, "b")
        disk.left = None
        clock.now += RETRY_S
        after = fill(writer, 5, "c")
        stats = writer.stats
    assert len(after) == 5
    assert stats.blocked is None
    assert stats.appended_frames == len(taken) + 5
    assert stats.appended_frames + sum(stats.refused.values()) == 60
    assert read_all(folder)[:2] == (taken + after, [])


def test_a_blocked_journal_refuses_without_touching_the_disk_and_tries_twice_a_second(
    folder: Path,
) -> None:
    disk, clock = FaultyDisk(0), HandClock()
    with open_writer(folder, disk, clock) as writer:
        fill(writer, 1)
        disk.calls.clear()
        fill(writer, 100)
        assert disk.calls == []
        clock.now += RETRY_S
        fill(writer, 100)
        assert disk.calls == ["create", "write", "unlink"]
    assert segments(folder) == []


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ENOSPC, "no_space"),
        (errno.EDQUOT, "quota"),
        (errno.EFBIG, "file_too_large"),
        (errno.EIO, "io_error"),
        (errno.EROFS, "read_only"),
        (errno.ENODEV, "enodev"),
    ],
)
@pytest.mark.parametrize("call", ["write", "create"])
def test_every_error_of_the_disk_has_a_name_and_passes(
    folder: Path, code: int, reason: str, call: str
) -> None:
    disk, clock = FaultyDisk(), HandClock()
    with open_writer(folder, disk, clock) as writer:
        taken = fill(writer, 3, "a")
        disk.failing = {call: code}
        taken += fill(writer, 30, "b")
        assert writer.stats.blocked == reason
        assert set(writer.stats.refused) == {reason}
        disk.failing = {}
        assert fill(writer, 1, "too soon") == []
        clock.now += RETRY_S
        taken += fill(writer, 30, "c")
        assert writer.stats.blocked is None
    assert read_all(folder)[:2] == (taken, [])
    assert taken[-1] == b"c0029"


def test_a_failed_write_that_cannot_be_cut_off_is_torn_and_hides_nothing(folder: Path) -> None:
    disk, clock = FaultyDisk(200), HandClock()
    with open_writer(folder, disk, clock) as writer:
        disk.failing = {"truncate": errno.EIO}
        taken = fill(writer, 20, "a")
        disk.failing, disk.left = {}, None
        clock.now += RETRY_S
        taken += fill(writer, 20, "b")
        assert writer.stats.cut_errors == 1
    payloads, skips, _ = read_all(folder)
    assert payloads == taken
    assert [(skip.reason, skip.records) for skip in skips] == [("torn", 0)]


def test_an_empty_segment_that_cannot_be_deleted_is_left_behind(folder: Path) -> None:
    disk, clock = FaultyDisk(BEGIN_BYTES), HandClock()
    with open_writer(folder, disk, clock) as writer:
        disk.failing = {"unlink": errno.EIO}
        fill(writer, 1)
        disk.failing, disk.left = {}, None
        taken: list[bytes] = []
        for _ in range(2):  # the first try finds its name taken
            clock.now += RETRY_S
            taken += fill(writer, 20, f"after {clock.now}")
    assert len(taken) == 20
    assert read_all(folder)[:2] == (taken, [])


def test_a_segment_that_cannot_be_synced_is_left_at_once(folder: Path) -> None:
    disk = FaultyDisk()
    with open_writer(folder, disk, segment_bytes=1 << 20) as writer:
        taken = fill(writer, 3, "a")
        disk.failing = {"datasync": errno.EIO}
        writer.sync()
        disk.failing = {}
        taken += fill(writer, 3, "b")
        writer.sync()
        assert writer.stats.sync_errors == 1
        assert writer.stats.segments == 2
    assert len(taken) == 6
    assert read_all(folder)[:2] == (taken, [])


def test_a_segment_that_somebody_deleted_is_left_and_its_records_are_missing(folder: Path) -> None:
    with open_writer(folder) as writer:
        fill(writer, 3, "a")
        _, _, position = read_all(folder)
        fill(writer, 4, "b")
        segments(folder)[0].unlink()
        writer.sync()
        taken = fill(writer, 3, "c")
    payloads, skips, _ = read_all(folder, position)
    assert payloads == taken
    assert [(skip.reason, skip.records) for skip in skips] == [("missing", 4)]


def test_a_folder_that_somebody_deleted_is_named(folder: Path) -> None:
    with open_writer(folder) as writer:
        fill(writer, 1)
        shutil.rmtree(folder)
        writer.sync()
        assert fill(writer, 3) == []
        assert writer.stats.refused == {"folder_gone": 3}


def test_a_folder_that_cannot_be_synced_is_synced_the_next_time(folder: Path) -> None:
    disk = FaultyDisk()
    with open_writer(folder, disk) as writer:
        fill(writer, 1)
        disk.failing = {"sync_folder": errno.EIO}
        writer.sync()
        assert (disk.durable, writer.stats.sync_errors) == ({}, 1)
        disk.failing = {}
        writer.sync()
        assert list(disk.durable) == segments(folder)


def test_a_full_journal_waits_for_the_loader_and_goes_on_by_itself(folder: Path) -> None:
    clock = HandClock()
    with open_writer(folder, clock=clock, max_bytes=4 * SEGMENT_BYTES) as writer:
        taken = fill(writer, 1000, "a")
        stats = writer.stats
        assert (stats.blocked, stats.refused) == ("full", {"full": 1000 - len(taken)})
        assert 2 * SEGMENT_BYTES < stats.backlog_bytes <= 4 * SEGMENT_BYTES
        payloads, _, position = read_all(folder)
        assert payloads == taken
        assert Reader(folder).drop_loaded(position) > 0
        assert fill(writer, 1, "too soon") == []
        clock.now += RETRY_S
        more = fill(writer, 5, "b")
    assert len(more) == 5
    assert read_all(folder, position)[0] == more


def test_one_old_segment_larger_than_the_limit_does_not_block_for_good(folder: Path) -> None:
    with open_writer(folder, segment_bytes=10_000, now_us=1) as writer:
        fill(writer, 300)
    with open_writer(folder, max_bytes=2000, now_us=10_000) as writer:
        assert fill(writer, 5) != []


def test_a_closed_writer_refuses(folder: Path) -> None:
    writer = open_writer(folder)
    writer.close()
    assert fill(writer, 2) == []
    assert writer.stats.refused == {"closed": 2}


def test_the_thread_syncs_what_was_appended(folder: Path) -> None:
    disk = FaultyDisk()
    with Writer(folder, 1 << 20, 1 << 30, disk=disk, sync_s=0.001) as writer:
        for count in range(5):
            fill(writer, 10)
            wait_until(lambda wanted=count + 1: disk.calls.count("datasync") == wanted)
    # A segment that did not grow is not synced again, until it is closed.
    assert disk.calls.count("datasync") == 6


@given(seed=st.integers(0, 2**32), lives=st.lists(st.integers(0, 60), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_a_power_cut_takes_only_what_was_not_synced_and_never_what_comes_after(
    tmp_path_factory: pytest.TempPathFactory, seed: int, lives: list[int]
) -> None:
    rng = random.Random(seed)
    folder = tmp_path_factory.mktemp("power") / "worker-0"
    taken: list[bytes] = []
    safe: set[bytes] = set()
    loaded: list[bytes] = []
    position: Position | None = None
    disk = FaultyDisk()
    for life, count in enumerate(lives):
        writer, life_begins = open_writer(folder, disk, now_us=1000 * (life + 1)), len(taken)
        for index in range(count):
            taken += fill(writer, 1, f"{life}-{index}-")
            if rng.random() < 0.1:
                writer.sync()
                safe |= set(taken[life_begins:])
        if rng.random() < 0.7:
            payloads, _, position = read_all(folder, position)
            loaded += payloads
            if rng.random() < 0.5:
                Reader(folder).drop_loaded(position)
        disk.cut_power(folder, rng)
        kill(writer)
    payloads, _, position = read_all(folder, position)
    loaded += payloads
    assert len(loaded) == len(set(loaded))
    assert [payload for payload in taken if payload in set(loaded)] == loaded
    assert safe <= set(loaded)


def test_a_batch_is_one_write_and_reads_like_its_records_one_by_one(folder: Path) -> None:
    disk = FaultyDisk()
    with open_writer(folder, disk, segment_bytes=1 << 20) as writer:
        fill(writer, 1)
        disk.calls.clear()
        assert all(writer.append_all(EXCHANGE, [b"a", b"", b"c" * 1000]))
        assert disk.calls == ["write"]
        assert writer.stats.appended_frames == 4
    assert read_all(folder)[0] == [b"r0000", b"a", b"", b"c" * 1000]


def test_a_batch_over_the_end_of_a_segment_and_one_too_large_are_told_apart(folder: Path) -> None:
    batch = [b"%04d" % number for number in range(50)]
    with open_writer(folder) as writer:
        assert all(writer.append_all(EXCHANGE, batch))
        taken = writer.append_all(EXCHANGE, [b"before", b"x" * (MAX_PAYLOAD_BYTES + 1), b"behind"])
        assert list(taken) == [True, False, True]
        assert writer.stats.refused == {"too_large": 1}
    assert read_all(folder)[0] == [*batch, b"before", b"behind"]
    assert len(segments(folder)) > 2


def test_of_a_batch_cut_short_what_is_whole_is_recorded_and_the_rest_refused(folder: Path) -> None:
    batch = [b"%04d" % number for number in range(20)]
    size = HEADER_BYTES + 4
    for room in range(3, 20 * size, 7):
        disk, clock = FaultyDisk(), HandClock()
        with open_writer(folder, disk, clock=clock, segment_bytes=1 << 20) as writer:
            fill(writer, 1)
            disk.left = room
            taken = list(writer.append_all(EXCHANGE, batch))
            assert taken == [True] * (room // size) + [False] * (20 - room // size)
            assert writer.stats.refused == {"short_write": taken.count(False)}
            disk.left = None
            clock.now += RETRY_S
            assert writer.append(EXCHANGE, b"behind")
        assert read_all(folder)[0] == [b"r0000", *batch[: room // size], b"behind"]
        shutil.rmtree(folder)
