"""The partners a scope may see."""

from app.domain.scope import Scope
from app.queries.reading import Reading
from app.queries.results import PartnerView


def list_partners(reading: Reading, scope: Scope) -> list[PartnerView]:
    """All within the scope, by slug."""
    raise NotImplementedError


def get_partner(reading: Reading, scope: Scope, slug: str) -> PartnerView:
    """One; `NotFound` when there is none within the scope."""
    raise NotImplementedError
