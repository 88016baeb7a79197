"""A partner that serves its list over real HTTP, and can be told to serve anything instead."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: What one page is: a status and headers, and the pieces of its body.
Answer = tuple[int, dict[str, str], Iterator[bytes] | list[bytes]]


class ListServer:
    """Answers by `serve(path)`, and remembers what was asked with which token."""

    def __init__(self, serve: Callable[[str], Answer]) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.closed = threading.Event()
        self.serve = serve
        handler = type("Handler", (_Handler,), {"house": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/installations"
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    def close(self) -> None:
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()

    def for_ever(self, piece: bytes) -> Iterator[bytes]:
        """A byte now and then, until the server is closed."""
        while not self.closed.wait(0.02):
            yield piece


class _Handler(BaseHTTPRequestHandler):
    house: ListServer

    def do_GET(self) -> None:
        self.house.asked.append((self.path, self.headers["Authorization"]))
        status, headers, pieces = self.house.serve(self.path)
        with suppress(OSError):  # whoever asked has heard enough
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            for piece in pieces:
                self.wfile.write(piece)

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *_given: object) -> None:
        """Says nothing."""


def items(*names: str, state: str = "active") -> list[dict[str, str]]:
    return [{"installation": name, "state": state} for name in names]


def page(listed: list, following: str | None = None, **more: object) -> Answer:
    body = json.dumps({"items": listed, "next": following, **more}).encode()
    return 200, {"Content-Type": "application/json", "Content-Length": str(len(body))}, [body]


def raw(*pieces: bytes, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, named, list(pieces)
