import json
from itertools import pairwise

import pytest
from dash_builders import (
    NO_LATENCY,
    NOON_US,
    make_latency,
    make_objective,
    make_point,
    make_series,
    make_window,
)
from hypothesis import given
from hypothesis import strategies as st

from app.domain.window import DAY_US, MINUTE_US, Window
from dashboards.figures import base
from dashboards.figures.errors import errors
from dashboards.figures.latency import latency
from dashboards.figures.traffic import traffic

WINDOW = make_window()
ALL = (
    lambda series: traffic(series, None, WINDOW),
    lambda series: latency(series, (), WINDOW),
    lambda series: errors(series, WINDOW),
)


def texts(figure):
    return [note["text"] for note in figure["layout"]["annotations"]]


@pytest.mark.parametrize("draw", ALL)
@pytest.mark.parametrize(
    "points",
    [
        [],
        [make_point()],
        [make_point(good=0, bad=0, excluded=0)],
        [make_point(good=10**12, bad=10**11, latency=make_latency(1e8, 1e12, 1e300))],
        [make_point(latency=make_latency(0.0, 0.0, 0.0))],
        [make_point(good=0, bad=1, excluded=0, connect_error=1, latency=NO_LATENCY)],
    ],
    ids=["none", "one", "no traffic", "huge", "zero time", "untimed"],
)
def test_a_figure_is_made_of_whatever_there_is(draw, points):
    figure = draw(make_series(points))
    assert json.loads(json.dumps(figure, allow_nan=False)) == figure


@pytest.mark.parametrize("draw", ALL)
def test_a_figure_names_colours_and_holds_none(draw):
    assert "#" not in json.dumps(draw(make_series()))


@pytest.mark.parametrize(
    ("draw", "said"),
    list(zip(ALL, ["no exchange", "nothing was timed", ""], strict=True)),
)
def test_a_figure_without_marks_says_so(draw, said):
    assert said in texts(draw(make_series([make_point(good=0, bad=0, excluded=0)])))


def test_no_failure_is_said_and_not_left_to_be_guessed():
    calm = [make_point(bad=0, excluded=0)]
    assert "nothing failed" in texts(errors(make_series(calm), WINDOW))


def test_traffic_stacks_good_excluded_and_bad():
    figure = traffic(make_series([make_point(WINDOW.start_us, 90, 8, 2)]), None, WINDOW)
    stacked = {trace["name"]: trace["y"] for trace in figure["data"]}
    assert stacked["good"] == [90]
    assert stacked["excluded"] == [2]
    assert stacked["bad"] == [8]
    assert figure["layout"]["barmode"] == "stack"


def test_the_period_before_lies_under_the_same_places():
    now = make_series([make_point(WINDOW.start_us), make_point(WINDOW.start_us + MINUTE_US)])
    before = make_series([make_point(0, 40, 0, 0), make_point(MINUTE_US, 50, 0, 0)])
    ghost = traffic(now, before, WINDOW)["data"][-1]
    assert ghost["y"] == [40, 50]
    assert len(ghost["x"]) == 2


def test_a_silent_period_before_is_no_line_at_zero():
    quiet = make_series([make_point(0, 0, 0, 0)])
    figure = traffic(make_series([make_point()]), quiet, WINDOW)
    assert figure["data"][-1]["y"] == [None]
    assert not any("before" in text for text in texts(figure))


def test_the_step_that_is_running_is_paler():
    points = [make_point(WINDOW.end_us - 2 * MINUTE_US), make_point(WINDOW.end_us - MINUTE_US)]
    series = make_series(points, step_us=2 * MINUTE_US)
    opacity = traffic(series, None, WINDOW)["data"][0]["marker"]["opacity"]
    assert opacity == [1.0, 0.45]


def test_steps_without_a_time_are_gaps_and_not_zeros():
    points = [
        make_point(WINDOW.start_us),
        make_point(WINDOW.start_us + MINUTE_US, 0, 0, 0),
        make_point(WINDOW.start_us + 2 * MINUTE_US),
    ]
    line = latency(make_series(points), (), WINDOW)["data"][0]
    assert line["y"] == [60.0, None, 60.0]
    assert line["connectgaps"] is False


def test_the_objective_is_drawn_and_named():
    figure = latency(make_series(), (make_objective(),), WINDOW)
    assert figure["layout"]["shapes"][0]["y0"] == 800
    assert "objective: 95\u202f% under 800\u202fms" in texts(figure)


def test_an_availability_objective_is_no_line_among_latencies():
    figure = latency(make_series(), (make_objective(threshold_ms=None),), WINDOW)
    assert figure["layout"]["shapes"] == []


def test_the_latency_axis_is_logarithmic_and_its_ticks_lie_inside():
    axis = latency(make_series(), (), WINDOW)["layout"]["yaxis"]
    low, high = axis["range"]
    assert axis["type"] == "log"
    assert 2 <= len(axis["tickvals"]) <= 5
    assert all(10**low <= value <= 10**high for value in axis["tickvals"])


def test_failures_are_shares_of_all_exchanges_of_their_step():
    point = make_point(good=90, bad=8, excluded=2, ok=90, server_error=6, timeout=2, client_error=2)
    figure = errors(make_series([point]), WINDOW)
    shares = {trace["name"]: trace["y"] for trace in figure["data"]}
    assert shares == {"5xx": [6.0], "timeout": [2.0], "4xx": [2.0]}


def test_every_failing_outcome_belongs_to_one_layer():
    from app.domain.words import Outcome
    from dashboards.figures.errors import LAYERS

    known = [outcome for _, _, outcomes in LAYERS for outcome in outcomes]
    assert sorted(known) == sorted(o.word for o in Outcome if o != Outcome.OK)


@given(
    wanted=st.lists(st.floats(-0.5, 1.5), max_size=8),
    gap=st.floats(0.01, 0.6),
)
def test_labels_keep_their_distance_inside_the_plot(wanted, gap):
    placed = base.spread(wanted, gap)
    inside = sorted(placed)
    room = min(gap, 1 / max(len(wanted) - 1, 1))
    assert all(-1e-6 <= y <= 1 + 1e-6 for y in placed)
    assert all(b - a >= room - 1e-6 for a, b in pairwise(inside))


@given(st.floats(1e-6, 1e15))
def test_a_nice_ceiling_is_above_and_not_far_above(value):
    top = base.nice_ceiling(value)
    assert value * 0.99999 <= top <= value * 10.001


@given(start=st.integers(0, 10**7), length=st.integers(1, 400 * 1440))
def test_time_ticks_are_few_and_inside(start, length):
    window = Window(start * MINUTE_US, (start + length) * MINUTE_US)
    ticks = base.tick_times(window)
    assert len(ticks) <= 7
    assert all(window.start_us <= at <= window.end_us for at in ticks)


def test_midnight_is_written_as_a_date():
    window = Window(NOON_US - DAY_US, NOON_US)
    assert "22 Nov" in base.time_axis(window)["ticktext"]
