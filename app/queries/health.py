"""How integrations are doing: one, all, over time, by operation."""

from app.domain.scope import Scope
from app.domain.window import Window
from app.queries.reading import Reading
from app.queries.results import Health, IntegrationView, OperationView, SeriesView


def health(reading: Reading, scope: Scope, slug: str, window: Window) -> Health:
    """One integration over a window; `NotFound` outside the scope."""
    raise NotImplementedError


def league(reading: Reading, scope: Scope, window: Window) -> list[tuple[IntegrationView, Health]]:
    """Every integration within the scope over a window, worst status first, then most traffic."""
    raise NotImplementedError


def series(reading: Reading, scope: Scope, slug: str, window: Window, step_us: int) -> SeriesView:
    """Every step of a window, dense; `BadQuery` for a step that is no whole number of minutes."""
    raise NotImplementedError


def operations(reading: Reading, scope: Scope, slug: str, window: Window) -> list[OperationView]:
    """The operations of one integration, most bad exchanges first."""
    raise NotImplementedError
