"""Who gets a weekly report: planning, handing out, settling, and taking an address off.

Planning a week twice plans it once; a report that a sender died over is taken again when its lease
is over, with the same message id.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, Engine, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.commands import audit
from app.db import reading, transaction
from app.domain.window import MINUTE_US
from app.errors import NotFound
from app.models import Delivery, Partner, PartnerContact, ReportRefusal, WeeklyReport

LEASE_US = 2 * MINUTE_US


@dataclass(frozen=True, slots=True)
class DueReport:
    """One report in hand."""

    id: int
    partner: str
    address: str
    week_us: int
    message_id: str
    attempts: int


def plan_reports(
    engine: Engine, partners: Collection[str], week_us: int, now_us: int, host: str
) -> int:
    """A report of the week that begins at `week_us` to every contact of these partners that takes
    one; how many are new. `host` stands behind the @ of their message ids."""
    contacts = (
        select(Partner.id, Partner.slug, PartnerContact.email)
        .join(PartnerContact, PartnerContact.partner_id == Partner.id)
        .outerjoin(
            ReportRefusal,
            (ReportRefusal.partner_id == Partner.id)
            & (ReportRefusal.address == PartnerContact.email),
        )
        .where(
            Partner.slug.in_(partners), Partner.removed_us.is_(None),
            ReportRefusal.partner_id.is_(None),
        )
    )  # fmt: skip
    with transaction(engine) as session:
        insert = _insert_if_new(session)
        planned = 0
        for partner_id, slug, address in session.execute(contacts).all():
            row = {
                "partner_id": partner_id, "week_us": week_us, "address": address,
                "message_id": _message_id(slug, week_us, address, host),
                "delivery": Delivery.QUEUED, "attempts": 0, "due_us": now_us, "error": "",
            }  # fmt: skip
            result = session.execute(insert.values(row))
            planned += cast("CursorResult[Any]", result).rowcount == 1
        return planned


def take_reports(engine: Engine, now_us: int, most: int) -> list[DueReport]:
    """Up to `most` that are due, in our hands for `LEASE_US`."""
    free = (
        WeeklyReport.delivery == Delivery.QUEUED,
        WeeklyReport.due_us <= now_us,
        or_(WeeklyReport.leased_us.is_(None), WeeklyReport.leased_us < now_us),
    )
    due = select(WeeklyReport.id).where(*free).order_by(WeeklyReport.id).limit(most)
    with reading(engine) as session:
        if session.scalar(due) is None:
            return []
    with transaction(engine) as session:
        taken = [
            number
            for number in session.scalars(due).all()
            if cast(
                "CursorResult[Any]",
                session.execute(
                    update(WeeklyReport)
                    .where(WeeklyReport.id == number, *free)
                    .values(leased_us=now_us + LEASE_US)
                ),
            ).rowcount
        ]
        rows = [session.get_one(WeeklyReport, number) for number in taken]
        return [
            DueReport(
                row.id, row.partner.slug, row.address, row.week_us, row.message_id, row.attempts
            )
            for row in rows
        ]


def settle_report(
    engine: Engine, report: DueReport, now_us: int, *, error: str = "", retry_us: int | None = None
) -> None:
    """It was sent, when there is no `error`; else it is tried again at `retry_us`, or never."""
    values: dict[str, Any] = {"attempts": report.attempts + 1, "leased_us": None, "error": error}
    if retry_us is not None:
        values["due_us"] = retry_us
    else:
        values |= {"delivery": Delivery.FAILED if error else Delivery.SENT, "done_us": now_us}
    with transaction(engine) as session:
        session.execute(
            update(WeeklyReport)
            .where(WeeklyReport.id == report.id, WeeklyReport.delivery == Delivery.QUEUED)
            .values(**values)
        )


def refuse_reports(session: Session, partner: str, address: str, now_us: int) -> None:
    """Send this address no more of them; saying so twice changes nothing. `NotFound` for a partner
    that is not there."""
    partner_id = session.scalar(select(Partner.id).where(Partner.slug == partner))
    if partner_id is None:
        raise NotFound(f"no partner {partner}")
    if session.get(ReportRefusal, (partner_id, address)) is not None:
        return
    session.add(ReportRefusal(partner_id=partner_id, address=address, since_us=now_us))
    session.execute(
        update(WeeklyReport)
        .where(
            WeeklyReport.partner_id == partner_id,
            WeeklyReport.address == address,
            WeeklyReport.delivery == Delivery.QUEUED,
        )
        .values(delivery=Delivery.DROPPED, done_us=now_us, error="wants none")
    )
    audit.record(
        session, now_us=now_us, actor=f"mail:{address}", action="report.refused",
        subject=partner, detail="wants no more weekly reports",
    )  # fmt: skip


def _insert_if_new(session: Session) -> Any:
    postgres = session.get_bind().dialect.name == "postgresql"
    insert = (postgresql if postgres else sqlite).insert(WeeklyReport)
    return insert.on_conflict_do_nothing()


def _message_id(partner: str, week_us: int, address: str, host: str) -> str:
    named = hashlib.sha256(f"{partner}\n{week_us}\n{address}".encode()).hexdigest()[:32]
    return f"<week-{named}@{host}>"
