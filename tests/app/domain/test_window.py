"""Spans on the minute, hour and day grid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.window import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    SECOND_US,
    Window,
    ceil,
    floor,
    parse_duration,
    window_ending,
)

instants = st.integers(min_value=0, max_value=2**53)
steps = st.sampled_from([SECOND_US, MINUTE_US, HOUR_US, DAY_US])


@given(instants, steps)
def test_floor_and_ceil_are_the_grid_points_around(at_us, step_us):
    low, high = floor(at_us, step_us), ceil(at_us, step_us)
    assert low % step_us == high % step_us == 0
    assert low <= at_us <= high
    assert high - low == (0 if at_us % step_us == 0 else step_us)


@given(instants, st.integers(min_value=1, max_value=90 * DAY_US))
def test_a_window_that_ends_now_includes_the_running_minute(now_us, length_us):
    window = window_ending(now_us, length_us)
    assert window.start_us <= now_us < window.end_us
    assert window.end_us - now_us <= MINUTE_US
    assert window.end_us % MINUTE_US == 0
    assert window.length_us == max(length_us, MINUTE_US)


def test_the_previous_window_is_as_long_and_ends_where_this_one_starts():
    assert Window(100, 160).previous() == Window(40, 100)


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("90s", 90 * SECOND_US), ("15m", 15 * MINUTE_US), ("1h", HOUR_US), ("30d", 30 * DAY_US),
        ("4w", 28 * DAY_US), ("01h", HOUR_US),
    ],
)  # fmt: skip
def test_a_duration_is_a_number_and_a_unit(text, us):
    assert parse_duration(text) == us


@pytest.mark.parametrize("text", ["", "h", "0h", "-1h", "1.5h", "1 h", "1y", "١h", "1hh", "h1"])
def test_anything_else_is_no_duration(text):
    with pytest.raises(ValueError, match="bad duration"):
        parse_duration(text)
