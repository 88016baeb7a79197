"""Sending links behind the back of the request that asked for them.

A known and an unknown address must cost the asker the same, so the request only lays down what
was asked; one thread looks it up, makes the link and sends the mail. It waits in memory: what is
lost in a restart is asked for again. When more wait than `MOST_WAITING`, the newest is dropped and
counted, and its asker is told to try again later.
"""

from queue import Full, Queue
from threading import Lock, Thread
from urllib.parse import quote

from sqlalchemy import Engine

from app import mail
from app.auth import links
from app.errors import MidspanError
from app.logs import get as get_logger
from app.settings import Settings
from app.telemetry import count_mail

MOST_WAITING = 100
_TEXT = """Somebody, most likely you, asked Midspan to let this address in.

Open this link in the same browser, within 10 minutes:

{address}

It works once. If it was not you, leave it: without that browser the link opens nothing.
"""
_log = get_logger("auth")


class Postroom:
    """One thread that makes and sends links, begun with the first of them."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._waiting: Queue[links.Request] = Queue(MOST_WAITING)
        self._thread: Thread | None = None
        self._starting = Lock()

    def ask(self, request: links.Request) -> bool:
        """Lay a request down; False when too many wait."""
        try:
            self._waiting.put_nowait(request)
        except Full:
            count_mail("dropped")
            _log.warning("login_link_dropped", reason="too many wait")
            return False
        self._start()
        return True

    def wait(self) -> None:
        """Return when everything laid down so far was done."""
        self._waiting.join()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._work, name="login-links", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            request = self._waiting.get()
            try:
                self._send(request)
            except MidspanError as error:
                _log.error("login_link_not_sent", email=request.email, reason=str(error))
            finally:
                self._waiting.task_done()

    def _send(self, request: links.Request) -> None:
        secret = links.make(self._engine, request)
        if secret is None:
            _log.info("login_link_for_nobody", email=request.email)
            return
        address = f"{self._settings.base_url}/login/link/{secret}?next={quote(request.target)}"
        said = mail.Mail(request.email, "Your link to Midspan", _TEXT.format(address=address))
        mail.send(self._settings, said, request.at_us)
        _log.info("login_link_sent", email=request.email)
