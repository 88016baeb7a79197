"""The doctor: what it looks at, what it says about it, and that it changes nothing."""

import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from app.cli import check_data, check_home, check_reach, findings
from app.cli.findings import Finding, Level
from app.domain.window import MINUTE_US
from app.settings import Bind, Settings, load
from app.store.port import Position
from tests.app.cli_running import REGISTRY, Cli

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def of(home: Path, **given: str) -> Settings:
    return load({"MIDSPAN_HOME": str(home), **given}, Path("/nonexistent.env"))


def levels(found: Iterator[Finding]) -> list[tuple[str, str]]:
    return [(each.level.value, each.what) for each in found]


@pytest.fixture
def midspan(tmp_path: Path) -> Cli:
    names = ("MIDSPAN_WEB_BIND", "MIDSPAN_OUTBOUND_BIND", "MIDSPAN_INBOUND_BIND")
    binds = {name: f"127.0.0.1:{free_port()}" for name in names}
    return Cli(tmp_path / "home", tmp_path, binds)


def test_a_healthy_midspan_is_ok_line_by_line(midspan: Cli) -> None:
    midspan.ok("import", midspan.file("registry.yaml", REGISTRY))
    before = {path: path.stat().st_mtime_ns for path in midspan.home.glob("*.*")}
    lines = midspan.ok("doctor").splitlines()
    assert [line.split(":")[0] for line in lines if line.startswith("ok")] == [
        "ok    settings", "ok    home", "ok    disk", "ok    secret", "ok    registry",
        "ok    routing", "ok    metrics store", "ok    journal", "ok    clock", "ok    web",
        "ok    outbound", "ok    inbound", "ok    mail",
    ]  # fmt: skip
    assert len(lines) == 13
    assert "revision 1, 1 integrations" in lines[4]
    after = {path: path.stat().st_mtime_ns for path in midspan.home.glob("*.*")}
    assert {path: after[path] for path in before if "-" not in path.name} == {
        path: time for path, time in before.items() if "-" not in path.name
    }


def test_before_anything_was_made_it_says_how_to_begin(midspan: Cli) -> None:
    done = midspan("doctor")
    assert done.code == 1
    assert f"fail  home: {midspan.home} is not there: run python -m app migrate" in done.out
    assert "fail  registry: there is no registry at" in done.out
    assert "fail  metrics store: " in done.out
    assert done.err == "3 of 11 checks failed; each line above says how to mend it\n"
    assert not midspan.home.exists()


def test_a_stale_or_absent_routing_table_fails_until_it_is_published(midspan: Cli) -> None:
    midspan.ok("import", midspan.file("registry.yaml", REGISTRY))
    path = midspan.home / "routes.json"
    table = json.loads(path.read_text())
    path.write_text(json.dumps({**table, "revision": 0}))
    assert (
        "fail  routing: revision 0 is published, the registry is at 1: run python -m app routes"
        in midspan("doctor").out
    )
    path.unlink()
    assert f"fail  routing: {path} is not there: run python -m app routes" in midspan("doctor").out
    midspan.ok("routes")
    assert "ok    routing" in midspan.ok("doctor")


def test_an_integration_that_the_proxy_will_refuse_is_a_warning(midspan: Cli) -> None:
    inside = REGISTRY.replace("https://api.globex.example", "http://127.0.0.1:8000")
    midspan.ok("import", midspan.file("registry.yaml", inside))
    assert "warn  registry: issues point at private addresses" in midspan.ok("doctor")


