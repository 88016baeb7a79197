"""Counts by outcome, fault and verdict out of one array."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.domain.tally import CELLS, by_fault, by_outcome, by_verdict, cell
from app.domain.words import Fault, Outcome, Verdict

combinations = list(itertools.product(Outcome, Fault, Verdict))


def test_each_combination_has_a_cell_of_its_own():
    assert sorted(cell(*each) for each in combinations) == list(range(CELLS))


@given(st.lists(st.sampled_from(combinations), max_size=200))
def test_marginals_count_every_exchange_once(exchanges):
    tally = np.bincount([cell(*each) for each in exchanges], minlength=CELLS).astype(np.int64)
    counted = {word.word: sum(each[0] == word for each in exchanges) for word in Outcome}
    assert by_outcome(tally) == {word: count for word, count in counted.items() if count}
    assert by_verdict(tally) == {
        word.word: sum(each[2] == word for each in exchanges) for word in Verdict
    }
    acting = [each for each in exchanges if each[1] != Fault.NONE]
    assert sum(by_fault(tally).values()) == len(acting)
    assert set(by_fault(tally)) == {each[1].word for each in acting}


def test_nothing_counted_still_names_every_verdict():
    empty = np.zeros(CELLS, np.int64)
    assert by_verdict(empty) == {"good": 0, "bad": 0, "excluded": 0}
    assert by_outcome(empty) == {}
    assert by_fault(empty) == {}
