"""Installations folded from events: in any order, however often, the same."""

import random

from hypothesis import given
from hypothesis import strategies as st

from app.domain.funnel import (
    DEFAULT_DEADLINE_US,
    DEFAULT_STEPS,
    NOTHING,
    STANDING_STEPS,
    Event,
    Funnel,
    InstallationState,
    LostCause,
    fold,
    funnel_of,
    standing,
)
from app.domain.window import HOUR_US

FUNNEL = funnel_of(("started", "authorized", "verified", "activated"), {"verified": 2 * HOUR_US})
WORDS = [*FUNNEL.steps, *sorted(STANDING_STEPS)]
texts = st.none() | st.sampled_from(["free", "pro", "x"])


@st.composite
def histories(draw) -> list[Event]:
    size = draw(st.integers(0, 12))
    return [
        Event(
            f"e{number}", draw(st.sampled_from(WORDS)), draw(st.integers(1, 6)) * HOUR_US,
            draw(texts), draw(texts), draw(texts), draw(texts),
        )
        for number in range(size)
    ]  # fmt: skip


def told(*steps: str, hour: int = 1) -> list[Event]:
    """One event an hour, in order."""
    return [Event(f"e{at}", step, (hour + at) * HOUR_US) for at, step in enumerate(steps)]


def stands(events, funnel: Funnel = FUNNEL):
    return standing(fold(NOTHING, events), funnel)


@given(histories(), st.randoms(use_true_random=False))
def test_any_order_repetition_and_delay_of_a_history_folds_to_the_same(events, chance):
    whole = fold(NOTHING, sorted(events, key=lambda each: each[2:1:-1]))
    shuffled = events + [each for each in events if chance.random() < 0.5]
    chance.shuffle(shuffled)
    facts = NOTHING
    while shuffled:  # arriving a few at a time
        number = chance.randint(1, 4)
        part, shuffled = shuffled[:number], shuffled[number:]
        facts = fold(facts, part)
    assert facts == whole
    assert standing(facts, FUNNEL) == standing(whole, FUNNEL)


@given(histories(), histories())
def test_facts_of_two_parts_are_those_of_the_whole(one, other):
    other = [each._replace(id=f"o{each.id}") for each in other]
    assert fold(fold(NOTHING, one), other) == fold(fold(NOTHING, other), one)


@given(histories())
def test_what_was_removed_last_stays_removed_whatever_steps_say(events):
    presence = [each for each in events if each.step in {"uninstalled", "reinstalled"}]
    newest = max(presence, key=lambda each: (each.at_us, each.id), default=None)
    removed = newest is not None and newest.step == "uninstalled"
    found = stands(events)
    assert (found.state is InstallationState.UNINSTALLED) == removed
    assert found.uninstalled_us == (newest.at_us if removed else None)


def test_an_install_goes_through_its_steps():
    states = [stands(told(*FUNNEL.steps[:number])) for number in range(5)]
    assert [each.state.value for each in states] == ["active", *["installing"] * 3, "active"]
    assert [each.next_step for each in states] == [
        None,
        "authorized",
        "verified",
        "activated",
        None,
    ]
    assert states[2].due_us == 2 * HOUR_US + 2 * HOUR_US, "verified may take two hours"
    assert states[3].due_us == 3 * HOUR_US + DEFAULT_DEADLINE_US
    assert (states[4].entered_us, states[4].activated_us) == (HOUR_US, 4 * HOUR_US)


def test_a_late_step_never_brings_back_what_was_removed():
    removed = told("started", "activated", "uninstalled")
    for late in ("started", "authorized", "activated", "resumed"):
        for at_us in (0, 2 * HOUR_US, 9 * HOUR_US):
            found = stands([*removed, Event("late", late, at_us)])
            assert found.state is InstallationState.UNINSTALLED, (late, at_us)


def test_only_a_later_reinstallation_brings_it_back():
    removed = told("started", "activated", "uninstalled", hour=1)
    assert stands([*removed, Event("z", "reinstalled", HOUR_US)]).state == "uninstalled"
    assert stands([*removed, Event("z", "reinstalled", 9 * HOUR_US)]).state == "active"


def test_at_the_same_moment_the_senders_id_decides():
    removed = [Event("a", "started", 0), Event("m", "uninstalled", HOUR_US)]
    for own_id, state in (("a", "uninstalled"), ("z", "installing")):
        events = [*removed, Event(own_id, "reinstalled", HOUR_US)]
        assert {stands(order).state.value for order in (events, events[::-1])} == {state}


def test_it_is_suspended_until_it_is_resumed():
    used = told(*FUNNEL.steps)
    suspended = [*used, Event("s", "suspended", 9 * HOUR_US)]
    assert stands(suspended).state == "suspended"
    assert stands([*suspended, Event("r", "resumed", 8 * HOUR_US)]).state == "suspended"
    assert stands([*suspended, Event("r", "resumed", 10 * HOUR_US)]).state == "active"


def test_a_customer_that_said_no_is_lost_at_the_step_that_did_not_come():
    events = told("started", "authorized", "declined")
    found = stands([*events[:2], events[2]._replace(reason="too many scopes")])
    assert found.state is InstallationState.DECLINED
    assert (found.next_step, found.lost, found.due_us) == ("verified", LostCause.DECLINED, None)
    assert found.reason == "too many scopes"


def test_a_customer_that_tried_again_after_saying_no_is_awaited_again():
    for step in ("started", "authorized"):
        found = stands([*told("started", "authorized", "declined"), Event("y", step, 9 * HOUR_US)])
        assert (found.state, found.next_step, found.lost) == ("installing", "verified", None)
        assert found.due_us == 9 * HOUR_US + 2 * HOUR_US


def test_one_that_was_removed_before_its_goal_was_turned_away():
    found = stands(told("started", "authorized", "uninstalled"))
    assert (found.next_step, found.lost) == ("verified", LostCause.DECLINED)
    assert stands(told("started", "activated", "uninstalled")).lost is None


def test_a_step_that_was_left_out_is_not_awaited():
    found = stands(told("started", "verified"))
    assert found.next_step == "activated"
    assert stands(told("activated")).next_step is None


def test_what_is_told_of_without_a_step_was_there_before():
    found = stands(told("resumed"))
    assert (found.state, found.entered_us) == ("active", None)
    assert stands(told("uninstalled")).state == "uninstalled"


def test_the_goal_of_a_funnel_without_activated_is_its_last_step():
    funnel = funnel_of(("signed", "paid"), {})
    assert stands(told("signed", "paid"), funnel).activated_us == 2 * HOUR_US
    assert stands(told("signed"), funnel).next_step == "paid"
    assert funnel_of((), {}).steps == DEFAULT_STEPS


def test_customer_and_plan_are_the_newest_told_and_the_source_the_first():
    events = [
        Event("a", "started", 1, "c1", "free", "directory"),
        Event("b", "verified", 3, None, "pro", "ad"),
        Event("c", "authorized", 2, "c2", "trial", None),
    ]
    for order in (events, events[::-1], random.Random(1).sample(events, 3)):
        facts = fold(NOTHING, order)
        assert (facts.customer.word, facts.plan.word, facts.source.word) == (
            "c2", "pro", "directory"
        )  # fmt: skip
