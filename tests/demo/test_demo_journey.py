"""The whole demo as a newcomer sees it: started, looked at, ended."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
START_S = LIVE_S = 90.0

pytestmark = pytest.mark.slow


class Running(NamedTuple):
    """A demo on its feet, and what it has said so far."""

    process: subprocess.Popen[str]
    said: Path
    web: int
    children: list[int]

    @property
    def token(self) -> str:
        found = re.search(r"mst_[\w-]+", self.said.read_text())
        assert found is not None
        return found[0]

    def ask(self, path: str) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.web}/api/v1/{path}",
            headers={"Authorization": f"Bearer {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


def eventually(holds: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def descendants(pid: int) -> list[int]:
    table = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    pairs = [tuple(map(int, line.split())) for line in table.splitlines()]
    found, front = [], [pid]
    while front:
        front = [child for child, parent in pairs if parent in front]
        found += front
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Running]:
    web, outbound, inbound = free_ports(3)
    said = tmp_path / "said"
    words = ["--days", "2", "--web-port", str(web), "--outbound-port", str(outbound)]
    with said.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo", *words, "--inbound-port", str(inbound)],
            cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )  # fmt: skip
    try:
        ready = eventually(
            lambda: "curl" in said.read_text() or process.poll() is not None, START_S
        )
        assert ready, said.read_text()
        assert process.poll() is None, said.read_text()
        yield Running(process, said, web, descendants(process.pid))
    finally:
        process.kill()
        process.wait()


def live_in_all_places(demo: Running) -> bool:
    """Whether real traffic of the last minutes has reached the numbers of every busy partner."""
    slugs = ("globex-issues", "umbrella-ci", "tyrell-forms", "soylent-crm")
    try:
        counts = [demo.ask(f"integrations/{slug}/health?window=1m")["proxied"] for slug in slugs]
    except urllib.error.URLError:
        return False
    return all(count > 0 for count in counts)


def kill_loader(demo: Running) -> None:
    [loader] = [
        pid
        for pid in demo.children
        if "collectors\0loader" in Path(f"/proc/{pid}/cmdline").read_text()
    ]
    os.kill(loader, signal.SIGKILL)


def test_a_newcomer_sees_live_numbers_in_time_and_nothing_is_left_at_the_end(
    demo: Running, tmp_path: Path
) -> None:
    assert eventually(lambda: live_in_all_places(demo), LIVE_S)
    failures = "exchanges?integration=tyrell-forms&outcome=tls_error&limit=1"
    assert eventually(lambda: bool(demo.ask(failures)["items"]), LIVE_S)
    expired = demo.ask(failures)["items"][0]
    assert (expired["error"], expired["fault"]) == ("tls_expired", "partner")
    assert eventually(lambda: "days back-filled" in demo.said.read_text(), 180)
    kill_loader(demo)
    assert eventually(lambda: "loader ended (SIGKILL)" in demo.said.read_text(), 10)
    assert eventually(lambda: live_in_all_places(demo), LIVE_S)
    said = demo.said.read_text()
    for email in ("admin@acme.example", "ecosystem@acme.example", "dev@umbrella.example"):
        assert email in said
    homes = list(tmp_path.glob("midspan-demo-*"))
    assert len(homes) == 1

    begun = time.monotonic()
    demo.process.send_signal(signal.SIGTERM)
    assert demo.process.wait(timeout=30) == 0
    assert time.monotonic() - begun < 10, "the contract promises ten seconds"
    assert not [pid for pid in {*demo.children, *descendants(demo.process.pid)} if alive(pid)]
    assert list(tmp_path.glob("midspan-demo-*")) == []
    assert "ended; none of its processes is left" in demo.said.read_text()
    assert "Traceback" not in demo.said.read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_killing_the_supervisor_ends_everything(demo: Running) -> None:
    assert len(demo.children) >= 6
    demo.process.kill()
    demo.process.wait()
    assert eventually(lambda: not any(alive(pid) for pid in demo.children), 20), [
        Path(f"/proc/{pid}/cmdline").read_text() for pid in demo.children if alive(pid)
    ]
