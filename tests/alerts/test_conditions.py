"""When a rule holds for one series, row by row."""

import pytest

from alerts.conditions import burning, platform_out, silent, threshold
from app.domain.alert import Finding
from app.domain.objective import Objective
from app.domain.rule import (
    BURN_WINDOWS,
    BurnRate,
    Measure,
    PlatformOutage,
    Severity,
    Silence,
    Threshold,
)
from app.domain.window import DAY_US, HOUR_US, MINUTE_US
from app.queries.counts import Counts
from app.queries.results import Latency

HOUR = HOUR_US
AVAILABILITY = Objective("availability", 0.995, 28 * DAY_US)
LATENCY = Objective("latency", 0.95, 28 * DAY_US, 800_000)


def counts(bad: int, total: int, **given: object) -> Counts:
    return Counts(good=total - bad, bad=bad, bad_by_fault={"partner": bad} if bad else {}, **given)


@pytest.mark.parametrize(
    ("condition", "found", "finding"),
    [
        (Threshold(Measure.BAD, HOUR, above=10, minimum=0), counts(11, 100), Finding.TRUE),
        (Threshold(Measure.BAD, HOUR, above=10, minimum=0), counts(10, 100), Finding.FALSE),
        (Threshold(Measure.PROXIED, HOUR, below=5, minimum=0), counts(0, 4), Finding.TRUE),
        (Threshold(Measure.PROXIED, HOUR, below=5, minimum=0), counts(0, 5), Finding.FALSE),
        # a ratio counts as above only when its interval is
        (Threshold(Measure.ERROR_RATIO, HOUR, above=0.05), counts(2, 25), Finding.FALSE),
        (Threshold(Measure.ERROR_RATIO, HOUR, above=0.05), counts(80, 1000), Finding.TRUE),
        # too few say nothing, and neither does nothing at all
        (Threshold(Measure.ERROR_RATIO, HOUR, above=0.05), counts(19, 19), Finding.NO_DATA),
        (Threshold(Measure.ERROR_RATIO, HOUR, above=0.05), counts(0, 0), Finding.NO_DATA),
        (Threshold(Measure.P95, HOUR, above=800), counts(0, 100), Finding.NO_DATA),
        (
            Threshold(Measure.P95, HOUR, above=800),
            counts(0, 100, timed=100, latency_ms=Latency(100, 900.5, 1000)),
            Finding.TRUE,
        ),
        (
            Threshold(Measure.P99, HOUR, above=2000),
            counts(0, 100, timed=100, latency_ms=Latency(100, 900, 1000)),
            Finding.FALSE,
        ),
    ],
)
def test_a_threshold_holds_beyond_its_limit_and_from_enough_exchanges(condition, found, finding):
    assert threshold(condition, found).finding == finding


def test_a_threshold_says_what_is_against_what_and_whose_it_is():
    verdict = threshold(
        Threshold(Measure.ERROR_RATIO, 15 * MINUTE_US, above=0.05), counts(84, 1000)
    )
    assert verdict.summary == ("8.4\u202f% errors in the last 15 minutes (limit 5\u202f%), partner")
    assert (verdict.value, verdict.limit) == (0.084, 0.05)


def seen(**bad_ratio: float) -> dict[int, Counts]:
    """100,000 exchanges in every window; by severity, what share is bad in its windows."""
    worst: dict[int, int] = {}  # six hours are the long window of one and the short one of another
    for window in BURN_WINDOWS:
        bad = round(100_000 * bad_ratio.get(window.severity.value, 0.0))
        for length_us in (window.long_us, window.short_us):
            worst[length_us] = max(bad, worst.get(length_us, 0))
    return {length_us: counts(bad, 100_000) for length_us, bad in worst.items()}


@pytest.mark.parametrize("window", BURN_WINDOWS, ids=lambda window: window.severity.value)
def test_a_budget_burns_when_both_windows_are_above_the_factor_of_the_objective(window):
    factor = window.factor(AVAILABILITY)
    above, below = 0.005 * factor + 0.002, 0.005 * factor - 0.002
    severity = window.severity.value
    verdict = burning(BurnRate(), [AVAILABILITY], seen(**{severity: above}))
    assert (verdict.finding, verdict.severity) == (Finding.TRUE, window.severity)
    assert verdict.limit == pytest.approx(factor)
    assert burning(BurnRate(), [AVAILABILITY], seen(**{severity: below})).finding == Finding.FALSE


@pytest.mark.parametrize("window", BURN_WINDOWS, ids=lambda window: window.severity.value)
def test_a_burn_that_is_over_in_the_short_window_is_over(window):
    found = seen(**{window.severity.value: 1.0}) | {window.short_us: counts(0, 1000)}
    assert burning(BurnRate(), [AVAILABILITY], found).finding == Finding.FALSE


