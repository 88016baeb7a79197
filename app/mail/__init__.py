"""Outgoing mail: one message, handed to an SMTP server or kept in the outbox.

With `MIDSPAN_SMTP_URL` set a mail is sent at once, over TLS whenever the server offers it, and the
call returns when the server has taken it. Without it the mail is written to `outbox` in the home,
one file each with mode 0600: whoever may read the home may read it, no page shows it, because a
mail may hold a link that lets somebody in.

It never retries and keeps no queue: whoever sends decides whether to try again, by the exception
(`MailUnavailable` can help, `MailRefused` cannot) and with the same Message-ID. The outbox holds
the newest `KEPT` mails and drops older ones.
"""

from app.mail.delivery import KEPT, send
from app.mail.message import Inline, Mail

__all__ = ["KEPT", "Inline", "Mail", "send"]
