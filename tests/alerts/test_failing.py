"""When a rule about a circuit or about errors holds, row by row."""

import pytest

from alerts.failing import Circuit, circuit_near, circuit_open, fresh_errors
from app.domain.alert import Finding
from app.domain.error_group import Standing
from app.domain.rule import CircuitNear, FreshErrors
from app.queries.circuit_counts import CircuitCounts
from app.queries.fresh_errors import FreshGroup

OPEN = Circuit(0, "30 of 40 exchanges failed")


def test_a_circuit_is_open_or_not():
    assert circuit_open(None).finding == Finding.FALSE
    verdict = circuit_open(Circuit(0, "30 of 40 exchanges failed"))
    assert (verdict.finding, verdict.summary) == (
        Finding.TRUE, "Circuit open: 30 of 40 exchanges failed"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "circuit", "finding"),
    [
        (None, None, Finding.FALSE),  # few calls open no circuit
        (CircuitCounts(19, 19, 0.5), None, Finding.FALSE),
        (CircuitCounts(34, 100, 0.5), None, Finding.FALSE),
        (CircuitCounts(35, 100, 0.5), None, Finding.TRUE),
        (CircuitCounts(90, 100, 0.5), None, Finding.TRUE),
        (CircuitCounts(35, 100, 0.6), None, Finding.FALSE),
        (CircuitCounts(90, 100, 0.5), OPEN, Finding.FALSE),
    ],
)
def test_a_circuit_is_near_to_opening_by_its_own_share_of_failures(found, circuit, finding):
    assert circuit_near(CircuitNear(0.7), found, circuit).finding == finding


def test_a_circuit_that_is_near_says_how_much_is_used_and_of_what():
    verdict = circuit_near(CircuitNear(0.7), CircuitCounts(45, 100, 0.5), None)
    assert verdict.summary.replace("\u202f", " ") == (
        "90 % of what opens the circuit is used up: 45 of 100 calls failed in the last 5 minutes"
        " (it opens at 50 %)"
    )
    assert (verdict.value, verdict.limit) == (0.9, 0.7)


def group(standing: Standing, exchanges: int, **of) -> FreshGroup:
    plain = {"operation": "POST /v1/issues", "ended": "500", "message": "null value"}
    return FreshGroup("a" * 16, standing, exchanges=exchanges, fault="partner", **(plain | of))


@pytest.mark.parametrize(
    ("found", "finding"),
    [
        ([], Finding.FALSE),
        ([group(Standing.NEW, 19)], Finding.FALSE),
        ([group(Standing.NEW, 20)], Finding.TRUE),
        ([group(Standing.REGRESSED, 20)], Finding.TRUE),
    ],
)
def test_an_error_is_told_when_it_is_new_or_back_and_frequent(found, finding):
    assert fresh_errors(FreshErrors(), found).finding == finding


def test_only_the_standings_that_a_rule_asks_for_count():
    back = FreshErrors(frozenset({Standing.REGRESSED}))
    assert fresh_errors(back, [group(Standing.NEW, 99)]).finding == Finding.FALSE


def test_the_most_frequent_error_is_named_and_the_others_are_counted():
    found = [group(Standing.NEW, 30), group(Standing.REGRESSED, 41, message="a\nb\u202e\x00")]
    assert fresh_errors(FreshErrors(), found).summary == (
        "Back after it was resolved: POST /v1/issues → 500 \u201ca b\\u202e\u2400\u201d,"
        " 41 exchanges in the last hour, and 1 more, partner"
    )
