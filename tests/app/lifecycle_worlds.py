"""Lifecycle events as a platform posts them."""

from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import Engine, select

from app.commands.lifecycle import Receipt, record
from app.db import reading, transaction
from app.models import Installation, Integration, Partner
from tests.app.web_world import SLUGS, integration
from tests.contract.worlds import NOW_US

_number = count()


def rfc(at_us: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)).isoformat()


def event(step: str = "started", at_us: int = NOW_US, **fields: object) -> dict:
    """One event; every field that is not given is plain."""
    plain = {
        "id": f"evt-{next(_number)}", "integration": SLUGS[0], "installation": "inst-1",
        "customer": "cust-1", "step": step, "occurred_at": rfc(at_us), "plan": "pro",
        "source": "directory", "reason": None,
    }  # fmt: skip
    return {**plain, **fields}


def tell(engine: Engine, *events: dict, now_us: int = NOW_US) -> Receipt:
    with transaction(engine) as session:
        return record(session, events, now_us=now_us)


def installations(engine: Engine) -> dict[str, Installation]:
    with reading(engine) as session:
        return {row.external_id: row for row in session.scalars(select(Installation))}


def add_integrations(engine: Engine, *slugs: str) -> None:
    """To a registry without any."""
    with transaction(engine) as session:
        owner = Partner(slug="globex", name="Globex", created_us=0, updated_us=0)
        session.add(owner)
        session.flush()
        session.add_all([integration(owner, slug) for slug in slugs])


def integration_id(engine: Engine, slug: str = SLUGS[0]) -> int:
    with reading(engine) as session:
        return session.scalars(select(Integration.id).where(Integration.slug == slug)).one()
