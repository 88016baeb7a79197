"""The partners a scope may see."""

from sqlalchemy.orm import selectinload

from app.db import reading as registry_session
from app.domain.scope import Scope
from app.errors import NotFound
from app.models import Partner
from app.queries.reading import Reading
from app.queries.registry import partners_statement, storable
from app.queries.results import PartnerView
from app.telemetry import timed_query


@timed_query("list_partners")
def list_partners(reading: Reading, scope: Scope) -> list[PartnerView]:
    """All current ones within the scope, by slug."""
    return _find(reading, scope, None)


@timed_query("get_partner")
def get_partner(reading: Reading, scope: Scope, slug: str) -> PartnerView:
    """One; `NotFound` when there is none within the scope."""
    found = _find(reading, scope, slug)
    if not found:
        raise NotFound(f"no partner {slug!r}")
    return found[0]


def _find(reading: Reading, scope: Scope, slug: str | None) -> list[PartnerView]:
    if not storable(slug):
        return []
    statement = partners_statement(scope, slug).options(
        selectinload(Partner.contacts), selectinload(Partner.integrations)
    )
    with registry_session(reading.engine) as session:
        return [_view(partner, scope) for partner in session.scalars(statement)]


def _view(partner: Partner, scope: Scope) -> PartnerView:
    """A caller that sees single integrations of a partner sees neither the others nor whom the
    partner wants to be called."""
    whole = scope.covers(partner.slug)
    return PartnerView(
        slug=partner.slug,
        name=partner.name,
        contacts=tuple(contact.email for contact in partner.contacts) if whole else (),
        integrations=tuple(
            integration.slug
            for integration in partner.integrations
            if integration.removed_us is None and (whole or integration.slug in scope.integrations)
        ),
    )
