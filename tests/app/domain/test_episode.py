"""Runs of troubled steps, row by row."""

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
        (".FooF.", [(1, 2, "failing", False, True), (4, 5, "failing", False, True)]),
        (".F.F.", [(1, 2, "failing", False, True), (3, 4, "failing", False, True)]),
        ("..Fn", [(2, 3, "failing", True, True)]),
        ("..Fnn", [(2, 3, "failing", False, True)]),
        (".LD", [(1, 3, "slow", True, True)]),
        (".SSS", [(1, 4, "silent", True, True)]),
    ],
)
def test_episodes_are_runs_of_trouble(text, expected):
    assert found(text) == expected


@given(st.text(alphabet="".join(LETTERS), max_size=40))
def test_every_troubled_step_lies_in_exactly_one_episode_and_no_healthy_one_does(text):
    statuses = [LETTERS[letter] for letter in text]
    made = episodes(statuses, 0, MINUTE_US)
    for place, status in enumerate(statuses):
        at_us = place * MINUTE_US
        inside = [e for e in made if e.window.start_us <= at_us < e.window.end_us]
        assert len(inside) == (1 if status in TROUBLED else len(inside))
        assert len(inside) <= 1
        if status is Status.HEALTHY:
            assert not inside
        for episode in inside:
            assert status not in TROUBLED or RANK[episode.status] <= RANK[status]
