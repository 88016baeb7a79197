"""Where queries look."""

from dataclasses import dataclass

from sqlalchemy import Engine

from app.store.port import MetricsStore


@dataclass(frozen=True, slots=True)
class Reading:
    """The two databases of a running app. It knows no caller, so it may be shared by threads."""

    engine: Engine
    store: MetricsStore
