"""Who is on call, across changes of the clocks and whatever was arranged otherwise."""

from datetime import date, datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.on_call import Override, Schedule, Shift, on_call, shifts
from app.domain.window import DAY_US, HOUR_US, SECOND_US

ANN, BOB, CAT = "ann@x.example", "bob@x.example", "cat@x.example"
BERLIN, NEW_YORK, LORD_HOWE = (
    ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
)


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND_US


def weekly(zone: ZoneInfo = BERLIN, at: time = time(9), **given: object) -> Schedule:
    values = {"name": "primary", "zone": zone, "people": (ANN, BOB, CAT), "at": at, "days": 7,
              "first": date(2026, 3, 2)}  # fmt: skip
    return Schedule(**(values | given))


@pytest.mark.parametrize(
    ("moment", "who"),
    [
        ("2026-03-02T09:00:00+01:00", ANN),
        ("2026-03-02T08:59:59+01:00", CAT),  # the turn before the first
        ("2026-03-09T08:59:59+01:00", ANN),
        ("2026-03-09T09:00:00+01:00", BOB),
        ("2026-03-23T08:59:00+01:00", CAT),
        ("2026-03-23T09:00:00+01:00", ANN),
        # The clocks go forward on 29 March: the hour of the change stays nine o'clock.
        ("2026-03-30T08:59:59+02:00", ANN),
        ("2026-03-30T09:00:00+02:00", BOB),
        # And back on 25 October.
        ("2026-10-26T08:59:59+01:00", ANN),
        ("2026-10-26T09:00:00+01:00", BOB),
    ],
)
def test_people_take_turns_at_the_hour_of_their_zone(moment, who):
    assert on_call(weekly(), us(moment)) == who


@pytest.mark.parametrize(
    ("zone", "day", "at", "change"),
    [
        # A time of day that the clocks leave out, and one that they have twice.
        (BERLIN, date(2026, 3, 29), time(2, 30), "2026-03-29T01:30:00+00:00"),
        (BERLIN, date(2026, 10, 25), time(2, 30), "2026-10-25T00:30:00+00:00"),
        (NEW_YORK, date(2026, 3, 8), time(2), "2026-03-08T07:00:00+00:00"),
        (NEW_YORK, date(2026, 11, 1), time(1, 30), "2026-11-01T05:30:00+00:00"),
        (LORD_HOWE, date(2026, 4, 5), time(1, 45), "2026-04-04T14:45:00+00:00"),
    ],
)
def test_a_hand_over_that_the_clocks_leave_out_or_repeat_happens_once(zone, day, at, change):
    schedule = weekly(zone, at, first=day)
    before, after = us(change) - SECOND_US, us(change)
    assert (on_call(schedule, before), on_call(schedule, after)) == (CAT, ANN)
    around = list(shifts(schedule, after - DAY_US, after + DAY_US))
    assert [each.mail for each in around] == [CAT, ANN]
    assert around[1].starts_us == after


def test_who_stands_in_holds_and_the_later_arrangement_first():
    begins = us("2026-03-04T00:00:00+00:00")
    schedule = weekly(
        overrides=(
            Override(begins, begins + DAY_US, CAT),
            Override(begins + HOUR_US, begins + 2 * HOUR_US, BOB),
        )
    )
    assert list(shifts(schedule, begins - HOUR_US, begins + DAY_US + HOUR_US)) == [
        Shift(begins - HOUR_US, begins, ANN),
        Shift(begins, begins + HOUR_US, CAT, True),
        Shift(begins + HOUR_US, begins + 2 * HOUR_US, BOB, True),
        Shift(begins + 2 * HOUR_US, begins + DAY_US, CAT, True),
        Shift(begins + DAY_US, begins + DAY_US + HOUR_US, ANN),
    ]


def test_one_person_alone_is_always_on_call():
    alone = weekly(people=(ANN,))
    start = us("2026-03-01T00:00:00+00:00")
    assert list(shifts(alone, start, start + 60 * DAY_US)) == [
        Shift(start, start + 60 * DAY_US, ANN)
    ]


@given(
    st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, ZoneInfo("Asia/Kathmandu"), ZoneInfo("UTC")]),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.integers(1, 14),
    st.integers(us("2025-12-01T00:00:00+00:00"), us("2027-02-01T00:00:00+00:00")),
    st.integers(-3, 40),
)
def test_shifts_are_whoever_is_on_call_without_gaps(zone, at, days, from_us, offset_h):
    stands_in = Override(from_us + offset_h * HOUR_US, from_us + (offset_h + 7) * HOUR_US, "x@y.z")
    schedule = weekly(zone, at, days=days, overrides=(stands_in,))
    until_us = from_us + 15 * DAY_US
    found = list(shifts(schedule, from_us, until_us))
    assert (found[0].starts_us, found[-1].ends_us) == (from_us, until_us)
    for one, two in pairwise(found):
        assert one.ends_us == two.starts_us
    for each in found:
        for moment in (each.starts_us, (each.starts_us + each.ends_us) // 2, each.ends_us - 1):
            assert on_call(schedule, moment) == each.mail
