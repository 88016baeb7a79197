"""Answers shared by several viewers; definitions from the one reference."""

import threading
from importlib import import_module

import pytest

from app.domain.scope import Role, Scope
from app.queries import Reading
from dashboards import asking, definitions, urlstate, words
from dashboards.recent import Recent


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


def test_the_same_question_is_answered_once_until_its_answer_is_old(clock):
    recent, asked = Recent(clock), []
    for _ in range(3):
        assert recent.ask("q", 2.0, lambda: asked.append(1) or len(asked)) == 1
    clock.now_s += 2.1
    assert recent.ask("q", 2.0, lambda: asked.append(1) or len(asked)) == 2
    assert recent.ask("other", 2.0, lambda: "theirs") == "theirs"


def test_a_failure_is_not_remembered(clock):
    recent: Recent[int] = Recent(clock)

    def fail() -> int:
        raise OSError("away")

    with pytest.raises(OSError, match="away"):
        recent.ask("q", 2.0, fail)
    assert recent.ask("q", 2.0, lambda: 5) == 5


def test_two_at_once_wait_for_one_answer():
    recent: Recent[int] = Recent()
    begun, released, answers = threading.Event(), threading.Event(), []

    def slow() -> int:
        begun.set()
        released.wait(10)
        return 1

    def ask(answer) -> None:
        answers.append(recent.ask("q", 60.0, answer))

    first = threading.Thread(target=ask, args=(slow,))
    first.start()
    assert begun.wait(10)
    second = threading.Thread(target=ask, args=(lambda: 2,))
    second.start()
    released.set()
    first.join(10)
    second.join(10)
    assert answers == [1, 1]


def test_only_so_many_answers_are_kept(clock):
    recent: Recent[int] = Recent(clock)
    for number in range(1_000):
        recent.ask(number, 1e9, lambda number=number: number)
    assert recent.ask(999, 1e9, lambda: -1) == 999
    assert recent.ask(0, 1e9, lambda: -1) == -1


def test_every_label_has_a_definition_in_the_reference():
    assert all(words.DEFINITIONS.values()), words.DEFINITIONS


def test_a_definition_names_its_unit_and_a_row_may_name_several():
    found = definitions.parse(
        "| number | definition | unit | source query |\n| --- | --- | --- | --- |\n"
        "| `latency_ms` `p50` `p95` | how `long` | milliseconds | `q` |\n"
        "| budget left | rest | ratio | q |\n"
    )
    assert found["p95"] == found["p50"] == "How long. Unit: milliseconds."
    assert found["budget left"] == "Rest. Unit: ratio."
    assert definitions.definition("no such number") == ""


def test_answers_are_shared_only_by_callers_of_exactly_the_same_reach(monkeypatch):
    answers = []

    def answer(_reading, scope, _window, share=None):
        return answers.append(scope) or scope

    monkeypatch.setattr(asking, "overview", answer)
    monkeypatch.setattr(import_module("app.queries.overview"), "league", answer)
    reaches = [
        Scope(Role.ADMIN, None),
        Scope(Role.PARTNER, frozenset({"globex"})),
        Scope(Role.PARTNER, frozenset()),
        Scope(Role.INTERNAL, frozenset(), frozenset({"one"})),
        Scope(Role.INTERNAL, frozenset(), frozenset({"two"})),
    ]
    now_us = 1_795_348_812_345_678
    reading = Reading(None, None, lambda: now_us)
    for shared in (asking.shared_overview, asking.shared_league):
        for _ in range(2):
            for scope in reaches:
                ask = asking.Asked(reading, scope, now_us, urlstate.parse("", now_us))
                assert shared(ask) is scope
    assert answers == reaches * 2
