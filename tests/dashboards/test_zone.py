"""Times in the viewer's zone: texts, axes and what a picker gives back."""

import pytest
from dash_builders import NOON_US, make_window
from flask import Flask

from app.domain.window import DAY_US, HOUR_US, MINUTE_US, Window
from dashboards import asking, zone
from dashboards import format as show
from dashboards.figures import base
from dashboards.mount import _choose_zone


def within(name: str, ask):
    """What `ask` gives for a viewer whose cookie names a zone."""
    zone.choose(name or None)
    try:
        return ask()
    finally:
        zone.choose(None)


@pytest.mark.parametrize(
    ("name", "clock"),
    [
        ("", "12:00:00 UTC"),
        ("UTC", "12:00:00 UTC"),
        ("Europe/Berlin", "13:00:00 CET"),
        ("America/New_York", "07:00:00 EST"),
        ("Asia/Kathmandu", "17:45:00 UTC+0545"),
        ("Mars/Olympus", "12:00:00 UTC"),
        ("../../etc/passwd", "12:00:00 UTC"),
        ("x" * 500, "12:00:00 UTC"),
        ("\x00", "12:00:00 UTC"),
    ],
)
def test_a_moment_is_told_on_the_viewers_clock(name, clock):
    assert within(name, lambda: show.clock(NOON_US)) == clock


def test_a_request_is_answered_in_the_zone_of_its_cookie():
    server, answers = Flask("zones"), []
    _choose_zone(server)
    server.add_url_rule("/", "ask", lambda: answers.append(show.clock(NOON_US)) or "done")
    client = server.test_client()
    client.set_cookie(zone.COOKIE, "Europe/Berlin")
    client.get("/")
    assert answers == ["13:00:00 CET"]
    assert show.clock(NOON_US) == "12:00:00 UTC"


def test_one_request_does_not_change_the_clock_of_the_next():
    assert within("Asia/Tokyo", lambda: show.clock(NOON_US)).startswith("21:00:00")
    assert within("", lambda: show.clock(NOON_US)) == "12:00:00 UTC"


def test_a_picker_is_read_on_the_viewers_clock():
    noon = "2026-11-22 12:00:00"
    assert within("", lambda: asking.moment_of(noon, 0)) == NOON_US
    assert within("Europe/Berlin", lambda: asking.moment_of(noon, 0)) == NOON_US - HOUR_US
    for odd in (None, "", "noon", ["x"], "9999999999999999999999"):
        assert asking.moment_of(odd, 7) == 7


def test_the_days_of_an_axis_begin_at_the_viewers_midnight():
    window = Window(NOON_US - 6 * DAY_US, NOON_US)
    axis = within("America/New_York", lambda: base.time_axis(window))
    assert all(text.endswith("T00:00:00") for text in axis["tickvals"])
    assert axis["hoverformat"].endswith("EST")
    assert base.time_axis(window)["hoverformat"].endswith("UTC")


def test_midnights_stay_midnights_when_the_clocks_change():
    end_us = 1_793_491_200_000_000  # 1 Nov 2026 00:00 UTC, a week after Berlin's clocks went back
    window = Window(end_us - 14 * DAY_US, end_us)
    axis = within("Europe/Berlin", lambda: base.time_axis(window))
    assert len(axis["tickvals"]) >= 3
    assert all(text.endswith("T00:00:00") for text in axis["tickvals"])


def test_quarters_of_an_hour_are_round_in_a_zone_that_is_not_whole():
    ticks = within("Asia/Kathmandu", lambda: base.time_axis(make_window(240))["ticktext"])
    assert all(text.endswith(":00") for text in ticks)
    assert base.tick_times(make_window(60))[0] % (10 * MINUTE_US) == 0
