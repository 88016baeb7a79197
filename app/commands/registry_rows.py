"""Rows of the registry as the values that the file and the routing table speak of, and back.

An integration without a row of wire rules has the defaults.
"""

from dataclasses import asdict
from typing import Any

from app.commands.registry_values import InferEntry, IntegrationEntry, RampEntry
from app.domain.route import Breaker, CapturePolicy, Limits, Ramp, Timeouts, TlsFiles
from app.domain.words import Direction
from app.models import Integration, WireRules


def timeouts_of(row: Integration) -> Timeouts:
    """The timeouts of an integration."""
    return Timeouts(row.connect_ms, row.first_byte_ms, row.idle_ms, row.total_ms)


def limits_of(row: Integration) -> Limits:
    """The limits of an integration."""
    own = row.requests_per_second, row.burst, row.concurrency, row.body_bytes
    return Limits(*own) if row.wire is None else Limits(*own, row.wire.queue, row.wire.queue_ms)


def ramp_entry_of(wire: WireRules | None) -> RampEntry | None:
    """The ramp as the file says it; None: there is none."""
    if wire is None or wire.ramp_from is None:
        return None
    assert wire.ramp_to is not None
    assert wire.ramp_over_us is not None
    return RampEntry(wire.ramp_from, wire.ramp_to, wire.ramp_over_us, wire.ramp_since_us)


def ramp_of(wire: WireRules | None) -> Ramp | None:
    """The ramp with its beginning; None: there is none."""
    entry = ramp_entry_of(wire)
    if wire is None or entry is None:
        return None
    assert wire.ramp_begun_us is not None
    return Ramp(entry.from_rate, entry.to_rate, entry.over_us, wire.ramp_begun_us)


def breaker_of(wire: WireRules | None) -> Breaker | None:
    """The breaker; None: there is none."""
    if wire is None:
        return Breaker()
    if wire.breaker_error_ratio is None:
        return None
    assert wire.breaker_minimum is not None
    assert wire.breaker_window_us is not None
    assert wire.breaker_open_us is not None
    assert wire.breaker_probes is not None
    return Breaker(
        wire.breaker_error_ratio,
        wire.breaker_minimum,
        wire.breaker_window_us,
        wire.breaker_open_us,
        wire.breaker_probes,
    )


def paused_of(wire: WireRules | None) -> bool:
    """Whether nothing is let through."""
    return wire is not None and wire.paused


def capture_of(wire: WireRules | None) -> CapturePolicy:
    """Of which exchanges evidence is kept."""
    return CapturePolicy.SAMPLE if wire is None else wire.capture


def tls_of(wire: WireRules | None) -> TlsFiles:
    """The TLS files."""
    if wire is None:
        return TlsFiles()
    return TlsFiles(wire.ca_file, wire.client_cert_file, wire.client_key_file)


def deadlines_of(row: Integration) -> tuple[tuple[str, int], ...]:
    """The deadlines of its steps that are not the usual one, by step."""
    return tuple(sorted((each.step, each.deadline_us) for each in row.funnel_deadlines))


def inference_of(row: Integration) -> tuple[InferEntry, ...]:
    """Which exchanges mean a step, in the order in which they are tried."""
    return tuple(
        InferEntry(
            each.step,
            None if each.direction is None else Direction(each.direction).word,
            each.operation,
            each.topic,
            each.status_from,
            each.status_to,
        )
        for each in row.inference_rules
    )


def list_source_of(row: Integration) -> dict[str, Any]:
    """What the file says of where the partner's own list is pulled from."""
    if row.list_source is None:
        return {}
    return {
        "installations_url": row.list_source.url,
        "installations_token_file": row.list_source.token_file,
        "installations_every_us": row.list_source.every_us,
    }


def inference_columns(entry: InferEntry) -> dict[str, Any]:
    """What a row of `inference_rules` says of an entry."""
    direction = None if entry.direction is None else int(Direction.of(entry.direction))
    return {**asdict(entry), "direction": direction}


def integration_columns(entry: IntegrationEntry) -> dict[str, Any]:
    """What a row of `integrations` says of an entry."""
    limits = asdict(entry.limits)
    del limits["queue"], limits["queue_ms"]
    return {
        "name": entry.name,
        "visibility": entry.visibility,
        "category": entry.category,
        "api_base_url": entry.api_base_url,
        "webhook_url": entry.webhook_url,
        "allow_private_addresses": entry.allow_private_addresses,
        **asdict(entry.timeouts),
        **limits,
    }


def wire_columns(
    entry: IntegrationEntry, before: WireRules | None, *, now_us: int
) -> dict[str, Any]:
    """What a row of `wire_rules` says of an entry, `before` being the row that is there now.

    A ramp that is the same as before goes on from where it began.
    """
    return {
        "queue": entry.limits.queue,
        "queue_ms": entry.limits.queue_ms,
        **_ramp_columns(entry.ramp, before, now_us),
        **_breaker_columns(entry.breaker),
        "paused": entry.paused,
        "capture": entry.capture,
        **asdict(entry.tls),
    }


def _ramp_columns(
    ramp: RampEntry | None, before: WireRules | None, now_us: int
) -> dict[str, float | None]:
    if ramp is None:
        return dict.fromkeys(
            ("ramp_from", "ramp_to", "ramp_over_us", "ramp_since_us", "ramp_begun_us")
        )
    begun_us = now_us if ramp.since_us is None else ramp.since_us
    if before is not None and ramp_entry_of(before) == ramp:
        assert before.ramp_begun_us is not None
        begun_us = before.ramp_begun_us
    return {
        "ramp_from": ramp.from_rate,
        "ramp_to": ramp.to_rate,
        "ramp_over_us": ramp.over_us,
        "ramp_since_us": ramp.since_us,
        "ramp_begun_us": begun_us,
    }


def _breaker_columns(breaker: Breaker | None) -> dict[str, float | None]:
    names = ("error_ratio", "minimum", "window_us", "open_us", "probes")
    return {f"breaker_{name}": getattr(breaker, name) if breaker else None for name in names}
