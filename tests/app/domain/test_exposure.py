from math import exp, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.exposure import Counted, age_band, sentence, study, usage_band
from app.domain.window import DAY_US


def test_of_one_stratum_the_interval_is_that_of_katz():
    found = study([Counted(100, 20, 400, 40)])
    half = 1.959963984540054 * sqrt(1 / 20 - 1 / 100 + 1 / 40 - 1 / 400)
    assert found.ratio == pytest.approx(2.0)
    assert found.interval == pytest.approx((exp(log(2) - half), exp(log(2) + half)))
    assert (found.exposed_ratio, found.others_ratio) == (0.2, 0.1)


def test_a_difference_that_is_only_a_mix_of_plans_disappears():
    """Free ones leave more often and meet more failures; within a plan there is no difference."""
    found = study([Counted(300, 60, 100, 20), Counted(100, 2, 500, 10)])
    assert found.ratio == pytest.approx(1.0)
    assert found.exposed_ratio == pytest.approx(found.others_ratio)
    low, high = found.interval
    assert low < 1 < high
    assert "no difference that can be told from chance" in sentence(found)


def test_strata_without_one_of_the_groups_are_left_out_and_counted():
    found = study([Counted(100, 20, 400, 40), Counted(7, 7, 0, 0), Counted(0, 0, 900, 500)])
    assert (found.exposed, found.others, found.unmatched, found.strata) == (100, 400, 7, 1)
    assert found.ratio == pytest.approx(2.0)


@pytest.mark.parametrize(
    "counted",
    [
        [],
        [Counted(19, 10, 400, 40)],
        [Counted(100, 10, 19, 2)],
        [Counted(100, 2, 400, 2)],
        [Counted(100, 50, 0, 0)],
    ],
)
def test_too_little_is_said_to_be_too_little_and_gives_no_number(counted):
    found = study(counted)
    assert not found.enough
    assert (found.exposed_ratio, found.others_ratio, found.ratio, found.interval) == (None,) * 4
    assert sentence(found).startswith("Not enough data to compare")


@pytest.mark.parametrize("counted", [Counted(100, 9, 400, 0), Counted(100, 0, 400, 9)])
def test_a_group_that_lost_nobody_has_a_rate_and_no_ratio(counted):
    found = study([counted])
    assert found.enough
    assert (found.ratio, found.interval) == (None, None)
    assert "lost nobody" in sentence(found)


def test_the_sentence_says_both_rates_the_interval_and_what_it_cannot_say():
    assert sentence(study([Counted(200, 40, 800, 40)])) == (
        "Of 200 installations that met too many failures 20\u202f% left within the next 14 days; "
        "of others of the same plan, age and usage 5\u202f% did. That is 4.0 times as many "
        "(95\u202f% interval 2.7 to 6.0). Whether failures were the reason, this cannot say."
    )


members = st.integers(0, 300)
strata = st.builds(
    lambda e, a, o, b: Counted(e, min(a, e), o, min(b, o)), members, members, members, members
)


@given(st.lists(strata, max_size=6))
def test_the_ratio_lies_within_its_interval_and_no_rate_out_of_bounds(counted):
    found = study(counted)
    if found.ratio is not None:
        low, high = found.interval
        assert 0 < low <= found.ratio * (1 + 1e-9)
        assert found.ratio <= high * (1 + 1e-9)
    for rate in (found.exposed_ratio, found.others_ratio):
        assert rate is None or 0 <= rate <= 1


def test_bands_are_the_same_for_what_is_alike():
    assert [age_band(days * DAY_US) for days in (0, 30, 31, 180, 181)] == [
        "up to 30 days", "up to 30 days", "up to 180 days", "up to 180 days", "older"
    ]  # fmt: skip
    assert age_band(None) == "unknown"
    assert [usage_band(14 * n) for n in (0, 9, 10, 99, 100)] == [0, 0, 1, 1, 2]
