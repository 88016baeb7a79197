from fractions import Fraction

import pytest

from app.domain.risk import allowed, is_at_risk, is_unsure


@pytest.mark.parametrize(
    ("good", "bad", "target", "at_risk"),
    [
        (0, 0, 0.995, False),
        (100, 0, 0.995, False),
        (199, 1, 0.995, False),
        (198, 1, 0.995, True),
        (199, 2, 0.995, True),
        (19, 1, 0.95, False),
        (18, 2, 0.95, True),
        (0, 20, 0.5, True),
        (0, 19, 0.5, False),
        (18, 1, 0.99, False),
    ],
)
def test_at_risk_is_who_met_more_failures_than_allowed_among_enough(good, bad, target, at_risk):
    assert is_at_risk(good, bad, target) is at_risk


def test_what_is_allowed_is_exact():
    assert allowed(0.995) == Fraction(1, 200)
    assert allowed(0.9999) == Fraction(1, 10_000)


@pytest.mark.parametrize(
    ("good", "bad", "unsure"), [(0, 0, False), (19, 0, False), (18, 1, True), (19, 1, False)]
)
def test_a_failure_among_too_few_exchanges_is_unsure(good, bad, unsure):
    assert is_unsure(good, bad) is unsure
