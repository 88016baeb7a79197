"""Runs of troubled steps, row by row."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.episode import TROUBLED, episodes
from app.domain.health import RANK, Status
from app.domain.window import MINUTE_US

LETTERS = {
    "F": Status.FAILING, "S": Status.SILENT, "D": Status.DEGRADED, "L": Status.SLOW,
    ".": Status.HEALTHY, "o": Status.IDLE, "n": Status.NOT_ENOUGH_DATA, "p": Status.PAUSED,
}  # fmt: skip


def found(text: str) -> list[tuple[int, int, str, bool, bool]]:
    statuses = [LETTERS[letter] for letter in text]
    return [
        (
            each.window.start_us // MINUTE_US,
            each.window.end_us // MINUTE_US,
            each.status.value,
            each.lasts,
            each.whole,
        )
        for each in episodes(statuses, 0, MINUTE_US)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("....", []),
        ("onpo", []),
        (".FF.", [(1, 3, "failing", False, True)]),
        ("..FF", [(2, 4, "failing", True, True)]),
        ("FF..", [(0, 2, "failing", False, False)]),
        (".DFL.", [(1, 4, "failing", False, True)]),
        (".FnF.", [(1, 4, "failing", False, True)]),
        (".FFooFF.", [(1, 3, "failing", False, True), (5, 7, "failing", False, True)]),
        (".FF.FF.", [(1, 3, "failing", False, True), (4, 6, "failing", False, True)]),
        (".F.D.", []),
        (".S..", [(1, 2, "silent", False, True)]),
        ("..FFn", [(2, 4, "failing", True, True)]),
        ("..FFnn", [(2, 4, "failing", False, True)]),
        (".LD", [(1, 3, "slow", True, True)]),
        (".SSS", [(1, 4, "silent", True, True)]),
    ],
)
def test_episodes_are_runs_of_trouble(text, expected):
    assert found(text) == expected


@given(st.text(alphabet="".join(LETTERS), max_size=40))
def test_episodes_hold_all_trouble_that_lasts_and_nothing_healthy(text):
    statuses = [LETTERS[letter] for letter in text]
    made = episodes(statuses, 0, MINUTE_US)
    for place, status in enumerate(statuses):
        at_us = place * MINUTE_US
        inside = [e for e in made if e.window.start_us <= at_us < e.window.end_us]
        assert len(inside) <= 1
        if status is Status.HEALTHY:
            assert not inside
        if status in TROUBLED and place and statuses[place - 1] in TROUBLED:
            assert RANK[inside[0].status] <= RANK[status]
    assert all(a.window.end_us <= b.window.start_us for a, b in pairwise(made))
