"""Random changes, the same ones in every run; `make bench-fuzz` tries twenty times as many."""

import pytest

from tests.collectors.proxy.hostile import fuzz

pytestmark = pytest.mark.slow

CASES = 100_000


def test_nothing_crashes_and_nothing_is_read_differently():
    found = fuzz.run(CASES, seed=20261127)
    assert found.cases == CASES
    assert found.passed > CASES // 10
    assert not found.crashes, f"{len(found.crashes)}: {found.crashes[:5]}"
    assert not found.differences, f"{len(found.differences)}: {found.differences[:5]}"
