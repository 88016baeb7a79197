"""The integrations a scope may see."""

from app.domain.scope import Scope
from app.queries.reading import Reading
from app.queries.registry import integration_within, integrations_within
from app.queries.results import IntegrationView
from app.telemetry import timed_query


@timed_query("list_integrations")
def list_integrations(reading: Reading, scope: Scope) -> list[IntegrationView]:
    """All current ones within the scope, by slug; without `unattributed`, which nobody built."""
    return integrations_within(reading, scope)


@timed_query("get_integration")
def get_integration(reading: Reading, scope: Scope, slug: str) -> IntegrationView:
    """One; `NotFound` when there is none within the scope. A scope that covers everything also
    finds `unattributed`, the traffic of unknown callers."""
    return integration_within(reading, scope, slug)
