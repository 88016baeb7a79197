"""Light processes stay light, looked at inside a fresh interpreter, where linters are blind."""

import subprocess
import sys

import pytest

from tests.structure.sources import ROOT

HEAVY = {"flask", "werkzeug", "sqlalchemy", "pandas", "numpy", "dash", "plotly", "apscheduler"}
WIRE = {"app.db", "app.models", "app.store", "app.queries", "app.commands", "app.api", "app.auth"}

LIGHT = {
    "app.domain.outcome": HEAVY | WIRE | {"httptools", "uvloop", "msgspec"},
    "app.settings": HEAVY | WIRE,
    "collectors.record": HEAVY | WIRE,
    "collectors.journal": HEAVY | WIRE,
    "collectors.journal.writer": HEAVY | WIRE,
    "collectors.journal.reader": HEAVY | WIRE,
    "collectors.proxy": HEAVY | WIRE,
    "collectors.proxy.server": HEAVY | WIRE,
    "app.queries": {"dash", "plotly", "flask", "werkzeug"},
    "collectors.loader.run": {"dash", "plotly", "flask", "werkzeug"},
}


@pytest.mark.parametrize("module", LIGHT)
def test_module_loads_nothing_heavy(module: str) -> None:
    script = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert not LIGHT[module] & set(loaded)
