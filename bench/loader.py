"""How fast journals become committed rows and rollups, on one core, with SQLite.

A journal of realistic records is written first: 200 integrations of very different size, 20
operations each, 2 % failures, every failure and 1 % of the rest with its evidence, 1,000
exchanges to the second. Then the real loader drains it while its stages are timed. At the end the
store is asked for its counts: a fast loader that loses something is no loader.

    python -m bench.loader [exchanges]
"""

import gc
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from sqlalchemy import Engine, event

from app.domain.ids import exchange_id
from app.domain.outcome import judge
from app.domain.route import Route, RouteTable, encode_table
from app.domain.window import HOUR_US, SECOND_US, Window
from app.domain.words import Direction, Kind, Outcome, Verdict
from app.store import schema
from app.store.open import open_store
from bench.common import report
from collectors.journal import EXCHANGE, Writer
from collectors.loader import batch as batch_module
from collectors.loader import load as load_module
from collectors.loader.batch import Preparer
from collectors.loader.load import Loader
from collectors.loader.patterns import NAMED_VALUE, SHAPE
from collectors.loader.routing import RoutesFile
from collectors.loader.scrub import Scrubber
from collectors.loader.status import Status
from collectors.loader.tail import Tail
from collectors.record import Capture, Exchange

EXCHANGES = 1_000_000
TARGET_PER_SECOND = 60_000
_INTEGRATIONS, _OPERATIONS, _PER_SECOND = 200, 20, 1_000
_SECRET = "a secret of this benchmark, 32 long"
_FAILURES = (
    (0.008, Outcome.CLIENT_ERROR, 404, "", ""),
    (0.003, Outcome.CLIENT_ERROR, 429, "", ""),
    (0.005, Outcome.SERVER_ERROR, 503, "", ""),
    (0.002, Outcome.TIMEOUT, 0, "first_byte_timeout", "no answer within 10000 ms"),
    (0.002, Outcome.CONNECT_ERROR, 0, "connect_refused", "10.0.0.7:443 refused the connection"),
)
_PATHS = (
    "/v1/issues", "/v1/issues/{}", "/v1/issues/{}/comments", "/v1/projects/{}/members/{}",
    "/v2/customers/cus_{}", "/v2/invoices/{}/lines", "/admin/api/orders/{}.json", "/oauth2/token",
    "/graphql", "/v1/search",
)  # fmt: skip
_HEADERS = [
    ("content-type", "application/json; charset=utf-8"), ("user-agent", "acme-sync/4.2"),
    ("accept", "*/*"), ("date", "Sun, 22 Nov 2026 10:00:00 GMT"), ("x-request-id", "a1b2c3d4"),
]  # fmt: skip


def routes() -> RouteTable:
    """Half of the paths are known to the registry, the others are guessed."""
    known = tuple(f"GET {path.replace('{}', '{id}')}" for path in _PATHS[:5])
    names = (f"integration-{number}" for number in range(_INTEGRATIONS))
    return RouteTable(1, "Bench", None, tuple(Route(name, "p", operations=known) for name in names))


def records(count: int, start_us: int) -> Iterator[Exchange]:
    """`count` exchanges, the same every time."""
    dice = np.random.default_rng(7)
    owners = _zipf(dice, _INTEGRATIONS, 0.8, count)
    operations = _zipf(dice, _OPERATIONS, 1.0, count)
    latency = dice.lognormal(11.5, 0.7, count).astype(int).tolist()
    luck, evidence = dice.random(count), dice.random(count)
    ids = dice.integers(1, 10_000_000, count).tolist()
    edges = np.cumsum([share for share, *_ in _FAILURES])
    kinds = np.searchsorted(edges, luck).tolist()
    bodies = _bodies()
    for i in range(count):
        failed = kinds[i] < len(_FAILURES)
        outcome, status, error, detail = (
            _FAILURES[kinds[i]][1:] if failed else (Outcome.OK, 200, "", "")
        )
        place = operations[i]
        webhook = place >= 18
        at_us = start_us + i * SECOND_US // _PER_SECOND
        body = bodies[i % len(bodies)]
        captured = failed or evidence[i] < 0.01
        yield Exchange(
            exchange_id(at_us, 1, i), at_us,
            Direction.INBOUND if 14 <= place < 18 else Direction.OUTBOUND,
            Kind.WEBHOOK if webhook else Kind.REQUEST,
            f"integration-{owners[i]}", f"inst-{ids[i] % 5000}", f"cust-{ids[i] % 3000}", "",
            "orders.created" if webhook else "",
            "POST" if webhook or place % 2 else "GET",
            "/-/webhooks/orders.created" if webhook else _PATHS[place % 10].format(ids[i], i),
            status, outcome, error, detail,
            150, 0, 0, latency[i] - 300, latency[i], len(body), len(body),
            f"dlv-{i}" if webhook else "", 1, f"{i:032x}",
            Capture(_HEADERS, body, _HEADERS, body) if captured else None,
        )  # fmt: skip


