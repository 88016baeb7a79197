"""Plans as money a month, and other currencies, to the unit."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.money import (
    PPM,
    Interval,
    Rate,
    conversion,
    cycle_months,
    divided,
    monthly,
    share_of,
)

ANY = st.integers(-(10**12), 10**12)


@pytest.mark.parametrize(
    ("amount", "quantity", "interval", "every", "discount", "worth"),
    [
        (4900, 1, "month", 1, 0, 4900),
        (4900, 3, "month", 1, 0, 14_700),
        (58_800, 1, "year", 1, 0, 4900),
        (100_000, 1, "year", 1, 0, 8333),
        (100_000, 3, "year", 1, 0, 25_000),
        (1000, 1, "week", 1, 0, 4333),
        (1000, 1, "week", 2, 0, 2167),
        (100, 1, "day", 1, 0, 3042),
        (9000, 1, "month", 3, 0, 3000),
        (4900, 1, "month", 1, 100_000, 4410),
        (4900, 1, "month", 1, PPM, 0),
        (30, 1, "year", 1, 0, 2),
        (42, 1, "year", 1, 0, 4),
        (0, 7, "month", 1, 0, 0),
    ],
)
def test_a_plan_is_worth_so_much_a_month(amount, quantity, interval, every, discount, worth):
    assert monthly(amount, quantity, Interval(interval), every, discount) == worth


@given(ANY, st.integers(1, 10**9))
def test_rounding_is_that_of_exact_fractions_halves_to_even(numerator, denominator):
    assert divided(numerator, denominator) == round(Fraction(numerator, denominator))


@pytest.mark.parametrize(
    ("interval", "every", "months"),
    [("month", 1, 0), ("week", 1, 0), ("day", 30, 0), ("month", 3, 3), ("year", 1, 12),
     ("year", 2, 24), ("week", 52, 12), ("week", 8, 2)],
)  # fmt: skip
def test_a_plan_is_due_again_after_so_many_months(interval, every, months):
    assert cycle_months(Interval(interval), every) == months


def test_a_share_is_rounded_once():
    assert [share_of(4900, 300_000), share_of(5, 500_000), share_of(7, 500_000)] == [1470, 2, 4]


EURO = [Rate("EUR", "USD", 10, Fraction("1.08")), Rate("EUR", "JPY", 12, Fraction("170")),
        Rate("EUR", "KWD", 12, Fraction("0.33"))]  # fmt: skip


@pytest.mark.parametrize(
    ("amount", "currency", "into", "minor", "day"),
    [
        (1000, "EUR", "USD", 1080, 10),
        (1080, "USD", "EUR", 1000, 10),
        (17_000, "JPY", "USD", 10_800, 10),
        (100, "USD", "JPY", 157, 10),
        (1000, "EUR", "KWD", 3300, 12),
        (3300, "KWD", "EUR", 1000, 12),
    ],
)
def test_an_amount_is_told_in_another_currency(amount, currency, into, minor, day):
    rates = conversion(into, [currency], EURO)
    assert rates.minor(rates.exact(currency, amount)) == minor
    assert rates.days == {currency: day}


def test_the_newest_rate_counts_and_the_base_whose_rates_are_newest():
    known = [*EURO, Rate("EUR", "USD", 11, Fraction("1.10")), Rate("GBP", "USD", 5, Fraction(2)),
             Rate("GBP", "EUR", 5, Fraction(1))]  # fmt: skip
    rates = conversion("USD", ["EUR"], known)
    assert rates.rate("EUR") == Fraction("1.10")
    assert rates.days == {"EUR": 11}


def test_a_currency_without_a_rate_is_known_as_such():
    rates = conversion("USD", ["CHF", "USD"], EURO)
    assert rates.rate("CHF") is None
    assert rates.rate("USD") == 1
    assert rates.exact("CHF", 100) == 0
