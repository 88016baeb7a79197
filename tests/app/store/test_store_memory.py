"""Answers are remembered while they are right, and not too many."""

from app.store.memory import Memory

ROW = (1, 2, 3)


def test_an_answer_is_known_under_its_version_only() -> None:
    memory = Memory()
    assert memory.recall(4, "q") is None
    memory.keep(4, "q", [ROW])
    assert memory.recall(4, "q") == [ROW]
    assert memory.recall(5, "q") is None
    assert memory.recall(4, "q") is None


def test_an_answer_from_an_older_snapshot_is_not_kept() -> None:
    memory = Memory()
    assert memory.recall(5, "q") is None
    memory.keep(4, "q", [ROW])
    assert memory.recall(5, "q") is None
    assert memory.recall(4, "q") is None


def test_the_longest_unused_answers_go_first() -> None:
    memory = Memory(max_rows=5)
    memory.recall(1, "a")
    memory.keep(1, "a", [ROW] * 2)
    memory.keep(1, "b", [ROW] * 2)
    memory.recall(1, "a")
    memory.keep(1, "c", [ROW] * 3)
    assert memory.recall(1, "b") is None
    assert memory.recall(1, "a") == [ROW] * 2
    assert memory.recall(1, "c") == [ROW] * 3


def test_an_answer_that_is_too_large_is_not_kept_and_drives_nothing_out() -> None:
    memory = Memory(max_rows=5)
    memory.recall(1, "a")
    memory.keep(1, "a", [ROW])
    memory.keep(1, "large", [ROW] * 6)
    assert memory.recall(1, "large") is None
    assert memory.recall(1, "a") == [ROW]
