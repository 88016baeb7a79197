"""The installs of the demo: the same whenever they are asked for, and one partner's broken hour."""

from collections import Counter

from app.domain.window import DAY_US, HOUR_US, Window
from demo import installs
from demo.cast import CAST
from demo.draw import Block
from demo.model import Model
from demo.past import records

ANCHOR_US = 1_795_348_800_000_000
DAY = Window(ANCHOR_US - DAY_US, ANCHOR_US)


def test_the_past_told_in_parts_is_the_past_told_at_once():
    whole = installs.events(7, ANCHOR_US, DAY)
    middle = ANCHOR_US - 7 * HOUR_US - 12_345
    parts = [Window(DAY.start_us, middle), Window(middle, DAY.end_us)]
    assert [each for part in parts for each in installs.events(7, ANCHOR_US, part)] == whole
    assert len({each["id"] for each in whole}) == len(whole) > 50
    assert {each["step"] for each in whole} >= {"started", "authorized", "verified", "activated"}


def test_most_installs_get_through_and_other_seeds_are_other_installs():
    week = Window(ANCHOR_US - 30 * DAY_US, ANCHOR_US - 20 * DAY_US)
    found = list(installs.begun(7, ANCHOR_US, week))
    reached = Counter(install.told[-1][0] for install in found)
    assert reached["activated"] + reached["uninstalled"] > len(found) / 2
    assert {each.name for each in found} != {
        each.name for each in installs.begun(8, ANCHOR_US, week)
    }


def test_whoever_came_while_it_was_broken_never_got_verified():
    broken = [each for each in installs.begun(7, ANCHOR_US, DAY) if each.broken]
    assert len(broken) >= 2
    for each in broken:
        assert each.role.slug == installs.BROKEN_AT
        assert [step for step, _, _ in each.told] == ["started", "authorized"]


def test_the_webhooks_of_that_hour_were_answered_500():
    hour = Window(ANCHOR_US + installs.BROKEN[0], ANCHOR_US + installs.BROKEN[1])
    told = [each for each in records(Model(7, ANCHOR_US), Block(hour, 1))
            if each.topic == installs.TOPIC]  # fmt: skip
    assert {each.status for each in told if each.integration == installs.BROKEN_AT} == {500}
    assert {each.status for each in told if each.integration != installs.BROKEN_AT} <= {202}
    assert all(each.capture for each in told if each.status == 500)


def test_whoever_calls_was_installed_long_ago():
    events = installs.long_standing(ANCHOR_US)
    told = {(each["integration"], each["installation"]) for each in events}
    assert len(told) == sum(role.installations for role in CAST)
