"""How fast pages answer: twenty people who click at once, on one core, over ten million exchanges.

Serves the store of `bench.queries` (200 integrations, thirty days) with the real web server, one
process held to one core, while a writer commits a batch every second as a loader does. Twenty
people follow links as a person does and look at a page for two to five seconds; every callback
of a click is timed from outside. Then all click as fast as they can. A browser opens the first
page, and one that has the same libraries and nothing to say; axe and Lighthouse look at the pages.

    python -m bench.pages [people] [seconds]
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from app.commands.users import add_user
from app.db import transaction
from app.domain.scope import Role
from app.errors import Refused
from app.store.open import open_store
from bench.common import report
from bench.pages_browser import look
from bench.pages_people import Person, Times, callbacks_of, crowd, log_in
from bench.queries import EXCHANGES, FOLDER, reading_of
from bench.stack import free_port
from bench.store_fill import END_US, SLUGS, batch_of, fill, later

PEOPLE, SECONDS, RUSH_S = 20, 40, 10
MEDIAN_MS, P95_MS, USABLE_MS, SCORE = 150, 400, 1_500, 95
EMAIL, PASSWORD = "bench@acme.example", "correct-horse-battery-staple"
_ROWS_A_SECOND = 50
_CORES = os.sched_getaffinity(0)
_ON_ONE_CORE = ["taskset", "--cpu-list", str(min(_CORES))]


def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    path = FOLDER / f"metrics-{EXCHANGES}.db"
    fill(path, EXCHANGES)
    with tempfile.TemporaryDirectory() as home, served(path, Path(home)) as address:
        base = f"http://{address[0]}:{address[1]}"
        cookie = log_in(address, EMAIL, PASSWORD)
        callbacks = callbacks_of(address, cookie)
        _keep_off_its_core()
        crew = [Person(address, cookie, callbacks, seed) for seed in range(people)]
        crowd(crew[:4], 3)  # fills caches, as the first visitors of a day do
        with written_to(path):
            times = crowd(crew, seconds)
            rush = crowd(crew, RUSH_S, think=False)
        for person in crew:
            person.close()
        os.sched_setaffinity(0, _CORES)
        with floor() as least:
            seen = look(base, EMAIL, PASSWORD, SLUGS[0], least)
    rows = [_row(name, found) for name, found in sorted(times.items())]
    rows.append(_row("every callback", [each for found in times.values() for each in found]))
    report("pages", rows, {"people": people, **_rush(rush), **seen})
    if not all(row["met"] == "yes" for row in rows) or not _well(seen):
        sys.exit(1)


@contextmanager
def served(path: Path, home: Path) -> Iterator[tuple[str, int]]:
    """The web server over the store, one process with its threads on one core."""
    reading = reading_of(path)
    with transaction(reading.engine) as session:
        _add_somebody(session)
    reading.engine.dispose()
    reading.store.close()
    port = free_port()
    environment = {
        **os.environ,
        "MIDSPAN_HOME": str(home),
        "MIDSPAN_REGISTRY_URL": f"sqlite:///{path.with_name('registry.db')}",
        "MIDSPAN_METRICS_URL": f"sqlite:///{path}",
        "MIDSPAN_WEB_BIND": f"127.0.0.1:{port}",
        "MIDSPAN_BASE_URL": f"http://127.0.0.1:{port}",
        "BENCH_PAGES_BEGUN_US": str(time.time_ns() // 1000),
    }
    command = [sys.executable, "-m", "gunicorn", "--workers=1", "bench.pages_wsgi:app"]
    with answering(_ON_ONE_CORE + command, port, environment):
        yield "127.0.0.1", port


@contextmanager
def floor() -> Iterator[str]:
    """A page with the same libraries and nothing to say, on the same core; its address."""
    port = free_port()
    # Without the settings of the folder, which are those of the real one.
    command = [sys.executable, "-m", "gunicorn", f"--config={os.devnull}", "--workers=1",
               "--threads=8", f"--bind=127.0.0.1:{port}", "bench.pages_floor:server"]  # fmt: skip
    with answering(_ON_ONE_CORE + command, port, dict(os.environ)):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def answering(command: list[str], port: int, environment: dict[str, str]) -> Iterator[None]:
    """A web server while it runs."""
    server = subprocess.Popen(command, env=environment)
    try:
        _wait_for("127.0.0.1", port, server)
        yield
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def _keep_off_its_core() -> None:
    """What asks takes nothing from what answers, where there are cores enough."""
    if len(_CORES) > 1:
        os.sched_setaffinity(0, _CORES - {min(_CORES)})


@contextmanager
def written_to(path: Path) -> Iterator[None]:
    """A loader's commits beside the readers: fifty new exchanges every second."""
    stopped = threading.Event()

    def write() -> None:
        store, begun = open_store(f"sqlite:///{path}"), time.time_ns() // 1000
        while not stopped.wait(1.0):
            rows = later(END_US + time.time_ns() // 1000 - begun, _ROWS_A_SECOND)
            store.append(batch_of(rows, {}))
        store.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        stopped.set()
        writer.join()


def _add_somebody(session: Any) -> None:
    known = {"role": Role.ADMIN, "password": PASSWORD, "now_us": END_US, "actor": "bench"}
    with suppress(Refused):  # an earlier run did
        add_user(session, email=EMAIL, **known)


def _wait_for(host: str, port: int, server: Any) -> None:
    import socket

    for _ in range(600):
        if server.poll() is not None:
            sys.exit("the web server ended before it answered")
        try:
            socket.create_connection((host, port), 0.2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit("the web server does not answer")


def _row(name: str, times: list[float]) -> dict[str, Any]:
    median, p95 = (float(np.quantile(times, q, method="lower")) for q in (0.5, 0.95))
    return {
        "callback": name,
        "calls": len(times),
        "median ms": round(median, 1),
        "p95 ms": round(p95, 1),
        "met": "yes" if median <= MEDIAN_MS and p95 <= P95_MS else "NO",
    }


def _rush(times: Times) -> dict[str, Any]:
    """What happens when nobody looks between clicks: the server is then always full."""
    found = [each for took in times.values() for each in took]
    median, p95 = (float(np.quantile(found, q, method="lower")) for q in (0.5, 0.95))
    return {
        "without a pause, median ms": round(median, 1),
        "without a pause, p95 ms": round(p95, 1),
        "without a pause, callbacks a second": round(len(found) / RUSH_S, 1),
    }


def _well(seen: dict[str, Any]) -> bool:
    scores = [value for name, value in seen.items() if name.startswith("lighthouse ")]
    return (
        seen.get("first page usable, ms", 0) <= USABLE_MS
        and seen.get("serious issues (axe)", 0) == 0
        and all(score >= SCORE for score in scores)
    )


if __name__ == "__main__":
    main()
