"""The scheduler process: rules every 15 s, outgoing messages every 2 s, what three witnesses say of
installations every minute, until told to stop."""

import signal
import threading
from functools import partial
from urllib.parse import urlsplit

from sqlalchemy import Engine, select

from alerts.bookkeeping import COMPARE_S, Bookkeeper, compare
from alerts.bookkeeping import TURN_S as BOOKS_S
from alerts.clockwork import Clockwork, Job
from alerts.dispatch import Send, dispatch
from alerts.engine import INTERVAL_S
from alerts.engine import Engine as RuleEngine
from alerts.heartbeat import TURN_S, Heartbeat
from alerts.notifiers.hooks import HookNotifier, Hooks
from alerts.notifiers.mail import MailNotifier
from alerts.notifiers.pagerduty import pagerduty_request
from alerts.notifiers.slack import slack_request
from alerts.notifiers.webhook import webhook_request
from alerts.outbox import Outbox
from alerts.reporting import TURN_S as REPORT_S
from alerts.reporting import Reporter
from alerts.speaker import Speaker
from alerts.trying import try_receivers
from app.commands.lost_installs import judge_lost
from app.commands.receivers import Receivers, read_receivers
from app.commands.reconcile import reconcile
from app.db import reading, registry_engine
from app.domain.receiver import Channel, PagerDuty, Slack, Webhook
from app.logs import get as get_logger
from app.models import Platform
from app.queries import Reading
from app.queries.reading import now_us
from app.settings import Settings
from app.store.open import open_store
from app.store.port import MetricsStore

_DISPATCH_S = 2.0
_WITNESSES_S = 60.0


def main(settings: Settings) -> int:
    """Evaluate and send until SIGTERM or SIGINT; the exit code."""
    engine = registry_engine(settings.registry_url)
    store = open_store(settings.metrics_url, read_only=True)
    rules = RuleEngine(Reading(engine, store), settings.home, host_of(settings))
    senders = senders_of(settings, engine)
    jobs = {
        "evaluate": Job(rules.round, INTERVAL_S),
        "try receivers": Job(partial(_try, settings, engine, senders), _DISPATCH_S),
    }
    # Not behind the comparison, which may take long: until an install is judged nobody knows why.
    jobs["lost installs"] = Job(partial(_judge, engine, store), INTERVAL_S)
    jobs["witnesses"] = Job(partial(_compare, engine, store), _WITNESSES_S)
    for channel, send in senders.items():
        work = partial(dispatch, Outbox(engine), {channel: send}, now_us)
        jobs[f"dispatch {channel}"] = Job(work, _DISPATCH_S)
    if settings.heartbeat:
        jobs["heartbeat"] = Job(Heartbeat(settings, now_us).turn, TURN_S)
    if settings.weekly_report:
        reporter = Reporter(
            settings, Reading(engine, store), partial(platform_name, engine), host_of(settings)
        )
        jobs["weekly report"] = Job(reporter.turn, REPORT_S)
    jobs["bookkeeping"] = Job(Bookkeeper(engine, now_us).turn, BOOKS_S)
    jobs["benchmark"] = Job(partial(compare, Reading(engine, store)), COMPARE_S)
    clockwork = Clockwork(jobs)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    get_logger("alerts").info("started", every_s=INTERVAL_S)
    clockwork.run(stop)
    engine.dispose()
    store.close()
    return 0


def _judge(engine: Engine, store: MetricsStore) -> None:
    """Say why late installs did not go on."""
    judge_lost(engine, store, now_us())


def _compare(engine: Engine, store: MetricsStore) -> None:
    """Say where platform, wire and billing disagree."""
    reconcile(engine, store, now_us())


def _try(settings: Settings, engine: Engine, senders: dict[str, Send]) -> int:
    return try_receivers(engine, read_receivers(settings.home).directory, senders, now_us)


def senders_of(settings: Settings, engine: Engine) -> dict[str, Send]:
    """The sender of each channel. Each has rounds of its own, so that one that is away holds up no
    other."""
    receivers = Receivers(settings.home)
    hooks = Hooks(receivers.targets)
    speaker = Speaker(
        settings.base_url, partial(platform_name, engine), lambda: receivers.read().directory
    )
    signed = partial(webhook_request, now_us)
    return {
        Channel.MAIL: MailNotifier(settings, speaker, now_us),
        Channel.SLACK: HookNotifier(hooks, speaker, Slack, slack_request),
        Channel.PAGERDUTY: HookNotifier(hooks, speaker, PagerDuty, pagerduty_request),
        Channel.WEBHOOK: HookNotifier(hooks, speaker, Webhook, signed),
    }


def host_of(settings: Settings) -> str:
    """What stands behind the @ of message ids."""
    return urlsplit(settings.base_url).hostname or "midspan"


def platform_name(engine: Engine) -> str:
    """The platform's name, "" before a registry was imported."""
    with reading(engine) as session:
        return session.scalar(select(Platform.name)) or ""
