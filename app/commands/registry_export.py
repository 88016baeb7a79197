"""Writing the registry as the file that `registry_file` reads: importing it changes nothing."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

from app.commands import registry_rows as rows
from app.commands.registry_values import (
    LIST_EVERY_US,
    InferEntry,
    IntegrationEntry,
    ObjectiveEntry,
    PartnerEntry,
    RampEntry,
    RegistryFile,
)
from app.domain.route import Breaker, CapturePolicy, Limits, Timeouts
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from app.models import Integration, Partner, Platform

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = (("d", DAY_US), ("h", HOUR_US), ("m", MINUTE_US), ("s", SECOND_US))


def load(session: Session) -> RegistryFile | None:
    """What the registry holds now; None before the first import."""
    platform = session.get(Platform, 1)
    if platform is None:
        return None
    return RegistryFile(platform.name, platform.api_base_url, _partners(session))


def render(file: RegistryFile) -> str:
    """The text of the file. What has its default value is left out."""
    document = {
        "platform": _filled(name=file.platform_name, api_base_url=file.platform_api_base_url),
        "partners": [_partner_document(partner) for partner in file.partners],
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def current_integrations() -> Select[Integration]:
    """The statement for the integrations of now, all their lists loaded with them."""
    return (
        select(Integration)
        .where(Integration.removed_us.is_(None))
        .order_by(Integration.slug)
        .options(
            selectinload(Integration.partner),
            selectinload(Integration.wire),
            selectinload(Integration.operations),
            selectinload(Integration.deprecated),
            selectinload(Integration.objectives),
            selectinload(Integration.funnel_steps),
            selectinload(Integration.funnel_deadlines),
            selectinload(Integration.inference_rules),
            selectinload(Integration.list_source),
            selectinload(Integration.inbound_tokens),
        )
    )


def _partners(session: Session) -> tuple[PartnerEntry, ...]:
    built: dict[int, list[IntegrationEntry]] = {}
    for row in session.scalars(current_integrations()):
        built.setdefault(row.partner_id, []).append(_integration(row))
    statement = (
        select(Partner).where(Partner.removed_us.is_(None)).options(selectinload(Partner.contacts))
    )
    entries = [
        PartnerEntry(
            partner.slug,
            partner.name,
            tuple(contact.email for contact in partner.contacts),
            tuple(built.get(partner.id, ())),
        )
        for partner in session.scalars(statement)
    ]
    # Sorted here, because databases do not agree on the order of "-" and letters.
    return tuple(sorted(entries, key=lambda entry: entry.slug))


def _integration(row: Integration) -> IntegrationEntry:
    return IntegrationEntry(
        slug=row.slug,
        name=row.name,
        visibility=row.visibility,
        category=row.category,
        api_base_url=row.api_base_url,
        webhook_url=row.webhook_url,
        inbound_token_sha256=tuple(sorted(token.sha256 for token in row.inbound_tokens)),
        allow_private_addresses=row.allow_private_addresses,
        timeouts=rows.timeouts_of(row),
        limits=rows.limits_of(row),
        operations=tuple(operation.template for operation in row.operations),
        deprecated=tuple(each.template for each in row.deprecated),
        objectives=tuple(
            ObjectiveEntry(each.name, each.target, each.window_us, each.threshold_ms)
            for each in row.objectives
        ),
        funnel=tuple(step.name for step in row.funnel_steps),
        funnel_deadlines=rows.deadlines_of(row),
        infer=rows.inference_of(row),
        ramp=rows.ramp_entry_of(row.wire),
        breaker=rows.breaker_of(row.wire),
        paused=rows.paused_of(row.wire),
        capture=rows.capture_of(row.wire),
        tls=rows.tls_of(row.wire),
        **rows.list_source_of(row),
    )


def _partner_document(partner: PartnerEntry) -> dict[str, Any]:
    return _filled(
        slug=partner.slug,
        name=partner.name,
        contacts=list(partner.contacts),
        integrations=[_integration_document(entry) for entry in partner.integrations],
    )


def _integration_document(entry: IntegrationEntry) -> dict[str, Any]:
    return _filled(
        slug=entry.slug,
        name=entry.name,
        visibility=entry.visibility.value,
        category=entry.category,
        api_base_url=entry.api_base_url,
        webhook_url=entry.webhook_url,
        inbound_token_sha256=list(entry.inbound_token_sha256),
        allow_private_addresses=entry.allow_private_addresses,
        timeouts=_changed(asdict(entry.timeouts), asdict(Timeouts())),
        limits=_changed(asdict(entry.limits), asdict(Limits())),
        ramp=_ramp_document(entry.ramp),
        breaker=_breaker_document(entry.breaker),
        paused=entry.paused,
        capture=None if entry.capture == CapturePolicy.SAMPLE else entry.capture.value,
        tls=_filled(**asdict(entry.tls)),
        operations=list(entry.operations),
        deprecated=list(entry.deprecated),
        objectives=[_objective_document(objective) for objective in entry.objectives],
        funnel=list(entry.funnel),
        funnel_deadlines={step: format_duration(long) for step, long in entry.funnel_deadlines},
        infer=[_infer_document(each) for each in entry.infer],
        installations_url=entry.installations_url,
        installations_token_file=entry.installations_token_file,
        installations_every=None
        if entry.installations_every_us == LIST_EVERY_US
        else format_duration(entry.installations_every_us),
    )


def _ramp_document(ramp: RampEntry | None) -> dict[str, Any]:
    if ramp is None:
        return {}
    since = None if ramp.since_us is None else _format_moment(ramp.since_us)
    document = {"from": ramp.from_rate, "to": ramp.to_rate, "over": format_duration(ramp.over_us)}
    return _filled(**document, since=since)


def _breaker_document(breaker: Breaker | None) -> dict[str, Any] | str:
    if breaker is None:
        return "off"
    return {
        name.removesuffix("_us"): format_duration(value) if name.endswith("_us") else value
        for name, value in _changed(asdict(breaker), asdict(Breaker())).items()
    }


def _objective_document(entry: ObjectiveEntry) -> dict[str, Any]:
    return _filled(
        name=entry.name,
        target=entry.target,
        threshold_ms=entry.threshold_ms,
        window=format_duration(entry.window_us),
    )


def _infer_document(entry: InferEntry) -> dict[str, Any]:
    status: str | int = entry.status_from
    if entry.status_to != entry.status_from:
        status = f"{entry.status_from // 100}xx"
    when = _filled(direction=entry.direction, operation=entry.operation, topic=entry.topic)
    return {"when": {**when, "status": status}, "step": entry.step}


def format_duration(length_us: int) -> str:
    """`28d`, `36h`: the largest unit that gives a whole number."""
    for unit, unit_us in _UNITS:
        if length_us % unit_us == 0:
            return f"{length_us // unit_us}{unit}"
    raise ValueError(f"{length_us} µs is not a whole number of seconds")


def _format_moment(at_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat().replace("+00:00", "Z")


def _changed(values: Mapping[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value != default[key]}


def _filled(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, [], {}, False)}
