"""TLS to upstreams: files of one's own, and what each failed handshake is called."""

import asyncio
import os
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest

from app.domain.route import TlsFiles
from collectors.proxy import errors
from collectors.proxy.dial import Dialer, Spent
from collectors.proxy.resolve import DialError, Resolver
from collectors.proxy.routes import Origin, Trust
from collectors.proxy.tls import Contexts, client_tls, unanswered
from tests.collectors.proxy import certificates
from tests.collectors.proxy.kit import OK, Upstream, answering, run, staged


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    certificates.make(folder)
    certificates.make(folder, "client", "client.example")
    certificates.openssl(
        folder, "ec", "-in", "client.key", "-out", "locked.key", "-aes256", "-passout", "pass:x"
    )
    return folder


def trust(folder: Path, cert: str | None = None, key: str | None = None) -> Trust:
    return Trust(
        str(folder / "ca.pem"),
        str(folder / cert) if cert else None,
        str(folder / key) if key else None,
    )


async def dialled(port: int, files: Trust, contexts: Contexts | None = None) -> Spent:
    """A connection to a port of this machine is made, with TLS, and ended."""
    dialer = Dialer(Resolver(), contexts or Contexts())
    origin = Origin(True, "127.0.0.1", port, True, files)
    told: list[bool] = []
    protocol, spent = await dialer.dial(origin, Ending, lambda: told.append(True))
    assert told == [True]
    protocol.transport.abort()
    return spent


class Ending(asyncio.Protocol):
    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)


def serving(tls: ssl.SSLContext, play: Callable[[int], Coroutine[Any, Any, None]]) -> None:
    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        up = Upstream(answering(OK))
        listening = await up.serve(tls)
        try:
            await play(up.port)
        finally:
            up.cancel()
            listening.close()

    run(scenario())


def test_an_authority_of_ones_own_is_trusted_and_the_machines_is_not_enough(pki: Path) -> None:
    async def play(port: int) -> None:
        assert (await dialled(port, trust(pki))).tls_us > 0
        with pytest.raises(DialError) as failed:
            await dialled(port, Trust())
        assert failed.value.code == errors.TLS_UNTRUSTED

    serving(certificates.server(pki), play)


def test_a_client_certificate_is_shown_to_who_wants_one(pki: Path) -> None:
    asking = certificates.server(pki)
    asking.verify_mode = ssl.CERT_REQUIRED
    asking.load_verify_locations(pki / "ca.pem")
    asking.maximum_version = ssl.TLSVersion.TLSv1_2  # so that the handshake tells

    async def play(port: int) -> None:
        assert (await dialled(port, trust(pki, "client.pem", "client.key"))).tls_us > 0
        with pytest.raises(DialError) as failed:
            await dialled(port, trust(pki))
        assert failed.value.code == errors.TLS_CLOSED

    serving(asking, play)


