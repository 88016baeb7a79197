"""Levers on the revenue page, from values."""

from dataclasses import replace

from app.domain.benchmark import FIGURES, Quartiles
from app.domain.window import DAY_US, Window
from app.queries import LeversView
from app.queries.benchmark import BenchmarkView, Compared
from app.queries.levers import Conversion, Stall, TimeTo
from dashboards.pages import lever_rows

T = "\u202f"
NONE = TimeTo(0, None, None)
MONTH = Window(20_362 * DAY_US, 20_393 * DAY_US)
VIEW = LeversView(
    "globex-issues",
    MONTH,
    (
        Conversion("source", "directory", 40, 30, 10),
        Conversion("source", None, 3, 1, 0),
        Conversion("plan", None, 43, 31, 10),
    ),
    TimeTo(31, 3600, 86_400),
    TimeTo(1, 7200, 7200),
    (Stall("verified", 4), Stall("", 1)),
    BenchmarkView(
        "crm",
        MONTH,
        (
            Compared("activation", 0.72, Quartiles(0.5, 0.6, 0.71)),
            Compared("grr", None, None),
        ),
    ),
)


def test_rates_are_told_of_enough_and_ways_that_nobody_told_of_not_at_all():
    first, second = lever_rows.conversion_rows(VIEW)
    assert (first["name"], first["sub"], first["activated_sub"]) == (
        "directory", "source", f"75.0{T}%"
    )  # fmt: skip
    assert (second["name"], second["activated_text"], second["activated_sub"]) == (
        "not told", "1", ""
    )  # fmt: skip


def test_a_sentence_says_how_long_value_takes_and_who_waits():
    assert lever_rows.sentence(VIEW) == (
        f"Half of 31 installations reach the goal of the funnel within 1{T}h, nine in ten within "
        f"1{T}d. One installation was paid for within 2{T}h. Paid for, and still on their way: "
        "4 for verified, 1 for no step."
    )
    quiet = replace(VIEW, to_activation=NONE, to_payment=NONE, stalled=())
    assert lever_rows.sentence(quiet) == ""


def test_figures_stand_beside_quartiles_and_what_cannot_be_said_is_a_dash():
    activation, grr = lever_rows.benchmark_rows(VIEW.benchmark)
    assert (activation["own_text"], activation["median_text"]) == (f"72.0{T}%", f"60{T}%")
    assert {grr[f"{name}_text"] for name in ("own", "lower", "median", "upper")} == {"–"}
    assert lever_rows.benchmark_title(VIEW.benchmark) == (
        "The month to 31 Oct 2025, beside others in crm."
    )
    assert lever_rows.NAMES.keys() == set(FIGURES)


def test_too_few_others_are_said_to_be_too_few():
    assert lever_rows.benchmark_note(VIEW.benchmark) == ""
    few = replace(VIEW.benchmark, figures=(Compared("grr", 0.9, None),))
    assert "Not enough others" in lever_rows.benchmark_note(few)
    assert lever_rows.benchmark_note(replace(few, figures=())) == ""
