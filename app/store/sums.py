"""Rollup rows as columns, and the one sum that merges them.

Pure: which rows meet is decided by their key, series and minute; what they become is addition.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domain.histogram import merge_sparse
from app.domain.window import MINUTE_US
from app.store.port import Series, Sum

Ints = NDArray[np.int64]

NUMBERS = (
    "exchanges",
    "good",
    "bad",
    "excluded",
    "shed",
    "total_us",
    "request_bytes",
    "response_bytes",
)
#: The columns of a rollup row, in the order in which backends take and give them.
COLUMNS = ("series_id", "start_minute", *NUMBERS, "tally", "latency")
_MINUTE = 0xFFFF_FFFF
_numbers_of = attrgetter(*NUMBERS)


@dataclass(frozen=True, slots=True)
class Sums:
    """Rollup rows: `keys` (n,) are series << 32 | minute, `numbers` (n, 8) as `NUMBERS`."""

    keys: Ints
    numbers: Ints
    tally: Sequence[bytes]
    latency: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def minutes(self) -> Ints:
        """Start of each row, minutes since 1970."""
        return self.keys & _MINUTE

    def where(self, mask: NDArray[np.bool_]) -> "Sums":
        """The rows for which `mask` holds."""
        chosen = np.flatnonzero(mask)
        places = chosen.tolist()
        return Sums(
            self.keys[chosen],
            self.numbers[chosen],
            [self.tally[i] for i in places],
            [self.latency[i] for i in places],
        )

    def per(self, step_minutes: int) -> "Sums":
        """The same rows moved to the start of their step, not yet merged."""
        keys = self.keys - self.minutes % step_minutes
        return Sums(keys, self.numbers, self.tally, self.latency)

    def joined(self, other: "Sums") -> "Sums":
        """These rows and those of `other`, not yet merged."""
        return Sums(
            np.concatenate((self.keys, other.keys)),
            np.concatenate((self.numbers, other.numbers)),
            [*self.tally, *other.tally],
            [*self.latency, *other.latency],
        )

    def merged(self) -> "Sums":
        """One row per key, in the order of the keys."""
        keys, groups = np.unique(self.keys, return_inverse=True)
        numbers = np.zeros((len(keys), len(NUMBERS)), dtype=np.int64)
        np.add.at(numbers, groups, self.numbers)
        size = len(keys)
        return Sums(
            keys,
            numbers,
            merge_sparse(self.tally, groups, size),
            merge_sparse(self.latency, groups, size),
        )

    def rows(self) -> list[tuple[Any, ...]]:
        """One tuple per row, columns as `COLUMNS`."""
        series, minutes = (self.keys >> 32).tolist(), self.minutes.tolist()
        numbers = self.numbers.T.tolist()
        return list(zip(series, minutes, *numbers, self.tally, self.latency, strict=True))


def of_sums(sums: Sequence[Sum], id_of: Callable[[Series], int]) -> Sums:
    """What a batch adds, per minute."""
    keys = [id_of(each.series) << 32 | each.minute_us // MINUTE_US for each in sums]
    return Sums(
        np.array(keys, dtype=np.int64),
        np.array([_numbers_of(each) for each in sums], dtype=np.int64).reshape(-1, len(NUMBERS)),
        [each.tally for each in sums],
        [each.latency for each in sums],
    )


def of_rows(rows: Sequence[Sequence[Any]]) -> Sums:
    """Rows as a database gives them, columns as `COLUMNS`."""
    if not rows:
        return of_sums((), id_of=lambda _: 0)
    series, minutes, *numbers, tally, latency = zip(*rows, strict=True)
    keys = np.array(series, dtype=np.int64) << 32 | np.array(minutes, dtype=np.int64)
    # Joined blobs of nothing may come as NULL.
    return Sums(
        keys,
        np.array(numbers, dtype=np.int64).T,
        [blob or b"" for blob in tally],
        [blob or b"" for blob in latency],
    )
