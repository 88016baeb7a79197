"""A scripted HTTP server: the request's path says how it answers.

`/s/<status>/d/<ms>/b/<bytes>/n/<nonce>`: after `ms` milliseconds, that status with a body of that
many bytes. `/garbage/...` answers with bytes that are no HTTP, `/hang/...` never. Run as
`python -m bench.upstream PORT`; prints `ready` once it listens.
"""

import asyncio
import sys
from typing import cast

import httptools
import uvloop

_BODY = b"x" * 1_048_576


class Scripted(asyncio.Protocol):
    """One connection. Requests are answered in order; the clients here never pipeline."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.parser = httptools.HttpRequestParser(self)
        self.url = b""

    def on_message_begin(self) -> None:
        self.url = b""

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_message_complete(self) -> None:
        parts = self.url.decode().split("?")[0].strip("/").split("/")
        if parts[0] == "garbage":
            self.transport.write(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
            self.transport.close()
        elif parts[0] != "hang":
            said = dict(zip(parts[::2], parts[1::2], strict=False))
            answer = self._answer(int(said.get("s", 200)), int(said.get("b", 2)))
            delay_s = float(said.get("d", 0)) / 1000
            if delay_s:
                asyncio.get_running_loop().call_later(delay_s, self._send, answer)
            else:
                self._send(answer)

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.close()

    def _send(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)

    @staticmethod
    def _answer(status: int, size: int) -> bytes:
        head = (
            f"HTTP/1.1 {status} Said\r\nContent-Type: text/plain\r\nContent-Length: {size}\r\n\r\n"
        )
        return head.encode() + _BODY[:size]


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Scripted, "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
