"""Secrets are not stored: canaries cross the real proxy wherever a secret can stand, and are then
looked for in every table, file, log, page, answer and mail."""

import base64
import gzip
import http.client
import json
import sqlite3
import threading
import time
import urllib.request
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from alerts.evidence import OWED, pay
from alerts.notifiers.mail import compose
from alerts.outbox import Letter
from alerts.wording import words
from app.db import registry_engine
from app.domain.alert import Event
from app.domain.rule import Severity
from app.domain.window import MINUTE_US
from app.queries import Reading
from app.settings import load
from app.store.open import open_store
from bench.stack import Stack, registry_text, wait_until

pytestmark = pytest.mark.slow

#: What a person types and a program makes up; digits, because secrets have some.
WHERE = (
    "bearer basic api_key cookie signature unheard query query_code json json_deep json_in_json "
    "form form_escaped multipart gzip_json deflate_json xml webhook new_token set_cookie location "
    "userinfo answer_json answer_gzip"
)
CANARIES = {where: f"cana7{where.replace('_', '')}Zx93" for where in WHERE.split()}
EMAIL = "canary.person@example.com"
CARD = "4111111111111111"
PEM = "-----BEGIN PRIVATE KEY-----\nMIIcanaryPEMbody77\n-----END PRIVATE KEY-----"
SHAPES = ["canary.person", CARD, "canaryPEMbody77"]


class Careless(BaseHTTPRequestHandler):
    """A service that repeats what it was sent on its error pages, and answers with new secrets."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Encoding"):
            body = zlib.decompress(body, zlib.MAX_WBITS | 32)
        rows = "".join(f"<tr><td>{n}</td><td>{v}</td></tr>" for n, v in self.headers.items())
        page = f"<h1>Failed</h1><table>{rows}</table><pre>{self.path}</pre>".encode()
        token = {"access_token": CANARIES["new_token"], "note": CANARIES["answer_json"]}
        said = {
            "debug": (500, page + b"<pre>" + body + b"</pre>", "text/html"),
            "debug-gzip": (500, gzip.compress(page + body), "text/html"),
            "token": (200, json.dumps({"api_key": CANARIES["answer_json"], **token}).encode(),
                      "application/json"),
            "moved": (302, b"", "text/plain"),
            "words": (400, f"unknown key {self.headers.get('X-Api-Key')}".encode(), "text/plain"),
        }  # fmt: skip
        status, raw, kind = said[self.path.partition("?")[0].rpartition("/")[2]]
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.send_header("Content-Type", kind)
        if raw.startswith(b"\x1f\x8b"):
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Set-Cookie", f"sid={CANARIES['set_cookie']}; HttpOnly")
        self.send_header("Location", f"https://a/cb?code={CANARIES['location']}")
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing: the logs that are looked through are the product's."""


def basic() -> str:
    return base64.b64encode(f"ann:{CANARIES['basic']}".encode()).decode()


HEADERS = {
    "Cookie": f"theme=dark; sid={CANARIES['cookie']}",
    "X-Hub-Signature-256": f"sha256={CANARIES['signature']}",
    "X-Nobody-Knows": CANARIES["unheard"],
    "Referer": f"https://user:{CANARIES['userinfo']}@host/",
}
CREDENTIALS = [
    {"Authorization": f"Bearer {CANARIES['bearer']}"}, {"Authorization": f"Basic {basic()}"},
    {"X-Api-Key": CANARIES["api_key"]},
]  # fmt: skip
QUERY = f"page=2&access_token={CANARIES['query']}&code={CANARIES['query_code']}&mail={quote(EMAIL)}"


def multipart() -> bytes:
    return (
        '--xx\r\nContent-Disposition: form-data; name="client_secret"\r\n\r\n'
        f"{CANARIES['multipart']}\r\n--xx\r\n"
        'Content-Disposition: form-data; name="note"\r\n\r\nharmless\r\n--xx--\r\n'
    ).encode()


def bodies() -> Iterator[tuple[str, str, bytes]]:
    """Content type, content encoding and body."""
    embedded = json.dumps({"client_secret": CANARIES["json_in_json"]})
    document = {
        "password": CANARIES["json"], "a": [{"user": {"apiKey": CANARIES["json_deep"]}}],
        "payload": embedded, "card": CARD, "text": f"{EMAIL} {PEM}",
    }  # fmt: skip
    yield "application/json", "", json.dumps(document).encode()
    form = {"token": CANARIES["form"], "user[password]": CANARIES["form_escaped"], "b": "2 3"}
    yield "application/x-www-form-urlencoded", "", urlencode(form).encode()
    yield "multipart/form-data; boundary=xx", "", multipart()
    packed = json.dumps({"secret": CANARIES["gzip_json"]}).encode()
    yield "application/json", "gzip", gzip.compress(packed)
    packed = json.dumps({"secret": CANARIES["deflate_json"]}).encode()
    yield "application/json", "deflate", zlib.compress(packed)
    yield "text/xml", "", f"<r><password>{CANARIES['xml']}</password></r>".encode()
    yield "application/json", "", json.dumps({"signing_secret": CANARIES["webhook"]}).encode()


