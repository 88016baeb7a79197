import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.error_group import (
    NEW_US,
    Decision,
    ErrorGroup,
    Handling,
    Standing,
    format_group,
    group_id,
    is_overflow,
    overflow,
    standing,
    without_message,
)

GROUP = ErrorGroup("globex", 0, 1, "POST /v1/issues", 2, 500, "", "null value")
NOW = 1_763_646_432_500_000
RESOLVED = Decision(Handling.RESOLVED, NOW - 100, 10)


def test_the_id_of_a_group_never_changes():
    assert format_group(group_id(GROUP)) == "48692e068d57d4b9"


@pytest.mark.parametrize("field", ErrorGroup._fields)
def test_every_part_of_a_group_tells_it_from_others(field):
    old = getattr(GROUP, field)
    other = old + (1 if isinstance(old, int) else "x")
    assert group_id(GROUP._replace(**{field: other})) != group_id(GROUP)


def test_a_coarser_group_holds_more():
    assert without_message(GROUP).message == ""
    assert not is_overflow(GROUP)
    assert not is_overflow(without_message(GROUP))
    assert is_overflow(overflow(GROUP, 1))
    assert overflow(GROUP, 1) == overflow(GROUP._replace(operation="GET /", status=503), 1)
    assert overflow(GROUP, 1) != overflow(GROUP, 2)


def stands(decision=None, first=NOW - 10 * NEW_US, last=NOW - 50, exchanges=30, now=NOW):
    return standing(decision, first_us=first, last_us=last, exchanges=exchanges, now_us=now)


def ignored(**more):
    return Decision(Handling.IGNORED, NOW - 100, 10, **more)


@pytest.mark.parametrize(
    ("decision", "more", "where"),
    [
        (None, {}, Standing.ONGOING),
        (None, {"first": NOW - NEW_US + 1}, Standing.NEW),
        (None, {"first": NOW - NEW_US}, Standing.ONGOING),
        (Decision(Handling.UNRESOLVED, NOW, 10), {}, Standing.ONGOING),
        (RESOLVED, {}, Standing.REGRESSED),
        (RESOLVED, {"last": NOW - 100}, Standing.RESOLVED),
        (RESOLVED, {"last": NOW - 200}, Standing.RESOLVED),
        (ignored(), {"exchanges": 10**9}, Standing.IGNORED),
        (ignored(more=21), {}, Standing.IGNORED),
        (ignored(more=20), {}, Standing.REGRESSED),
        (ignored(until_us=NOW - 40), {}, Standing.IGNORED),
        (ignored(until_us=NOW - 50), {}, Standing.REGRESSED),
        (ignored(until_us=NOW + 5, more=20), {}, Standing.REGRESSED),
    ],
)
def test_where_a_group_stands(decision, more, where):
    assert stands(decision, **more) is where


@given(st.integers(0, 100), st.integers(0, 100), st.integers(1, 100))
def test_more_exchanges_never_calm_a_group(before, since, patience):
    decision = Decision(Handling.IGNORED, NOW - 100, before, more=patience)
    calm = stands(decision, exchanges=before + since) is Standing.IGNORED
    later = stands(decision, exchanges=before + since + 1) is Standing.IGNORED
    assert calm or not later
