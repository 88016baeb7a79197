"""How many installations do not fit what platform, wire and billing say: what alert rules ask."""

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import func, or_, select

from app.db import reading as registry_session
from app.domain.reconcile import Discrepancy
from app.models import InstallationFinding, Integration
from app.queries.reading import Reading
from app.telemetry import timed_query


@timed_query("contradiction_counts")
def contradiction_counts(reading: Reading, now_us: int) -> dict[str, Mapping[Discrepancy, int]]:
    """Findings that were open at `now_us`, by slug and kind. Asked by the scheduler alone: it has
    no scope."""
    statement = (
        select(Integration.slug, InstallationFinding.kind, func.count())
        .join(Integration, Integration.id == InstallationFinding.integration_id)
        .where(
            InstallationFinding.opened_us <= now_us,
            or_(InstallationFinding.closed_us.is_(None), InstallationFinding.closed_us > now_us),
        )
        .group_by(Integration.slug, InstallationFinding.kind)
    )
    known = {each.value: each for each in Discrepancy}
    found: dict[str, dict[Discrepancy, int]] = defaultdict(dict)
    with registry_session(reading.engine) as session:
        for slug, kind, number in session.execute(statement):
            if kind in known:
                found[slug][known[kind]] = number
    return dict(found)
