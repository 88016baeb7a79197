"""`python -m app` from outside: what it prints, and that an error is one line, no traceback."""

import ctypes
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from app import cli
from app.migrations import registry_head
from tests.app.cli_running import REGISTRY, ROOT, Cli
from tests.app.conftest import PostgresRegistries

pytestmark = pytest.mark.slow


@pytest.fixture
def midspan(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "home", tmp_path)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as the import leaves it, to be copied: to make one takes seconds."""
    folder = tmp_path_factory.mktemp("imported")
    made = Cli(folder / "home", folder)
    made.ok("import", made.file("registry.yaml", REGISTRY))
    return made.home


@pytest.fixture
def filled(midspan: Cli, imported: Path) -> Cli:
    shutil.copytree(imported, midspan.home)
    midspan.file("registry.yaml", REGISTRY)
    return midspan


def test_a_registry_goes_in_and_comes_out_and_goes_in_again(midspan: Cli) -> None:
    first = midspan.ok("import", midspan.file("registry.yaml", REGISTRY))
    assert "added    integration issues" in first
    assert "imported: 1 platform added, 1 partner added, 1 integration added" in first
    assert stat.S_IMODE(midspan.home.stat().st_mode) == 0o700
    routes = json.loads((midspan.home / "routes.json").read_text())
    assert (routes["revision"], routes["routes"][0]["integration"]) == (1, "issues")
    assert midspan.ok("import", "registry.yaml").startswith("nothing changed\nrouting table unch")
    midspan.ok("export", "out.yaml")
    printed = midspan.ok("export")
    assert (midspan.folder / "out.yaml").read_text() == printed
    assert yaml.safe_load(printed)["partners"][0]["integrations"][0]["slug"] == "issues"
    assert midspan.ok("import", "out.yaml").startswith("nothing changed\n")
    assert "unchanged" in midspan.ok("routes")


def test_migrating_says_where_each_database_stands(midspan: Cli) -> None:
    created = f"registry: created ({registry_head()})\nmetrics store: "
    assert midspan.ok("migrate").startswith(created)
    assert "registry: up to date" in midspan.ok("migrate")


def test_a_token_is_alone_on_standard_output_and_kept_as_a_digest(filled: Cli) -> None:
    token = filled.ok("token", "add", "ci", "--role", "partner", "--partner", "globex")
    assert token.startswith("mst_")
    assert len(token.split()) == 1
    assert token.strip().encode() not in filled.database.read_bytes()
    assert "ci    partner  globex" in filled.ok("token", "list")
    assert filled.ok("token", "revoke", "ci") == "revoked ci\n"
    assert "no valid token is called 'ci'" in filled("token", "revoke", "ci").problem


def test_people_are_added_with_a_given_or_a_generated_password(filled: Cli) -> None:
    assert (
        filled.ok("user", "add", "Ann@acme.example", "--role", "admin", "--password-stdin",
                  stdin="correct horse\n")
        == "added ann@acme.example, role admin\n"
    )  # fmt: skip
    made = filled.ok(
        "user", "add", "bob@globex.example", "--role", "partner", "--partner", "globex"
    )
    assert "password, shown only now: " in made
    listed = filled.ok("user", "list")
    assert "ann@acme.example    admin    -" in listed
    assert "bob@globex.example  partner  globex" in listed
    assert "last administrator" in filled("user", "disable", "ann@acme.example").problem
    filled.ok("user", "add", "eve@acme.example", "--role", "admin")
    assert filled.ok("user", "disable", "ann@acme.example") == "disabled ann@acme.example\n"
    assert "was disabled already" in filled.ok("user", "disable", "ann@acme.example")
    assert "already" in filled("user", "add", "ann@acme.example", "--role", "admin").problem


def typed(midspan: Cli, arguments: list[str], answers: list[str]) -> tuple[int, str, str]:
    """A command at a terminal, one line typed at each prompt; its code, output and prompts."""
    keyboard, terminal = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *arguments], cwd=ROOT, stdin=terminal, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "MIDSPAN_HOME": str(midspan.home)},
    )  # fmt: skip
    prompts = b""
    for answer in answers:
        # What is typed before a prompt is thrown away, as at any prompt for a password.
        while not prompts.endswith(b": "):
            prompts += os.read(process.stderr.fileno(), 1000) or b": "
        os.write(keyboard, answer.encode() + b"\n")
        prompts += b"\n"
    out, rest = process.communicate(timeout=120)
    os.close(keyboard)
    os.close(terminal)
    return process.returncode, out.decode(), (prompts + rest).decode()


def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(filled: Cli) -> None:
    arguments = ["user", "add", "ann@acme.example", "--role", "admin"]
    code, out, prompts = typed(filled, arguments, ["correct horse", "correct horse"])
    assert (code, out) == (0, "added ann@acme.example, role admin\n")
    assert [line.split(":")[0] for line in prompts.split("\n") if line] == [
        "Password (nothing",
        "Repeat for confirmation",
    ]
    assert "correct horse" not in prompts


def test_a_registry_in_postgresql_takes_every_command(
    midspan: Cli, postgres_registries: PostgresRegistries
) -> None:
    url = postgres_registries.empty_url()
    both = {"MIDSPAN_REGISTRY_URL": url, "MIDSPAN_METRICS_URL": url}
    registry = midspan.file("registry.yaml", REGISTRY)
    assert "no tables yet: run python -m app migrate" in midspan("import", registry, **both).problem
    midspan.ok("migrate", **both)
    assert "added    integration issues" in midspan.ok("import", registry, **both)
    assert "nothing changed" in midspan.ok("import", registry, **both)
    assert midspan.ok("token", "add", "ci", "--role", "admin", **both).startswith("mst_")
    assert midspan.ok("export", **both).startswith("platform:\n  name: Acme\n")
    lines = midspan("doctor", **both).out.splitlines()
    assert [line for line in lines if line.startswith("fail")] == []
    assert not midspan.database.exists()


REFUSED = [
    ("unknown setting", ["migrate"], {"MIDSPAN_PORT": "1"}, "unknown setting MIDSPAN_PORT"),
    ("bad value", ["migrate"], {"MIDSPAN_PROXY_WORKERS": "x"}, "MIDSPAN_PROXY_WORKERS: 'x' is not"),
    ("bad database", ["migrate"], {"MIDSPAN_REGISTRY_URL": "mysql://x/y"}, "MIDSPAN_REGISTRY_URL"),
    ("in memory", ["migrate"], {"MIDSPAN_REGISTRY_URL": "sqlite://"}, "the registry needs a file"),
    ("no server", ["export"], {"MIDSPAN_REGISTRY_URL": "postgresql://127.0.0.1:1/x"}, "is away"),
    ("no file", ["import", "none.yaml"], {}, "cannot read none.yaml: No such file or directory"),
    ("a folder", ["import", "."], {}, "cannot read .: Is a directory"),
    ("nothing there", ["export"], {}, "there is no registry at"),
    ("nothing there for routes", ["routes"], {}, "run python -m app migrate"),
    ("unknown command", ["imprt"], {}, "No such command 'imprt'"),
    ("no command", [], {}, "Missing command. See python -m app --help"),
    ("missing argument", ["import"], {}, "'FILE'. See python -m app import --help"),
    ("unknown option", ["export", "--all"], {}, "No such option"),
    ("unknown role", ["token", "add", "x", "--role", "root"], {}, "'root' is not one of"),
    ("no role", ["user", "add", "a@b.example"], {}, "Missing option '--role'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "settings", "said"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_cannot_be_done_is_one_line_and_writes_nothing(
    arguments: list[str], settings: dict[str, str], said: str, midspan: Cli
) -> None:
    assert said in midspan(*arguments, **settings).problem
    assert not midspan.home.exists()


BAD_FILES = [
    (b"", ["r.yaml:1: the file is empty; an empty registry is 'partners: []'"]),
    (b"platform: {name: caf\xe9}", ["r.yaml:1: not UTF-8 (byte 0xe9): save it as UTF-8"]),
    (REGISTRY.replace("https:", "ftp:").encode(),
     ["r.yaml:6: 'api_base_url': 'ftp://api.globex.example' must begin with http:// or https:// "
      "and a host"]),
    ((REGISTRY + "  - slug: globex\n    name: G\n    nam: H\n").encode(),
     ["r.yaml:7: partner slug 'globex' is there already, on line 3",
      "r.yaml:9: partner 'globex' has no 'nam': did you mean 'name'?"]),
]  # fmt: skip


@pytest.mark.parametrize(("content", "lines"), BAD_FILES, ids=range(len(BAD_FILES)))
def test_a_bad_registry_file_is_told_line_by_line_and_writes_nothing(
    content: bytes, lines: list[str], midspan: Cli
) -> None:
    done = midspan("import", midspan.file("r.yaml", content))
    assert (done.code, done.out, done.err.splitlines()) == (1, "", lines)
    assert not midspan.home.exists()


def test_a_bad_file_leaves_the_registry_that_was_there(filled: Cli) -> None:
    before = filled.ok("export")
    bad = filled.file("bad.yaml", REGISTRY.replace("issues", "unattributed").replace("Acme", "New"))
    assert "'unattributed' is reserved" in filled("import", bad).problem
    assert filled.ok("export") == before


def test_a_registry_newer_than_the_code_is_named_and_left_alone(filled: Cli) -> None:
    with sqlite3.connect(filled.database) as connection:
        connection.execute("UPDATE registry_schema SET version_num = '9042_later'")
    connection.close()
    for command in (["import", "registry.yaml"], ["migrate"], ["export"]):
        said = filled(*command).problem
        assert f"9042_later, newer than this code, which knows {registry_head()}" in said


def test_a_locked_registry_is_one_line_after_some_patience(filled: Cli) -> None:
    before = filled.ok("export")
    changed = filled.file("new.yaml", REGISTRY.replace("Acme", "New"))
    holder = sqlite3.connect(filled.database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert "is locked by another process: try again" in filled("import", changed).problem
    holder.execute("ROLLBACK")
    holder.close()
    assert filled.ok("export") == before


def test_a_file_that_is_no_database_is_one_line(midspan: Cli) -> None:
    midspan.home.mkdir()
    midspan.database.write_bytes(b"these are not the bytes " * 100)
    said = midspan("import", midspan.file("registry.yaml", REGISTRY)).problem
    assert "is not a SQLite database: check MIDSPAN_REGISTRY_URL" in said


def test_a_home_inside_a_file_is_one_line(midspan: Cli) -> None:
    midspan.file("home", "a file")
    said = midspan("migrate").problem
    assert "set MIDSPAN_HOME to a folder that can be written" in said


def obey_file_modes() -> None:
    """What makes root obey them too, in a process and what it executes; others do anyway."""
    dropped = ctypes.CDLL(None, use_errno=True)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        dropped.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


@pytest.fixture
def powerless(tmp_path: Path) -> Iterator[Cli]:
    """A home that the command can be kept from writing to."""
    home = tmp_path / "home"
    yield Cli(home, tmp_path, process={"preexec_fn": obey_file_modes})
    home.chmod(0o700)


def test_a_read_only_home_is_one_line_and_nothing_is_written(powerless: Cli) -> None:
    powerless.home.mkdir()
    registry = powerless.file("registry.yaml", REGISTRY)
    powerless.home.chmod(0o555)
    said = powerless("import", registry).problem
    assert f"cannot write {powerless.home}/registry.db: Permission denied; set MIDSPAN_HOME" in said
    assert list(powerless.home.iterdir()) == []


def test_a_registry_that_may_only_be_read_is_one_line(powerless: Cli) -> None:
    registry = powerless.file("registry.yaml", REGISTRY)
    Cli(powerless.home, powerless.folder).ok("import", registry)
    for path in powerless.home.iterdir():
        path.chmod(0o444)
    powerless.home.chmod(0o555)
    changed = powerless.file("new.yaml", REGISTRY.replace("Acme", "New"))
    said = powerless("import", changed).problem
    assert f"{powerless.home}/registry.db cannot be written" in said


def test_help_is_light_and_asks_nothing_of_the_environment(midspan: Cli) -> None:
    code = (
        "import sys; from app.cli import main; main(['user', 'add', '--help']); "
        "print(sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "MIDSPAN_NONSENSE": "1"},
    )  # fmt: skip
    assert "--password-stdin" in done.stdout
    heavy = {"pandas", "dash", "plotly", "numpy", "flask", "sqlalchemy", "alembic", "argon2"}
    assert heavy & set(yaml.safe_load(done.stderr)) == set()


def test_a_reader_who_has_seen_enough_is_no_error(filled: Cli) -> None:
    partners = "".join(f"  - {{slug: p{n}, name: Partner {n}}}\n" for n in range(3000))
    filled.ok("import", filled.file("many.yaml", REGISTRY + partners))
    done = subprocess.run(
        f"{sys.executable} -m app export | head -c 10", shell=True, cwd=ROOT, capture_output=True,
        text=True, check=True, env={**os.environ, "MIDSPAN_HOME": str(filled.home)},
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("platform:\n", "")


def test_a_long_import_shows_its_first_changes_and_counts_the_rest(midspan: Cli) -> None:
    partners = "".join(f"  - {{slug: p{n}, name: Partner {n}}}\n" for n in range(30))
    lines = midspan.ok("import", midspan.file("r.yaml", REGISTRY + partners)).splitlines()
    assert lines[20] == "and 13 more"
    assert "31 partner added" in lines[21]


def test_a_defect_is_one_line_that_says_where(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise RuntimeError("first\nsecond")

    monkeypatch.setattr(cli.context, "settings", fail)
    assert cli.main(["routes"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("a defect in Midspan, at ")
    assert said.endswith("RuntimeError: first second\n")


def test_a_stop_from_the_keyboard_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.context, "settings", stop)
    assert cli.main(["routes"]) == 130
    assert capsys.readouterr().err.strip() == "stopped; nothing was changed"
