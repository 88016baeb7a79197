"""Mail goes to a real SMTP server, or into the outbox; what fails says whether to try again."""

import email
import email.policy
import socket
import stat
from collections.abc import Iterator

import pytest
from aiosmtpd.controller import Controller

from app import mail
from app.errors import MailRefused, MailUnavailable
from app.mail import Mail
from app.settings import load
from tests.contract.worlds import NOW_US

TO = Mail("ann@acme.example", "A ▲ subject", "Hello,\n.\nbye ✓\n", html="<p>Hello</p>")


class Box:
    """What an SMTP server took, and what it says to the next mail."""

    def __init__(self) -> None:
        self.taken: list[email.message.EmailMessage] = []
        self.says = "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        if self.says.startswith("250"):
            parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
            self.taken.append(parsed)
        return self.says

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if self.says.startswith("RCPT"):
            return self.says.removeprefix("RCPT ")
        envelope.rcpt_tos.append(address)
        return "250 OK"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def box() -> Iterator[tuple[Box, int]]:
    handler, port = Box(), free_port()
    server = Controller(handler, hostname="127.0.0.1", port=port)
    server.start()
    yield handler, port
    server.stop()


def settings(tmp_path, smtp: str = "", **more: str):
    given = {"MIDSPAN_HOME": str(tmp_path / "home"), "MIDSPAN_SMTP_URL": smtp, **more}
    return load(given, tmp_path / "none.env")


def test_a_server_gets_text_and_html_marked_as_written_by_a_program(box, tmp_path):
    handler, port = box
    mail.send(settings(tmp_path, f"smtp://127.0.0.1:{port}"), TO, NOW_US)
    (got,) = handler.taken
    assert (got["To"], got["Subject"]) == ("ann@acme.example", "A ▲ subject")
    assert got["From"] == "Midspan <midspan@127.0.0.1>"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Date"].datetime.timestamp() == NOW_US // 1_000_000
    assert got["Message-ID"].endswith("@127.0.0.1>")
    assert got.get_body(("plain",)).get_content().replace("\r\n", "\n") == TO.text
    assert "<p>Hello</p>" in got.get_body(("html",)).get_content()


def test_a_mail_that_goes_out_twice_keeps_its_id(box, tmp_path):
    handler, port = box
    again = Mail("ann@acme.example", "x", "y", message_id="<one@midspan.example>")
    for _ in range(2):
        mail.send(settings(tmp_path, f"smtp://127.0.0.1:{port}"), again, NOW_US)
    assert [got["Message-ID"] for got in handler.taken] == ["<one@midspan.example>"] * 2


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        ("550 no such box", MailRefused),
        ("451 later", MailUnavailable),
        ("RCPT 550 no such box", MailRefused),
        ("RCPT 450 grey", MailUnavailable),
    ],
)
def test_a_refusal_says_whether_to_try_again(says, kind, box, tmp_path):
    handler, port = box
    handler.says = says
    with pytest.raises(kind, match=says.removeprefix("RCPT ")):
        mail.send(settings(tmp_path, f"smtp://127.0.0.1:{port}"), TO, NOW_US)
    assert handler.taken == []


def test_a_server_that_is_away_is_worth_another_try(tmp_path):
    with pytest.raises(MailUnavailable, match="check MIDSPAN_SMTP_URL"):
        mail.send(settings(tmp_path, f"smtp://127.0.0.1:{free_port()}"), TO, NOW_US)


@pytest.mark.parametrize("to", ["a@b.example\nBcc: c@d.example", "nobody", "", "ann@\x00"])
def test_an_address_that_no_header_holds_is_refused(to, tmp_path):
    with pytest.raises(MailRefused):
        mail.send(settings(tmp_path), Mail(to, "x", "y"), NOW_US)


def test_a_subject_cannot_smuggle_a_header(tmp_path):
    with pytest.raises(MailRefused):
        mail.send(settings(tmp_path), Mail("a@b.example", "x\nBcc: c@d.example", "y"), NOW_US)


def test_without_a_server_mails_lie_in_the_outbox_for_the_owner_only(tmp_path):
    made = settings(tmp_path)
    mail.send(made, TO, NOW_US)
    (kept,) = (made.home / "outbox").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    read = email.message_from_bytes(kept.read_bytes(), policy=email.policy.default)
    assert read["To"] == "ann@acme.example"


def test_the_outbox_keeps_the_newest(tmp_path, monkeypatch):
    monkeypatch.setattr("app.mail.delivery.KEPT", 3)
    made = settings(tmp_path)
    for number in range(5):
        mail.send(made, Mail("a@b.example", str(number), "x"), NOW_US + number)
    subjects = [
        email.message_from_bytes(path.read_bytes())["Subject"]
        for path in sorted((made.home / "outbox").iterdir())
    ]
    assert subjects == ["2", "3", "4"]


def test_an_outbox_that_cannot_be_written_says_so(tmp_path):
    made = settings(tmp_path)
    made.home.mkdir()
    (made.home / "outbox").write_text("in the way")
    with pytest.raises(MailUnavailable, match="outbox"):
        mail.send(made, TO, NOW_US)
