import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.window import DAY_US, HOUR_US, MINUTE_US, Window
from dashboards import urlstate

NOW = 1_795_348_812_345_678  # 12 s past a minute


def test_a_preset_ends_with_the_running_minute():
    asked = urlstate.parse("?window=1h", NOW)
    assert asked.window.length_us == HOUR_US
    assert asked.window.end_us - NOW <= MINUTE_US
    assert asked.live
    assert asked.problem is None


def test_no_range_is_the_last_24_hours():
    assert urlstate.parse("", NOW).preset == "24h"
    assert urlstate.parse(None, NOW).problem is None


@pytest.mark.parametrize(
    ("search", "timed"),
    [
        (None, "?window=90d"), ("", "?window=90d"), ("?currency=EUR", "?window=90d"),
        ("?window=30d", "?window=30d"), ("?from=a&to=b", "?from=a&to=b"), ("?to=b", "?to=b"),
    ],
)  # fmt: skip
def test_an_address_without_a_time_is_asked_for_the_usual_one_of_its_page(search, timed):
    assert urlstate.timed(search, "?window=90d") == timed


def test_a_fixed_range_stands_still_on_the_minute():
    asked = urlstate.parse("?from=2026-11-22T09:10:30Z&to=2026-11-22T09:40:01Z", NOW)
    assert not asked.live
    assert urlstate.iso(asked.window.start_us) == "2026-11-22T09:10:00Z"
    assert urlstate.iso(asked.window.end_us) == "2026-11-22T09:41:00Z"


def test_another_zone_is_the_same_moment():
    there = urlstate.parse("?from=2026-11-22T10:10:00%2B01:00&to=2026-11-22T09:40:00Z", NOW)
    here = urlstate.parse("?from=2026-11-22T09:10:00Z&to=2026-11-22T09:40:00Z", NOW)
    assert there == here


@pytest.mark.parametrize(
    "search",
    [
        "?window=soon",
        "?window=0h",
        "?window=9999d",
        "?window=99999999999999999999d",
        "?from=yesterday&to=today",
        "?from=2026-11-22T09:10:00Z",
        "?to=2026-11-22T09:10:00Z",
        "?from=2026-11-22T09:40:00Z&to=2026-11-22T09:10:00Z",
        "?from=9999-12-31T23:59:59Z&to=9999-12-31T23:59:59Z",
        "?from=0001-01-01T00:00:00%2B23:59&to=0001-01-01T00:00:00Z",
        "?from=1969-01-01T00:00:00Z&to=1969-01-02T00:00:00Z",
    ],
)
def test_a_range_that_makes_no_sense_is_named_and_the_default_shown(search):
    asked = urlstate.parse(search, NOW)
    assert asked.preset == urlstate.DEFAULT
    assert "could not be read" in asked.problem


def test_the_future_is_cut_off():
    asked = urlstate.parse("?from=2026-11-22T09:10:00Z&to=2030-01-01T00:00:00Z", NOW)
    assert asked.window.end_us <= NOW + MINUTE_US


def test_a_range_is_never_longer_than_what_can_be_asked():
    asked = urlstate.parse("?from=1990-01-01T00:00:00Z&to=2026-11-22T00:00:00Z", NOW)
    assert asked.window.length_us == urlstate.LONGEST_US


minutes = st.integers(1, 300_000)


@given(start=minutes, length=minutes)
def test_a_fixed_range_survives_the_address(start, length):
    end_us = NOW - NOW % MINUTE_US - start * MINUTE_US
    window = Window(end_us - length * MINUTE_US, end_us)
    asked = urlstate.Range(window, None)
    assert urlstate.parse(urlstate.build(asked), NOW) == asked


@given(st.sampled_from([*urlstate.PRESETS, "90m", "3h", "400d"]))
def test_a_preset_survives_the_address(text):
    asked = urlstate.parse(f"?window={text}", NOW)
    assert urlstate.parse(urlstate.build(asked), NOW) == asked


@given(st.text(max_size=80))
def test_no_address_breaks_the_page(search):
    asked = urlstate.parse(search, NOW)
    assert asked.window.length_us >= MINUTE_US


@pytest.mark.parametrize("preset", urlstate.PRESETS)
def test_charts_have_a_readable_number_of_steps(preset):
    window = urlstate.parse(f"?window={preset}", NOW).window
    steps = window.length_us / urlstate.step_us(window, NOW)
    assert (15 if preset == "15m" else 60) <= steps <= 300


@given(length=st.integers(1, 400 * 1440), age=st.integers(0, 400 * 1440))
def test_a_step_is_never_finer_than_what_is_kept(length, age):
    end_us = NOW - NOW % MINUTE_US - age * MINUTE_US
    window = Window(end_us - length * MINUTE_US, end_us)
    step = urlstate.step_us(window, NOW)
    assert step in urlstate.STEPS_US
    assert window.length_us / step <= urlstate.MOST_POINTS
    if NOW - window.start_us > urlstate.MINUTES_KEPT_US:
        assert step >= HOUR_US
    if NOW - window.start_us > urlstate.HOURS_KEPT_US:
        assert step >= DAY_US


@given(length=st.integers(1, 100_000))
def test_the_period_before_lies_under_this_one_step_by_step(length):
    window = Window(NOW - length * MINUTE_US, NOW)
    step = urlstate.step_us(window, NOW)
    before = urlstate.previous(window, step)
    assert before.length_us == window.length_us
    assert before.end_us <= window.start_us
    assert (window.start_us - before.start_us) % step == 0
