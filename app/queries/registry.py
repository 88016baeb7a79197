"""Registry rows within a scope: the one place where a scope becomes a condition of a query."""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, or_, select
from sqlalchemy.orm import Session

from app.db import reading as registry_session
from app.domain.phrases import short_duration
from app.domain.route import UNATTRIBUTED
from app.domain.scope import Scope
from app.errors import NotFound
from app.models import Integration, Objective, Partner
from app.models.wire import WireRules
from app.queries.reading import Reading
from app.queries.results import IntegrationView, ObjectiveView

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
UNATTRIBUTED_VIEW = IntegrationView(
    slug=UNATTRIBUTED,
    name="Unattributed",
    partner_slug="",
    partner_name="",
    visibility="internal",
    category=None,
    objectives=(),
)


def integrations_within(
    reading: Reading, scope: Scope, *, slug: str | None = None
) -> list[IntegrationView]:
    """Those in the registry and the scope, by slug: all that are current, or the one named,
    current or removed."""
    if not storable(slug):
        return []
    with registry_session(reading.engine) as session:
        rows = session.execute(_select(scope, slug)).all()
        objectives = _objectives(session, [row.id for row in rows])
    return [_view(row, objectives[row.id]) for row in rows]


def integration_within(reading: Reading, scope: Scope, slug: str) -> IntegrationView:
    """The one called `slug`, `unattributed` included; `NotFound` when there is none in scope."""
    if slug == UNATTRIBUTED and scope.covers(None):
        return UNATTRIBUTED_VIEW
    if reading.known is not None and (scope, slug) in reading.known:
        return reading.known[scope, slug]
    found = integrations_within(reading, scope, slug=slug)
    if not found:
        raise NotFound(f"no integration {slug!r}")
    if reading.known is not None:
        reading.known[scope, slug] = found[0]
    return found[0]


def storable(text: str | None) -> bool:
    """Whether a database can hold `text` at all; one that cannot, raises instead of finding
    nothing. PostgreSQL takes no NUL, and neither takes half of a surrogate pair."""
    return not text or not _UNSTORABLE.search(text)


def slugs_within(reading: Reading, scope: Scope) -> frozenset[str] | None:
    """The slugs whose exchanges may be shown, removed ones included; None: every slug."""
    if scope.covers(None):
        return None
    statement = select(Integration.slug).join(Partner).where(*within(scope))
    with registry_session(reading.engine) as session:
        return frozenset(session.scalars(statement))


def within(scope: Scope) -> tuple[ColumnElement[bool], ...]:
    """The conditions that keep a query of integrations, joined to partners, inside the scope."""
    if scope.partners is None:
        return ()
    partners = Partner.slug.in_(sorted(scope.partners))
    if not scope.integrations:
        return (partners,)
    return (or_(partners, Integration.slug.in_(sorted(scope.integrations))),)


def partners_statement(scope: Scope, slug: str | None) -> Select[Partner]:
    """Partners of which something is within the scope: all that are current, or the one named."""
    which = Partner.removed_us.is_(None) if slug is None else Partner.slug == slug
    return select(Partner).where(*_partners_within(scope), which).order_by(Partner.slug)


def _partners_within(scope: Scope) -> tuple[ColumnElement[bool], ...]:
    if scope.partners is None:
        return ()
    own = Partner.slug.in_(sorted(scope.partners))
    builders = Partner.integrations.any(Integration.slug.in_(sorted(scope.integrations)))
    return (or_(own, builders),) if scope.integrations else (own,)


def _select(scope: Scope, slug: str | None) -> Select[*tuple[Any, ...]]:
    which = Integration.removed_us.is_(None) if slug is None else Integration.slug == slug
    columns = (
        Integration.id,
        Integration.slug,
        Integration.name,
        Integration.visibility,
        Integration.category,
        Integration.removed_us,
        Partner.slug.label("partner_slug"),
        Partner.name.label("partner_name"),
        WireRules.paused,
    )
    found = select(*columns).join(Partner).outerjoin(WireRules)
    return found.where(*within(scope), which).order_by(Integration.slug)


def _objectives(session: Session, ids: Sequence[int]) -> dict[int, list[ObjectiveView]]:
    found: dict[int, list[ObjectiveView]] = defaultdict(list)
    statement = select(
        Objective.integration_id,
        Objective.name,
        Objective.target,
        Objective.window_us,
        Objective.threshold_ms,
    ).order_by(Objective.integration_id, Objective.position)
    if len(ids) == 1:
        statement = statement.where(Objective.integration_id == ids[0])
    for owner, name, target, window_us, threshold_ms in session.execute(statement):
        found[owner].append(ObjectiveView(name, target, short_duration(window_us), threshold_ms))
    return found


def _view(row: Row[Any], objectives: list[ObjectiveView]) -> IntegrationView:
    return IntegrationView(
        slug=row.slug,
        name=row.name,
        partner_slug=row.partner_slug,
        partner_name=row.partner_name,
        visibility=str(row.visibility),
        category=row.category,
        objectives=tuple(objectives),
        removed=row.removed_us is not None,
        paused=bool(row.paused),
    )
