"""Merging rollup rows."""

from collections import Counter, defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.domain.histogram import decode_into, encode_sparse, merge_sparse
from app.domain.window import MINUTE_US
from app.store.port import Series, Sum
from app.store.sums import of_rows, of_sums

WIDTH = 700
counts = st.dictionaries(st.integers(0, WIDTH - 1), st.integers(1, 10**6), max_size=8)


def coded(found: dict[int, int]) -> bytes:
    return encode_sparse(np.array(list(found), np.int64), np.array(list(found.values()), np.int64))


@given(st.lists(st.tuples(st.integers(0, 4), counts), max_size=20))
def test_merging_sparse_counts_equals_merging_dense_ones(
    given_: list[tuple[int, dict[int, int]]],
) -> None:
    groups = np.array([group for group, _ in given_], dtype=np.int64)
    blobs = [coded(found) for _, found in given_]
    merged = merge_sparse(blobs, groups, 5)
    dense = decode_into(blobs, groups, (5, WIDTH))
    assert (decode_into(merged, np.arange(5), (5, WIDTH)) == dense).all()
    assert [len(blob) // 6 for blob in merged] == np.count_nonzero(dense, axis=1).tolist()


def test_a_position_named_twice_in_one_blob_is_named_once_after_merging() -> None:
    blob = coded({3: 1, 9: 2}) + coded({3: 4})
    assert merge_sparse([blob], np.array([0]), 1) == [coded({3: 5, 9: 2})]


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 180), counts), max_size=20))
def test_sums_of_one_series_and_step_become_one_row(
    given_: list[tuple[int, int, dict[int, int]]],
) -> None:
    sums = of_sums(
        [
            Sum(Series(str(n), 0, 0), m * MINUTE_US, 1, 2, 3, 4, 5, 6, 7, 8, coded(c), b"")
            for n, m, c in given_
        ],
        lambda series: int(series.integration),
    )
    expected: dict[tuple[int, int], Counter[int]] = defaultdict(Counter)
    times: Counter[tuple[int, int]] = Counter()
    for series, minute, found in given_:
        expected[series, minute // 60 * 60].update(found)
        times[series, minute // 60 * 60] += 1
    rows = sums.per(60).merged().rows()
    assert [row[:2] for row in rows] == sorted(expected)
    for series, minute, *numbers, tally, latency in rows:
        assert numbers == [times[series, minute] * place for place in range(1, 9)]
        dense = decode_into([tally], np.array([0]), (1, WIDTH))[0]
        assert {at: dense[at] for at in np.flatnonzero(dense)} == expected[series, minute]
        assert latency == b""


def test_joined_blobs_that_a_database_gives_as_null_are_empty() -> None:
    sums = of_rows([(1, 2, *range(8), None, None)])
    assert sums.rows() == [(1, 2, *range(8), b"", b"")]
    assert len(of_rows([])) == 0
