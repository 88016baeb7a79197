import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.window import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from dashboards import format as show

T = "\u202f"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (12_310, "12,310"),
        (9_999_999, "9,999,999"),
        (18_400_000, f"18.4{T}M"),
        (3_000_000_000, f"3.0{T}G"),
        (4_200_000_000_000, f"4.2{T}T"),
    ],
)
def test_counts_are_exact_until_they_are_too_long_to_read(value, text):
    assert show.count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, f"0{T}%"),
        (1.0, f"100{T}%"),
        (0.084, f"8.4{T}%"),
        (0.0005, f"0.05{T}%"),
        (0.00001, f"<{T}0.01{T}%"),
        (0.99997, f"99.99{T}%"),
        (0.9962, f"99.62{T}%"),
        (-0.38, f"−38.0{T}%"),
        (-3.953, f"−395{T}%"),
    ],
)
def test_a_ratio_that_is_not_whole_is_never_shown_as_0_or_100(value, text):
    assert show.ratio(value) == text


def test_an_interval_is_told_with_one_unit():
    assert show.interval((0.0791, 0.0889)) == f"7.9 to 8.9{T}%"
    assert show.interval(None) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (float("inf"), "–"),
        (0.0, f"0.0{T}ms"),
        (0.04, f"0.04{T}ms"),
        (4.2, f"4.2{T}ms"),
        (9.97, f"10{T}ms"),
        (590.4, f"590{T}ms"),
        (999.7, f"1.00{T}s"),
        (2304, f"2.30{T}s"),
        (14_000, f"14.0{T}s"),
        (90_000, f"1.5{T}min"),
    ],
)
def test_a_duration_carries_the_unit_that_reads_best(value, text):
    assert show.ms(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, f"0{T}B"), (812, f"812{T}B"), (4_100, f"4.1{T}kB"), (12_300_000, f"12.3{T}MB")],
)
def test_bytes_are_told_in_powers_of_a_thousand(value, text):
    assert show.size(value) == text


@pytest.mark.parametrize(
    ("length_us", "text"),
    [
        (0, f"0{T}s"),
        (12 * MINUTE_US, f"12{T}min"),
        (HOUR_US + 14 * MINUTE_US, f"1{T}h 14{T}min"),
        (30 * DAY_US, f"30{T}d"),
        (HOUR_US + 3 * SECOND_US, f"1{T}h"),
    ],
)
def test_a_span_has_at_most_two_units(length_us, text):
    assert show.span(length_us) == text


def test_what_lies_ahead_of_the_clock_is_now():
    assert show.ago(10_000_000, 9_000_000) == "now"
    assert show.ago(0, 3 * HOUR_US + 5) == f"3{T}h ago"


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [
        (103.1, 100, f"+3.1{T}%"),
        (90, 100, f"−10.0{T}%"),
        (100, 100, f"±0{T}%"),
        (5, 0, ""),
        (None, 4, ""),
        (20_000, 10, f"×{T}2,000"),
    ],
)
def test_a_change_from_nothing_is_not_a_percentage(now, before, text):
    assert show.change(now, before) == text


def test_ratios_differ_in_points_and_durations_in_milliseconds():
    assert show.points(0.084, 0.0819) == f"+0.21{T}pt"
    assert show.longer(412, 374) == f"+38{T}ms"
    assert show.longer(374, 412) == f"−38{T}ms"


def test_what_cannot_be_seen_is_made_visible():
    hostile = "a\x00b\x1b[31m\u202egnp\u200f\x7f\ue000"
    assert show.plain(hostile) == "a␀b␛[31m\\u202egnp\\u200f␡\\ue000"
    assert show.plain("two\nlines\tkept") == "two\nlines\tkept"


def test_a_very_long_text_is_counted_rather_than_shown():
    shown = show.plain("x" * 1_000_000, 100)
    assert len(shown) < 150
    assert shown.endswith("… 999,900 more characters")


@given(st.text(max_size=300))
def test_no_text_reaches_the_page_with_anything_invisible_in_it(text):
    assert all(letter.isprintable() or letter in "\n\t" for letter in show.plain(text))


@given(st.floats(0, 1))
def test_every_ratio_ends_in_its_unit(value):
    assert show.ratio(value).endswith(f"{T}%")


@given(st.floats(min_value=0, allow_infinity=False, allow_nan=False, max_value=1e15))
def test_every_duration_has_a_unit(value):
    assert show.ms(value).split(T)[-1] in {"ms", "s", "min"}