def send(port: int, path: str, headers: dict[str, str], body: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST" if body else "GET", path, body or None, headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status in (200, 302, 400, 500)
    connection.close()


def everything(stack: Stack) -> int:
    """Every body to every page with one of the credentials, both ways and as webhooks; how many."""
    sent = 0
    for page in ("debug", "debug-gzip", "token", "moved", "words"):
        ways = (
            (stack.outbound_port, f"/globex/v1/{page}"),
            (stack.inbound_port, f"/v1/{page}"),
            (stack.outbound_port, f"/globex-{page}/-/webhooks/orders.created"),
        )
        for number, (kind, coding, body) in enumerate(bodies()):
            headers = HEADERS | CREDENTIALS[number % 3] | {"Content-Type": kind}
            if coding:
                headers["Content-Encoding"] = coding
            for port, path in ways:
                send(port, f"{path}?{QUERY}", headers, body)
                sent += 1
    return sent


def registry(url: str) -> str:
    """The registry: a webhook URL for each page, and a platform that is careless too."""
    pages = ("debug", "debug-gzip", "token", "moved", "words")
    text = registry_text({"globex": url, **{f"globex-{page}": f"{url}/{page}" for page in pages}})
    return text.replace("/hooks\n", "\n").replace("http://127.0.0.1:9\n", f"{url}\n")


class Looked:
    """What was looked through, and where a canary was found."""

    def __init__(self) -> None:
        self.texts = 0
        self.marks = 0
        self.found: set[tuple[str, str]] = set()

    def look(self, where: str, raw: bytes) -> None:
        self.texts += 1
        self.marks += raw.count(b"[scrubbed:")
        for secret in (*CANARIES.values(), *SHAPES, basic()):
            for spelt in (secret.encode(), quote(secret, safe="").encode()):
                if spelt in raw:
                    self.found.add((where, secret))


def look_through_database(looked: Looked, path: Path) -> None:
    connection = sqlite3.connect(path)
    tables = [name for (name,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table'"
    )]  # fmt: skip
    for table in tables:
        for row in connection.execute(f'SELECT * FROM "{table}"'):
            for value in row:
                raw = value if isinstance(value, bytes) else str(value).encode()
                if raw[:1] == b"\x78":
                    raw = zlib.decompress(raw)
                looked.look(f"{path.name} {table}", raw)
    connection.close()


def look_through_files(looked: Looked, home: Path) -> None:
    """Every file of the home; only journal segments hold what crossed as it came."""
    for path in home.rglob("*"):
        if path.is_file() and path.suffix != ".seg":
            looked.look(str(path.relative_to(home)), path.read_bytes())


class Reader:
    """A member of the ecosystem team, who may see everything."""

    def __init__(self, stack: Stack) -> None:
        self._base = f"http://127.0.0.1:{stack.web_port}"
        self._headers = {
            "Authorization": f"Bearer {stack.token}", "Content-Type": "application/json",
            "Origin": self._base,
        }  # fmt: skip
        self._callbacks = [
            each for each in json.loads(self.get("/_dash-dependencies"))
            if any(given["property"] == "pathname" for given in each["inputs"])
        ]  # fmt: skip

    def get(self, path: str) -> bytes:
        return self._ask(path, None)

    def page(self, pathname: str) -> bytes:
        """Everything that the browser is given for an address."""
        return b"".join(self._call(each, pathname) for each in self._callbacks)

    def _call(self, callback: dict[str, Any], pathname: str) -> bytes:
        names = callback["output"].strip(".").split("...")
        outputs = [dict(zip(("id", "property"), n.rsplit(".", 1), strict=True)) for n in names]
        values = {"pathname": pathname, "search": "?window=1h"}
        call = {
            "output": callback["output"],
            "outputs": outputs if callback["output"].startswith("..") else outputs[0],
            "changedPropIds": [f"{each['id']}.{each['property']}" for each in callback["inputs"]],
            **{
                part: [each | {"value": values.get(each["property"])} for each in callback[part]]
                for part in ("inputs", "state")
            },
        }
        return self._ask("/_dash-update-component", json.dumps(call).encode())

    def _ask(self, path: str, body: bytes | None) -> bytes:
        request = urllib.request.Request(self._base + path, body, self._headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return bytes(answer.read())


def look_through_answers(looked: Looked, stack: Stack) -> int:
    """Every list, every exchange by API and by page; how many exchanges there were."""
    reader = Reader(stack)
    cursor, ids = "", []
    while cursor is not None:
        listed = reader.get(f"/api/v1/exchanges?limit=100{cursor and '&cursor=' + cursor}")
        looked.look("list of exchanges", listed)
        ids += [each["id"] for each in json.loads(listed)["items"]]
        cursor = json.loads(listed)["next"]
    for each in ids:
        looked.look("an exchange", reader.get(f"/api/v1/exchanges/{each}"))
    for each in ids[:: len(ids) // 25]:
        shown = reader.page(f"/exchanges/{each}")
        assert b"[scrubbed:" in shown
        assert b"?page=2&access_token=[scrubbed:" in shown
        looked.look("page of an exchange", shown)
    for path in ("/", "/integrations/globex", "/integrations/globex/exchanges", "/settings"):
        looked.look(f"page {path}", reader.page(path))
    for path in ("/metrics", "/api/v1/integrations", "/api/v1/integrations/globex/health"):
        looked.look(path, reader.get(path))
    return len(ids)


def look_through_mails(looked: Looked, home: Path) -> int:
    """The mail that an incident of this minute would send of each integration; how many samples
    they show."""
    config = load({"MIDSPAN_HOME": str(home)})
    now_us = time.time_ns() // 1000 + MINUTE_US
    engine = registry_engine(config.registry_url)
    reading = Reading(engine, open_store(config.metrics_url), lambda: now_us)
    samples = 0
    for slug in ("globex", "globex-debug", "globex-debug-gzip", "globex-words"):
        evidence = pay(reading, json.dumps({"at_us": now_us, OWED: True}), slug)
        letter = Letter(
            id=1, message_id="<1@a>", thread_id="<1@a>", event=Event.FIRED, level=0,
            audience="ecosystem", channel="mail", address="a@a.example", receiver="", attempts=0,
            incident=1, rule="budget-burn", severity=Severity.P1, integration=slug,
            partner="globex", summary="exchanges fail", evidence=evidence, fired_us=now_us,
            resolved_us=None, others=(),
        )  # fmt: skip
        said = words(letter, "https://midspan.example", "Acme")
        samples += len(said.samples)
        mail = compose(letter, said)
        looked.look("evidence of an incident", evidence.encode())
        looked.look("mail", f"{mail.subject}\n{mail.text}\n{mail.html}".encode())
    engine.dispose()
    return samples


def test_no_secret_is_found_in_any_table_file_log_page_answer_or_mail(
    tmp_path: Path, careless: str
) -> None:
    with Stack(tmp_path / "home", {"globex": careless},
               settings={"MIDSPAN_CAPTURE_RATIO": "1"}) as stack:  # fmt: skip
        wanted = stack.home / "careless.yaml"
        wanted.write_text(registry(careless))
        stack.midspan("import", str(wanted))
        wait_until(lambda: _routed(stack), "the pages' webhooks to be routed")
        sent = everything(stack)
        wait_until(lambda: _loaded(stack) > sent, "the loader")
        looked = Looked()
        assert look_through_answers(looked, stack) > sent
        for name in ("web", "loader", "proxy"):
            assert stack.stop(name) == 0
    for name in ("metrics.db", "registry.db"):
        look_through_database(looked, stack.home / name)
    look_through_files(looked, stack.home)
    assert look_through_mails(looked, stack.home) > 6
    assert looked.found == set()
    assert looked.texts > 2000
    assert looked.marks > 2000
    assert {path.stat().st_mode & 0o777 for path in stack.home.rglob("*.seg")} == {0o600}


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute("CREATE TABLE things (packed BLOB, plain TEXT)")
    row = (zlib.compress(CANARIES["json"].encode()), f"to {EMAIL}")
    connection.execute("INSERT INTO things VALUES (?, ?)", row)
    connection.commit()
    connection.close()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/web.log").write_text(f"at {quote(basic(), safe='')}")
    looked = Looked()
    look_through_database(looked, tmp_path / "a.db")
    look_through_files(looked, tmp_path)
    assert {secret for _, secret in looked.found} == {CANARIES["json"], SHAPES[0], basic()}


@pytest.fixture
def careless() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Careless)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def _routed(stack: Stack) -> bool:
    """Whether the proxy has taken the second registry."""
    path = "/globex-words/-/webhooks/orders.created"
    connection = http.client.HTTPConnection("127.0.0.1", stack.outbound_port, timeout=20)
    connection.request("POST", path, b"{}")
    status = connection.getresponse().status
    connection.close()
    return status == 400


def _loaded(stack: Stack) -> int:
    connection = sqlite3.connect(stack.home / "metrics.db")
    (count,) = connection.execute("SELECT count(*) FROM captures").fetchone()
    connection.close()
    return int(count)
