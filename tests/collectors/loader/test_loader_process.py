"""The loader as a process: killed, locked out, alone in its home, and ended in order."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.domain.window import HOUR_US, Window
from app.store import schema
from app.store.open import open_store
from collectors.journal import Writer
from tests.collectors.loader.loader_fakes import exchange, open_journal, write

ROOT = Path(__file__).parents[3]
_PATIENCE_S = 60.0

pytestmark = pytest.mark.slow


class Home:
    """A home with a migrated store, and loaders on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}/metrics.db"
        self.started: list[subprocess.Popen[str]] = []
        self.written: list[bytes] = []

    def start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "collectors", "loader"],
            cwd=ROOT, env={**os.environ, "MIDSPAN_HOME": str(self.path)},
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.started.append(process)
        return process

    def write(self, writer: Writer, count: int) -> None:
        now_us = time.time_ns() // 1000
        for number in range(count):
            record = exchange(now_us + number)
            write(writer, record)
            self.written.append(record.id)

    def stored(self) -> list[bytes]:
        store = open_store(self.url, read_only=True)
        found = [row.id for part in store.iterate(self.lately()) for row in part]
        store.close()
        return found

    def counted(self, *, operations: bool) -> int:
        store = open_store(self.url, read_only=True)
        count = int(store.rollups(self.lately(), operations=operations).exchanges.sum())
        store.close()
        return count

    def lately(self) -> Window:
        now_us = time.time_ns() // 1000
        return Window(now_us - HOUR_US, now_us + HOUR_US)

    def status(self) -> dict:
        try:
            return json.loads((self.path / "status" / "loader.json").read_text())
        except FileNotFoundError:
            return {"pid": None}

    def close(self) -> None:
        for process in self.started:
            process.kill()
            process.wait()
            assert process.stderr
            process.stderr.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    schema.migrate(made.url)
    yield made
    made.close()


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def refused(process: subprocess.Popen[str]) -> str:
    """The one line with which a loader ended that could not work."""
    _, said = process.communicate(timeout=_PATIENCE_S)
    assert process.returncode == 1
    [line] = [line for line in said.splitlines() if line.startswith("error: ")]
    assert "Traceback" not in said
    return line


def test_a_loader_killed_again_and_again_stores_every_exchange_once(home: Home):
    dice = random.Random(3)
    with open_journal(home.path, segment_bytes=65_536) as writer:
        for _ in range(5):
            loader = home.start()
            before = len(home.stored())
            home.write(writer, 700)
            wait_until(lambda before=before: len(home.stored()) > before)
            home.write(writer, 700)
            time.sleep(dice.uniform(0.0, 0.3))  # a random moment is what is tested
            loader.send_signal(signal.SIGKILL)
            loader.wait()
        home.start()
        wait_until(lambda: len(home.stored()) >= len(home.written))
    assert home.stored() == sorted(home.written)
    assert home.counted(operations=False) == home.counted(operations=True) == len(home.written)


def test_a_store_that_is_locked_holds_the_loader_up_and_loses_nothing(home: Home):
    loader = home.start()
    with open_journal(home.path) as writer:
        home.write(writer, 100)
        wait_until(lambda: len(home.stored()) == 100)
        locker = sqlite3.connect(home.path / "metrics.db", isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        home.write(writer, 100)
        wait_until(lambda: home.status()["store_away"])
        assert home.status()["lag_bytes"] > 0
        locker.rollback()
        locker.close()
        wait_until(lambda: len(home.stored()) == 200)
        wait_until(lambda: home.status()["lag_bytes"] == 0)
    assert loader.poll() is None
    assert home.status()["outages"] == 1


def test_a_second_loader_in_a_home_says_so_and_ends(home: Home):
    home.start()
    wait_until(lambda: home.status()["pid"] is not None)
    assert "another loader works in" in refused(home.start())


def test_the_loader_ends_in_order_on_sigterm_and_another_may_follow(home: Home):
    with open_journal(home.path) as writer:
        home.write(writer, 50)
    for _ in range(2):
        loader = home.start()
        wait_until(lambda pid=loader.pid: home.status()["pid"] == pid)
        wait_until(lambda: len(home.stored()) == 50)
        loader.terminate()
        assert loader.wait(timeout=_PATIENCE_S) == 0


def test_a_store_without_tables_is_one_line_that_says_what_to_do(tmp_path: Path):
    empty = Home(tmp_path)
    sqlite3.connect(tmp_path / "metrics.db").close()
    assert "python -m app migrate" in refused(empty.start())
    empty.close()


def test_a_home_that_cannot_be_made_is_one_line(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    blocked = Home(tmp_path / "file" / "home")
    assert "MIDSPAN_HOME" in refused(blocked.start())
    blocked.close()
