"""Who is told, and the reason of every notification that is sent or not."""

from dataclasses import replace

import pytest

from alerts.stages import (
    MOST_AN_HOUR,
    NOBODY,
    Around,
    Audience,
    Happened,
    Muted,
    Planned,
    Reason,
    Receiver,
    explains_quiet,
    is_quiet,
    plan,
)
from app.domain.default_rules import DEFAULT_RULES
from app.domain.rule import Severity

ALICE = Receiver("ecosystem", Audience.ECOSYSTEM, "mail", "alice@acme.example")
GLOBEX = Receiver("contacts of globex", Audience.PARTNER, "mail", "oncall@globex.example", "globex")
INITECH = Receiver("contacts of initech", Audience.PARTNER, "mail", "it@initech.example", "initech")
EVERYBODY = (ALICE, GLOBEX, INITECH)
FIRED = Happened("silence", Severity.P2, "globex-issues", "globex", quiet=True)


def told(happened: Happened, **around: object) -> dict[str, tuple[Reason, bool]]:
    planned = plan(happened, Around(receivers=EVERYBODY, **around))
    return {each.receiver.address: (each.reason, each.dropped) for each in planned}


def test_the_ecosystem_team_and_the_partner_itself_are_told_and_no_other_partner():
    assert told(FIRED) == {
        ALICE.address: (Reason.FIRST_WORD, False),
        GLOBEX.address: (Reason.FIRST_WORD, False),
    }


def test_no_partner_is_told_of_midspan_itself():
    own = Happened("midspan-shed", Severity.P2)
    assert list(told(own)) == [ALICE.address]


def test_an_event_for_nobody_leaves_its_reason():
    assert plan(FIRED, Around()) == [Planned(NOBODY, Reason.NOBODY_TO_TELL, dropped=True)]


@pytest.mark.parametrize(
    ("muted", "drops"),
    [
        (Muted(), True),
        (Muted(rule="silence"), True),
        (Muted(rule="budget-burn"), False),
        (Muted(integration="globex-issues"), True),
        (Muted(integration="globex-chat"), False),
        (Muted(partner="globex"), True),
        (Muted(rule="silence", partner="initech"), False),
    ],
)
def test_a_silence_drops_what_fits_every_part_of_it(muted, drops):
    found = told(FIRED, muted=[muted])
    assert found[ALICE.address] == (
        (Reason.SILENCED, True) if drops else (Reason.FIRST_WORD, False)
    )


def test_a_platform_outage_explains_what_is_quiet_and_only_that():
    assert told(FIRED, platform_out=True)[GLOBEX.address] == (Reason.EXPLAINED_BY_PLATFORM, True)
    failing = replace(FIRED, rule="budget-burn", quiet=False)
    assert told(failing, platform_out=True)[GLOBEX.address] == (Reason.FIRST_WORD, False)


def test_a_blind_midspan_explains_what_is_quiet():
    assert told(FIRED, blind=True)[ALICE.address] == (Reason.EXPLAINED_BY_MIDSPAN, True)


def test_a_storm_is_cut_off_but_never_for_what_wakes_people():
    lately = {ALICE.address: MOST_AN_HOUR - 1}
    around = Around(receivers=EVERYBODY, sent_lately=lately)
    assert plan(FIRED, around)[0].reason == Reason.FIRST_WORD
    assert plan(FIRED, around)[0].reason == Reason.TOO_MANY
    assert plan(replace(FIRED, severity=Severity.P1), around)[0].reason == Reason.FIRST_WORD


@pytest.mark.parametrize(
    ("known", "failing", "reason"),
    [
        ({}, True, Reason.FIRST_WORD),
        ({"globex-issues": Severity.P1}, True, Reason.PART_OF_INCIDENT),
        ({"globex-issues": Severity.P2}, True, Reason.PART_OF_INCIDENT),
        ({"globex-issues": Severity.P3}, True, Reason.FIRST_WORD),  # louder than what is known
        ({"globex-chat": Severity.P1}, True, Reason.FIRST_WORD),
        ({"globex-issues": Severity.P1}, False, Reason.FIRST_WORD),  # slow is not failing
    ],
)
def test_an_integration_that_fails_is_told_of_once_unless_it_gets_louder(known, failing, reason):
    happened = replace(FIRED, failing=failing)
    assert told(happened, failing=dict(known))[ALICE.address][0] == reason


def test_of_two_rules_that_see_the_same_failure_at_once_the_first_is_told():
    around = Around(receivers=EVERYBODY)
    burn = replace(FIRED, rule="budget-burn", severity=Severity.P1, failing=True)
    assert not plan(burn, around)[0].dropped
    assert plan(replace(FIRED, failing=True), around)[0].reason == Reason.PART_OF_INCIDENT


def test_a_receiver_with_a_floor_hears_nothing_quieter():
    deaf = replace(ALICE, floor=Severity.P2)
    assert deaf.wants(FIRED)
    assert deaf.wants(replace(FIRED, severity=Severity.P1))
    assert not deaf.wants(replace(FIRED, severity=Severity.P3))


def test_which_default_rules_are_quiet_and_which_explains_them():
    assert [rule.name for rule in DEFAULT_RULES if is_quiet(rule)] == ["silence"]
    assert [rule.name for rule in DEFAULT_RULES if explains_quiet(rule)] == ["platform-outage"]
