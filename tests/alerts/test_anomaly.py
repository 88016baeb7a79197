"""What is usual at this time, and what is not: the decider row by row, and through the stores."""

import pytest

from alerts.anomaly import odd
from alerts.evaluate import evaluate
from alerts.measures import Measures
from app.domain.alert import Finding
from app.domain.rule import Anomaly, Measure, Rule, Severity, Side
from app.domain.window import HOUR_US, MINUTE_US, WEEK_US, floor
from app.queries.counts import Counts
from app.queries.results import Latency
from tests.app.web_world import SLUGS
from tests.contract.worlds import NOW_US, exchange, failure


def hour(total: int, bad: int = 0, p95: float | None = None) -> Counts:
    return Counts(
        good=total - bad, bad=bad, bad_by_fault={"partner": bad} if bad else {},
        timed=total if p95 else 0, latency_ms=Latency(p95, p95, p95),
    )  # fmt: skip


TRAFFIC = [hour(total) for total in (900, 1_000, 1_100) * 4]
ERRORS = [hour(1_000, bad) for bad in (1, 2, 3) * 4]
SLOW = [hour(1_000, p95=p95) for p95 in (300.0, 320.0, 340.0) * 4]
#: One week of four was an outage.
SCARRED = [*[hour(1_000, bad) for bad in (1, 2, 3) * 3], *[hour(1_000, 900)] * 3]
PROXIED, RATIO, P95 = Measure.PROXIED, Measure.ERROR_RATIO, Measure.P95


@pytest.mark.parametrize(
    ("condition", "found", "usual", "finding"),
    [
        (Anomaly(PROXIED), hour(1_050), TRAFFIC, Finding.FALSE),
        (Anomaly(PROXIED), hour(3_000), TRAFFIC, Finding.TRUE),
        (Anomaly(PROXIED), hour(100), TRAFFIC, Finding.TRUE),
        (Anomaly(PROXIED), hour(0), TRAFFIC, Finding.TRUE),
        (Anomaly(PROXIED, Side.ABOVE), hour(100), TRAFFIC, Finding.FALSE),
        (Anomaly(PROXIED, Side.BELOW), hour(100), TRAFFIC, Finding.TRUE),
        # beyond the spread, but not by half of what is usual
        (Anomaly(PROXIED, deviations=1), hour(1_400), TRAFFIC, Finding.FALSE),
        (Anomaly(PROXIED, deviations=1, change_ratio=0.1), hour(1_400), TRAFFIC, Finding.TRUE),
        # counts that chance alone spreads so far
        (Anomaly(PROXIED), hour(40), [hour(25)] * 12, Finding.FALSE),
        (Anomaly(RATIO), hour(1_000, 4), ERRORS, Finding.FALSE),
        (Anomaly(RATIO), hour(1_000, 50), ERRORS, Finding.TRUE),
        (Anomaly(RATIO), hour(1_000, 50), SCARRED, Finding.TRUE),
        # never one before, and one now
        (Anomaly(RATIO), hour(1_000, 1), [hour(1_000)] * 12, Finding.FALSE),
        (Anomaly(RATIO), hour(1_000, 20), [hour(1_000)] * 12, Finding.TRUE),
        (Anomaly(RATIO), hour(10, 10), ERRORS, Finding.NO_DATA),
        (Anomaly(P95), hour(1_000, p95=380.0), SLOW, Finding.FALSE),
        (Anomaly(P95), hour(1_000, p95=900.0), SLOW, Finding.TRUE),
        (Anomaly(P95), hour(0), SLOW, Finding.NO_DATA),
        # too little of the past is known
        (Anomaly(PROXIED), hour(9_000), TRAFFIC[:5], Finding.NO_DATA),
        (Anomaly(PROXIED), hour(9_000), [hour(3)] * 12, Finding.NO_DATA),
    ],
)
def test_a_number_is_odd_when_it_is_far_from_what_past_weeks_had(condition, found, usual, finding):
    assert odd(condition, found, usual).finding == finding


def test_it_says_what_is_usual_and_whose_side_it_is_on():
    verdict = odd(Anomaly(P95), hour(1_000, 9, p95=900.0), SLOW)
    assert verdict.summary == (
        "p95 900\u202fms in the last hour; 300 to 340\u202fms are usual at this time, partner"
    )
    assert odd(Anomaly(RATIO), hour(1_000, 50), ERRORS).summary == (
        "5\u202f% errors in the last hour; 0.1 to 0.3\u202f% are usual at this time, partner"
    )
    assert odd(Anomaly(PROXIED), hour(10), TRAFFIC).summary == (
        "10 exchanges in the last hour; 900 to 1,100 are usual at this time"
    )


def test_the_same_hours_of_past_weeks_are_what_is_usual(world):
    world.clock.now_us = floor(NOW_US, HOUR_US) + 30 * MINUTE_US
    past = [
        each
        for week in range(1, 5)
        for beside in (-1, 0, 1)
        for each in _hour(floor(NOW_US, HOUR_US) - week * WEEK_US + beside * HOUR_US, 100, 1)
    ]
    # The same hours of other days are not: they would make the last one look calm.
    other = _hour(floor(NOW_US, HOUR_US) - WEEK_US + 5 * HOUR_US, 100, 100)
    world.load(past + other + _hour(world.clock.now_us - 40 * MINUTE_US, 100, 40))
    world.store.fold(world.clock.now_us)
    rule = Rule("odd", Anomaly(RATIO, Side.ABOVE), Severity.P3)
    seen = Measures(world.reading, world.settings.home).see([rule], world.clock.now_us, {})
    found = {each.subject.integration: each.verdict for each in evaluate([rule], seen).evaluations}
    assert len(seen.usual[SLUGS[0]]) == 12
    assert found[SLUGS[0]].finding == Finding.TRUE
    assert found[SLUGS[0]].value == pytest.approx(0.4)
    assert found[SLUGS[1]].finding == Finding.NO_DATA


def _hour(start_us: int, total: int, bad: int) -> list:
    return [
        (failure if n < bad else exchange)(start_us + n * 1_000, integration=SLUGS[0])
        for n in range(total)
    ]
