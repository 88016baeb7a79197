"""Looking after what is folded from billing events: each minute what ended by itself, each night
everything; and each quarter of an hour what integrations are compared by."""

from collections.abc import Callable

from sqlalchemy import Engine

from app.commands.benchmark import keep_figures
from app.commands.recompute import end_what_ended, recompute
from app.domain.window import DAY_US, HOUR_US
from app.logs import get as get_logger
from app.queries import Reading, figures_of_last_month

TURN_S = 60.0
COMPARE_S = 900.0
#: When the night's work begins, from midnight UTC on.
_NIGHT_US = 3 * HOUR_US


class Bookkeeper:
    """Takes its turn each minute. A process that starts by day waits for the night."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        self._engine = engine
        self._clock = clock
        self._night = _night_of(clock())
        self._log = get_logger("bookkeeping")

    def turn(self) -> None:
        """End what ended; once a night fold everything again."""
        now_us = self._clock()
        end_what_ended(self._engine, now_us)
        if _night_of(now_us) > self._night:
            done = recompute(self._engine, now_us)
            self._night = _night_of(now_us)
            self._log.info("recomputed", subscriptions=done.subscriptions, mended=done.mended)


def compare(reading: Reading) -> None:
    """Count the figures of last month anew."""
    keep_figures(reading.engine, *figures_of_last_month(reading))


def _night_of(at_us: int) -> int:
    return (at_us - _NIGHT_US) // DAY_US
