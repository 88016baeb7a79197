"""One service, one proxy and every client, started once."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.domain.words import Direction
from bench.stack import free_port, wait_until
from tests.journeys.real_software.clients import (
    Aiohttp,
    Client,
    Curl,
    Httpx,
    NodeFetch,
    Requests,
    Urllib3,
)
from tests.journeys.real_software.stage import Stage, Through, answers, service

PYTHON: dict[str, Callable[[], Client]] = {
    "requests": Requests, "httpx": Httpx, "urllib3": Urllib3, "aiohttp": Aiohttp,
}  # fmt: skip


def needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed here")


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    stage = Stage(tmp_path_factory.mktemp("real") / "home", {"globex": url})
    with service(port), stage.process:
        stage.wait()
        wait_until(lambda: answers(f"{url}/echo"), "the service")
        yield stage


@pytest.fixture(params=Direction, ids=lambda direction: direction.word)
def through(stage: Stage, request: pytest.FixtureRequest) -> Through:
    return stage.through(request.param)


@pytest.fixture(scope="module", params=[*PYTHON, "curl", "node"])
def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    made: Client
    if request.param == "curl":
        needs("curl")
        made = Curl(Path(tmp_path_factory.mktemp("curl")))
    elif request.param == "node":
        needs("node")
        made = NodeFetch()
    else:
        made = PYTHON[request.param]()
    yield made
    made.close()
