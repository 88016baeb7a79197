"""Where queries look."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from app.store.port import MetricsStore


def now_us() -> int:
    """The wall clock, microseconds since 1970 UTC."""
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class Reading:
    """The two databases of a running app. It knows no caller, so it may be shared by threads."""

    engine: Engine
    store: MetricsStore
    clock: Callable[[], int] = now_us
