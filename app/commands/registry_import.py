"""Making the registry equal to a file, in the one transaction of the caller.

The file is the whole truth about the platform, partners and integrations. What it no longer
names is marked removed: its history stays readable, its inbound tokens are deleted, its traffic
is no longer routed, and it comes back whole when a later file names it again. Installations,
users and tokens for programs are not in the file and stay as they are.

Importing the same file again changes nothing and does not raise the revision.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.commands import audit, lifecycle, registry_changes, registry_export, revision
from app.commands.registry_changes import Change
from app.commands.registry_rows import (
    inference_columns,
    integration_columns,
    wire_columns,
)
from app.commands.registry_values import IntegrationEntry, PartnerEntry, RegistryFile
from app.models import (
    Base,
    DeprecatedOperation,
    FunnelDeadline,
    FunnelStep,
    InboundToken,
    InferenceRule,
    Integration,
    ListSource,
    Objective,
    Operation,
    Partner,
    PartnerContact,
    Platform,
    WireRules,
)

ListTable = (
    type[DeprecatedOperation]
    | type[FunnelDeadline]
    | type[FunnelStep]
    | type[InboundToken]
    | type[InferenceRule]
    | type[ListSource]
    | type[Objective]
    | type[Operation]
)
_LISTS: tuple[ListTable, ...] = (
    DeprecatedOperation, FunnelDeadline, FunnelStep, InboundToken, InferenceRule, ListSource,
    Objective, Operation,
)  # fmt: skip
_FUNNEL = frozenset({"funnel", "funnel_deadlines"})


def apply(session: Session, wanted: RegistryFile, *, now_us: int, actor: str) -> list[Change]:
    """Make the registry say what `wanted` says; what was changed, nothing if it did already."""
    state = revision.lock(session)
    changes = registry_changes.diff(registry_export.load(session), wanted)
    if not changes:
        return []
    _write(session, wanted, changes, now_us)
    for change in changes:
        action = f"{change.thing}.{change.verb}"
        audit.record(
            session, now_us=now_us, actor=actor, action=action, subject=change.slug,
            detail=change.what,
        )  # fmt: skip
    _read_installs_again(session, changes, now_us)
    revision.bump(state, now_us)
    return changes


def _read_installs_again(session: Session, changes: Sequence[Change], now_us: int) -> None:
    """By a funnel that has changed, the same installations stand elsewhere."""
    slugs = [
        each.slug
        for each in changes
        if each.verb == "changed" and _FUNNEL & set(each.what.split(", "))
    ]
    ids = session.scalars(select(Integration.id).where(Integration.slug.in_(slugs))).all()
    lifecycle.refold(session, ids, now_us=now_us)


def _write(session: Session, wanted: RegistryFile, changes: Sequence[Change], now_us: int) -> None:
    def slugs(thing: str, *verbs: str) -> set[str]:
        return {each.slug for each in changes if each.thing == thing and each.verb in verbs}

    # Removals come first: the tokens of what is removed may belong to another from now on.
    _remove_integrations(session, slugs("integration", "removed"), now_us)
    _write_platform(session, wanted)
    _write_partners(session, wanted, slugs("partner", "added", "changed"), now_us)
    _write_integrations(session, wanted, slugs("integration", "added", "changed"), now_us)
    _remove_partners(session, slugs("partner", "removed"), now_us)


def _write_platform(session: Session, wanted: RegistryFile) -> None:
    platform = session.get(Platform, 1) or Platform(id=1)
    platform.name = wanted.platform_name
    platform.api_base_url = wanted.platform_api_base_url
    session.add(platform)


def _write_partners(session: Session, wanted: RegistryFile, slugs: set[str], now_us: int) -> None:
    rows = {row.slug: row for row in session.scalars(select(Partner))}
    entries = [partner for partner in wanted.partners if partner.slug in slugs]
    for entry in entries:
        row = rows.setdefault(entry.slug, Partner(slug=entry.slug, created_us=now_us))
        row.name, row.updated_us, row.removed_us = entry.name, now_us, None
        session.add(row)
    session.flush()
    ids = {entry.slug: rows[entry.slug].id for entry in entries}
    session.execute(delete(PartnerContact).where(PartnerContact.partner_id.in_(ids.values())))
    _insert(session, PartnerContact, (row for each in entries for row in _contacts(each, ids)))


def _contacts(entry: PartnerEntry, ids: dict[str, int]) -> Iterable[dict[str, Any]]:
    for position, email in enumerate(entry.contacts):
        yield {"partner_id": ids[entry.slug], "position": position, "email": email}


def _write_integrations(
    session: Session, wanted: RegistryFile, slugs: set[str], now_us: int
) -> None:
    partners = {row.slug: row.id for row in session.scalars(select(Partner))}
    rows = {row.slug: row for row in session.scalars(select(Integration))}
    written = []
    for slug, (partner, entry) in registry_changes.integrations_of(wanted).items():
        if slug not in slugs:
            continue
        row = rows.setdefault(slug, Integration(slug=slug, created_us=now_us))
        row.partner_id, row.updated_us, row.removed_us = partners[partner], now_us, None
        for column, value in integration_columns(entry).items():
            setattr(row, column, value)
        session.add(row)
        written.append((row, entry))
    session.flush()
    numbered = [(row.id, entry) for row, entry in written]
    _write_wire(session, numbered, now_us)
    _replace_lists(session, numbered)


def _write_wire(
    session: Session, written: Sequence[tuple[int, IntegrationEntry]], now_us: int
) -> None:
    ids = [integration_id for integration_id, _entry in written]
    found = session.scalars(select(WireRules).where(WireRules.integration_id.in_(ids)))
    rows = {row.integration_id: row for row in found}
    for integration_id, entry in written:
        row = rows.get(integration_id)
        columns = wire_columns(entry, row, now_us=now_us)
        if row is None:
            session.add(WireRules(integration_id=integration_id, **columns))
            continue
        for column, value in columns.items():
            setattr(row, column, value)


def _replace_lists(session: Session, written: Sequence[tuple[int, IntegrationEntry]]) -> None:
    # All old rows go before any new one comes: a token may move between integrations.
    ids = [integration_id for integration_id, _entry in written]
    for table in _LISTS:
        session.execute(delete(table).where(table.integration_id.in_(ids)))
    rows: dict[ListTable, list[dict[str, Any]]] = {table: [] for table in _LISTS}
    for integration_id, entry in written:
        for table, values in _list_rows(entry):
            rows[table].append({"integration_id": integration_id, **values})
    for table in _LISTS:
        _insert(session, table, rows[table])


def _list_rows(entry: IntegrationEntry) -> Iterable[tuple[ListTable, dict[str, Any]]]:
    for position, template in enumerate(entry.operations):
        yield Operation, {"position": position, "template": template}
    for position, template in enumerate(entry.deprecated):
        yield DeprecatedOperation, {"position": position, "template": template}
    for position, objective in enumerate(entry.objectives):
        yield Objective, {"position": position, **asdict(objective)}
    for position, step in enumerate(entry.funnel):
        yield FunnelStep, {"position": position, "name": step}
    for step, deadline_us in entry.funnel_deadlines:
        yield FunnelDeadline, {"step": step, "deadline_us": deadline_us}
    for position, rule in enumerate(entry.infer):
        yield InferenceRule, {"position": position, **inference_columns(rule)}
    if entry.installations_url is not None:
        yield (
            ListSource,
            {
                "url": entry.installations_url,
                "token_file": entry.installations_token_file,
                "every_us": entry.installations_every_us,
            },
        )
    for token in entry.inbound_token_sha256:
        yield InboundToken, {"sha256": token}


def _remove_integrations(session: Session, slugs: set[str], now_us: int) -> None:
    gone = session.scalars(select(Integration).where(Integration.slug.in_(slugs))).all()
    for row in gone:
        row.removed_us = row.updated_us = now_us
    ids = [row.id for row in gone]
    session.execute(delete(InboundToken).where(InboundToken.integration_id.in_(ids)))


def _remove_partners(session: Session, slugs: set[str], now_us: int) -> None:
    for row in session.scalars(select(Partner).where(Partner.slug.in_(slugs))):
        row.removed_us = row.updated_us = now_us


def _insert(session: Session, table: type[Base], rows: Iterable[dict[str, Any]]) -> None:
    found = list(rows)
    if found:
        session.execute(insert(table), found)
