"""The life of an alert, row by row and by property."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.alert import Event, Finding, Patience, Standing, State, Step, advance
from app.domain.window import MINUTE_US

WAIT = Patience(for_us=5 * MINUTE_US, keep_us=3 * MINUTE_US)
AT_ONCE = Patience()
T, F, NO_DATA, ERROR, GONE = Finding


def minutes(count: float) -> int:
    return int(count * MINUTE_US)


def told(findings: list[tuple[float, Finding]], patience: Patience) -> list[tuple[float, Event]]:
    """What people are told when these findings come at these minutes."""
    standing, events = Standing(), []
    for minute, finding in findings:
        step = advance(standing, finding, minutes(minute), patience)
        standing = step.standing
        if step.event:
            events.append((minute, step.event))
    return events


@pytest.mark.parametrize(
    ("state", "finding", "passed_min", "becomes", "event"),
    [
        (State.INACTIVE, F, 1, State.INACTIVE, None),
        (State.INACTIVE, T, 1, State.PENDING, None),
        (State.INACTIVE, NO_DATA, 1, State.NO_DATA, None),
        (State.INACTIVE, ERROR, 1, State.ERROR, None),
        (State.INACTIVE, GONE, 1, State.INACTIVE, None),
        (State.PENDING, T, 4.9, State.PENDING, None),
        (State.PENDING, T, 5, State.FIRING, Event.FIRED),
        (State.PENDING, F, 4, State.INACTIVE, None),
        (State.PENDING, NO_DATA, 9, State.PENDING, None),
        (State.PENDING, ERROR, 9, State.PENDING, None),
        (State.PENDING, GONE, 9, State.INACTIVE, None),
        (State.FIRING, T, 99, State.FIRING, None),
        (State.FIRING, F, 99, State.RECOVERING, None),
        (State.FIRING, NO_DATA, 99, State.FIRING, None),
        (State.FIRING, ERROR, 99, State.FIRING, None),
        (State.FIRING, GONE, 99, State.RESOLVED, Event.RESOLVED),
        (State.RECOVERING, F, 2.9, State.RECOVERING, None),
        (State.RECOVERING, F, 3, State.RESOLVED, Event.RESOLVED),
        (State.RECOVERING, T, 2, State.FIRING, None),
        (State.RECOVERING, NO_DATA, 9, State.RECOVERING, None),
        (State.RECOVERING, ERROR, 9, State.RECOVERING, None),
        (State.RECOVERING, GONE, 1, State.RESOLVED, Event.RESOLVED),
        (State.RESOLVED, F, 1, State.RESOLVED, None),
        (State.RESOLVED, T, 1, State.PENDING, None),
        (State.RESOLVED, NO_DATA, 1, State.NO_DATA, None),
        (State.RESOLVED, GONE, 1, State.RESOLVED, None),
        (State.NO_DATA, F, 1, State.INACTIVE, None),
        (State.NO_DATA, T, 1, State.PENDING, None),
        (State.NO_DATA, NO_DATA, 1, State.NO_DATA, None),
        (State.NO_DATA, ERROR, 1, State.ERROR, None),
        (State.NO_DATA, GONE, 1, State.INACTIVE, None),
        (State.ERROR, F, 1, State.INACTIVE, None),
        (State.ERROR, T, 1, State.PENDING, None),
        (State.ERROR, GONE, 1, State.INACTIVE, None),
    ],
)
def test_each_state_meets_each_finding(state, finding, passed_min, becomes, event):
    before = Standing(state, minutes(100), 1, minutes(90))
    step = advance(before, finding, minutes(100 + passed_min), WAIT)
    assert (step.standing.state, step.event) == (becomes, event)


def test_a_rule_without_patience_fires_and_resolves_at_once():
    assert told([(0, T), (1, F)], AT_ONCE) == [(0, Event.FIRED), (1, Event.RESOLVED)]


def test_flapping_within_the_time_to_recover_is_one_incident():
    findings = [(0, T), (5, T), (6, F), (7, T), (8, F), (10, T), (11, F), (14, F)]
    assert told(findings, WAIT) == [(5, Event.FIRED), (14, Event.RESOLVED)]


def test_a_blip_shorter_than_the_rule_asks_for_tells_nobody():
    assert told([(0, T), (4, T), (4.5, F), (5, T), (9, T)], WAIT) == []


def test_a_store_that_is_away_neither_resolves_nor_restarts_the_clock():
    findings = [(0, T), (1, ERROR), (3, NO_DATA), (5, T), (6, ERROR), (60, ERROR), (61, T)]
    assert told(findings, WAIT) == [(5, Event.FIRED)]


def test_each_incident_has_a_number_of_its_own():
    standing = Standing()
    numbers = []
    for minute, finding in enumerate([T, F, T, F, T]):
        standing = advance(standing, finding, minutes(minute), AT_ONCE).standing
        numbers.append(standing.incident)
    assert numbers == [1, 1, 2, 2, 3]


def test_a_clock_that_steps_back_neither_fires_nor_resolves():
    pending = Standing(State.PENDING, minutes(100))
    assert advance(pending, T, minutes(40), WAIT) == Step(pending)
    recovering = Standing(State.RECOVERING, minutes(100), 1, minutes(90))
    assert advance(recovering, F, minutes(40), WAIT) == Step(recovering)


@given(
    findings=st.lists(st.sampled_from(Finding), max_size=60),
    patience=st.builds(Patience, st.integers(0, 6).map(minutes), st.integers(0, 6).map(minutes)),
)
def test_people_are_told_in_turns_beginning_with_a_firing(findings, patience):
    events = [event for _, event in told(list(enumerate(findings)), patience)]
    assert events == [(Event.FIRED, Event.RESOLVED)[place % 2] for place in range(len(events))]


@given(findings=st.lists(st.sampled_from(Finding), max_size=60), at=st.integers(0, 59))
def test_evaluating_twice_at_the_same_time_equals_once(findings, at):
    once, twice = Standing(), Standing()
    for minute, finding in enumerate(findings):
        once = advance(once, finding, minutes(minute), WAIT).standing
        twice = advance(twice, finding, minutes(minute), WAIT).standing
        if minute == at:
            step = advance(twice, finding, minutes(minute), WAIT)
            assert step == Step(twice)
            twice = step.standing
    assert once == twice
