"""Whatever happens to it, a journal gives each record it took once and in order."""

import errno
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from collectors.journal import EXCHANGE, Reader
from collectors.journal.writer import REST_S, RETRY_S
from tests.collectors.journal.journal_faults import (
    SEGMENT_BYTES,
    FaultyDisk,
    HandClock,
    kill,
    open_writer,
    segments,
)

pytestmark = pytest.mark.slow

MAX_BYTES = 5 * SEGMENT_BYTES


class JournalMachine(RuleBasedStateMachine):
    """The model is two lists: what was taken, and what was read."""

    def __init__(self) -> None:
        super().__init__()
        self.home = tempfile.TemporaryDirectory()
        self.folder = Path(self.home.name) / "worker-0"
        self.disk, self.clock = FaultyDisk(), HandClock()
        self.now_us = 0
        self.writer = self.open()
        self.reader = Reader(self.folder)
        self.taken: list[bytes] = []
        self.read: list[bytes] = []
        self.offered = self.refused = 0

    def open(self):
        self.now_us += 1000
        return open_writer(
            self.folder, self.disk, self.clock, max_bytes=MAX_BYTES, now_us=self.now_us
        )

    def look(self, limit: int) -> int:
        result = self.reader.read(limit)
        assert all(skip.reason == "torn" and skip.records == 0 for skip in result.skipped)
        self.read += [payload for _, payload in result.frames]
        return len(result.frames)

    @rule(count=st.integers(1, 30))
    def append(self, count: int) -> None:
        for _ in range(count):
            self.offered += 1
            payload = b"%d" % self.offered
            if self.writer.append(EXCHANGE, payload):
                self.taken.append(payload)

    @rule(capacity=st.integers(0, 900))
    def fill_the_disk_up_to(self, capacity: int) -> None:
        self.disk.left = capacity

    @rule(call=st.sampled_from(["write", "create", "truncate", "unlink"]))
    def break_the_disk(self, call: str) -> None:
        self.disk.failing = {call: errno.EIO}

    @rule()
    def mend_the_disk(self) -> None:
        self.disk.failing, self.disk.left = {}, None

    @rule()
    def wait(self) -> None:
        self.clock.now += RETRY_S

    @rule()
    def rest(self) -> None:
        self.clock.now += REST_S
        self.writer.rest()

    @rule(fails=st.booleans())
    def sync(self, fails: bool) -> None:
        self.disk.failing = {"datasync": errno.EIO} if fails else {}
        self.writer.sync()

    @rule(torn=st.binary(max_size=40))
    def kill_and_restart(self, torn: bytes) -> None:
        kill(self.writer)
        for path in segments(self.folder)[-1:]:
            path.write_bytes(path.read_bytes() + torn)
        self.writer = self.open()

    @rule(limit=st.integers(1, 40))
    def load(self, limit: int) -> None:
        self.look(limit)

    @rule()
    def load_all_and_drop(self) -> None:
        while self.look(100):
            pass
        assert self.read == self.taken
        self.reader.drop_loaded(self.reader.position)

    @invariant()
    def what_was_read_is_what_was_taken_in_order(self) -> None:
        assert self.read == self.taken[: len(self.read)]

    @invariant()
    def the_disk_never_holds_more_than_its_share(self) -> None:
        torn = 40 * len(segments(self.folder))  # bytes that this test itself put there
        assert self.writer.stats.backlog_bytes <= MAX_BYTES + torn

    def teardown(self) -> None:
        while self.look(1000):
            pass
        assert self.read == self.taken
        self.writer.close()
        self.home.cleanup()


TestJournal = JournalMachine.TestCase
TestJournal.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
