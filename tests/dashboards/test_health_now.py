"""What stands at this moment beside the numbers of an integration."""

import pytest

from app.domain.gates import CLOSED, HALF_OPEN, OPEN, GateState
from app.domain.window import MINUTE_US
from app.queries.results import IncidentTime
from dashboards.pages import health_now

NOON_US = 1_795_348_800_000_000
T = "\u202f"


def incident(number=1, minutes_ago=12, *, taken=False):
    return IncidentTime(number, "P1", "errors", NOON_US - minutes_ago * MINUTE_US, None, taken)


def gate(**fields):
    return GateState("globex-issues", "outbound", **fields)


def test_nothing_fires():
    assert health_now.firing([], NOON_US) == ("", "/alerts")


def test_the_newest_incident_is_named_and_the_others_are_counted():
    said, href = health_now.firing([incident(3, 40), incident(7, 12), incident(5, 20)], NOON_US)
    assert said == f"⚑ P1 incident 7 fires since 11:48, 12{T}min, and 2 more; nobody has it yet"
    assert href == "/alerts?incident=7"


def test_an_incident_that_somebody_has_says_no_more():
    said, _ = health_now.firing([incident(taken=True)], NOON_US)
    assert said.endswith("12\u202fmin")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (gate(), ""),
        (
            gate(circuit=OPEN, since_us=NOON_US, until_us=NOON_US + MINUTE_US, failed=12,
                 counted=20),
            "The circuit for calls to the partner is open since 12:00:00 UTC, because 12 of 20 "
            "failed; it is tried again at 12:01:00 UTC. What is refused meanwhile counts as bad.",
        ),
        (
            gate(circuit=HALF_OPEN, since_us=NOON_US),
            "The circuit for calls to the partner, open since 12:00:00 UTC, is being tried with a "
            "few exchanges.",
        ),
        (
            gate(held_until_us=NOON_US, held_status=429),
            "Calls to the partner wait until 12:00:00 UTC, as its answer 429 asked.",
        ),
        (gate(held_installations=1), "1 installation is not called for a while, as asked."),
        (gate(held_installations=3), "3 installations are not called for a while, as asked."),
    ],
)  # fmt: skip
def test_what_is_held_back_is_told(state, said):
    assert health_now.gates([state]) == said


def test_what_an_inbound_circuit_refuses_is_told_as_excluded():
    state = GateState("globex-issues", "inbound", circuit=OPEN, since_us=NOON_US)
    assert health_now.gates([state]).endswith("What is refused meanwhile is excluded.")


def test_several_are_told_one_after_another():
    shut = gate(circuit=OPEN, held_until_us=NOON_US)
    assert shut.circuit != CLOSED
    assert health_now.gates([shut]).count(".") == 3
