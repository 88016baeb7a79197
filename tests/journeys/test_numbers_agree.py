"""20,000 exchanges of known outcome and latency cross the real proxy; the API must say the same.

The latency of an exchange, as Midspan defines it, is at least the time the upstream took and at
most what the client measured. Quantiles keep that order, so the API's percentiles must lie between
those of the two truths, each widened by the stated relative error and by nothing else.
"""

import asyncio
import random
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from app.domain.histogram import RELATIVE_ERROR
from bench.load import Answer, Ledger, drive
from bench.recount import differences, raw_rows
from bench.stack import Stack, Upstream, free_port, wait_until

pytestmark = pytest.mark.slow

LATENCY_EXCHANGES = 12_000
MIXED_EXCHANGES = 8_000
STATUSES = {200: "ok", 201: "ok", 302: "ok", 404: "client_error", 422: "client_error",
            500: "server_error", 503: "server_error"}  # fmt: skip


@dataclass
class Run:
    stack: Stack
    latency: Ledger
    delays_ms: dict[int, int]
    expected: dict[str, dict[str, int]]


def delays(count: int) -> list[int]:
    dice = random.Random(7)
    return [min(2000, max(20, round(dice.lognormvariate(4.4, 0.6)))) for _ in range(count)]


@pytest.fixture(scope="module")
def tls_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A TLS server whose certificate nobody vouches for."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    listener = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def serve() -> None:
        while not stopped.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                context.wrap_socket(client, server_side=True).close()
            except OSError:
                client.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    stopped.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.fixture(scope="module")
def run(
    upstream: Upstream, tls_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    targets = {
        "timed": upstream.url,
        "mixed": upstream.url,
        "garbled": f"{upstream.url}/garbage",
        "hanging": f"{upstream.url}/hang",
        "refused": f"http://127.0.0.1:{free_port()}",
        "nameless": "http://no-such-host.invalid",
        "untrusted": f"https://127.0.0.1:{tls_port}",
    }
    timeouts = "{connect_ms: 2000, first_byte_ms: 5000, idle_ms: 5000, total_ms: 10000}"
    home = tmp_path_factory.mktemp("home")
    with Stack(home, targets, timeouts=timeouts) as stack:
        planned = delays(LATENCY_EXCHANGES)
        latency, expected = asyncio.run(_traffic(stack, planned))
        for slug, outcomes in expected.items():
            total = sum(outcomes.values())
            wait_until(lambda s=slug, n=total: stack.proxied(s) >= n, f"{slug} to be loaded")
        yield Run(stack, latency, dict(enumerate(planned)), expected)


async def _traffic(stack: Stack, planned: list[int]) -> tuple[Ledger, dict[str, dict[str, int]]]:
    host, port = "127.0.0.1", stack.outbound_port
    timed = (f"/timed/s/200/d/{delay}/n/{{nonce}}" for delay in planned)
    latency = await drive(host, port, timed, connections=64)
    expected = {"timed": {"ok": LATENCY_EXCHANGES}, "mixed": dict.fromkeys(STATUSES.values(), 0)}
    statuses = random.Random(3).choices(list(STATUSES), k=MIXED_EXCHANGES - 500)
    for status in statuses:
        expected["mixed"][STATUSES[status]] += 1
    mixed = (f"/mixed/s/{status}/n/{{nonce}}" for status in statuses)
    await drive(host, port, mixed, connections=16)
    for slug, outcome, count in (
        ("garbled", "protocol_error", 120), ("refused", "connect_error", 120),
        ("nameless", "dns_error", 120), ("untrusted", "tls_error", 90), ("hanging", "timeout", 30),
    ):  # fmt: skip
        expected[slug] = {outcome: count}
        await drive(host, port, (f"/{slug}/n/{{nonce}}" for _ in range(count)), connections=30)
    expected["mixed"]["aborted"] = 20
    await asyncio.gather(*(_abort(host, port) for _ in range(20)))
    return latency, expected


async def _abort(host: str, port: int) -> None:
    """Ask, and reset the connection before the answer. (A mere close may be half a close.)"""
    _, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET /mixed/s/200/d/2000 HTTP/1.1\r\nHost: load\r\n\r\n")
    await asyncio.sleep(0.3)
    endpoint = writer.get_extra_info("socket")
    endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def test_counts_by_outcome_equal_the_truth_exactly(run: Run) -> None:
    for slug, outcomes in run.expected.items():
        health = run.stack.api(f"/integrations/{slug}/health?window=1d")
        assert health["by_outcome"] == {word: n for word, n in outcomes.items() if n}, slug
        assert health["proxied"] == sum(outcomes.values()), slug
        assert health["good"] + health["bad"] + health["excluded"] == health["proxied"], slug


def test_percentiles_lie_within_the_stated_error_of_both_truths(run: Run) -> None:
    answered = run.latency.answered()
    assert len(answered) == LATENCY_EXCHANGES
    least_ms = [run.delays_ms[answer.nonce] for answer in answered]
    most_ms = [_measured_ms(answer) for answer in answered]
    shown = run.stack.api("/integrations/timed/health?window=1d")["latency_ms"]
    for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        low, high = (np.quantile(truth, q, method="lower") for truth in (least_ms, most_ms))
        assert low * (1 - RELATIVE_ERROR) <= shown[name] <= high * (1 + RELATIVE_ERROR), name


def test_percentiles_are_within_the_stated_error_of_the_recorded_durations(run: Run) -> None:
    durations = [row.total_us for row in raw_rows(run.stack.home) if row.integration == "timed"]
    shown = run.stack.api("/integrations/timed/health?window=1d")["latency_ms"]
    for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        truth_ms = np.quantile(durations, q, method="lower") / 1000
        assert shown[name] == pytest.approx(truth_ms, rel=RELATIVE_ERROR), name


def test_rollups_equal_a_recount_of_the_raw_rows(run: Run) -> None:
    assert differences(f"sqlite:///{run.stack.home}/metrics.db") == []


def test_the_exchange_named_in_the_answer_is_the_one_found(run: Run) -> None:
    answer = run.latency.answered()[-1]
    found = run.stack.api(f"/exchanges/{answer.exchange}")
    assert found["path"] == answer.path.removeprefix("/timed")
    assert found["status"] == 200


def test_what_the_proxy_counted_is_what_was_recorded(run: Run) -> None:
    counters = run.stack.counters()
    assert counters["proxied_total"] == counters["recorded_total"] + counters["shed_total"]
    assert counters["shed_total"] == 0
    assert counters["recorded_total"] == len(raw_rows(run.stack.home))


def _measured_ms(answer: Answer) -> float:
    return (answer.done_s - answer.sent_s) * 1000
