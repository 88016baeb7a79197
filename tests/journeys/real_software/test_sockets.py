"""Sockets that stay open: WebSockets of the `websockets` library on both sides."""

import os
import threading
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

from app.domain.words import Direction, Outcome
from tests.journeys.real_software.stage import Stage

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sockets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A proxy before a server of the `websockets` library that says everything back."""

    def echo(socket: ServerConnection) -> None:
        for message in socket:
            if message == "leave":
                socket.close(4000, "as you like")
            socket.send(message)

    server = serve(echo, "127.0.0.1", 0, max_size=None)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    port = server.socket.getsockname()[1]
    stage = Stage(tmp_path_factory.mktemp("ws") / "home", {"globex": f"http://127.0.0.1:{port}"})
    with stage.process:
        stage.wait()
        yield stage
    server.shutdown()
    thread.join()


@pytest.mark.parametrize("direction", Direction, ids=lambda direction: direction.word)
def test_a_web_socket_carries_messages_both_ways(sockets: Stage, direction: Direction) -> None:
    through = sockets.through(direction)
    before = through.count()
    url = through.base_url.replace("http:", "ws:") + "/live?room=7"
    with connect(url, additional_headers=through.headers, max_size=None) as socket:
        assert socket.response is not None
        printed_id = socket.response.headers["Midspan-Exchange"]
        for message in ("hello", "ü" * 1000, os.urandom(1_000_000), ""):
            socket.send(message)
            assert socket.recv(10) == message
        assert socket.ping().wait(10)
    [record] = through.after(before, 1)
    assert record == through.recorded(printed_id)
    assert (record.status, record.outcome) == (101, Outcome.OK)
    assert (record.path, record.integration) == ("/live", "globex")
    assert record.request_bytes > 1_002_000
    assert record.response_bytes > 1_002_000


@pytest.mark.parametrize("direction", Direction, ids=lambda direction: direction.word)
def test_a_web_socket_ends_as_its_server_says(sockets: Stage, direction: Direction) -> None:
    through = sockets.through(direction)
    before = through.count()
    url = through.base_url.replace("http:", "ws:") + "/live"
    with connect(url, additional_headers=through.headers) as socket:
        socket.send("leave")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(10)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4000, "as you like")
    assert [record.status for record in through.after(before, 1)] == [101]
