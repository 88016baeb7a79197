"""One count per (outcome, fault, verdict): the cell in which a rollup counts an exchange.

From a dense array of `CELLS` counts, the marginals give the counts by outcome, by fault and by
verdict, and joint questions ("network faults that were bad") stay answerable.
"""

import numpy as np
from numpy.typing import NDArray

from app.domain.words import Fault, Outcome, Verdict

_FAULTS, _VERDICTS = len(Fault), len(Verdict)
CELLS = len(Outcome) * _FAULTS * _VERDICTS


def cell(outcome: int, fault: int, verdict: int) -> int:
    """The position of one combination in a tally."""
    return (outcome * _FAULTS + fault) * _VERDICTS + verdict


def by_outcome(tally: NDArray[np.int64]) -> dict[str, int]:
    """Count by outcome word, outcomes that did not occur left out."""
    cube = tally.reshape(len(Outcome), _FAULTS, _VERDICTS)
    return _named(Outcome, cube.sum(axis=(1, 2)))


def by_fault(tally: NDArray[np.int64]) -> dict[str, int]:
    """Count by fault word of the exchanges that somebody has to act on."""
    cube = tally.reshape(len(Outcome), _FAULTS, _VERDICTS)
    counts = _named(Fault, cube.sum(axis=(0, 2)))
    counts.pop(Fault.NONE.word, None)
    return counts


def by_verdict(tally: NDArray[np.int64]) -> dict[str, int]:
    """Count by verdict word, all three always present."""
    cube = tally.reshape(len(Outcome), _FAULTS, _VERDICTS)
    sums = cube.sum(axis=(0, 1))
    return {verdict.word: int(sums[verdict]) for verdict in Verdict}


def _named(words: type[Outcome] | type[Fault], sums: NDArray[np.int64]) -> dict[str, int]:
    return {word.word: int(sums[word]) for word in words if sums[word]}
