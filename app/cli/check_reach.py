"""Can our addresses be listened on, or is it us who listens there; does the mail server answer."""

import errno
import http.client
import smtplib
import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import unquote, urlsplit

from app.cli.findings import Finding, fail, ok, warn
from app.settings import Bind, Settings

_PATIENCE_S = 5.0


def ports(settings: Settings) -> Iterator[Finding]:
    """The three addresses that Midspan listens on."""
    proxy_runs = _answers(settings.outbound_bind, "/-/livez")
    yield _port("web", settings.web_bind, _answers(settings.web_bind, "/livez"))
    yield _port("outbound", settings.outbound_bind, proxy_runs)
    # Asking the inbound listener would be traffic of the platform's: its process answers for it.
    yield _port("inbound", settings.inbound_bind, proxy_runs)


def mail(settings: Settings) -> Iterator[Finding]:
    """The mail server, greeted and left."""
    if settings.smtp_url is None:
        yield ok("mail", "MIDSPAN_SMTP_URL is not set: mails are kept in the outbox")
        return
    parts = urlsplit(settings.smtp_url)
    where = f"{parts.hostname}:{parts.port or (465 if parts.scheme == 'smtps' else 25)}"
    try:
        _greet(settings.smtp_url)
    except (smtplib.SMTPException, OSError) as error:
        reason = " ".join(str(error).split())
        yield fail("mail", f"{where} does not take our mail ({reason}): check MIDSPAN_SMTP_URL")
    else:
        yield ok("mail", f"{where} answers")


def _port(what: str, bind: Bind, ours: bool) -> Finding:
    name = f"MIDSPAN_{what.upper()}_BIND"
    if ours:
        return ok(what, f"{bind} is served by Midspan")
    try:
        _try_to_listen(bind)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return warn(what, f"{bind} is taken by something else: end it or change {name}")
        return fail(what, f"{bind}: {error.strerror or error}: change {name}")
    return ok(what, f"{bind} is free")


def _try_to_listen(bind: Bind) -> None:
    family, kind, protocol, _name, address = socket.getaddrinfo(
        bind.host, bind.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with closing(socket.socket(family, kind, protocol)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1)


def _answers(bind: Bind, path: str) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind.host, bind.host)
    connection = http.client.HTTPConnection(host, bind.port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _greet(url: str) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=_PATIENCE_S)
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=_PATIENCE_S)
    with server:
        server.ehlo()
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.noop()
