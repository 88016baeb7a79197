"""The integrations a scope may see."""

from app.domain.scope import Scope
from app.queries.reading import Reading
from app.queries.results import IntegrationView


def list_integrations(reading: Reading, scope: Scope) -> list[IntegrationView]:
    """All within the scope, by slug. A scope that covers everything also sees `unattributed`."""
    raise NotImplementedError


def get_integration(reading: Reading, scope: Scope, slug: str) -> IntegrationView:
    """One; `NotFound` when there is none within the scope."""
    raise NotImplementedError
