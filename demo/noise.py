"""Chance without a generator: numbers that are a pure function of where they are asked for.

`hashed` mixes a seed, a name and a whole number (SplitMix64's finaliser); `wave` joins such
numbers smoothly over time; `during` tells whether an episode is on. All take arrays of
microseconds since 1970, shape (n,), and return arrays of the same shape.
"""

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from demo.cast import Episodes

Times = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def hashed(seed: int, name: str, numbers: NDArray[np.int64]) -> Floats:
    """One number in [0, 1) for each whole number."""
    key = np.uint64((seed << 32 ^ crc32(name.encode())) & 0xFFFF_FFFF_FFFF_FFFF)
    mixed = numbers.astype(np.uint64) * np.uint64(0x9E37_79B9_7F4A_7C15) + key
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    mixed ^= mixed >> np.uint64(31)
    found: Floats = (mixed >> np.uint64(11)).astype(np.float64) / 2.0**53
    return found


def wave(seed: int, name: str, times_us: Times, period_us: int) -> Floats:
    """A line in [0, 1) that wanders: a new goal every `period_us`, approached smoothly."""
    place = times_us // period_us
    part = (times_us % period_us) / period_us
    ease = part * part * (3.0 - 2.0 * part)
    begin, end = hashed(seed, name, place), hashed(seed, name, place + 1)
    result: Floats = begin + (end - begin) * ease
    return result


def during(
    seed: int, name: str, episodes: Episodes | None, times_us: Times, anchor_us: int
) -> Flags:
    """Whether an episode is on at each moment. `anchor_us` is when the demo started."""
    if episodes is None:
        return np.zeros(times_us.shape, dtype=np.bool_)
    slot, inside = times_us // episodes.slot_us, times_us % episodes.slot_us
    begin = hashed(seed, name + "/begin", slot) * (episodes.slot_us - episodes.length_us)
    on = (hashed(seed, name + "/chance", slot) < episodes.chance) & (begin <= inside)
    on &= inside < begin + episodes.length_us
    for first, last in episodes.fixed:
        on |= (anchor_us + first <= times_us) & (times_us < anchor_us + last)
    found: Flags = on
    return found
