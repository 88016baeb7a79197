"""Receivers of alerts: where a message goes, and what is needed to be let in. Values only.

Addresses of hooks and keys are secrets: they are in no `repr`, and what may be shown of a target is
its `shown`.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue"


class Channel(StrEnum):
    """How a message travels."""

    MAIL = "mail"
    SLACK = "slack"
    PAGERDUTY = "pagerduty"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class MailBox:
    """Mail addresses, each of which gets a mail of its own."""

    addresses: tuple[str, ...]

    channel = Channel.MAIL

    @property
    def shown(self) -> str:
        """What a page says of it."""
        return ", ".join(self.addresses)


@dataclass(frozen=True, slots=True)
class Slack:
    """A Slack incoming webhook. `private`: its address may be inside the network."""

    url: str = field(repr=False)
    private: bool = False

    channel = Channel.SLACK

    @property
    def shown(self) -> str:
        """What a page says of it."""
        return _host(self.url)


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """An integration of PagerDuty's Events API v2."""

    routing_key: str = field(repr=False)
    url: str = PAGERDUTY_URL
    private: bool = False

    channel = Channel.PAGERDUTY

    @property
    def shown(self) -> str:
        """What a page says of it."""
        return _host(self.url)


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that takes Alertmanager's payload, signed with `secret` (Standard Webhooks)."""

    url: str = field(repr=False)
    secret: bytes = field(repr=False)
    private: bool = False

    channel = Channel.WEBHOOK

    @property
    def shown(self) -> str:
        """What a page says of it."""
        return _host(self.url)


Target = MailBox | Slack | PagerDuty | Webhook
#: Targets that are named by their receiver in the outbox, because their address is a secret.
Hook = Slack | PagerDuty | Webhook


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/…"
