"""Replacing the workers under load: no caller notices, no exchange is lost."""

from pathlib import Path

import pytest
import uvloop

from bench.restarts import storm


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_reloads_under_load_fail_no_request_and_lose_no_record(
    workers: int, tmp_path: Path
) -> None:
    verdict = uvloop.run(storm(tmp_path / "home", reloads=2, workers=workers, between_s=0.3))
    assert len(verdict.reload_s) == 2
    assert len(verdict.answered) > 100
    assert not verdict.failures
    assert not verdict.lost
