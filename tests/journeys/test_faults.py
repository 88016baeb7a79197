"""Promise 1: nothing behind the proxy fails an exchange, and what was not recorded is counted."""

import asyncio
import itertools
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.load import Ledger, drive
from bench.recount import differences, raw_rows
from bench.stack import Stack, Upstream, wait_until
from tests.contract.postgres import Server

pytestmark = pytest.mark.slow

SMALL_SEGMENT = 65_536


@pytest.fixture
def stack(upstream: Upstream, tmp_path: Path) -> Iterator[Stack]:
    settings = {"MIDSPAN_SEGMENT_BYTES": str(SMALL_SEGMENT)}
    with Stack(tmp_path / "home", {"steady": upstream.url}, settings=settings) as stack:
        yield stack


def send(stack: Stack, count: int, first_nonce: int, per_second: float | None = None) -> Ledger:
    paths = itertools.repeat("/steady/s/200/b/100/n/{nonce}", count)
    return asyncio.run(
        drive("127.0.0.1", stack.outbound_port, paths, connections=8, first_nonce=first_nonce,
              per_second=per_second)
    )  # fmt: skip


def balanced(stack: Stack) -> dict[str, float]:
    counters = stack.counters()
    assert counters["proxied_total"] == counters["recorded_total"] + counters["shed_total"]
    return counters


def test_a_full_journal_disk_sheds_and_recording_resumes_by_itself(stack: Stack) -> None:
    before = send(stack, 500, 0)
    stack.limit_files("proxy", 1024)  # less than any segment: every write fails or falls short
    during = send(stack, 500, 500)
    shed = balanced(stack)["shed_total"]
    stack.limit_files("proxy", None)
    freed_s = time.monotonic()
    wait_until(lambda: _resumed(stack, shed), "recording to resume", 10)
    assert time.monotonic() - freed_s < 10
    after = send(stack, 500, 10_000)
    answered = [*before.answered(), *during.answered(), *after.answered()]
    assert len(answered) == 1500
    assert {answer.status for answer in answered} == {200}
    counters = balanced(stack)
    assert counters["shed_total"] > 0
    wait_until(lambda: stack.proxied("steady") == counters["proxied_total"], "sheds to be shown")
    assert len(raw_rows(stack.home)) == counters["recorded_total"]
    assert differences(f"sqlite:///{stack.home}/metrics.db") == []


def _resumed(stack: Stack, shed: float) -> bool:
    recorded = balanced(stack)["recorded_total"]
    send(stack, 1, 9_000)
    return balanced(stack)["recorded_total"] > recorded


def test_a_locked_metrics_store_delays_numbers_and_nothing_else(stack: Stack) -> None:
    send(stack, 200, 0)
    locker = sqlite3.connect(stack.home / "metrics.db", isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    try:
        during = send(stack, 3000, 1000, per_second=50)  # a minute
    finally:
        locker.execute("ROLLBACK")
        locker.close()
    assert {answer.status for answer in during.answers} == {200}
    wait_until(lambda: stack.proxied("steady") == 3200, "the backlog to drain")
    assert len(raw_rows(stack.home)) == 3200
    assert differences(f"sqlite:///{stack.home}/metrics.db") == []


def test_a_metrics_server_that_is_away_delays_numbers_and_nothing_else(
    upstream: Upstream, tmp_path: Path
) -> None:
    server = Server()
    server.start()
    server.execute("CREATE DATABASE metrics")
    settings = {"MIDSPAN_METRICS_URL": server.url("metrics")}
    try:
        with Stack(tmp_path / "home", {"steady": upstream.url}, settings=settings) as stack:
            before = send(stack, 200, 0)
            wait_until(lambda: stack.proxied("steady") == 200, "the first exchanges")
            server.stop()
            during = send(stack, 600, 1000, per_second=40)
            server.start()
            assert {answer.status for answer in before.answers + during.answers} == {200}
            wait_until(lambda: stack.proxied("steady") == 800, "the backlog to drain")
            assert stack.processes["loader"].poll() is None
            assert differences(server.url("metrics")) == []
    finally:
        server.remove()


def test_the_proxy_starts_and_routes_with_both_databases_gone(stack: Stack) -> None:
    for name in ("loader", "web", "proxy"):
        stack.kill(name)
    for path in [*stack.home.glob("registry.db*"), *stack.home.glob("metrics.db*")]:
        path.unlink()
    stack.start("proxy")
    wait_until(stack._proxy_ready, "the proxy")
    assert {answer.status for answer in send(stack, 50, 0).answers} == {200}


def test_a_changed_registry_reaches_the_proxy_within_two_seconds(stack: Stack) -> None:
    registry = stack.home / "registry.yaml"
    registry.write_text(registry.read_text().replace("slug: steady", "slug: renamed"))
    stack.midspan("import", str(registry))
    changed_s = time.monotonic()

    def renamed() -> bool:
        paths = iter(["/renamed/s/200/n/1"])
        ledger = asyncio.run(drive("127.0.0.1", stack.outbound_port, paths, connections=1))
        return ledger.answers[0].status == 200

    wait_until(renamed, "the new route", 2)
    assert time.monotonic() - changed_s <= 2
