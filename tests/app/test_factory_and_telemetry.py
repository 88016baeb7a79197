"""The app put together: what stops it, what it says about itself, and how it is served."""

import json
import os
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from app import telemetry
from app.errors import SchemaError, SettingsError
from app.factory import check, create_app
from app.telemetry import home as home_files
from collectors.loader.status import FILE, Status
from collectors.proxy.metrics import PROXIED, RECORDED, SHED, SIZE, Board
from tests.app.web_world import PEOPLE, World, copy_of, log_in, make_template, settings_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    home = tmp_path_factory.mktemp("template") / "home"
    return home, make_template(home)


@pytest.fixture
def world(template, tmp_path):
    home, tokens = template
    made = World(copy_of(home, tmp_path / "home"), tokens)
    yield made
    made.close()


def metrics(world) -> str:
    return world.app.test_client().get("/metrics").text


def value(text: str, start: str, home: Path | None = None) -> float:
    [line] = [
        line
        for line in text.splitlines()
        if line.startswith(start) and (home is None or str(home) in line)
    ]
    return float(line.rpartition(" ")[2])


def test_a_query_and_a_request_are_timed_under_their_template(world):
    world.api("/integrations/globex-issues/health")
    world.api("/integrations/nobody/health")
    text = metrics(world)
    route = 'route="/api/v1/integrations/<slug>/health"'
    assert f'midspan_web_request_duration_seconds_count{{method="GET",{route}' in text
    assert 'midspan_query_duration_seconds_count{ok="true",query="health"' in text
    assert 'midspan_query_duration_seconds_count{ok="false",query="health"' in text
    assert "nobody" not in text


def test_a_path_that_is_no_route_makes_no_series_of_its_own(world):
    world.api("/never/heard/of")
    assert "never" not in metrics(world)


def test_a_method_that_somebody_made_up_makes_no_series_of_its_own(world):
    client = world.app.test_client()
    for invented in ("XPROBE1", "XPROBE2"):
        client.open("/livez", method=invented)
    text = metrics(world)
    assert "XPROBE" not in text
    assert 'method="_OTHER"' in text


def test_the_loaders_own_numbers_are_shown(world):
    home = world.settings.home
    status = Status(
        1, 2, exchanges=123, lag_bytes=4567, failures=Counter(torn=2, registry_unavailable=1)
    )
    status.write(home)
    text = metrics(world)
    assert value(text, "midspan_loader_rows_total", home) == 123
    assert value(text, "midspan_journal_lag_bytes", home) == 4567
    assert value(text, 'midspan_loader_failures_total{reason="torn"', home) == 2
    assert value(text, "midspan_loader_status_age_seconds", home) < 60


def test_every_number_we_show_of_the_loader_is_one_it_writes(tmp_path):
    Status(1, 2).write(tmp_path)
    written = json.loads((tmp_path / FILE).read_text())
    for key, *_rest in home_files.LOADER_COUNTERS:
        assert isinstance(written[key], int)
    assert tmp_path / "status" / home_files.LOADER_FILE == tmp_path / FILE
    assert isinstance(written["lag_bytes"], int)
    assert isinstance(written["failures"], dict)


def test_every_workers_counts_are_shown_by_direction(world):
    from collectors.proxy.hub import boards_folder

    for number, name in enumerate(("worker-0", "worker-1")):
        board = Board(boards_folder(world.settings.home) / f"{name}.board")
        counts = [0] * SIZE
        counts[PROXIED : PROXIED + 2] = [100 + number, 10]
        counts[RECORDED : RECORDED + 2] = [99 + number, 10]
        counts[SHED : SHED + 2] = [1, 0]
        board.publish(counts)
        board.close()
    text, home = metrics(world), world.settings.home
    assert value(text, 'midspan_proxied_total{direction="outbound"', _of(home, 0)) == 100
    assert value(text, 'midspan_recorded_total{direction="outbound"', _of(home, 1)) == 100
    assert value(text, 'midspan_shed_total{direction="inbound"', _of(home, 1)) == 0


def _of(home: Path, worker: int) -> str:
    return f'{home}",worker="worker-{worker}"'


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"exchanges": "many", "failures": 7}'])
def test_a_damaged_status_file_gives_no_number_and_no_error(world, content):
    home = world.settings.home
    (home / "status").mkdir()
    (home / "status" / "loader.json").write_bytes(content)
    (home / "proxy").mkdir()
    (home / "proxy" / "torn.board").write_bytes(content)
    text = metrics(world)
    lines = [line for line in text.splitlines() if str(home) in line]
    assert [line.partition("{")[0] for line in lines] == ["midspan_loader_status_age_seconds"]


def test_a_board_caught_half_written_is_left_out(tmp_path):
    path = tmp_path / "w.board"
    board = Board(path)
    board.publish([7] * SIZE)
    assert home_files.read_board(path) == (7,) * SIZE
    raw = bytearray(path.read_bytes())
    raw[0] += 1
    path.write_bytes(raw)
    assert home_files.read_board(path) == ()
    board.close()


def test_openmetrics_is_spoken_to_those_who_ask(world):
    answer = world.app.test_client().get(
        "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}
    )
    assert answer.content_type.startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_configuring_twice_is_configuring_once(world):
    telemetry.configure("web")
    telemetry.watch_home(world.settings.home)
    assert metrics(world)


def test_without_a_metrics_store_the_start_says_what_to_run(tmp_path):
    with pytest.raises(SchemaError, match="python -m app migrate"):
        create_app(settings_of(tmp_path / "empty"))


def test_a_registry_that_is_away_is_not_a_reason_not_to_start(world):
    (world.settings.home / "registry.db").unlink()
    check(world.settings)
    assert log_in(world.app.test_client(), PEOPLE["admin"][0]).status_code == 503


def test_a_home_that_cannot_be_written_stops_the_start(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(SettingsError, match="MIDSPAN_HOME"):
        check(settings_of(tmp_path / "file" / "home"))


def run_web(home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: text for name, text in os.environ.items() if "MIDSPAN" not in name}
    return subprocess.run(
        [sys.executable, "-m", "gunicorn", "wsgi:app"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        env={**environment, "MIDSPAN_HOME": str(home), **settings},
    )  # fmt: skip


def test_an_unknown_setting_is_one_line_and_the_end(tmp_path):
    done = run_web(tmp_path, MIDSPAN_WEB_BNID="127.0.0.1:1")
    assert done.returncode != 0
    assert (done.stdout + done.stderr).strip() == (
        "midspan: unknown setting MIDSPAN_WEB_BNID: docs/settings.md lists the known ones"
    )


def test_a_port_in_use_is_one_line_and_the_end(template):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_web(template[0], MIDSPAN_WEB_BIND=f"127.0.0.1:{port}")
    assert done.returncode != 0
    assert (done.stdout + done.stderr).strip() == (
        f"midspan: cannot listen on 127.0.0.1:{port}: Address already in use; set MIDSPAN_WEB_BIND"
    )


def test_no_database_yet_is_said_before_anything_listens(tmp_path):
    done = run_web(tmp_path / "new")
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1].endswith("run python -m app migrate")
    assert "Traceback" not in done.stderr
