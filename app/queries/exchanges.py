"""The request log: exchanges one by one, with their evidence."""

from app.domain.scope import Scope
from app.queries.reading import Reading
from app.queries.results import ExchangeView, Page
from app.store.port import ExchangeFilter


def list_exchanges(
    reading: Reading,
    scope: Scope,
    question: ExchangeFilter,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[ExchangeView]:
    """Newest first. `question.integrations` None means all within the scope; one outside it is
    `NotFound`. `BadQuery` for a cursor that this function did not make."""
    raise NotImplementedError


def get_exchange(reading: Reading, scope: Scope, exchange_id: str) -> ExchangeView:
    """One, with its capture; `NotFound` outside the scope or for an id that is none."""
    raise NotImplementedError
