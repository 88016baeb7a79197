"""A mail as a value, and as the message that goes out."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from app.errors import MailRefused


@dataclass(frozen=True, slots=True)
class Inline:
    """A PNG picture that the HTML shows as `cid:<name>`."""

    name: str
    png: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """What to say to whom. `message_id` is for a mail that may go out twice: a reader's program
    then shows it once. `html` is the same text, dressed. `references` is the id of the mail that
    this one goes on from, so that both are shown as one conversation; `unsubscribe_url` takes the
    reader off at one POST (RFC 8058)."""

    to: str
    subject: str
    text: str
    html: str | None = None
    message_id: str | None = None
    references: str | None = None
    unsubscribe_url: str | None = None
    inline: tuple[Inline, ...] = ()


def compose(mail: Mail, sender: str, at_us: int) -> EmailMessage:
    """The message, marked as written by a program. `MailRefused` for what no header can hold."""
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = Address("Midspan", addr_spec=sender)
        message["To"] = Address(addr_spec=_plain(mail.to))
        message["Subject"] = mail.subject
    except (ValueError, IndexError) as error:
        raise MailRefused(f"a mail to {mail.to!r} cannot be written: {error}") from error
    message["Date"] = format_datetime(datetime.fromtimestamp(at_us // 1_000_000, UTC))
    message["Message-ID"] = mail.message_id or make_msgid(domain=sender.partition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    if mail.references is not None:
        message["In-Reply-To"] = message["References"] = mail.references
    if mail.unsubscribe_url is not None:
        message["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.text)
    if mail.html is not None:
        message.add_alternative(mail.html, subtype="html")
        dressed = list(message.iter_parts())[-1]
        for picture in mail.inline:
            dressed.add_related(picture.png, "image", "png", cid=f"<{picture.name}>")
    return message


def _plain(address: str) -> str:
    name, _, host = address.rpartition("@")
    if not name or not host or not address.isprintable() or " " in address:
        raise ValueError("not a mail address")
    return address
