"""Handing a message over: to an SMTP server, or to the outbox."""

import os
import secrets
import smtplib
import ssl
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from app.errors import MailRefused, MailUnavailable
from app.mail.message import Mail, compose
from app.settings import Settings
from app.telemetry import count_mail

TIMEOUT_S = 20
#: How many mails the outbox holds.
KEPT = 500
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def send(settings: Settings, mail: Mail, at_us: int) -> None:
    """Hand `mail` over. `MailUnavailable` when trying again can help, else `MailRefused`."""
    message = compose(mail, settings.mail_from, at_us)
    if settings.smtp_url is None:
        _keep(settings.home / "outbox", message, at_us)
        count_mail("kept")
        return
    try:
        _hand_over(urlsplit(settings.smtp_url), message)
    except (MailRefused, MailUnavailable):
        count_mail("failed")
        raise
    count_mail("sent")


def _hand_over(url: SplitResult, message: EmailMessage) -> None:
    where = f"{url.hostname}:{url.port or _default_port(url)}"
    try:
        with _connect(url) as server:
            _log_in(server, url)
            server.send_message(message)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
        code, said = _answer(error)
        kind = MailRefused if code >= 500 else MailUnavailable
        raise kind(f"{where} did not take the mail: {code} {said}") from error
    except smtplib.SMTPAuthenticationError as error:
        raise MailRefused(f"{where} refused the log-in of MIDSPAN_SMTP_URL") from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailUnavailable(f"{where} is away: {error}; check MIDSPAN_SMTP_URL") from error


def _connect(url: SplitResult) -> smtplib.SMTP:
    host, port = url.hostname or "", url.port or _default_port(url)
    if url.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    server.ehlo()
    if server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
    elif url.password and host not in _LOOPBACK:
        server.close()
        raise MailRefused(f"{host} offers no TLS, and a password does not go out in clear text")
    return server


def _log_in(server: smtplib.SMTP, url: SplitResult) -> None:
    if url.username:
        server.login(unquote(url.username), unquote(url.password or ""))


def _default_port(url: SplitResult) -> int:
    return 465 if url.scheme == "smtps" else 25


def _answer(error: smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError) -> tuple[int, str]:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
        return code, said.decode("utf-8", "replace")
    text = error.smtp_error
    return error.smtp_code, text.decode("utf-8", "replace") if isinstance(text, bytes) else text


def _keep(folder: Path, message: EmailMessage, at_us: int) -> None:
    path = folder / f"{at_us:020d}-{secrets.token_hex(4)}.eml"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(message.as_bytes())
        for old in sorted(folder.glob("*.eml"))[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError as error:
        raise MailUnavailable(f"cannot keep a mail in {folder}: {error.strerror}") from error
