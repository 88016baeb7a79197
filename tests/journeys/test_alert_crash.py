"""Promise 9: `kill -9` of whoever evaluates and sends loses no alert, and repeats none unmarked."""

from pathlib import Path

import pytest

from bench.alert_crash import run


@pytest.mark.slow
def test_thirty_kills_lose_no_alert_and_copies_carry_the_first_ones_id(tmp_path: Path) -> None:
    verdict = run(tmp_path, alerts=100, kills=30)
    assert verdict.kills >= 30
    assert verdict.incidents == 100
    assert verdict.notifications == 200
    assert verdict.lost == []
    assert verdict.strangers == []
    assert verdict.disordered == []
    assert verdict.refired == 0
