"""Incidents written as the scheduler writes them, for tests of what people see of them."""

import json

from sqlalchemy import Engine

from app.db import transaction
from app.domain.alert import Event, State
from app.domain.rule import Severity
from app.domain.window import MINUTE_US
from app.models import Alert, Delivery, Incident, Notification

NUMBERS = {
    "proxied": 1200, "good": 1100, "bad": 100, "excluded": 3, "error_ratio": 0.083,
    "latency_ms": {"p50": 61.0, "p95": 240.0, "p99": 900.0}, "by_fault": {"partner": 100},
    "sentence": "8.3 % of exchanges fail.",
}  # fmt: skip


def evidence(word: str = "") -> str:
    """What is frozen; `word` stands in every text of it."""
    return json.dumps(
        {
            "version": 1, "at_us": 1, "value": 0.083, "limit": 0.005, "window_us": 60 * MINUTE_US,
            "now": NUMBERS | {"sentence": f"8.3 % of exchanges fail. {word}".strip()},
            "before": NUMBERS | {"bad": 0, "error_ratio": 0.0},
            "operations": [
                {"operation": f"POST /v1/{word or 'issues'}", "bad": 90, "exchanges": 300,
                 "error_ratio": 0.3, "p95_ms": 310.0, "fault": "partner"},
            ],
            "samples": [
                {"id": "019aa000-0000-7000-8000-000000000001", "started_us": 1_795_348_800_000_000,
                 "operation": f"POST /v1/{word or 'issues'}", "method": "POST",
                 "path": f"/v1/{word}", "status": 500, "outcome": "server_error", "error": None,
                 "fault": "partner", "total_ms": 240.0},
            ],
        }
    )  # fmt: skip


def add_incident(
    engine: Engine,
    now_us: int,
    integration: str | None,
    partner: str | None,
    *,
    rule: str = "budget-burn",
    word: str = "",
    over: bool = False,
    **more: object,
) -> int:
    """One incident that began five minutes ago, with a mail to each side; its number."""
    state = State.RESOLVED if over else State.FIRING
    with transaction(engine) as session:
        alert = Alert(
            rule=rule, series=f"integration={integration} {word}", integration=integration,
            partner=partner, state=state, since_us=now_us, incident=1, fired_us=now_us,
            summary=word, version=1,
        )  # fmt: skip
        session.add(alert)
        session.flush()
        fields = {
            "number": 1, "severity": Severity.P2, "fired_us": now_us - 5 * MINUTE_US,
            "resolved_us": now_us if over else None, "evidence": evidence(word),
            "summary": f"8.3 % errors {word}".strip(),
        }  # fmt: skip
        row = Incident(alert_id=alert.id, **(fields | more))
        session.add(row)
        session.flush()
        session.add_all(_told(row.id, partner, audience) for audience in ("ecosystem", "partner"))
        return row.id


def _told(incident: int, partner: str | None, audience: str) -> Notification:
    return Notification(
        incident_id=incident, event=Event.FIRED, receiver=audience, audience=audience,
        channel="mail", address=f"{audience}@{partner}.example",
        message_id=f"<incident-{incident}.fired.{audience}@x>", delivery=Delivery.SENT,
        reason="first_word", attempts=1, due_us=1, created_us=1, done_us=1_795_348_800_000_000,
        error="",
    )  # fmt: skip
