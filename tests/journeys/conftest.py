"""Real processes on loopback: see `bench.stack`."""

from collections.abc import Iterator

import pytest

from bench.stack import Upstream


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    yield server
    server.close()
