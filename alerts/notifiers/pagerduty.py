"""Letters as events of PagerDuty's Events API v2: one incident there for each incident here."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from alerts.notifiers.http import Request
from alerts.outbox import Letter
from alerts.wording import Words
from app.domain.alert import Event
from app.domain.receiver import PagerDuty
from app.domain.rule import Severity
from app.domain.window import SECOND_US

_ACTIONS = {
    Event.FIRED: "trigger",
    Event.ACKNOWLEDGED: "acknowledge",
    Event.RESOLVED: "resolve",
}
_SEVERITIES = {
    Severity.P1: "critical",
    Severity.P2: "error",
    Severity.P3: "warning",
    Severity.P4: "info",
}
_SUMMARY = 1_024


def pagerduty_request(letter: Letter, said: Words, target: PagerDuty) -> Request:
    """The event for the routing key of a receiver."""
    found = json.dumps(event(letter, said, target.routing_key)).encode()
    return Request(target.url, found, {"Content-Type": "application/json"}, target.private)


def event(letter: Letter, said: Words, routing_key: str) -> dict[str, Any]:
    """The event. All of one incident share its `dedup_key`, so a second copy changes nothing."""
    host = urlsplit(said.base_url).hostname
    found: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": _ACTIONS[letter.event],
        "dedup_key": f"incident-{letter.incident}@{host or 'midspan'}"[:255],
    }
    if letter.event != Event.FIRED:
        return found
    return found | {
        "client": "Midspan",
        "client_url": said.incident_url,
        "links": [{"href": said.incident_url, "text": "Open the incident"}]
        + [{"href": each.url, "text": each.line} for each in said.samples],
        "payload": {
            "summary": said.headline[:_SUMMARY],
            "source": letter.integration or letter.partner or "midspan",
            "severity": _SEVERITIES[letter.severity],
            "timestamp": datetime.fromtimestamp(letter.fired_us // SECOND_US, UTC).isoformat(),
            "component": letter.integration,
            "group": letter.partner,
            "class": letter.rule,
            "custom_details": _details(said),
        },
    }


def _details(said: Words) -> dict[str, Any]:
    figures = {each.name: each.now + each.beside for each in said.figures}
    return {"lead": said.lead, **figures, "operations": list(said.operations)}