def test_a_few_bad_exchanges_of_a_small_integration_wake_nobody():
    few = dict.fromkeys(seen(), counts(2, 25))
    assert burning(BurnRate(), [AVAILABILITY], few).severity == Severity.P3
    many = dict.fromkeys(seen(), counts(8, 25))
    assert burning(BurnRate(), [AVAILABILITY], many).severity == Severity.P1


def test_what_was_bad_before_is_no_news_for_as_long_as_the_new_alone_does_not_suffice():
    hours = {length_us: counts(0, 100_000) for length_us in seen()}
    three_days, six_hours = 3 * DAY_US, 6 * HOUR_US
    hours |= {three_days: counts(900, 100_000), DAY_US: counts(400, 30_000)}
    hours |= {six_hours: counts(60, 9_000)}
    verdict = burning(BurnRate(), [AVAILABILITY], hours)
    assert (verdict.severity, verdict.settles_us) == (Severity.P4, three_days)
    hours |= {six_hours: counts(600, 9_000), DAY_US: counts(640, 90_000)}
    assert burning(BurnRate(), [AVAILABILITY], hours).settles_us == six_hours


def test_what_wakes_nobody_waits_to_see_whether_it_will():
    assert burning(BurnRate(), [AVAILABILITY], seen(P1=0.1, P2=0.1)).hold_us == 0
    assert burning(BurnRate(), [AVAILABILITY], seen(P3=0.1, P4=0.1)).hold_us == 30 * MINUTE_US
    assert burning(BurnRate(), [AVAILABILITY], seen(P4=0.1)).hold_us == 90 * MINUTE_US


def test_the_loudest_window_gives_the_severity():
    verdict = burning(BurnRate(), [AVAILABILITY], seen(P1=0.1, P2=0.1, P3=0.1, P4=0.1))
    assert verdict.severity == Severity.P1
    assert verdict.summary == (
        "10\u202f% errors (objective 0.5\u202f%) in the last hour, partner; burning 20.0×"
    )


def test_few_exchanges_burn_no_budget():
    few = dict.fromkeys(seen(), counts(5, 5))
    assert burning(BurnRate(), [AVAILABILITY], few).finding == Finding.NO_DATA


def test_a_latency_objective_counts_the_timed_ones_beyond_its_threshold():
    slow = Counts(good=1000, timed=1000, above={800: 900})
    verdict = burning(BurnRate(), [LATENCY], dict.fromkeys(seen(), slow))
    assert verdict.finding == Finding.TRUE
    assert verdict.summary.startswith("90\u202f% slower than 800\u202fms (objective 5\u202f%)")


def test_a_rule_about_one_objective_leaves_the_others_alone():
    slow = Counts(good=1000, timed=1000, above={800: 900})
    only = BurnRate(objective="availability")
    verdict = burning(only, [AVAILABILITY, LATENCY], dict.fromkeys(seen(), slow))
    assert verdict.finding == Finding.FALSE


@pytest.mark.parametrize(
    ("found", "expected", "finding"),
    [
        (counts(340, 340), 0, Finding.TRUE),  # 0 of 340 answered
        (counts(19, 19), 0, Finding.FALSE),  # too few to say
        (counts(0, 0), 340, Finding.TRUE),  # nothing came of 340 expected
        (counts(0, 0), 0, Finding.FALSE),  # 0 of 0: idle
        (counts(0, 0), 19, Finding.FALSE),
        (counts(340, 340, answered=1), 340, Finding.FALSE),  # wrong answers are answers
        (Counts(shed=500), 340, Finding.FALSE),  # traffic that was not recorded is traffic
    ],
)
def test_silence_is_measured_against_what_was_tried_or_expected(found, expected, finding):
    assert silent(Silence(), found, expected).finding == finding


@pytest.mark.parametrize(
    ("found", "expected", "finding"),
    [
        (Counts(good=50, excluded=50, excluded_by_fault={"platform": 50}), 100, Finding.TRUE),
        (Counts(good=51, excluded=49, excluded_by_fault={"platform": 49}), 100, Finding.FALSE),
        (Counts(good=10, excluded=90, excluded_by_fault={"customer": 90}), 100, Finding.FALSE),
        (Counts(), 400, Finding.TRUE),
        (Counts(), 5, Finding.FALSE),
        (Counts(excluded=5, excluded_by_fault={"platform": 5}), 0, Finding.FALSE),
    ],
)
def test_the_platform_is_out_when_half_fails_by_its_fault_or_nothing_crosses(
    found, expected, finding
):
    assert platform_out(PlatformOutage(), found, expected).finding == finding
