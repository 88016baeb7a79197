"""Writing down who changed what, in the transaction that changes it."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.models import AuditEntry

_MAX = 300


def record(
    session: Session, *, now_us: int, actor: str, action: str, subject: str, detail: str = ""
) -> None:
    """Add a row; texts longer than their column are cut. `detail` must hold no secret."""
    session.add(
        AuditEntry(
            at_us=now_us, actor=actor[:_MAX], action=action, subject=subject[:_MAX], detail=detail
        )
    )


def forget(session: Session, before_us: int) -> None:
    """Delete the rows from before then; the database refuses for rows younger than 90 days."""
    session.execute(delete(AuditEntry).where(AuditEntry.at_us < before_us))
