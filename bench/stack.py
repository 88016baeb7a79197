"""All of Midspan as real processes on free ports of loopback, for journeys and benchmarks.

    with Stack(tmp_path, {"globex-issues": "http://127.0.0.1:9000"}) as stack:
        stack.api("/integrations/globex-issues/health?window=1h")

Each process writes its log to `<home>/logs/<name>.log`. `kill` is `kill -9`.
"""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[1]
_START_S = 60.0

COMMANDS = {
    "proxy": ["-m", "collectors", "proxy"],
    "loader": ["-m", "collectors", "loader"],
    "web": ["-m", "gunicorn", "wsgi:app"],
}
#: Started by those who ask for it.
MORE = {"scheduler": ["-m", "alerts", "run"]}


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], bool], what: str, seconds: float = _START_S) -> None:
    """Return once `true()`; `TimeoutError` saying `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.02)


class Upstream:
    """The scripted server of `bench.upstream` in a process of its own."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.upstream", str(self.port)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout
        assert self._process.stdout.readline() == "ready\n"

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()


class Stack:
    """One Midspan: a home, a registry of the given targets, and its processes."""

    def __init__(
        self, home: Path, targets: Mapping[str, str], *, settings: Mapping[str, str] | None = None,
        timeouts: str = "", limits: str = "", breaker: str = "off",
    ) -> None:  # fmt: skip
        self.home = home
        self.web_port, self.outbound_port, self.inbound_port = (free_port() for _ in range(3))
        self.environment = {
            **{
                name: value for name, value in os.environ.items() if not name.startswith("MIDSPAN_")
            },
            "MIDSPAN_HOME": str(home),
            "MIDSPAN_WEB_BIND": f"127.0.0.1:{self.web_port}",
            "MIDSPAN_OUTBOUND_BIND": f"127.0.0.1:{self.outbound_port}",
            "MIDSPAN_INBOUND_BIND": f"127.0.0.1:{self.inbound_port}",
            "MIDSPAN_BASE_URL": f"http://127.0.0.1:{self.web_port}",
            **(settings or {}),
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        home.mkdir(parents=True, exist_ok=True)
        (home / "logs").mkdir(exist_ok=True)
        registry = home / "registry.yaml"
        registry.write_text(registry_text(targets, timeouts, limits, breaker))
        self.midspan("migrate")
        self.midspan("import", str(registry))
        self.token = self.midspan("token", "add", "bench", "--role", "ecosystem").split()[-1]

    def __enter__(self) -> Self:
        try:
            for name in COMMANDS:
                self.start(name)
            self.wait_ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()

    def midspan(self, *arguments: str) -> str:
        """What `python -m app ...` prints; `RuntimeError` with its error line."""
        done = subprocess.run(
            [sys.executable, "-m", "app", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"midspan {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def start(self, name: str) -> None:
        """Start one process, in a process group of its own."""
        with (self.home / "logs" / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *(COMMANDS | MORE)[name]], cwd=ROOT, env=self.environment,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def limit_files(self, name: str, size_bytes: int | None) -> None:
        """Cap the size of any file a running process writes, like a full disk; None lifts it."""
        soft = resource.RLIM_INFINITY if size_bytes is None else size_bytes
        resource.prlimit(
            self.processes[name].pid, resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY)
        )

    def kill(self, name: str) -> None:
        """`kill -9` the process and its children, without a word."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self, name: str, seconds: float = 20.0) -> int:
        """Ask a process to end; its exit code."""
        process = self.processes.pop(name)
        process.terminate()
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise

    def wait_ready(self) -> None:
        """Return once the proxy routes and the web answers."""
        wait_until(self._proxy_ready, f"the proxy; {self.home}/logs/proxy.log")
        wait_until(self._web_ready, f"the web; {self.home}/logs/web.log")

    def api(self, path: str) -> Any:
        """The JSON of `/api/v1<path>`."""
        return json.loads(self._get(f"http://127.0.0.1:{self.web_port}/api/v1{path}"))

    def counters(self) -> dict[str, float]:
        """The proxy's own counts, labels summed, by name without `midspan_`."""
        found: dict[str, float] = {}
        for line in self._get(f"http://127.0.0.1:{self.outbound_port}/-/metrics").splitlines():
            if line.startswith("midspan_"):
                name, _, value = line.rpartition(" ")
                bare = name.partition("{")[0].removeprefix("midspan_")
                found[bare] = found.get(bare, 0.0) + float(value)
        return found

    def proxied(self, integration: str) -> int:
        """How many exchanges of the last day the API knows of; -1 while it cannot say."""
        try:
            return int(self.api(f"/integrations/{integration}/health?window=1d")["proxied"])
        except OSError:  # an HTTP error, or nobody there
            return -1

    def close(self) -> None:
        """Kill whatever still runs."""
        for name in list(self.processes):
            self.kill(name)

    def _proxy_ready(self) -> bool:
        return self._status(f"http://127.0.0.1:{self.outbound_port}/-/readyz") == 200

    def _web_ready(self) -> bool:
        return self._status(f"http://127.0.0.1:{self.web_port}/livez") == 200

    def _status(self, url: str) -> int:
        try:
            self._get(url)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0
        return 200

    def _get(self, url: str) -> str:
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=15) as answer:
            return str(answer.read().decode())


def registry_text(
    targets: Mapping[str, str], timeouts: str = "", limits: str = "", breaker: str = "off"
) -> str:
    """A registry file with one integration per target, all of one partner.

    Without a breaker, because targets fail on purpose, again and again.
    """
    entries = "".join(
        f"      - slug: {slug}\n        name: {slug}\n        visibility: public\n"
        f"        api_base_url: {url}\n        webhook_url: {url}/hooks\n"
        f"        allow_private_addresses: true\n        breaker: {breaker}\n"
        + (f"        timeouts: {timeouts}\n" if timeouts else "")
        + (f"        limits: {limits}\n" if limits else "")
        for slug, url in targets.items()
    )
    return (
        "platform:\n  name: Acme Cloud\n  api_base_url: http://127.0.0.1:9\n"
        "partners:\n  - slug: bench\n    name: Bench\n    integrations:\n" + entries
    )
