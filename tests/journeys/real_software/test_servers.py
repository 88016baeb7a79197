"""Servers of several makes behind the proxy, and what only curl can ask."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from app.domain.words import Direction
from bench.stack import free_port, wait_until
from tests.journeys.real_software.conftest import needs
from tests.journeys.real_software.service import FILE
from tests.journeys.real_software.stage import Process, Stage, Through, answers

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent


def curl(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    needs("curl")
    return subprocess.run(
        ["curl", "-sS", "--max-time", "20", *arguments],
        input=given,
        capture_output=True,
        check=True,
    )


def test_curl_waits_for_continue_before_it_uploads(through: Through) -> None:
    headers = [
        part for name, value in through.headers.items() for part in ("-H", f"{name}: {value}")
    ]
    before = through.count()
    done = curl(
        "-v", *headers, "-H", "Expect: 100-continue", "--data-binary", "@-",
        f"{through.base_url}/echo", given=FILE,
    )  # fmt: skip
    assert b"< HTTP/1.1 100 Continue" in done.stderr
    assert b"done waiting for 100-continue" not in done.stderr.lower()
    [record] = through.after(before, 1)
    assert (record.status, record.request_bytes) == (200, len(FILE))


def test_curl_goes_on_with_a_download(stage: Stage, tmp_path: Path) -> None:
    through = stage.through(Direction.OUTBOUND)
    target = tmp_path / "file"
    target.write_bytes(FILE[:40_000])
    curl("-C", "-", "-o", str(target), f"{through.base_url}/file")
    assert target.read_bytes() == FILE


def test_curl_keeps_one_connection_for_many_requests(through: Through) -> None:
    before = through.count()
    url = f"{through.base_url}/status/200"
    done = curl("-w", " %{num_connects};", url, url, url)
    assert done.stdout == b"said 1;said 0;said 0;"
    assert len(through.after(before, 3)) == 3


@pytest.mark.parametrize("more", [(), ("--data-binary", "a=1")], ids=["GET", "POST"])
def test_curl_offers_http_2_and_gets_http_1(stage: Stage, more: tuple[str, ...]) -> None:
    through = stage.through(Direction.OUTBOUND)
    before = through.count()
    done = curl("-v", "--http2", *more, f"{through.base_url}/echo")
    assert b"> Upgrade: h2c" in done.stderr
    assert b"< HTTP/1.1 200" in done.stderr
    [record] = through.after(before, 1)
    assert (record.status, record.request_bytes) == (200, 3 if more else 0)


def test_curl_speaks_http_1_0(stage: Stage) -> None:
    through = stage.through(Direction.OUTBOUND)
    before = through.count()
    assert curl("--http1.0", f"{through.base_url}/chunks/3").stdout == FILE[:24]
    assert [record.response_bytes for record in through.after(before, 1)] == [24]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Through]:
    needs("node")
    server = subprocess.Popen(["node", HERE / "server.mjs"], stdout=subprocess.PIPE)
    assert server.stdout
    port = int(server.stdout.readline())
    stage = Stage(tmp_path_factory.mktemp("node") / "home", {"node": f"http://127.0.0.1:{port}"})
    with stage.process:
        stage.wait()
        yield stage.through(Direction.OUTBOUND, "node")
    server.kill()
    server.wait()
    server.stdout.close()


def test_a_server_on_node_is_asked_and_answers(node: Through) -> None:
    found = requests.post(f"{node.base_url}/echo", data=FILE * 5, timeout=20)
    assert found.content == FILE * 5
    record = node.recorded(found.headers["Midspan-Exchange"])
    assert (record.request_bytes, record.response_bytes) == (len(FILE) * 5, len(FILE) * 5)


def test_early_hints_are_passed_on(node: Through) -> None:
    before = node.count()
    done = curl("-v", f"{node.base_url}/hints")
    assert b"< HTTP/1.1 103 Early Hints" in done.stderr
    assert b"< HTTP/1.1 200" in done.stderr
    assert done.stdout == b"hinted"
    assert [record.status for record in node.after(before, 1)] == [200]


def test_trailers_are_dropped_and_the_body_is_whole(node: Through) -> None:
    found = requests.get(f"{node.base_url}/trailers", timeout=20)
    assert found.text == "in chunks"
    assert "X-Sum" not in found.headers
    assert node.recorded(found.headers["Midspan-Exchange"]).response_bytes == 9


def test_a_server_that_speaks_http_1_0_is_asked_and_answers(tmp_path: Path) -> None:
    """`python -m http.server`: no keep-alive, folders as pages, a connection for each answer."""
    port = free_port()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.txt").write_bytes(FILE)
    serving = Process(
        sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory",
        tmp_path / "docs", str(port),
    )  # fmt: skip
    stage = Stage(tmp_path / "home", {"old": f"http://127.0.0.1:{port}"})
    with serving, stage.process, requests.Session() as session:
        stage.wait()
        wait_until(lambda: answers(f"http://127.0.0.1:{port}"), "the server")
        through = stage.through(Direction.OUTBOUND, "old")
        for path, status in (("/a.txt", 200), ("/", 200), ("/nothing", 404), ("/a.txt", 200)):
            found = session.get(through.base_url + path, timeout=20)
            record = through.recorded(found.headers["Midspan-Exchange"])
            assert (found.status_code, record.status, record.path) == (status, status, path)
            assert record.response_bytes == len(found.content)
        assert found.content == FILE
