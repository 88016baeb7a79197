import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.distinct import KEPT, estimate, merged, sketch

things = st.lists(st.text(min_size=1, max_size=8), max_size=120)


def test_nothing_is_none_and_an_empty_text_is_nothing():
    assert estimate(sketch([])) == estimate(b"") == estimate(sketch(["", ""])) == 0


@given(things)
def test_up_to_one_less_than_kept_the_number_is_exact(found):
    different = len(set(found))
    if different < KEPT:
        assert estimate(sketch(found)) == different


@given(things, things, things)
def test_merging_is_in_any_order_and_as_often_as_one_likes(a, b, c):
    whole = sketch([*a, *b, *c])
    assert merged(sketch(c), merged(sketch(a), sketch(b)), sketch(a)) == whole
    assert merged(sketch(a) + sketch(b) + sketch(c)) == whole


@pytest.mark.parametrize("number", [64, 100, 1_000, 20_000])
def test_many_are_estimated_within_four_standard_errors(number):
    found = estimate(sketch(f"inst-{i}" for i in range(number)))
    assert abs(found - number) < 4 * 0.127 * number


def test_a_sketch_is_bounded():
    assert len(sketch(str(i) for i in range(10_000))) == KEPT * 6
