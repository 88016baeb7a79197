"""Quartiles of others, and nothing else of them."""

import statistics
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.benchmark import LEAST_OTHERS, Peer, last_month, quartiles
from app.domain.retention import Days


def peers(*values: float) -> list[Peer]:
    return [Peer(f"partner-{place}", value) for place, value in enumerate(values)]


def test_quartiles_lie_between_values_and_have_two_digits():
    found = quartiles(peers(0.5, 0.1, 0.2, 0.4, 0.3))
    assert (found.lower, found.median, found.upper) == (0.15, 0.3, 0.45)
    found = quartiles(peers(*(0.98765 + place / 1000 for place in range(9))))
    assert (found.lower, found.median, found.upper) == (0.99, 0.99, 0.99)


@pytest.mark.parametrize("number", range(LEAST_OTHERS))
def test_too_few_others_are_not_told_of(number):
    assert quartiles(peers(*[0.5] * number)) is None


def test_many_integrations_of_few_partners_are_too_few():
    assert quartiles([Peer(f"partner-{n % 4}", n / 10) for n in range(12)]) is None
    assert quartiles([Peer(f"partner-{n % 5}", n / 10) for n in range(12)]) is not None


@given(st.lists(st.floats(0, 1), min_size=5, max_size=40))
def test_quartiles_are_those_of_weibull_and_never_the_extremes_alone(values):
    found = quartiles(peers(*values))
    expected = statistics.quantiles(values, n=4, method="exclusive")
    for told, exact in zip((found.lower, found.median, found.upper), expected, strict=True):
        assert told == pytest.approx(exact, rel=0.05, abs=1e-300)
    assert min(values) <= found.lower * 1.05
    assert found.lower <= found.median <= found.upper


@pytest.mark.parametrize(
    ("now", "days"),
    [("2026-03-01T00:00:00Z", (20_485, 20_513)), ("2026-02-28T23:59:59Z", (20_454, 20_485)),
     ("2026-01-15T12:00:00Z", (20_423, 20_454))],
)  # fmt: skip
def test_the_month_is_the_newest_one_that_is_over(now, days):
    now_us = int(datetime.fromisoformat(now).timestamp()) * 1_000_000
    assert last_month(now_us) == Days(*days)
