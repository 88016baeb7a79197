"""A running proxy process between real clients and a real service, and what it recorded."""

import hashlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

from app.domain.ids import parse_id
from app.domain.route import Route, RouteTable, encode_table
from app.domain.words import Direction
from bench.stack import ROOT, free_port, wait_until
from collectors.journal.reader import Reader
from collectors.loader.decode import decode
from collectors.record import Exchange

TOKEN = "partner-token-1234"
SERVICE = "tests.journeys.real_software.service:app"


class Process:
    """A server in a process of its own, gone with the test."""

    def __init__(self, *command: str | Path, environment: dict[str, str] | None = None) -> None:
        clean = {name: v for name, v in os.environ.items() if not name.startswith("MIDSPAN_")}
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=clean | (environment or {}), start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def service(port: int) -> Process:
    """The Flask service under gunicorn."""
    return Process(
        sys.executable, "-m", "gunicorn", SERVICE, "--bind", f"127.0.0.1:{port}", "--threads", "16",
        "--config", "/dev/null",
    )  # fmt: skip


def answers(url: str) -> bool:
    """Whether anything answers there, whatever it says."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError as error:
        error.close()
    except OSError:
        return False
    return True


class Through:
    """One way through the proxy to the service."""

    def __init__(self, stage: "Stage", direction: Direction, base_url: str) -> None:
        self._stage = stage
        self.direction = direction
        self.base_url = base_url

    @property
    def headers(self) -> dict[str, str]:
        """What tells an inbound caller apart."""
        return {"X-Api-Key": TOKEN} if self.direction == Direction.INBOUND else {}

    def recorded(self, printed_id: str) -> Exchange:
        """The record of the exchange that the answer's `Midspan-Exchange` names."""
        return self._stage.recorded(printed_id)

    def after(self, before: int, count: int) -> list[Exchange]:
        """The `count` records behind the first `before`; there are no more of them."""
        wait_until(lambda: self.count() >= before + count, f"{count} records", 10)
        found = list(self._stage.read().values())[before:]
        assert len(found) == count, [(each.method, each.path, each.status) for each in found]
        return found

    def count(self) -> int:
        """How many records there are."""
        return len(self._stage.read())


class Stage:
    """The proxy of one home. Every integration has its target; the platform is the first."""

    def __init__(self, home: Path, targets: dict[str, str]) -> None:
        self._home = home
        self._ports = {direction: free_port() for direction in Direction}
        home.mkdir()
        first = next(iter(targets.values()))
        routes = tuple(
            Route(
                slug, "globex", url, f"{url}/hook", allow_private_addresses=True,
                inbound_token_sha256=(hashlib.sha256(TOKEN.encode()).hexdigest(),)
                if url == first else (), breaker=None,
            )
            for slug, url in targets.items()
        )  # fmt: skip
        (home / "routes.json").write_bytes(encode_table(RouteTable(1, "Acme", first, routes)))
        self.process = Process(
            sys.executable, "-m", "collectors", "proxy",
            environment={
                "MIDSPAN_HOME": str(home), "MIDSPAN_CAPTURE_RATIO": "1",
                "MIDSPAN_RETRY_AFTER_MAX": "0s",  # services here ask to wait to see it passed on
                "MIDSPAN_OUTBOUND_BIND": f"127.0.0.1:{self._ports[Direction.OUTBOUND]}",
                "MIDSPAN_INBOUND_BIND": f"127.0.0.1:{self._ports[Direction.INBOUND]}",
            },
        )  # fmt: skip
        self._readers: dict[Path, Reader] = {}
        self._found: dict[bytes, Exchange] = {}

    def wait(self) -> None:
        """Return once the proxy has its routes."""
        url = f"http://127.0.0.1:{self._ports[Direction.OUTBOUND]}/-/readyz"
        wait_until(lambda: answers(url), "the proxy")

    def through(self, direction: Direction, slug: str = "globex") -> Through:
        """The way in that direction."""
        base = f"http://127.0.0.1:{self._ports[direction]}"
        return Through(self, direction, f"{base}/{slug}" if not direction else base)

    def read(self) -> dict[bytes, Exchange]:
        """Every record so far, by id."""
        for folder in sorted((self._home / "journal").glob("worker-*")):
            reader = self._readers.setdefault(folder, Reader(folder))
            for exchange in decode(reader.read().frames).exchanges:
                self._found[exchange.id] = exchange
        return self._found

    def recorded(self, printed_id: str) -> Exchange:
        """The record of that id. It is there once the last byte of the answer is."""
        exchange_id = parse_id(printed_id)
        deadline = time.monotonic() + 5
        while exchange_id not in self.read():
            assert time.monotonic() < deadline, f"{printed_id} was answered and not recorded"
        return self._found[exchange_id]