BROKEN = {
    "no such file": (("missing.pem", None, None), "missing.pem: no such file"),
    "a folder": ((".", None, None), "no such file"),
    "no certificate": (("ca.key", None, None), "ca.key: "),
    "not for this key": (("ca.pem", "good.pem", "client.key"), "KEY_VALUES_MISMATCH"),
    "a locked key": (("ca.pem", "client.pem", "locked.key"), "without a passphrase"),
    "no key": (("ca.pem", "client.pem", None), "itself as key"),
    "rubbish": (("rubbish.pem", None, None), "rubbish.pem: "),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_cannot_be_used_is_named(pki: Path, case: str) -> None:
    names, told = BROKEN[case]
    (pki / "rubbish.pem").write_bytes(b"\xff\x00" * 500)
    files = Trust(*(str(pki / name) if name else None for name in names))
    contexts = Contexts()
    for _ in range(2):
        with pytest.raises(DialError) as failed:
            contexts.of(files)
        assert failed.value.code == errors.TLS_FILES
        assert told in failed.value.detail
    assert contexts.of(trust(pki))


def test_files_are_read_again_once_they_have_changed(tmp_path: Path, pki: Path) -> None:
    path = tmp_path / "own.pem"
    contexts, files = Contexts(), Trust(str(path))
    with pytest.raises(DialError):
        contexts.of(files)
    path.write_bytes((pki / "ca.pem").read_bytes())
    first = contexts.of(files)
    assert contexts.of(files) is first
    later = path.stat().st_mtime_ns + 1
    os.utime(path, ns=(later, later))
    assert contexts.of(files) is not first
    path.unlink()
    with pytest.raises(DialError):
        contexts.of(files)


def test_contexts_verify_chain_and_name_and_speak_new_versions_only(pki: Path) -> None:
    for context in (client_tls(), Contexts().of(trust(pki))):
        assert context.check_hostname
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def alert(code: int) -> bytes:
    return b"\x15\x03\x03\x00\x02\x02" + bytes([code])


SAID = {
    alert(40): errors.TLS_FAILED,
    alert(42): errors.TLS_CLIENT_CERT_REFUSED,
    alert(43): errors.TLS_CLIENT_CERT_REFUSED,
    alert(44): errors.TLS_CLIENT_CERT_REFUSED,
    alert(45): errors.TLS_CLIENT_CERT_REFUSED,
    alert(46): errors.TLS_CLIENT_CERT_REFUSED,
    alert(48): errors.TLS_CLIENT_CERT_REFUSED,
    alert(49): errors.TLS_CLIENT_CERT_REFUSED,
    alert(70): errors.TLS_VERSION,
    alert(80): errors.TLS_FAILED,
    alert(112): errors.TLS_HOSTNAME,
    alert(116): errors.TLS_CLIENT_CERT_REQUIRED,
    b"HTTP/1.1 400 Bad Request\r\n\r\n": errors.TLS_NOT_SPOKEN,
    b"SSH-2.0-OpenSSH_9.2\r\n": errors.TLS_NOT_SPOKEN,
    b"": errors.TLS_CLOSED,
}


@pytest.mark.parametrize("said", SAID)
def test_what_is_said_in_place_of_a_handshake_has_a_code(said: bytes) -> None:
    async def says(
        up: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read(65536)
        writer.write(said)
        await writer.drain()

    async def scenario() -> None:
        up = Upstream(says)
        listening = await up.serve()
        with pytest.raises(DialError) as failed:
            await dialled(up.port, Trust())
        assert failed.value.code == SAID[said]
        listening.close()

    run(scenario())


def test_an_end_without_tls_in_it_has_no_code_of_tls() -> None:
    late = ssl.SSLError(1, "alert")
    late.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    assert unanswered(late) == errors.TLS_CLIENT_CERT_REQUIRED
    for other in (None, ConnectionResetError(), ssl.SSLError(1, "odd"), ssl.SSLEOFError()):
        assert unanswered(other) == errors.RESET_BEFORE_ANSWER


@pytest.mark.parametrize("shown", [None, "client", "stranger"])
def test_a_certificate_that_is_refused_after_the_handshake_is_told_apart(
    tmp_path: Path, shown: str | None
) -> None:
    """As TLS 1.3 does it; through the proxy, with the files of the integration."""
    certificates.make(tmp_path)
    certificates.make(tmp_path, "client", "client.example")
    strangers = tmp_path / "strangers"
    strangers.mkdir()
    certificates.make(strangers, "stranger", "client.example")
    asking = certificates.server(tmp_path)
    asking.verify_mode = ssl.CERT_REQUIRED
    asking.load_verify_locations(tmp_path / "ca.pem")
    folder = strangers if shown == "stranger" else tmp_path
    files = TlsFiles(
        str(tmp_path / "ca.pem"),
        str(folder / f"{shown}.pem") if shown else None,
        str(folder / f"{shown}.key") if shown else None,
    )
    codes = {"client": "", None: "tls_client_cert_required", "stranger": "tls_client_cert_refused"}

    async def play() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            serving = threading.Thread(target=serve_one, args=(listener, asking))
            serving.start()
            url = f"https://127.0.0.1:{listener.getsockname()[1]}"
            async with staged(tmp_path, route={"api_base_url": url, "tls": files}) as (stage, _):
                answer = await (await stage.caller()).get("/globex/x")
                record = await stage.journal.record()
            assert record.error == codes[shown]
            assert answer.status == (502 if record.error else 200)
            serving.join()

    run(play())


def serve_one(listener: socket.socket, asking: ssl.SSLContext) -> None:
    """One answer, or the alert that says why not: asyncio's servers leave that out."""
    connection, _ = listener.accept()
    with suppress(ssl.SSLError), asking.wrap_socket(connection, server_side=True) as secured:
        secured.recv(65536)
        secured.sendall(OK)
