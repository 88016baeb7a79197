"""The journal with real processes, kills, file-size limits and a real full disk."""

import contextlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.journal import EXCHANGE, Reader, Writer
from tests.collectors.journal.journal_faults import read_all, segments, wait_until

ROOT = Path(__file__).parents[3]
KILLS = 20

WRITE_FOR_EVER = """
import os, sys
from pathlib import Path
from collectors.journal import Writer

writer = Writer(Path(sys.argv[1]), 1 << 16, 1 << 30)
number = int(sys.argv[2])
while True:
    if writer.append(1, b"%012d" % number + b"." * (number % 300)):
        os.write(1, b"%012d" % number)
        number += 1
"""

TAIL_UNTIL_TOLD = """
import os, select, sys, time
from pathlib import Path
from collectors.journal import Reader

reader = Reader(Path(sys.argv[1]))
while True:
    ending = bool(select.select([0], [], [], 0)[0])
    result = reader.read(1000)
    sys.stdout.writelines(payload[:12].decode() + "\\n" for _, payload in result.frames)
    for skip in result.skipped:
        sys.stdout.write(f"{skip.reason} {skip.records}\\n")
    reader.drop_loaded(result.position)
    if not result.frames:
        if ending:
            break
        time.sleep(0.002)
"""

FILL_FILES_UP_TO_A_LIMIT = """
import resource, sys, time
from pathlib import Path
from collectors.journal import Writer

resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
with Writer(Path(sys.argv[1]), 1 << 20, 1 << 30) as writer:
    taken = []
    while len(taken) < 250:
        payload = b"%06d" % len(taken) + bytes(120)
        if writer.append(1, payload):
            taken.append(payload)
        else:
            time.sleep(0.01)
    print(len(taken), writer.stats.segments, *sorted(writer.stats.refused))
"""


def can_mount() -> bool:
    """Whether this process has CAP_SYS_ADMIN."""
    status = Path("/proc/self/status").read_text()
    (effective,) = (line.split()[1] for line in status.splitlines() if line.startswith("CapEff"))
    return bool(int(effective, 16) >> 21 & 1)


def start(script: str, *arguments: object, **pipes: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, **pipes)


def kill_under_load(folder: Path, first: int, rng: random.Random) -> list[int]:
    """Run a writer, kill it at a random moment; the numbers it acknowledged."""
    wanted, acknowledged = rng.randint(1, 12 * 3000), b""
    with start(WRITE_FOR_EVER, folder, first) as writer:
        assert writer.stdout is not None
        while len(acknowledged) < wanted:
            acknowledged += writer.stdout.read1(1 << 16)
        writer.send_signal(signal.SIGKILL)
        acknowledged += writer.stdout.read()
    return [int(acknowledged[at : at + 12]) for at in range(0, len(acknowledged) - 11, 12)]


@pytest.mark.slow
def test_kills_lose_no_acknowledged_record_and_a_tailing_process_sees_each_once(
    tmp_path: Path,
) -> None:
    folder, output, rng = tmp_path / "worker-0", tmp_path / "read", random.Random(22)
    acknowledged: list[int] = []
    with output.open("wb") as sink:
        command = [sys.executable, "-c", TAIL_UNTIL_TOLD, str(folder)]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=sink) as tail:
            for life in range(KILLS):
                acknowledged += kill_under_load(folder, life * 10**9, rng)
            assert tail.stdin is not None
            tail.stdin.write(b"end")
            tail.stdin.flush()
    lines = output.read_text().splitlines()
    skips = [line for line in lines if not line.isdigit()]
    read = [int(line) for line in lines if line.isdigit()]
    assert len(acknowledged) > 10 * KILLS
    assert read == sorted(set(read)), "read twice or out of order"
    assert set(acknowledged) <= set(read), "acknowledged and lost"
    assert len(read) - len(acknowledged) <= KILLS
    assert set(skips) <= {"torn 0"}
    assert len(segments(folder)) <= 2


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def fill_to_the_brim(writer: Writer) -> list[bytes]:
    taken = []
    while writer.append(EXCHANGE, payload := b"%06d" % len(taken) + os.urandom(300)):
        taken.append(payload)
    return taken


def resumes(writer: Writer) -> bool:
    return writer.append(EXCHANGE, b"after")


if can_mount():

    def test_a_full_disk_takes_records_again_when_the_loader_has_made_room(tmp_path: Path) -> None:
        with (
            small_disk(tmp_path / "disk") as disk,
            Writer(disk / "worker-0", 1 << 17, 1 << 30) as writer,
        ):
            taken = fill_to_the_brim(writer)
            assert writer.stats.blocked in {"short_write", "no_space"}
            payloads, skips, position = read_all(disk / "worker-0")
            assert (payloads, skips) == (taken, [])
            assert Reader(disk / "worker-0").drop_loaded(position) > 0
            wait_until(lambda: resumes(writer))
            assert read_all(disk / "worker-0", position)[:2] == ([b"after"], [])

    def test_a_disk_filled_by_somebody_else_takes_records_again_when_they_go(
        tmp_path: Path,
    ) -> None:
        with (
            small_disk(tmp_path / "disk") as disk,
            Writer(disk / "worker-0", 1 << 20, 1 << 30) as writer,
        ):
            (disk / "filler").write_bytes(bytes(500_000))
            taken = fill_to_the_brim(writer)
            (disk / "filler").unlink()
            wait_until(lambda: resumes(writer))
            assert read_all(disk / "worker-0")[:2] == ([*taken, b"after"], [])


def test_a_limit_on_the_size_of_files_costs_what_was_refused_and_no_more(tmp_path: Path) -> None:
    folder = tmp_path / "worker-0"
    with start(FILL_FILES_UP_TO_A_LIMIT, folder) as writer:
        assert writer.stdout is not None
        assert writer.stdout.read().decode().split() == ["250", "4", "short_write"]
    payloads, skips, _ = read_all(folder)
    assert [int(payload[:6]) for payload in payloads] == list(range(250))
    assert skips == []


def test_a_writer_in_another_process_keeps_a_second_one_out(tmp_path: Path) -> None:
    folder = tmp_path / "worker-0"
    with start(WRITE_FOR_EVER, folder, 0) as first:
        assert first.stdout is not None
        first.stdout.read(12)
        second = subprocess.run(
            [sys.executable, "-c", WRITE_FOR_EVER, str(folder), "0"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        first.kill()
    assert second.returncode != 0
    assert second.stderr.splitlines()[-1].startswith("app.errors.MidspanError: the journal ")
