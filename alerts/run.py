"""The scheduler process: rules every 15 s, outgoing messages every 2 s, until told to stop."""

import signal
import threading
from urllib.parse import urlsplit

from sqlalchemy import Engine, select

from alerts.clockwork import Clockwork, Job
from alerts.dispatch import Send, dispatch
from alerts.engine import INTERVAL_S
from alerts.engine import Engine as RuleEngine
from alerts.notifiers.mail import MailNotifier
from alerts.outbox import Outbox
from alerts.store import MAIL
from app.db import reading, registry_engine
from app.logs import get as get_logger
from app.models import Platform
from app.queries import Reading
from app.queries.reading import now_us
from app.settings import Settings
from app.store.open import open_store

_DISPATCH_S = 2.0


def main(settings: Settings) -> int:
    """Evaluate and send until SIGTERM or SIGINT; the exit code."""
    engine = registry_engine(settings.registry_url)
    store = open_store(settings.metrics_url, read_only=True)
    rules = RuleEngine(Reading(engine, store), settings.home, host_of(settings))
    outbox = Outbox(engine)
    senders: dict[str, Send] = {MAIL: MailNotifier(settings, lambda: platform_name(engine), now_us)}
    clockwork = Clockwork(
        {
            "evaluate": Job(rules.round, INTERVAL_S),
            "dispatch": Job(lambda: dispatch(outbox, senders, now_us), _DISPATCH_S),
        }
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    get_logger("alerts").info("started", every_s=INTERVAL_S)
    clockwork.run(stop)
    engine.dispose()
    store.close()
    return 0


def host_of(settings: Settings) -> str:
    """What stands behind the @ of message ids."""
    return urlsplit(settings.base_url).hostname or "midspan"


def platform_name(engine: Engine) -> str:
    """The platform's name, "" before a registry was imported."""
    with reading(engine) as session:
        return session.scalar(select(Platform.name)) or ""
