"""Rules of the house that no linter knows, each with what to do instead."""

import ast
import re

import pytest

from tests.structure.sources import ROOT, sources

#: Files that may read the machine's clock, environment or randomness are listed by ruff's
#: banned-api; deciders may not even import the modules.
DECIDERS = ("app/domain/", "collectors/proxy/routes.py", "collectors/loader/aggregate.py")
IMPURE = {"time", "random", "os", "socket", "asyncio", "secrets", "uuid.uuid4", "sqlalchemy"}


def test_deciders_import_no_clock_socket_environment_or_randomness() -> None:
    guilty = []
    for name, tree in sources().items():
        if not name.startswith(DECIDERS):
            continue
        for node in ast.walk(tree):
            names = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import)
                else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            )  # fmt: skip
            guilty += [f"{name}: {found}" for found in names if found.split(".")[0] in IMPURE]
    assert not guilty, f"take the value as an argument: {guilty}"


def test_only_auth_makes_a_scope() -> None:
    guilty = [
        f"{name}:{node.lineno}"
        for name, tree in sources().items()
        if not name.startswith("app/auth/") and name != "app/domain/scope.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (getattr(node.func, "id", "") == "Scope" or getattr(node.func, "attr", "") == "Scope")
    ]
    assert not guilty, f"a scope comes from a session or a token, through app.auth: {guilty}"


def test_the_parsers_lenient_switches_are_never_called() -> None:
    guilty = [
        name
        for name in sources()
        if re.search(r"set_dangerous_leniencies|lenient_", (ROOT / name).read_text())
    ]
    assert not guilty, f"leniency is how requests are smuggled: {guilty}"


def test_httptools_is_new_enough_to_refuse_an_empty_transfer_encoding() -> None:
    from importlib.metadata import version

    assert tuple(map(int, version("httptools").split(".")[:2])) >= (0, 9)


@pytest.mark.parametrize("pinned", ["requirements.txt", "requirements-dev.txt"])
def test_every_dependency_is_pinned_and_has_a_reason(pinned: str) -> None:
    lines = [line.partition("#")[0].strip() for line in (ROOT / pinned).read_text().splitlines()]
    pins = [line for line in lines if line and not line.startswith("-r ")]
    reasons = (ROOT / "docs/dependencies.md").read_text()
    assert pins
    for pin in pins:
        name, equals, _version = pin.partition("==")
        assert equals, f"pin {pin} exactly"
        bare = name.split("[")[0]
        assert f"| {bare} |" in reasons, f"give {bare} a line in docs/dependencies.md"


def test_every_setting_is_documented() -> None:
    from dataclasses import fields

    from app.settings import Settings

    text = (ROOT / "docs/settings.md").read_text()
    for field in fields(Settings):
        name = f"MIDSPAN_{field.name.removesuffix('_us').upper()}"
        assert f"`{name}`" in text, f"describe {name} in docs/settings.md"


def test_documented_settings_exist() -> None:
    from dataclasses import fields

    from app.settings import Settings

    known = {f"MIDSPAN_{f.name.removesuffix('_us').upper()}" for f in fields(Settings)}
    for path in [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]:
        for name in re.findall(r"`(MIDSPAN_[A-Z_]+)`", path.read_text()):
            assert name in known | {"MIDSPAN_TEST_ALL"}, f"{path.name} names {name}, which is none"


def test_every_benchmark_has_its_target_in_make_bench() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"bench-([a-z-]+)", makefile.split("bench:")[1].splitlines()[0])
    listed = {target.replace("-", "_") for target in targets}
    runnable = {
        path.stem
        for path in (ROOT / "bench").glob("*.py")
        if "bench.common import report" in path.read_text()
    }
    assert runnable == listed


def test_nothing_is_loaded_from_a_cdn() -> None:
    for name in sources():
        text = (ROOT / name).read_text()
        for host in ("jsdelivr", "unpkg", "cdnjs", "googleapis", "cdn.plot.ly"):
            assert host not in text, f"{name} names {host}: pages work without internet"


def test_the_error_reference_is_what_the_proxy_knows() -> None:
    from collectors.proxy.errors import markdown

    assert markdown().strip() in (ROOT / "docs/errors.md").read_text(), (
        "print collectors.proxy.errors.markdown() into docs/errors.md"
    )


def test_a_module_takes_no_name_that_its_package_gives_to_something_else() -> None:
    """The first import of `app.queries.stuck` would put the module where a function stood."""
    taken = [
        f"{name.removesuffix('/__init__.py')}/{alias.name}.py"
        for name, tree in sources().items()
        if name.endswith("/__init__.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if (ROOT / name).with_name(f"{alias.name}.py").exists()
        and node.module not in (package_of(name), f"{package_of(name)}.{alias.name}")
    ]
    assert not taken, f"call these modules something else: {taken}"


def package_of(name: str) -> str:
    return name.removesuffix("/__init__.py").replace("/", ".")
