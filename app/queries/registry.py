"""Registry rows within a scope: the one place where a scope becomes a condition of a query."""

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, or_, select

from app.db import looking_up
from app.db import reading as registry_session
from app.domain.phrases import short_duration
from app.domain.route import UNATTRIBUTED
from app.domain.scope import Scope
from app.errors import NotFound
from app.models import Integration, Objective, Partner
from app.models.wire import WireRules
from app.queries.reading import Reading
from app.queries.results import IntegrationView, ObjectiveView

_OF_ALL = select(
    Objective.integration_id,
    Objective.name,
    Objective.target,
    Objective.window_us,
    Objective.threshold_ms,
).order_by(Objective.integration_id, Objective.position)
_OF_ONE = _OF_ALL.where(Objective.integration_id == bindparam("id"))
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
    named = {} if slug is None else {"slug": slug}
    with looking_up(reading.engine) as connection:
        rows = connection.execute(_select(scope, named=slug is not None), named).all()
        objectives = _objectives(connection, [row.id for row in rows])
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


@lru_cache(maxsize=256)
def _select(scope: Scope, *, named: bool) -> Select[*tuple[Any, ...]]:
    """Made once for a scope: every page asks. The name is the parameter `slug`."""
    current = Integration.removed_us.is_(None)
    which = Integration.slug == bindparam("slug") if named else current
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


def _objectives(connection: Connection, ids: Sequence[int]) -> dict[int, list[ObjectiveView]]:
    found: dict[int, list[ObjectiveView]] = defaultdict(list)
    if not ids:
        return found
    one = len(ids) == 1
    rows = connection.execute(_OF_ONE if one else _OF_ALL, {"id": ids[0]} if one else {})
    for owner, name, target, window_us, threshold_ms in rows:
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
