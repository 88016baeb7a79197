"""Promises 2 and 3: `kill -9` at any moment loses nothing and counts nothing twice."""

from pathlib import Path

import pytest

from bench.crash import run


@pytest.mark.slow
def test_fifty_kills_lose_no_answered_exchange_and_count_none_twice(tmp_path: Path) -> None:
    verdict = run(tmp_path, kills=50, exchanges=100_000)
    assert sum(verdict.kills.values()) >= 50
    assert set(verdict.kills) == {"proxy", "loader", "web"}
    assert verdict.answered >= 100_000
    assert verdict.lost == []
    assert verdict.doubled == []
    assert verdict.disagreements == []
