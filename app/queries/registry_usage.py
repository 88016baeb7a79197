"""What the registry says of an integration's operations and limits."""

from sqlalchemy import select

from app.db import reading as registry_session
from app.domain.operation import shape
from app.models import Integration
from app.models.integration import DeprecatedOperation
from app.queries.reading import Reading


def deprecated_of(reading: Reading, slug: str) -> frozenset[str]:
    """The shapes (`app.domain.operation.shape`) of what nobody should call any more."""
    statement = (
        select(DeprecatedOperation.template)
        .join(Integration, Integration.id == DeprecatedOperation.integration_id)
        .where(Integration.slug == slug)
    )
    with registry_session(reading.engine) as session:
        return frozenset(map(shape, session.scalars(statement)))


def rate_limit_of(reading: Reading, slug: str) -> float | None:
    """Requests per second that the registry allows in each direction; None: no limit."""
    with registry_session(reading.engine) as session:
        return session.scalar(
            select(Integration.requests_per_second).where(Integration.slug == slug)
        )
