import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.objective import (
    allowed_ratio,
    burn_rate,
    burn_threshold,
    error_ratio,
    standing,
)
from app.domain.window import DAY_US, HOUR_US


@pytest.mark.parametrize(
    ("share", "objective_us", "alert_us", "expected"),
    [
        # SRE workbook, chapter 5, table 5-8, over 30 days
        (0.02, 30 * DAY_US, HOUR_US, 14.4),
        (0.05, 30 * DAY_US, 6 * HOUR_US, 6.0),
        (0.10, 30 * DAY_US, 3 * DAY_US, 1.0),
        # the same shares over 28 days
        (0.02, 28 * DAY_US, HOUR_US, 13.44),
        (0.05, 28 * DAY_US, 6 * HOUR_US, 5.6),
    ],
)
def test_burn_thresholds_are_those_of_the_workbook(share, objective_us, alert_us, expected):
    assert burn_threshold(share, objective_us, alert_us) == pytest.approx(expected)


def test_allowed_ratio_has_no_rounding_dust():
    assert allowed_ratio(0.995) == 0.005
    assert allowed_ratio(0.999) == 0.001


def test_an_objective_without_eligible_exchanges_has_no_ratio():
    empty = standing(0.995, 0, 0)
    assert (empty.error_ratio, empty.burn_rate, empty.remaining_ratio) == (None, None, None)
    assert error_ratio(0, 0) is None


def test_spending_exactly_the_budget_burns_at_one_and_leaves_nothing():
    spent = standing(0.99, 990, 10)
    assert spent.budget == pytest.approx(10)
    assert spent.burn_rate == pytest.approx(1)
    assert spent.remaining_ratio == pytest.approx(0)


def test_overspending_leaves_less_than_nothing():
    assert standing(0.99, 95, 5).remaining_ratio == pytest.approx(-4)


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.floats(0.5, 0.9999))
def test_remaining_budget_and_burn_are_two_views_of_one_number(good, bad, target):
    it = standing(target, good, bad)
    if it.error_ratio is None:
        assert good + bad == 0
        return
    assert it.burn_rate == pytest.approx(burn_rate(it.error_ratio, target))
    assert it.budget * (1 - it.remaining_ratio) == pytest.approx(bad, rel=1e-6, abs=1e-6)
