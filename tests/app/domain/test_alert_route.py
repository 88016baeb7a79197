"""Which receivers an alert goes to: by what it is, at which hour, and by whoever is on call."""

from dataclasses import replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from app.domain.alert_route import (
    About,
    Destination,
    Directory,
    Group,
    Hours,
    OnCall,
    Route,
    Step,
    When,
)
from app.domain.on_call import Schedule
from app.domain.receiver import MailBox, Slack
from app.domain.rule import Severity
from app.domain.window import DAY_US, MINUTE_US, SECOND_US

BERLIN = ZoneInfo("Europe/Berlin")
ABOUT = About("budget-burn", Severity.P2, "partner", "globex-issues", "globex", "crm")
ANN, BOB = "ann@x.example", "bob@x.example"


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND_US


NOW_US = us("2026-11-27T10:00:00+01:00")
DIRECTORY = Directory(
    {
        "heads": MailBox(("head@x.example",)),
        "ops": Slack("https://hooks.example/s3cret"),
        "first": OnCall("daily"),
        "all": Group(("heads", "ops", "first")),
        "both": Group(("all", "heads")),
    },
    {"daily": Schedule("daily", BERLIN, (ANN, BOB), date(2026, 11, 27), time(9), 1)},
)


def told(*routes: Route, about: About = ABOUT, at_us: int = NOW_US) -> list[Destination]:
    return replace(DIRECTORY, routes=routes).tells(about, at_us)


def names(*routes: Route, **given: object) -> list[tuple[str, int]]:
    return [(each.address, each.level) for each in told(*routes, **given)]


@pytest.mark.parametrize(
    ("when", "takes"),
    [
        (When(), True),
        (When(severities=frozenset({"P1", "P2"})), True),
        (When(severities=frozenset({"P1"})), False),
        (When(faults=frozenset({"partner"})), True),
        (When(faults=frozenset({"platform"})), False),
        (When(integrations=frozenset({"globex-issues"}), partners=frozenset({"globex"})), True),
        (When(integrations=frozenset({"globex-issues"}), partners=frozenset({"hooli"})), False),
        (When(categories=frozenset({"crm"}), rules=frozenset({"budget-burn"})), True),
        (When(categories=frozenset({"chat"})), False),
        (When(rules=frozenset({"silence"})), False),
    ],
)
def test_a_route_takes_what_fits_every_part_of_it(when, takes):
    assert bool(told(Route("r", when, ("heads",)))) == takes


def test_an_alert_without_a_fault_is_of_no_fault():
    wanting = Route("r", When(faults=frozenset({"partner"})), ("heads",))
    assert told(wanting, about=replace(ABOUT, fault=None)) == []


WORK = Hours(BERLIN, frozenset(range(5)), 9 * 60, 18 * 60)
NIGHT = Hours(BERLIN, frozenset(range(5)), 18 * 60, 9 * 60)


@pytest.mark.parametrize(
    ("hours", "moment", "hold"),
    [
        (WORK, "2026-11-27T09:00:00+01:00", True),  # a Friday
        (WORK, "2026-11-27T08:59:00+01:00", False),
        (WORK, "2026-11-27T18:00:00+01:00", False),
        (WORK, "2026-11-28T12:00:00+01:00", False),
        (NIGHT, "2026-11-27T18:00:00+01:00", True),
        (NIGHT, "2026-11-28T08:59:00+01:00", True),  # Friday's night ends on Saturday
        (NIGHT, "2026-11-28T18:00:00+01:00", False),
        (NIGHT, "2026-11-30T08:00:00+01:00", False),  # Sunday's night is none of these
        (WORK, "2026-03-30T09:00:00+02:00", True),  # the Monday after the clocks changed
        (WORK, "2026-03-30T08:59:00+02:00", False),
        (NIGHT, "2026-03-27T23:00:00+01:00", True),
    ],
)
def test_hours_are_those_of_their_zone_and_a_night_belongs_to_its_evening(hours, moment, hold):
    assert hours.hold(us(moment)) == hold


def test_the_first_route_that_takes_it_ends_the_search_unless_it_goes_on():
    one, two = Route("one", When(), ("heads",)), Route("two", When(), ("ops",))
    assert names(one, two) == [("head@x.example", 0)]
    assert names(replace(one, go_on=True), two) == [("head@x.example", 0), ("ops", 0)]


def test_a_group_stands_for_everybody_in_it_once_and_a_hook_for_its_name():
    assert names(Route("r", When(), ("both",))) == [
        ("head@x.example", 0),
        ("ops", 0),
        (ANN, 0),
    ]


def test_a_step_tells_whoever_is_on_call_when_it_is_due():
    steps = (Step(5 * MINUTE_US, ("first",)), Step(DAY_US, ("first", "heads")))
    found = told(Route("r", When(), ("first",), steps))
    assert [(each.address, each.level, each.on_call) for each in found] == [
        (ANN, 0, True),
        (ANN, 1, True),
        (BOB, 2, True),
        ("head@x.example", 2, False),
    ]
    assert [each.after_us for each in found] == [0, 5 * MINUTE_US, DAY_US, DAY_US]


def test_without_a_route_nobody_is_meant():
    assert told() == []
