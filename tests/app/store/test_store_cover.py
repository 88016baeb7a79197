"""The cut of a window into days, hours and minutes."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.window import DAY_US, HOUR_US, MINUTE_US, WEEK_US, Window, floor
from app.store.cover import Marks, Stretch, cover, widened

STEPS = (None, MINUTE_US, 5 * MINUTE_US, HOUR_US, 90 * MINUTE_US, DAY_US, 7 * DAY_US)
START = 20_000 * DAY_US


@st.composite
def marks(draw: st.DrawFn) -> Marks:
    """Any marks that folding and expiring can lead to."""
    hours_until = START + draw(st.integers(0, 30 * 24)) * HOUR_US
    days_until = START + draw(st.integers(0, (hours_until - START) // DAY_US)) * DAY_US
    minutes_from = START + draw(st.integers(0, (hours_until - START) // HOUR_US)) * HOUR_US
    hours_from = (
        START + draw(st.integers(0, (min(days_until, minutes_from) - START) // DAY_US)) * DAY_US
    )
    weeks_until = floor(START + draw(st.integers(0, days_until - START)), WEEK_US)
    return Marks(minutes_from, hours_from, hours_until, days_until, weeks_until)


windows = st.tuples(st.integers(0, 32 * 1440), st.integers(1, 32 * 1440)).map(
    lambda pair: Window(START + pair[0] * MINUTE_US, START + sum(pair) * MINUTE_US)
)


@given(window=windows, marks=marks(), step_us=st.sampled_from(STEPS))
def test_every_instant_of_a_window_is_covered_once_by_rows_that_are_complete_there(
    window: Window, marks: Marks, step_us: int | None
) -> None:
    wide = widened(window, marks)
    parts = cover(wide, marks, step_us)
    assert [part.start_us for part in parts] == [wide.start_us, *(p.end_us for p in parts[:-1])]
    assert parts[-1].end_us == wide.end_us
    for start_us, end_us, resolution_us in parts:
        assert start_us < end_us
        assert start_us % resolution_us == end_us % resolution_us == 0
        if resolution_us == MINUTE_US:
            assert start_us >= marks.minutes_from_us
        elif resolution_us == HOUR_US:
            assert marks.hours_from_us <= start_us
            assert end_us <= marks.hours_until_us
        else:
            weekly = resolution_us == WEEK_US
            assert end_us <= (marks.weeks_until_us if weekly else marks.days_until_us)


@given(window=windows, marks=marks())
def test_a_window_is_widened_only_where_finer_rows_are_gone(window: Window, marks: Marks) -> None:
    wide = widened(window, marks)
    assert wide.start_us <= window.start_us
    assert wide.end_us >= window.end_us
    if window.start_us >= marks.minutes_from_us:
        assert wide.start_us == window.start_us
    if window.end_us > marks.minutes_from_us:
        assert wide.end_us == window.end_us
    assert window.start_us - wide.start_us < DAY_US
    assert wide.end_us - window.end_us < DAY_US
    assert widened(wide, marks) == wide


@given(window=windows, marks=marks(), step_us=st.sampled_from(STEPS[1:]))
def test_rows_longer_than_the_step_stand_only_where_shorter_ones_are_gone(
    window: Window, marks: Marks, step_us: int
) -> None:
    for part in cover(widened(window, marks), marks, step_us):
        if step_us % part.resolution_us:
            kept_from = marks.minutes_from_us
            assert part.end_us <= kept_from if part.resolution_us == HOUR_US else True
            assert part.end_us <= marks.hours_from_us if part.resolution_us == DAY_US else True


def test_a_month_is_weeks_with_days_hours_and_minutes_at_its_ends() -> None:
    now = floor(START, WEEK_US) + 44 * DAY_US + 13 * HOUR_US + 47 * MINUTE_US
    hour, day = floor(now, HOUR_US), floor(now, DAY_US)
    week = floor(day, WEEK_US)
    marks = Marks(hour - 48 * HOUR_US, day - 35 * DAY_US, hour, day, week)
    wide = widened(Window(now - 30 * DAY_US, now), marks)
    start = hour - 30 * DAY_US
    assert cover(wide, marks) == [
        Stretch(start, day - 29 * DAY_US, HOUR_US),
        Stretch(day - 29 * DAY_US, week - 21 * DAY_US, DAY_US),
        Stretch(week - 21 * DAY_US, week, WEEK_US),
        Stretch(week, day, DAY_US),
        Stretch(day, hour, HOUR_US),
        Stretch(hour, now, MINUTE_US),
    ]


def test_the_seconds_of_a_window_are_rounded_out_to_the_minute() -> None:
    assert widened(Window(START + 1, START + MINUTE_US + 1), Marks(0, 0, 0, 0, 0)) == Window(
        START, START + 2 * MINUTE_US
    )
