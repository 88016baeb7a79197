"""The command line of the demo: what it refuses, and what it keeps its hands off."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app.commands import registry_file
from app.settings import load
from demo import registry
from demo.cast import CAST
from demo.ground import DemoError, Ground, read, save
from demo.play import Wishes, demo_environ
from demo.services import PLATFORM_SERVICE

ROOT = Path(__file__).parents[2]
PORTS = {role.slug: 9001 + n for n, role in enumerate(CAST)} | {PLATFORM_SERVICE: 9000}


def demo(
    *arguments: str, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "demo", *arguments],
        cwd=ROOT, env={**os.environ, **(environ or {})}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("option", "setting"),
    [
        ("--web-port", "MIDSPAN_WEB_BIND"),
        ("--outbound-port", "MIDSPAN_OUTBOUND_BIND"),
        ("--inbound-port", "MIDSPAN_INBOUND_BIND"),
    ],
)
def test_a_port_in_use_is_one_line_that_names_it_and_its_setting(
    tmp_path: Path, option: str, setting: str
) -> None:
    with socket.socket() as taken, socket.socket() as one, socket.socket() as two:
        for each in (taken, one, two):
            each.bind(("127.0.0.1", 0))
        taken.listen()
        port, *others = (each.getsockname()[1] for each in (taken, one, two))
        names = [n for n in ("--web-port", "--outbound-port", "--inbound-port") if n != option]
        free = dict(zip(names, map(str, others), strict=True))
        one.close()
        two.close()
        given = [word for pair in free.items() for word in pair]
        ended = demo("--home", str(tmp_path), option, str(port), *given)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert str(port) in ended.stderr
    assert setting in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [["--days", "0"], ["--web-port", "70000"], ["--seed", "x"], ["dance"]]
)
def test_a_bad_option_is_refused(arguments: list[str]) -> None:
    ended = demo(*arguments)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_an_unknown_setting_is_one_line_for_both_commands() -> None:
    for command in ([], ["run"]):
        ended = demo(*command, environ={"MIDSPAN_HOEM": "x"})
        assert ended.returncode == 1
        assert ended.stderr.startswith("unknown setting MIDSPAN_HOEM")
        assert ended.stderr.count("\n") == 1


def test_run_names_the_port_that_is_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = demo("run", environ={"MIDSPAN_HOME": str(tmp_path), "MIDSPAN_WEB_BIND": bind})
    assert ended.returncode == 1
    assert "MIDSPAN_WEB_BIND" in ended.stderr
    assert not (tmp_path / "registry.db").exists()


def test_the_demo_takes_the_callers_addresses_and_nothing_else_of_theirs(tmp_path: Path) -> None:
    theirs = {
        "PATH": "/bin",
        "MIDSPAN_HOME": "/srv/midspan",
        "MIDSPAN_REGISTRY_URL": "postgresql://prod/registry",
        "MIDSPAN_METRICS_URL": "postgresql://prod/metrics",
        "MIDSPAN_SMTP_URL": "smtp://mail.example:25",
        "MIDSPAN_SECRET_KEY": "s" * 40,
        "MIDSPAN_WEB_BIND": "127.0.0.1:9050",
        "MIDSPAN_OUTBOUND_BIND": "0.0.0.0:9080",
    }
    made = demo_environ(theirs, tmp_path, Wishes(None, 90, 7, inbound_port=9081))
    settings = load(made, env_file=tmp_path / "none.env")
    assert made["PATH"] == "/bin"
    assert settings.home == tmp_path
    assert settings.registry_url == f"sqlite:///{tmp_path}/registry.db"
    assert settings.metrics_url == f"sqlite:///{tmp_path}/metrics.db"
    assert (settings.smtp_url, settings.secret_key) == (None, None)
    assert str(settings.web_bind) == "127.0.0.1:9050"
    assert str(settings.outbound_bind) == "0.0.0.0:9080"
    assert str(settings.inbound_bind) == "127.0.0.1:9081"
    assert settings.base_url == "http://127.0.0.1:9050"


def test_the_registry_file_is_one_that_can_be_imported(tmp_path: Path) -> None:
    path = tmp_path / "registry.yaml"
    path.write_text(registry.document(7, PORTS))
    found = registry_file.read(path)
    integrations = [each for partner in found.partners for each in partner.integrations]
    assert {each.slug for each in integrations} == {role.slug for role in CAST}
    assert len(found.partners) == 8
    assert all(each.allow_private_addresses for each in integrations)


def test_a_kept_home_remembers_its_world(tmp_path: Path) -> None:
    assert read(tmp_path) is None
    ground = Ground(8, 1_795_354_500_000_000, 30, {"admin@acme.example": "demo-1234"})
    save(tmp_path, ground)
    assert read(tmp_path) == ground
    assert (tmp_path / "demo.json").stat().st_mode & 0o777 == 0o600
    (tmp_path / "demo.json").write_text("{")
    with pytest.raises(DemoError, match="choose another --home"):
        read(tmp_path)
