"""Disturbs the scheduler's sense of time and measures how long nothing is evaluated.

The real clockwork runs in a process of its own: the clock it plans by is stepped by an hour and by
three seconds, both ways, its work blocks for five seconds, and the process is stopped for a minute
and goes on. A gap is the longest time between two evaluations after a disturbance began; the time
of being blocked or stopped, in which nothing can run, is taken off.
"""

import multiprocessing
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from multiprocessing.connection import Connection

from alerts.clockwork import Clockwork, Job
from bench.common import report

INTERVAL_S = 2.0
STOPPED_S = 60.0
_BLOCKED_S = 5.0
_WATCH_S = 0.5
#: How long is looked for an evaluation after a disturbance, in intervals.
_TURNS = 6
_STEPS_S = (3600.0, -3600.0, 3.0, -3.0)


@dataclass(frozen=True)
class Gap:
    """After which disturbance how many seconds passed without an evaluation."""

    disturbance: str
    seconds: float


class Stepped:
    """A wall clock that can be stepped, in place of the machine's."""

    def __init__(self) -> None:
        self.by_s = 0.0

    def time(self) -> float:
        return time.time() + self.by_s

    def datetime(self) -> type[datetime]:
        clock = self

        class Now(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:
                return datetime.now(tz) + timedelta(seconds=clock.by_s)

        return Now


def measure(interval_s: float, stopped_s: float, blocked_s: float, watch_s: float) -> list[Gap]:
    """Every disturbance in turn; `watch_s`: how often the clockwork looks after its work."""
    parent, child = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(
        target=_serve, args=(child, interval_s, watch_s)
    )
    process.start()
    try:
        watch = _Watch(parent)
        watch.settle(2)
        gaps = [
            Gap(f"clock {step:+,.0f} s", watch.longest(("step", step), _TURNS * interval_s))
            for step in _STEPS_S
        ]
        blocked = watch.longest(("block", blocked_s), blocked_s + _TURNS * interval_s)
        gaps.append(Gap(f"work that blocks {blocked_s:g} s", blocked - blocked_s))
        gaps.append(Gap(f"stopped for {stopped_s:g} s", _stopped(watch, process.pid, stopped_s)))
    finally:
        process.kill()
        process.join()
    return gaps


class _Watch:
    """The evaluations of the other process, by the monotonic clock that both share."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self.last_s = time.monotonic()

    def settle(self, turns: int) -> None:
        for _ in range(turns):
            self.last_s = self._pipe.recv()

    def longest(self, disturbance: tuple[str, float], for_s: float) -> float:
        """The longest gap within `for_s` of a disturbance; one that has no end counts, too."""
        self._pipe.send(disturbance)
        return self.gap(for_s)

    def gap(self, for_s: float) -> float:
        until_s, longest_s = time.monotonic() + for_s, 0.0
        while (left_s := until_s - time.monotonic()) > 0:
            if self._pipe.poll(left_s):
                at_s = self._pipe.recv()
                longest_s, self.last_s = max(longest_s, at_s - self.last_s), at_s
        return max(longest_s, time.monotonic() - self.last_s)


def _stopped(watch: _Watch, pid: int | None, for_s: float) -> float:
    """How long after it goes on until it evaluates."""
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    time.sleep(for_s)
    gone_on_s = time.monotonic()
    os.kill(pid, signal.SIGCONT)
    while watch.last_s < gone_on_s:
        watch.settle(1)
    return watch.last_s - gone_on_s


def _serve(pipe: Connection, interval_s: float, watch_s: float) -> None:
    """The clockwork, with a clock that is stepped and work that blocks as told."""
    clock, blocks_s = Stepped(), [0.0]
    _plan_by(clock, watch_s)

    def work() -> None:
        time.sleep(blocks_s.pop() if blocks_s else 0.0)
        pipe.send(time.monotonic())

    def listen() -> None:
        while True:
            what, seconds = pipe.recv()
            if what == "step":
                clock.by_s += seconds
            else:
                blocks_s.append(seconds)

    threading.Thread(target=listen, daemon=True).start()
    Clockwork({"evaluate": Job(work, interval_s)}).run(threading.Event())


def _plan_by(clock: Stepped, watch_s: float) -> None:
    """Let everything that plans read this clock."""
    import apscheduler.schedulers.base as base
    import apscheduler.triggers.interval as interval

    import alerts.clockwork as clockwork

    base.datetime = interval.datetime = clock.datetime()
    clockwork._now = lambda: datetime.fromtimestamp(clock.time(), UTC)
    clockwork._WATCH_S = watch_s


def main() -> None:
    gaps = measure(INTERVAL_S, STOPPED_S, _BLOCKED_S, _WATCH_S)
    rows = [
        {"disturbance": each.disturbance, "gap s": each.seconds, "target s": 2 * INTERVAL_S}
        for each in gaps
    ]
    report("alert_clock", rows, {"interval, seconds": INTERVAL_S})
    sys.exit(any(each.seconds > 2 * INTERVAL_S for each in gaps))


if __name__ == "__main__":
    main()
