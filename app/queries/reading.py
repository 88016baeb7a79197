"""Where queries look."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlalchemy import Engine

from app.domain.scope import Scope
from app.queries.results import IntegrationView
from app.store.port import MetricsStore


def now_us() -> int:
    """The wall clock, microseconds since 1970 UTC."""
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class Reading:
    """The two databases of a running app. It knows no caller, so it may be shared by threads.

    `known`: integrations that one request has found already, by scope and slug; None: look each
    time. Questions of a page ask for the same one several times within milliseconds.
    """

    engine: Engine
    store: MetricsStore
    clock: Callable[[], int] = now_us
    known: dict[tuple[Scope, str], IntegrationView] | None = field(default=None, compare=False)

    def for_one_request(self) -> "Reading":
        """The same, for as long as a request takes."""
        return replace(self, known={})