def _zipf(dice: np.random.Generator, size: int, slope: float, count: int) -> list[int]:
    weights = 1.0 / np.arange(1, size + 1) ** slope
    chosen: list[int] = dice.choice(size, count, p=weights / weights.sum()).tolist()
    return chosen


def _bodies() -> list[bytes]:
    lines = [{"sku": f"A-{n}", "quantity": n, "note": "as agreed"} for n in range(12)]
    plain = {"id": 4711, "status": "open", "title": "Checkout fails", "lines": lines}
    people = {**plain, "contact": {"email": "ann@example.com", "name": "Ann"}}
    secret = {**plain, "access_token": "0123456789abcdef", "password": "hunter2"}
    return [json.dumps(each).encode() for each in (plain, plain, plain, people, secret)]


class Stages:
    """Nanoseconds of CPU per stage, taken by wrapping the loader's own functions: on a machine
    that does other work too, time on the clock says little."""

    def __init__(self) -> None:
        self.spent_ns: Counter[str] = Counter()
        self._commit_ns = 0

    def wrap(self, owner: Any, name: str, stage: str) -> None:
        inner: Callable[..., Any] = getattr(owner, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            begun = time.process_time_ns()
            try:
                return inner(*args, **kwargs)
            finally:
                self.spent_ns[stage] += time.process_time_ns() - begun

        setattr(owner, name, timed)

    def watch_commits(self) -> None:
        event.listen(Engine, "commit", self._committing)

    def _committing(self, _connection: object) -> None:
        self._commit_ns = time.process_time_ns()

    def end_append(self, inner: Callable[[Any], None]) -> Callable[[Any], None]:
        def append(batch: Any) -> None:
            begun = time.process_time_ns()
            inner(batch)
            ended = time.process_time_ns()
            self.spent_ns["insert"] += self._commit_ns - begun
            self.spent_ns["commit"] += ended - self._commit_ns

        return append


class Drained(NamedTuple):
    """Seconds on the clock and of CPU; exchanges per CPU second of each full batch; stages."""

    seconds: float
    cpu_seconds: float
    rates: list[float]
    stages: Stages


def drain(home: Path, count: int) -> Drained:
    """Load everything with the real loader."""
    store = open_store(f"sqlite:///{home}/metrics.db")
    status = Status(os.getpid(), 0)
    tail = Tail(home / "journal", "bench")
    preparer = Preparer(_SECRET)
    stages = Stages()
    stages.wrap(tail, "read", "read journal")
    stages.wrap(load_module, "decode", "decode")
    stages.wrap(preparer.classifier, "classify", "classify")
    stages.wrap(preparer, "captures", "scrub captures")
    stages.wrap(batch_module, "aggregate", "aggregate")
    stages.wrap(batch_module, "activity", "activity")
    stages.watch_commits()
    store.append = stages.end_append(store.append)  # type: ignore[method-assign]
    loader = Loader(store, tail, preparer, RoutesFile(home / "routes.json", status), status)
    gc.collect()
    gc.freeze()
    gc.disable()
    begun, begun_cpu = time.perf_counter(), time.process_time()
    rates: list[float] = []
    while status.exchanges < count:
        turn = time.process_time()
        loader.turn()
        rates.append(status.last_batch_exchanges / (time.process_time() - turn))
    seconds, cpu_seconds = time.perf_counter() - begun, time.process_time() - begun_cpu
    gc.enable()
    store.close()
    assert not status.failures, status.failures
    return Drained(seconds, cpu_seconds, rates, stages)


def check(home: Path, count: int, start_us: int, truth: Counter[Verdict]) -> None:
    """Every exchange is in the rows once and in the rollups once, with its verdict."""
    store = open_store(f"sqlite:///{home}/metrics.db", read_only=True)
    span = Window(start_us - HOUR_US, start_us + count * SECOND_US // _PER_SECOND + HOUR_US)
    assert sum(map(len, store.iterate(span))) == count
    for operations in (False, True):
        rolled = store.rollups(span, operations=operations)
        found = (rolled.good.sum(), rolled.bad.sum(), rolled.excluded.sum())
        assert found == (truth[Verdict.GOOD], truth[Verdict.BAD], truth[Verdict.EXCLUDED])
    store.close()


def write_journal(home: Path, count: int, start_us: int) -> tuple[Counter[Verdict], int]:
    """The journal of `count` records; the truth about their verdicts, and how many have
    evidence."""
    truth: Counter[Verdict] = Counter()
    captured = 0
    encode = msgspec.msgpack.Encoder().encode
    with Writer(home / "journal" / "worker-0", 64 << 20, 64 << 30) as writer:
        for each in records(count, start_us):
            assert writer.append(EXCHANGE, encode(each))
            found = judge(Direction(each.direction), Outcome(each.outcome), each.status, each.error)
            truth[found.verdict] += 1
            captured += each.capture is not None
    return truth, captured


def hostile() -> list[dict[str, Any]]:
    """Milliseconds to scrub texts made to stall a pattern."""
    texts = {
        "a. x 128Ki (e-mail)": b"a." * 131_072,
        "BEGIN x 64Ki (PEM)": b"-----BEGIN " * 65_536,
        "a- x 100k (URL userinfo)": b"a-" * 100_000,
        "token x 50k (name)": b"token" * 50_000,
        '{"token": x 7k (nesting)': b'{"token":' * 7_000,
        "4111 x 12k (card)": b"4111 " * 12_000,
    }
    scrubber = Scrubber(_SECRET)
    SHAPE.search(b"")
    NAMED_VALUE.search(b"")
    rows = []
    for name, text in texts.items():
        begun = time.process_time()
        scrubber.text(text)
        spent_ms = (time.process_time() - begun) * 1e3
        rows.append({"stage": f"hostile: {name}", "us_per_exchange": "", "share": "",
                     "ms": round(spent_ms, 1)})  # fmt: skip
    return rows


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EXCHANGES
    start_us = 1_795_000_000 * SECOND_US
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        schema.migrate(f"sqlite:///{home}/metrics.db")
        (home / "routes.json").write_bytes(encode_table(routes()))
        truth, captured = write_journal(home, count, start_us)
        core = max(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {core})
        journal_bytes = sum(f.stat().st_size for f in (home / "journal").rglob("*.seg"))
        seconds, cpu_seconds, rates, stages = drain(home, count)
        check(home, count, start_us, truth)
        store_bytes = sum(f.stat().st_size for f in home.glob("metrics.db*"))
    total_ns = cpu_seconds * 1e9
    stages.spent_ns["rest"] = int(total_ns - stages.spent_ns.total())
    rows = [
        {"stage": stage, "us_per_exchange": round(ns / count / 1e3, 2),
         "share": f"{ns / total_ns:.0%}", "ms": round(ns / 1e6, 1)}
        for stage, ns in stages.spent_ns.items()
    ]  # fmt: skip
    report(
        "loader",
        [*rows, *hostile()],
        {
            "exchanges": count,
            "captured": captured,
            "exchanges_per_cpu_second": round(count / cpu_seconds),
            "of_the_median_batch": round(float(np.median(rates))),
            "of_the_best_batch": round(max(rates)),
            "exchanges_per_second_on_the_clock": round(count / seconds),
            "share_of_the_core": f"{cpu_seconds / seconds:.0%}",
            "target_per_second": TARGET_PER_SECOND,
            "journal_bytes_per_exchange": round(journal_bytes / count),
            "store_bytes_per_exchange": round(store_bytes / count),
        },
    )


if __name__ == "__main__":
    main()
