"""Latency as a base-2 exponential histogram of fixed scale: merged by adding, never averaged.

The mapping is that of OpenTelemetry's exponential histogram (and of Prometheus native histograms
of schema 4): with scale s and base b = 2^(2^-s), bucket i counts values in (b^i, b^(i+1)], upper
bound included. Values are integer microseconds; 0 counts as 1. Bucket i is kept at array position
i + 1, so that position 0 is the bucket of exactly 1 µs.

Promise: `quantile` is within `RELATIVE_ERROR` = (b - 1) / (b + 1), 2.17 % at scale 4, of the
value at rank floor(q (n - 1)) of the sorted values. That rank is the only definition of a
percentile in Midspan; it is `numpy.quantile(..., method="lower")`.

The same sparse coding, pairs of (position, count), serves every additive count that is stored.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SCALE = 4
PER_OCTAVE = 2**SCALE
BUCKETS = 40 * PER_OCTAVE + 1  # 1 µs to 2^40 µs, 12.7 days; longer counts as the last bucket
_BASE = 2.0 ** (1.0 / PER_OCTAVE)
RELATIVE_ERROR = (_BASE - 1.0) / (_BASE + 1.0)

UPPER_US: NDArray[np.float64] = _BASE ** np.arange(BUCKETS, dtype=np.float64)
LOWER_US: NDArray[np.float64] = UPPER_US / _BASE
#: The value that stands for a bucket: equally far, relatively, from both bounds.
MIDDLE_US: NDArray[np.float64] = 2.0 * LOWER_US * UPPER_US / (LOWER_US + UPPER_US)
MIDDLE_US[0] = 1.0

_PAIR = np.dtype([("position", "<u2"), ("count", "<u4")])

Counts = NDArray[np.int64]


def position(values_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """The array position of each value; shape kept."""
    exponent = np.log2(np.maximum(values_us, 1).astype(np.float64)) * PER_OCTAVE
    found: NDArray[np.int64] = np.minimum(np.ceil(exponent).astype(np.int64), BUCKETS - 1)
    return found


def from_values(values_us: NDArray[np.int64]) -> Counts:
    """The dense histogram, shape (BUCKETS,), of `values_us`, shape (n,)."""
    return np.bincount(position(values_us), minlength=BUCKETS).astype(np.int64)


def quantile(counts: Counts, q: float) -> float | None:
    """The `q`-quantile (0..1) in microseconds of a dense histogram; None when it is empty."""
    total = int(counts.sum())
    if total == 0:
        return None
    rank = int(q * (total - 1))
    found = int(np.searchsorted(np.cumsum(counts), rank, side="right"))
    return float(MIDDLE_US[found])


def quantiles(rows: Counts, qs: Sequence[float]) -> NDArray[np.float64]:
    """Quantiles of many histograms at once: rows (m, BUCKETS) to (m, len(qs)) µs, NaN if empty."""
    cumulative = np.cumsum(rows, axis=1)
    totals = cumulative[:, -1]
    result = np.full((len(rows), len(qs)), np.nan)
    for column, q in enumerate(qs):
        ranks = (q * (totals - 1)).astype(np.int64)
        found = (cumulative <= ranks[:, None]).sum(axis=1)
        result[:, column] = MIDDLE_US[np.minimum(found, BUCKETS - 1)]
    result[totals == 0] = np.nan
    return result


def count_above(counts: Counts, threshold_us: float) -> int:
    """How many values lie in buckets above the one that holds the threshold."""
    limit = int(position(np.array([threshold_us], dtype=np.int64))[0])
    return int(counts[limit + 1 :].sum())


def encode_sparse(positions: NDArray[np.int64], counts: NDArray[np.int64]) -> bytes:
    """The non-zero entries as little-endian (u16 position, u32 count) pairs."""
    pairs = np.empty(len(positions), dtype=_PAIR)
    pairs["position"] = positions
    pairs["count"] = counts
    return pairs.tobytes()


def encode_dense(counts: Counts) -> bytes:
    """A dense array in the sparse coding."""
    positions = np.flatnonzero(counts)
    return encode_sparse(positions, counts[positions])


def decode_into(
    blobs: Sequence[bytes], groups: NDArray[np.int64], shape: tuple[int, int]
) -> Counts:
    """Add up many sparse blobs by group: blob i is added to row `groups[i]` of a (g, width) array.

    This is the merge, and the only one: minutes into hours, hours into a window, operations into
    an integration are all this sum.
    """
    lengths = np.fromiter(map(len, blobs), dtype=np.int64, count=len(blobs)) // _PAIR.itemsize
    pairs = np.frombuffer(b"".join(blobs), dtype=_PAIR)
    flat = np.repeat(groups, lengths) * shape[1] + pairs["position"]
    summed = np.bincount(flat, weights=pairs["count"], minlength=shape[0] * shape[1])
    return summed.astype(np.int64).reshape(shape)


def merge_sparse(blobs: Sequence[bytes], groups: NDArray[np.int64], size: int) -> list[bytes]:
    """The same sum without the dense arrays between: one sparse blob per group, `size` of them.

    A blob may name a position more than once, as two blobs joined do; the sum names it once.
    """
    lengths = np.fromiter(map(len, blobs), dtype=np.int64, count=len(blobs)) // _PAIR.itemsize
    pairs = np.frombuffer(b"".join(blobs), dtype=_PAIR)
    keys = np.repeat(groups, lengths) << 16 | pairs["position"]
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    if not len(starts):
        return [b""] * size
    counts = np.add.reduceat(pairs["count"][order].astype(np.int64), starts)
    summed = encode_sparse(keys[starts] & 0xFFFF, counts)
    ends = np.searchsorted(keys[starts] >> 16, np.arange(size), side="right") * _PAIR.itemsize
    bounds = [0, *ends.tolist()]
    return [summed[bounds[i] : bounds[i + 1]] for i in range(size)]
