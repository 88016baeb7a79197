"""HTTP clients as people use them, each behind the same small face."""

import asyncio
import base64
import io
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import aiohttp
import httpx
import requests
import urllib3

FETCH = Path(__file__).with_name("fetch.mjs")
FILE_NAME = "notes.txt"


class Ask(NamedTuple):
    """One request. At most one of the bodies; `chunks` have no length told beforehand."""

    method: str
    path: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    json: Any = None
    form: Mapping[str, str] | None = None
    file: bytes | None = None
    chunks: tuple[bytes, ...] = ()


class Answer(NamedTuple):
    """What the client made of the answer; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client(Protocol):
    """Redirects are not followed. `cookies`: it keeps them by itself."""

    cookies: bool

    def send(self, url: str, ask: Ask) -> Answer: ...

    def close(self) -> None: ...


def lower(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by lower-case name; those that came more than once are one list."""
    found: dict[str, str] = {}
    for name, value in headers:
        before = found.get(name.lower())
        found[name.lower()] = value if before is None else f"{before}, {value}"
    return found


class Requests:
    cookies = True

    def __init__(self) -> None:
        self._session = requests.Session()

    def send(self, url: str, ask: Ask) -> Answer:
        found = self._session.request(
            ask.method, url, headers=dict(ask.headers), json=ask.json, allow_redirects=False,
            data=iter(ask.chunks) if ask.chunks else ask.form or ask.body, timeout=20,
            files={"file": (FILE_NAME, ask.file)} if ask.file is not None else None,
        )  # fmt: skip
        return Answer(found.status_code, lower(found.headers.items()), found.content)

    def close(self) -> None:
        self._session.close()


class Httpx:
    cookies = True

    def __init__(self) -> None:
        self._client = httpx.Client(timeout=20)

    def send(self, url: str, ask: Ask) -> Answer:
        found = self._client.request(
            ask.method, url, headers=dict(ask.headers), json=ask.json,
            data=dict(ask.form) if ask.form else None,
            content=iter(ask.chunks) if ask.chunks else ask.body,
            files={"file": (FILE_NAME, ask.file)} if ask.file is not None else None,
        )  # fmt: skip
        return Answer(found.status_code, lower(found.headers.items()), found.content)

    def close(self) -> None:
        self._client.close()


class Urllib3:
    cookies = False

    def __init__(self) -> None:
        self._pool = urllib3.PoolManager(timeout=20, retries=False)

    def send(self, url: str, ask: Ask) -> Answer:
        fields: Any = dict(ask.form or {})
        if ask.file is not None:
            fields["file"] = (FILE_NAME, ask.file)
        more: dict[str, Any] = {"headers": dict(ask.headers), "redirect": False}
        if fields:
            more |= {"fields": fields, "encode_multipart": ask.file is not None}
        elif ask.json is not None:
            more["json"] = ask.json
        elif ask.chunks or ask.body is not None:
            more["body"] = iter(ask.chunks) if ask.chunks else ask.body
        found = self._pool.request(ask.method, url, **more)
        return Answer(found.status, lower(found.headers.items()), found.data)

    def close(self) -> None:
        self._pool.clear()


class Aiohttp:
    cookies = True

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._session = self._runner.run(self._open())

    async def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    def send(self, url: str, ask: Ask) -> Answer:
        return self._runner.run(self._send(url, ask))

    async def _send(self, url: str, ask: Ask) -> Answer:
        async def pieces() -> Any:
            for piece in ask.chunks:
                yield piece

        data: Any = pieces() if ask.chunks else ask.form
        if ask.body is not None:
            data = io.BytesIO(ask.body)
        if ask.file is not None:
            data = aiohttp.FormData()
            data.add_field("file", ask.file, filename=FILE_NAME)
        async with self._session.request(
            ask.method, url, headers=ask.headers, json=ask.json, data=data, allow_redirects=False
        ) as found:
            return Answer(found.status, lower(found.headers.items()), await found.read())

    def close(self) -> None:
        self._runner.run(self._session.close())
        self._runner.close()


class Curl:
    cookies = True

    def __init__(self, folder: Path) -> None:
        self._jar, self._body = folder / "cookies", folder / "body"

    def send(self, url: str, ask: Ask) -> Answer:
        given = b"".join(ask.chunks) or ask.body or ask.file
        found = subprocess.run(
            ["curl", "-sS", "--max-time", "20", "--compressed", "-b", self._jar, "-c", self._jar,
             "-D", "-", "-o", self._body, *_curl_arguments(ask), url],
            input=given, capture_output=True, check=True,
        )  # fmt: skip
        head = found.stdout.decode("latin-1").rstrip().split("\r\n\r\n")[-1]
        line, *fields = head.split("\r\n")
        headers = lower((n, v.strip()) for n, _, v in (each.partition(":") for each in fields))
        body = b"" if ask.method == "HEAD" else self._body.read_bytes()
        self._body.write_bytes(b"")
        return Answer(int(line.split()[1]), headers, body)

    def close(self) -> None:
        """Each request was a process of its own."""


def _curl_arguments(ask: Ask) -> Iterator[str]:
    yield from ("-I",) if ask.method == "HEAD" else ("-X", ask.method)
    for name, value in ask.headers.items():
        yield from ("-H", f"{name}: {value}")
    if ask.json is not None:
        yield from ("--json", json.dumps(ask.json))
    for name, value in (ask.form or {}).items():
        yield from ("--data-urlencode", f"{name}={value}")
    if ask.file is not None:
        yield from ("-F", f"file=@-;filename={FILE_NAME}")
    if ask.body is not None:
        yield from ("--data-binary", "@-")
    if ask.chunks:
        yield from ("-T", "-")


class NodeFetch:
    cookies = False

    def __init__(self) -> None:
        self._node = subprocess.Popen(
            ["node", FETCH], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def send(self, url: str, ask: Ask) -> Answer:
        wire = ask._asdict() | {
            "url": url,
            "body": _base64(ask.body),
            "file": _base64(ask.file),
            "chunks": [_base64(each) for each in ask.chunks],
        }
        assert self._node.stdin
        assert self._node.stdout
        self._node.stdin.write(json.dumps(wire) + "\n")
        self._node.stdin.flush()
        found = json.loads(self._node.stdout.readline())
        assert "failed" not in found, found
        return Answer(found["status"], lower(found["headers"]), base64.b64decode(found["body"]))

    def close(self) -> None:
        assert self._node.stdin
        assert self._node.stdout
        self._node.stdin.close()
        self._node.wait(10)
        self._node.stdout.close()


def _base64(raw: bytes | None) -> str | None:
    return None if raw is None else base64.b64encode(raw).decode()
