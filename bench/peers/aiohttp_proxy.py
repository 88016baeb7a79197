"""A proxy as one writes it with aiohttp: streams both ways, one JSON line per request.

python aiohttp_proxy.py PORT UPSTREAM_PORT LOG
"""

import json
import sys
import time
from typing import TextIO

import aiohttp
from aiohttp import web

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "host", "content-length"}
BLOCK_BYTES = 65_536


def application(upstream: str, log: TextIO) -> web.Application:
    async def session(app: web.Application):  # type: ignore[no-untyped-def]
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as made:
            app["session"] = made
            yield

    async def pass_on(request: web.Request) -> web.StreamResponse:
        begun = time.monotonic()
        body = request.content.iter_chunked(BLOCK_BYTES) if request.body_exists else None
        headers = {n: v for n, v in request.headers.items() if n.lower() not in HOP_BY_HOP}
        if body is not None and request.content_length is not None:
            headers["Content-Length"] = str(request.content_length)
        made = request.app["session"]
        async with made.request(
            request.method, upstream + request.path_qs, headers=headers, data=body,
            allow_redirects=False,
        ) as answer:  # fmt: skip
            out = web.StreamResponse(status=answer.status)
            out.headers.extend(
                (n, v) for n, v in answer.headers.items() if n.lower() not in HOP_BY_HOP
            )
            out.content_length = answer.content_length
            await out.prepare(request)
            async for block in answer.content.iter_chunked(BLOCK_BYTES):
                await out.write(block)
            await out.write_eof()
        entry = {
            "t": time.time(), "m": request.method, "u": request.path, "s": answer.status,
            "d": time.monotonic() - begun,
        }  # fmt: skip
        log.write(json.dumps(entry) + "\n")
        return out

    app = web.Application(client_max_size=2**30)
    app.cleanup_ctx.append(session)
    app.router.add_route("*", "/{tail:.*}", pass_on)
    return app


if __name__ == "__main__":
    port, upstream_port, log_path = sys.argv[1:]
    with open(log_path, "a", buffering=1) as file:
        web.run_app(
            application(f"http://127.0.0.1:{upstream_port}", file),
            host="127.0.0.1", port=int(port), access_log=None, print=None,
        )  # fmt: skip
