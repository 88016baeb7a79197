"""Letters as Alertmanager's webhook payload (version 4), signed as Standard Webhooks 1.0 say.

Whoever reads the one and checks the other takes both as they are. `webhook-id` is made of the
letter's message id, so a second copy carries the same one.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from alerts.notifiers.http import Request
from alerts.outbox import Letter
from alerts.wording import Words
from app.domain.alert import Event
from app.domain.receiver import Webhook
from app.domain.window import SECOND_US

#: What Alertmanager writes for a time that has not come.
_NEVER = "0001-01-01T00:00:00Z"


def webhook_request(
    clock: Callable[[], int], letter: Letter, said: Words, target: Webhook
) -> Request:
    """What is posted to a webhook at the time of `clock`."""
    body = json.dumps(payload(letter, said)).encode()
    headers = signature(target.secret, letter.message_id, clock() // SECOND_US, body)
    headers["Content-Type"] = "application/json"
    return Request(target.url, body, headers, target.private)


def signature(secret: bytes, message_id: str, at_s: int, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks; no full stop in the id, as it parts what is signed."""
    name = message_id.strip("<>").partition("@")[0].replace(".", "_")
    signed = hmac.new(secret, f"{name}.{at_s}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": name,
        "webhook-timestamp": str(at_s),
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }


def payload(letter: Letter, said: Words) -> dict[str, Any]:
    """The payload, a group of one alert."""
    status = "resolved" if letter.event == Event.RESOLVED else "firing"
    labels = {"alertname": letter.rule, "severity": letter.severity.value}
    for name, value in (("integration", letter.integration), ("partner", letter.partner)):
        if value is not None:
            labels[name] = value
    key = ",".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
    notes = {"summary": said.headline, "description": said.lead, "incident": str(letter.incident)}
    alert = {
        "status": status,
        "labels": labels,
        "annotations": notes,
        "startsAt": _time(letter.fired_us),
        "endsAt": _NEVER if letter.resolved_us is None else _time(letter.resolved_us),
        "generatorURL": said.incident_url,
        "fingerprint": hashlib.sha256(key.encode()).hexdigest()[:16],
    }
    return {
        "version": "4",
        "groupKey": f"{{}}:{{{key}}}",
        "truncatedAlerts": 0,
        "status": status,
        "receiver": letter.receiver,
        "groupLabels": labels,
        "commonLabels": labels,
        "commonAnnotations": notes,
        "externalURL": said.base_url,
        "alerts": [alert],
    }


def _time(at_us: int) -> str:
    return datetime.fromtimestamp(at_us // SECOND_US, UTC).isoformat().replace("+00:00", "Z")
