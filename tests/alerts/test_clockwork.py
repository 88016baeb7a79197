"""The watch that sees to it that work goes on, whatever the clock does."""

import threading

import pytest

from alerts.clockwork import Clockwork, Job
from app.errors import MidspanError
from bench.alert_clock import measure

_WAIT_S = 20.0


class Counter:
    """Counts its turns, and fails when told to."""

    def __init__(self, turns: int, error: Exception | None = None) -> None:
        self.turns = 0
        self.enough = threading.Event()
        self._wanted = turns
        self._error = error

    def __call__(self) -> None:
        self.turns += 1
        if self.turns >= self._wanted:
            self.enough.set()
        if self._error is not None:
            raise self._error


def running(clockwork: Clockwork) -> tuple[threading.Thread, threading.Event]:
    stop = threading.Event()
    thread = threading.Thread(target=clockwork.run, args=[stop])
    thread.start()
    return thread, stop


@pytest.mark.parametrize("error", [None, MidspanError("away"), ValueError("a defect")])
def test_work_goes_on_turn_after_turn_even_when_it_fails(error):
    counter = Counter(3, error)
    thread, stop = running(Clockwork({"count": Job(counter, 0.05)}))
    try:
        assert counter.enough.wait(_WAIT_S)
    finally:
        stop.set()
        thread.join(_WAIT_S)
    assert not thread.is_alive()


def test_work_waits_for_nothing_when_the_clock_was_set_back():
    counter = Counter(2)
    clockwork = Clockwork({"count": Job(counter, 0.2)})
    thread, stop = running(clockwork)
    try:
        first = threading.Event()
        while counter.turns == 0 and not first.wait(0.01):
            pass
        # As a clock set back by an hour leaves it: planned for what is now the future.
        planned = clockwork._scheduler.get_job("count").next_run_time
        clockwork._scheduler.modify_job("count", next_run_time=planned.replace(year=2100))
        assert counter.enough.wait(_WAIT_S)
    finally:
        stop.set()
        thread.join(_WAIT_S)


def test_a_job_is_late_after_half_an_interval_more_and_not_while_it_runs():
    clockwork = Clockwork({"count": Job(lambda: None, 10.0)})
    clockwork._scheduler.add_job(lambda: None, "interval", id="count", seconds=10)
    clockwork._begun_s["count"] = 100.0
    assert clockwork.watch(114.9) == []
    clockwork._busy.add("count")
    assert clockwork.watch(200.0) == []
    clockwork._busy.clear()
    assert clockwork.watch(115.1) == ["count"]
    assert clockwork.watch(116.0) == []


@pytest.mark.slow
def test_no_step_of_the_clock_no_blocked_work_and_no_stop_ends_the_evaluation():
    interval_s = 0.4
    gaps = measure(interval_s, stopped_s=1.0, blocked_s=1.0, watch_s=0.1)
    assert len(gaps) == 6
    # What stands still shows as six intervals; on a quiet machine none is longer than two.
    assert [each for each in gaps if each.seconds > 5 * interval_s] == []