def test_a_home_that_others_can_enter_is_a_warning(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert levels(check_home.home(of(tmp_path)))[0] == ("warn", "home")
    tmp_path.chmod(0o700)
    assert levels(check_home.home(of(tmp_path)))[0] == ("ok", "home")


@pytest.mark.parametrize(("mode", "level"), [(0o600, "ok"), (0o644, "warn")])
def test_a_secret_that_others_can_read_is_a_warning(mode: int, level: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "secret").chmod(mode)
    assert levels(check_home.secret(of(tmp_path))) == [(level, "secret")]


def segment(folder: Path, first: int, size: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{first:020}.seg").write_bytes(b"x" * size)


def test_the_backlog_is_what_lies_behind_the_position(tmp_path: Path) -> None:
    for first, size in ((100, 1000), (200, 2000), (300, 4000)):
        segment(tmp_path, first, size)
    assert check_home.backlog_bytes(tmp_path, None) == 7000
    assert check_home.backlog_bytes(tmp_path, Position(200, 500, 250)) == 1500 + 4000
    assert check_home.backlog_bytes(tmp_path, Position(300, 4000, 400)) == 0


@pytest.mark.parametrize(("size", "level"), [(90_000, "ok"), (200_000, "warn"), (950_000, "fail")])
def test_a_journal_that_nobody_loads_is_told_before_it_is_full(
    size: int, level: str, tmp_path: Path
) -> None:
    segment(tmp_path / "journal" / "worker-0", 1, size)
    settings = of(tmp_path, MIDSPAN_JOURNAL_MAX_BYTES="1048576")
    assert levels(check_home.journal(settings, {})) == [(level, "journal worker-0")]
    loaded = {"worker-0": Position(1, size, 2)}
    assert levels(check_home.journal(settings, loaded)) == [("ok", "journal worker-0")]


@pytest.mark.parametrize(
    ("now_us", "newest_us", "level"),
    [
        (1_800_000_000_000_000, None, "ok"),
        (1_800_000_000_000_000, 1_800_000_000_000_000 + MINUTE_US, "ok"),
        (1_800_000_000_000_000, 1_800_000_000_000_000 + 3 * MINUTE_US, "fail"),
        (1_000_000, None, "fail"),
    ],
)
def test_a_clock_behind_what_is_stored_fails(
    now_us: int, newest_us: int | None, level: str
) -> None:
    found = check_data.clock(None, check_data.Stored({}, newest_us), now_us)
    assert levels(found) == [(level, "clock")]


class Livez(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path.endswith("livez") else 404)
        self.end_headers()

    def log_message(self, *_given: object) -> None:
        """Say nothing."""


@pytest.fixture
def living() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Livez)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def hang_up_on(listener: socket.socket) -> None:
    listener.accept()[0].close()


def test_a_port_that_midspan_serves_is_fine_and_a_strangers_is_not(living: int) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        port = stranger.getsockname()[1]
        # It accepts, and hangs up without an answer.
        stranger.listen()
        thread = threading.Thread(target=hang_up_on, args=(stranger,))
        thread.start()
        settings = of(
            Path("/nonexistent"),
            MIDSPAN_WEB_BIND=f"127.0.0.1:{port}",
            MIDSPAN_OUTBOUND_BIND=f"127.0.0.1:{living}",
            MIDSPAN_INBOUND_BIND=f"127.0.0.1:{free_port()}",
        )
        found = list(check_reach.ports(settings))
        thread.join()
    assert [each.level for each in found] == [Level.WARN, Level.OK, Level.OK]
    assert "taken by something else: end it or change MIDSPAN_WEB_BIND" in found[0].how
    assert "is served by Midspan" in found[1].how


def test_an_address_that_is_not_this_machines_fails() -> None:
    found = check_reach._port("web", Bind("192.0.2.1", 80), False)
    assert found.level is Level.FAIL
    assert "change MIDSPAN_WEB_BIND" in found.how


class Smtp(socketserver.StreamRequestHandler):
    """As much of a mail server as a greeting needs."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            if line.upper().startswith(b"QUIT"):
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"535 no\r\n" if line.startswith(b"AUTH") else b"250 AUTH PLAIN\r\n")


@pytest.fixture
def smtp() -> Iterator[int]:
    server = socketserver.TCPServer(("127.0.0.1", 0), Smtp)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_mail_server_that_answers_is_ok(smtp: int, tmp_path: Path) -> None:
    settings = of(tmp_path, MIDSPAN_SMTP_URL=f"smtp://127.0.0.1:{smtp}")
    assert levels(check_reach.mail(settings)) == [("ok", "mail")]


def test_a_mail_server_that_refuses_us_or_is_away_fails_without_the_password(
    smtp: int, tmp_path: Path
) -> None:
    for url in (f"smtp://me:hunter22@127.0.0.1:{smtp}", f"smtp://127.0.0.1:{free_port()}"):
        (found,) = check_reach.mail(of(tmp_path, MIDSPAN_SMTP_URL=url))
        assert found.level is Level.FAIL
        assert "check MIDSPAN_SMTP_URL" in found.how
        assert "hunter22" not in str(found)


def test_without_a_mail_server_mails_are_kept(tmp_path: Path) -> None:
    assert levels(check_reach.mail(of(tmp_path))) == [("ok", "mail")]


def test_a_check_that_cannot_be_made_is_a_finding() -> None:
    def check() -> Iterator[Finding]:
        yield findings.ok("x", "fine")
        raise PermissionError(13, "Permission denied", "/a")

    found = list(findings.guarded("x", check))
    assert [str(each) for each in found] == ["ok    x: fine", "fail  x: /a Permission denied"]


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (5 * 2**30, "5.0 GiB"),
        (2**52, "4096.0 TiB"),
    ],
)
def test_sizes_are_said_for_people(count: int, said: str) -> None:
    assert findings.size(count) == said


def test_the_receiver_file_is_looked_at_where_there_is_one(tmp_path: Path) -> None:
    settings, path = of(tmp_path), tmp_path / "receivers.yaml"
    assert list(check_home.receivers(settings)) == []
    path.write_text("receivers:\n  - {name: ops, kind: mail, addresses: [a@b.example]}\n")
    path.chmod(0o644)
    assert levels(check_home.receivers(settings)) == [("warn", "receivers")]
    path.chmod(0o600)
    [fine] = check_home.receivers(settings)
    assert fine.how == "1 receivers, 0 routes"
    path.write_text("routes:\n  - {name: r, to: [nobody]}\n")
    [wrong] = check_home.receivers(settings)
    assert wrong.level is Level.FAIL
    assert "receivers.yaml:2: route 'r': there is no receiver 'nobody'" in str(wrong)
