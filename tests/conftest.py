"""What every test shares: with MIDSPAN_TEST_ALL=1 a skipped test is a failed one."""

import gc
import os
from collections.abc import Generator
from typing import Any

import hypothesis
import pytest
from argon2 import PasswordHasher

from app.commands import passwords

# How long an example takes says how busy the machine is, and nothing about the rule it tests.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


# Worlds log people in some thousand times; what a real hash costs has a test of its own.
passwords.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are cores: many tests wait for processes and sockets."""
    return (os.cpu_count() or 1) * 3 // 2


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, so that no core ends long after the others."""
    long = {item.path for item in items if item.get_closest_marker("slow")}
    long |= {item.path for item in items if item.get_closest_marker("browser")}
    items.sort(key=lambda item: item.path not in long)


def pytest_collection_finish() -> None:
    """What was imported and collected stays: the collector need not look through it each time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Generator[None, Any, Any]:
    report = yield
    if report.skipped and os.environ.get("MIDSPAN_TEST_ALL") == "1":
        reason = call.excinfo.value if call.excinfo else "no reason given"
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and MIDSPAN_TEST_ALL=1 allows none: {reason}"
    return report


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own MIDSPAN_ settings never reach a test."""
    for name in [name for name in os.environ if name.startswith("MIDSPAN_")]:
        if name != "MIDSPAN_TEST_ALL":
            monkeypatch.delenv(name)
