"""The histogram against the sorted values it stands for."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.histogram import (
    BUCKETS,
    LOWER_US,
    MIDDLE_US,
    PER_OCTAVE,
    RELATIVE_ERROR,
    UPPER_US,
    count_above,
    decode_into,
    encode_dense,
    encode_sparse,
    from_values,
    merge_sparse,
    position,
    quantile,
    quantiles,
)

QS = (0.0, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0)
#: Rounding of the middle of a bucket, nothing else.
SLACK = 1 + 1e-9

durations = st.integers(min_value=0, max_value=2**40)
samples = st.lists(durations, min_size=1, max_size=300)


def values(name: str, size: int) -> np.ndarray:
    dice = np.random.default_rng(5)
    drawn = {
        "lognormal": lambda: dice.lognormal(11, 0.8, size),
        "bimodal": lambda: np.where(
            dice.random(size) < 0.7, dice.normal(4e3, 400, size), dice.normal(9e5, 5e4, size)
        ),
        "heavy tail": lambda: 1e3 * (1 + dice.pareto(1.2, size)),
        "timeouts": lambda: np.where(dice.random(size) < 0.03, 3e7, dice.lognormal(11, 0.8, size)),
        "whole milliseconds": lambda: 1e3 * np.maximum(1, np.round(dice.lognormal(1.4, 0.6, size))),
        "constant": lambda: np.full(size, 12_345.0),
        "powers of two": lambda: 2.0 ** dice.integers(0, 30, size),
        "microseconds": lambda: dice.integers(0, 12, size),
        "uniform": lambda: dice.uniform(1, 1e7, size),
    }
    return np.clip(drawn[name](), 0, 2**40).astype(np.int64)


@pytest.mark.parametrize("size", [1, 2, 7, 20, 200, 10_000])
@pytest.mark.parametrize(
    "name",
    [
        "lognormal", "bimodal", "heavy tail", "timeouts", "whole milliseconds", "constant",
        "powers of two", "microseconds", "uniform",
    ],
)  # fmt: skip
def test_a_quantile_is_within_the_stated_error_of_the_value_at_its_rank(name, size):
    drawn = values(name, size)
    counts = from_values(drawn)
    for q in QS:
        truth = max(1, int(np.quantile(drawn, q, method="lower")))
        assert abs(quantile(counts, q) - truth) / truth <= RELATIVE_ERROR * SLACK


@given(samples, st.floats(0, 1))
def test_the_error_holds_for_any_values_and_any_quantile(drawn, q):
    truth = max(1, sorted(drawn)[int(q * (len(drawn) - 1))])
    found = quantile(from_values(np.array(drawn)), q)
    assert abs(found - truth) / truth <= RELATIVE_ERROR * SLACK


def test_the_error_is_stated_as_people_read_it():
    assert round(RELATIVE_ERROR * 100, 2) == 2.17


@given(st.lists(samples, min_size=1, max_size=5))
def test_merging_is_the_histogram_of_everything_together(parts):
    whole = from_values(np.array(list(itertools.chain(*parts))))
    blobs = [encode_dense(from_values(np.array(part))) for part in parts]
    groups = np.zeros(len(blobs), np.int64)
    assert np.array_equal(decode_into(blobs, groups, (1, BUCKETS))[0], whole)
    assert merge_sparse(blobs, groups, 1) == [encode_dense(whole)]


@given(st.lists(st.tuples(st.integers(0, 3), samples), max_size=8))
def test_merging_by_group_mixes_nothing(parts):
    groups = np.array([group for group, _ in parts], dtype=np.int64)
    blobs = [encode_dense(from_values(np.array(drawn))) for _, drawn in parts]
    expected = np.zeros((4, BUCKETS), np.int64)
    for group, drawn in parts:
        expected[group] += from_values(np.array(drawn))
    assert np.array_equal(decode_into(blobs, groups, (4, BUCKETS)), expected)
    assert merge_sparse(blobs, groups, 4) == [encode_dense(row) for row in expected]


@pytest.mark.parametrize("octave", range(41))
def test_a_power_of_two_is_the_upper_bound_of_its_bucket(octave):
    value = 2**octave
    [at] = position(np.array([value]))
    assert UPPER_US[at] == pytest.approx(value, rel=1e-12)
    if octave > 4:  # below, neighbouring whole numbers are buckets apart
        assert position(np.array([value + 1])) == min(at + 1, BUCKETS - 1)


@given(durations)
def test_a_value_lies_above_the_lower_and_at_most_at_the_upper_bound(value):
    [at] = position(np.array([value]))
    floor_us = max(value, 1)
    assert LOWER_US[at] / SLACK < floor_us <= UPPER_US[at] * SLACK


def test_nothing_counts_as_one_microsecond_and_ages_as_the_last_bucket():
    assert position(np.array([0, 1])).tolist() == [0, 0]
    assert MIDDLE_US[0] == 1.0
    assert position(np.array([2**40, 2**62])).tolist() == [BUCKETS - 1] * 2
    assert BUCKETS == 40 * PER_OCTAVE + 1


def test_an_empty_histogram_has_no_quantile():
    empty = np.zeros(BUCKETS, np.int64)
    assert quantile(empty, 0.5) is None
    assert np.isnan(quantiles(np.zeros((2, BUCKETS), np.int64), (0.5, 0.99))).all()


@given(st.lists(st.lists(durations, max_size=30), min_size=1, max_size=6))
def test_quantiles_of_many_are_those_of_each(rows):
    dense = np.stack([from_values(np.array(row, dtype=np.int64)) for row in rows])
    found = quantiles(dense, QS)
    for row, counts in zip(found, dense, strict=True):
        expected = [quantile(counts, q) for q in QS]
        assert [None if np.isnan(each) else each for each in row] == expected


@given(samples, st.integers(1, 2**40))
def test_counting_above_a_threshold_counts_buckets_above_the_one_that_holds_it(drawn, threshold):
    limit = position(np.array([threshold]))[0]
    above = int((position(np.array(drawn)) > limit).sum())
    assert count_above(from_values(np.array(drawn)), threshold) == above


def test_the_sparse_coding_is_little_endian_pairs_of_two_and_four_bytes():
    assert encode_sparse(np.array([1, 640]), np.array([5, 70_000])) == bytes.fromhex(
        "0100 05000000 8002 70110100"
    )
    assert encode_dense(np.zeros(BUCKETS, np.int64)) == b""


def test_merging_nothing_gives_nothing():
    none = np.zeros(0, np.int64)
    assert merge_sparse([], none, 2) == [b"", b""]
    assert decode_into([], none, (2, BUCKETS)).sum() == 0
