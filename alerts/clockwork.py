"""Keeping time: APScheduler starts the work, a monotonic watch makes sure that it does.

APScheduler plans by the wall clock. A clock that is set back leaves its next run in what is
now the future, and it would wait there; so the watch counts by the monotonic clock and, when a
job is late by half its interval, plans it anew. A run that is late is made up for once
(`misfire_grace_time=None`, `coalesce`), and a job that is still running is not started twice.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler

from app.errors import MidspanError
from app.logs import get as get_logger

_WATCH_S = 0.5


@dataclass(frozen=True, slots=True)
class Job:
    """Work to be done every `every_s` seconds."""

    work: Callable[[], object]
    every_s: float


def _now() -> datetime:
    """What APScheduler plans by."""
    return datetime.fromtimestamp(time.time(), UTC)


class Clockwork:
    """Runs jobs by name until told to stop."""

    def __init__(self, jobs: Mapping[str, Job]) -> None:
        self._jobs = dict(jobs)
        self._scheduler = BackgroundScheduler(timezone=UTC)
        self._begun_s = dict.fromkeys(jobs, float("-inf"))
        self._busy: set[str] = set()
        self._log = get_logger("clockwork")

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; what is running then ends first."""
        for name, job in self._jobs.items():
            self._scheduler.add_job(
                self._work,
                "interval",
                args=[name],
                id=name,
                seconds=job.every_s,
                next_run_time=_now(),
                misfire_grace_time=None,
                coalesce=True,
                max_instances=1,
            )
        self._scheduler.start()
        try:
            while not stop.wait(_WATCH_S):
                self.watch(time.monotonic())
        finally:
            self._scheduler.shutdown(wait=True)

    def watch(self, now_s: float) -> list[str]:
        """Plan anew what is late at `now_s` of the monotonic clock; the names of it."""
        late = [
            name
            for name, job in self._jobs.items()
            if name not in self._busy and now_s - self._begun_s[name] > 1.5 * job.every_s
        ]
        for name in late:
            self._begun_s[name] = now_s
            self._log.warning("planned_anew", job=name)
            self._scheduler.modify_job(name, next_run_time=_now())
        return late

    def _work(self, name: str) -> None:
        self._begun_s[name] = time.monotonic()
        self._busy.add(name)
        try:
            self._jobs[name].work()
        except MidspanError as error:
            self._log.error("job_failed", job=name, reason=str(error))
        except Exception:  # noqa: BLE001 - the edge of a thread: said, and tried again at the next turn
            self._log.exception("job_broke", job=name)
        finally:
            self._busy.discard(name)
