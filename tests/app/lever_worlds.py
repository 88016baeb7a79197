"""A category of integrations whose installs of last month came differently far."""

from datetime import UTC, datetime

from sqlalchemy import update

from app.db import transaction
from app.domain.window import DAY_US, HOUR_US
from app.models import Integration
from tests.app.lifecycle_worlds import event, tell
from tests.app.web_world import SLUGS, integration, partner

CATEGORY = "project-management"
#: In the last whole month before `NOW_US`, the 20th of November.
OCTOBER_US = int(datetime(2025, 10, 25, tzinfo=UTC).timestamp()) * 1_000_000
STEPS = ("started", "redirected", "authorized", "verified", "activated")


def compared(engine, others: int, *, partners: int | None = None, installs: int = 20) -> None:
    """The first integration and `others` of as many `partners` in one category; number n of them
    activated n + 1 of its installs within n hours, and the first one half."""
    with transaction(engine) as session:
        session.execute(
            update(Integration).where(Integration.slug == SLUGS[0]).values(category=CATEGORY)
        )
        owners = [partner(f"other-{n}", f"Other {n}") for n in range(partners or others)]
        session.add_all(owners)
        session.flush()
        for n in range(others):
            added = integration(owners[n % len(owners)], f"theirs-{n}")
            added.category = CATEGORY
            session.add(added)
    came(engine, SLUGS[0], 20, 10)
    for n in range(others):
        came(engine, f"theirs-{n}", installs, n + 1)


def came(engine, slug: str, installs: int, activated: int, name: str = "oct") -> None:
    """So many in October, of which some were activated, each an hour later than the one before."""
    told = []
    for n in range(installs):
        of = {"integration": slug, "installation": f"{name}-{n}", "source": f"way-{n % 2}"}
        told.append(event("started", OCTOBER_US, **of))
        if n < activated:
            told += [event(step, OCTOBER_US + (n + 1) * HOUR_US, **of) for step in STEPS[1:]]
    assert tell(engine, *told).rejected == ()


def stalls(engine, installation: str) -> None:
    """One that began and came no further."""
    tell(engine, event("started", OCTOBER_US + DAY_US, installation=installation, source="way-0"))
