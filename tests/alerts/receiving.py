"""Receivers of messages on loopback, real servers that can be told to go wrong in every way."""

import asyncio
import json
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from alerts.outbox import Letter
from app.domain.alert import Event
from app.domain.rule import Severity
from tests.app.alert_worlds import evidence
from tests.contract.worlds import NOW_US

ONCALL = "oncall@globex.example"


def letter(event: Event = Event.FIRED, **given: object) -> Letter:
    """A letter about an incident of Globex."""
    values = {
        "id": 1, "message_id": f"<incident-7.{event}.0123abcd@midspan.example>",
        "thread_id": "<incident-7.fired.0123abcd@midspan.example>", "event": event, "level": 0,
        "audience": "ecosystem", "channel": "mail", "address": "hook", "receiver": "hook",
        "attempts": 0, "incident": 7, "rule": "budget-burn", "severity": Severity.P1,
        "integration": "globex-issues", "partner": "globex",
        "summary": "8.3 % errors (objective 0.5 %), partner", "evidence": evidence(),
        "fired_us": NOW_US, "resolved_us": NOW_US + 60_000_000 if event == Event.RESOLVED else None,
        "others": (),
    }  # fmt: skip
    return Letter(**(values | given))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Got:
    """One message that a receiver took."""

    name: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> dict:
        return json.loads(self.body)


class HookServer:
    """Takes what is posted and remembers it, or does what `says` tells next: a status, `reset`,
    `drop` (takes it and breaks off) or `trickle` (answers for ever, byte by byte)."""

    def __init__(self) -> None:
        self.taken: list[Got] = []
        self.says: list[str] = []
        self.headers: dict[str, str] = {}
        self.closed = threading.Event()
        handler = type("Handler", (_Handler,), {"house": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/services/T0/B0/s3cret"
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    def close(self) -> None:
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    house: HookServer

    def do_POST(self) -> None:
        says = self.house.says.pop(0) if self.house.says else "200"
        if says == "reset":
            self._reset()
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if says in ("200", "202", "drop"):
            name = self.headers.get("webhook-id") or json.loads(body).get("dedup_key") or ""
            self.house.taken.append(Got(name, dict(self.headers), body))
        if says == "drop":
            self._reset()
        elif says == "trickle":
            self._trickle()
        else:
            self.send_response(int(says))
            for name, value in self.house.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"Cannot POST " + self.path.encode() if says != "200" else b"ok")

    def _reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.rfile.close()
        self.wfile.close()
        self.connection.close()
        self.close_connection = True

    def _trickle(self) -> None:
        with suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not self.house.closed.wait(0.02):
                self.wfile.write(b"x")

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *_given: object) -> None:
        """Says nothing."""


class MailServer:
    """The same for mail; a status is an SMTP answer to DATA."""

    def __init__(self, port: int | None = None) -> None:
        self.taken: list[Got] = []
        self.says: list[str] = []
        self.closed = asyncio.Event()
        self.port = port or free_port()
        self.url = f"smtp://127.0.0.1:{self.port}"
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    async def handle_DATA(self, server: SMTP, _session: object, envelope: object) -> str:  # noqa: N802
        says = self.says.pop(0) if self.says else "200"
        if says in ("200", "drop"):
            message = message_from_bytes(envelope.content, policy=policy.default)
            headers = {name: str(value) for name, value in message.items()}
            text = message.get_body(("plain",)).get_content()
            self.taken.append(Got(message["Message-ID"], headers, text.encode()))
        if says in ("drop", "reset"):
            server.transport.abort()
        if says == "trickle":
            await self.closed.wait()
        return {"200": "250 OK"}.get(says, f"{says} as told")

    def close(self) -> None:
        self._controller.loop.call_soon_threadsafe(self.closed.set)
        self._controller.stop()
