"""From findings to changes of standing, with nothing lost that could not be read."""

from dataclasses import replace

from alerts.changes import Change, Held, Key, changes
from alerts.conditions import Verdict
from alerts.evaluate import Asked, Evaluation, Round, Seen, Subject, asked, evaluate
from app.domain.alert import Event, Finding, Patience, Standing, State
from app.domain.default_rules import DEFAULT_RULES
from app.domain.rule import (
    BURN_WINDOWS,
    BurnRate,
    By,
    Measure,
    Override,
    Own,
    Rule,
    Selector,
    Severity,
    Threshold,
)
from app.domain.window import HOUR_US, MINUTE_US, Window
from app.queries.counts import Counted, Counts, CountsView
from app.queries.results import IntegrationView, ObjectiveView

NOW_US = 1_000 * HOUR_US
ISSUES = IntegrationView("globex-issues", "I", "globex", "Globex", "public", "crm", ())
CHAT = IntegrationView("globex-chat", "C", "globex", "Globex", "public", None, ())
CRM = IntegrationView(
    "initech-crm", "R", "initech", "Initech", "internal", None,
    (ObjectiveView("availability", 0.995, "28d", None),),
)  # fmt: skip
BAD = Rule("bad", Threshold(Measure.BAD, HOUR_US, above=10, minimum=0), Severity.P3)


def view(**bad: int) -> CountsView:
    """Bad exchanges by slug, with underscores for dashes."""
    found = {
        Counted(slug.replace("_", "-")): Counts(good=100, bad=number)
        for slug, number in bad.items()
    }
    return CountsView(Window(NOW_US - HOUR_US, NOW_US), found)


def seen(**bad: int) -> Seen:
    return Seen((ISSUES, CHAT, CRM), {Asked(HOUR_US): view(**bad)})


def findings(rule: Rule, what: Seen) -> dict[str, Finding]:
    return {
        each.subject.series: each.verdict.finding for each in evaluate([rule], what).evaluations
    }


def after(held: dict[Key, Held], made: list[Change]) -> dict[Key, Held]:
    """What is held when the changes were recorded."""
    return held | {
        each.key: Held(1, 1, each.standing, each.subject, each.severity) for each in made
    }


def test_a_rule_stands_for_each_integration_that_it_selects():
    rule = Rule("bad", BAD.condition, Severity.P3, only=Selector(partners=frozenset({"globex"})))
    assert findings(rule, seen(globex_issues=11, initech_crm=11)) == {
        "integration=globex-issues": Finding.TRUE,
        "integration=globex-chat": Finding.FALSE,
    }


def test_an_override_changes_the_limit_for_those_it_takes():
    lax = Override(
        Selector(categories=frozenset({"crm"})),
        Threshold(Measure.BAD, HOUR_US, above=50, minimum=0),
        Patience(),
    )
    rule = Rule("bad", BAD.condition, Severity.P3, overrides=(lax,))
    found = findings(rule, seen(globex_issues=11, globex_chat=11))
    assert found["integration=globex-issues"] == Finding.FALSE
    assert found["integration=globex-chat"] == Finding.TRUE


def test_a_rule_by_partner_adds_its_integrations_up():
    rule = Rule("bad", BAD.condition, Severity.P3, By.PARTNER)
    assert findings(rule, seen(globex_issues=6, globex_chat=6, initech_crm=6)) == {
        "partner=globex": Finding.TRUE,
        "partner=initech": Finding.FALSE,
    }


def test_a_rule_by_operation_stands_for_each_operation_that_was_called():
    counted = {
        Counted("globex-issues", "GET /a"): Counts(bad=11),
        Counted("globex-issues", "GET /b"): Counts(good=5),
    }
    what = Seen(
        (ISSUES,),
        {Asked(HOUR_US, operations=True): CountsView(Window(0, HOUR_US), counted)},
    )
    rule = Rule("bad", BAD.condition, Severity.P3, By.OPERATION)
    assert findings(rule, what) == {
        "integration=globex-issues operation=GET /a": Finding.TRUE,
        "integration=globex-issues operation=GET /b": Finding.FALSE,
    }


def test_the_default_rules_ask_for_every_window_they_need_and_no_more():
    windows = {each.long_us for each in BURN_WINDOWS} | {each.short_us for each in BURN_WINDOWS}
    assert asked(DEFAULT_RULES) == {
        Asked(length) for length in windows | {15 * MINUTE_US, 5 * MINUTE_US}
    }


def test_what_cannot_be_read_is_an_error_of_each_instance_and_not_of_midspan_itself():
    own = {Own.SHED: Verdict(Finding.TRUE, "3 exchanges passed unrecorded")}
    found = evaluate(DEFAULT_RULES, Seen((CRM,), own=own))
    by_rule = {each.rule.name: each.verdict.finding for each in found.evaluations}
    assert by_rule["budget-burn"] == by_rule["silence"] == Finding.ERROR
    assert by_rule["platform-outage"] == Finding.ERROR
    assert by_rule["circuit-open"] == Finding.FALSE
    assert by_rule["midspan-shed"] == Finding.TRUE
    assert by_rule["midspan-loader-gone"] == Finding.FALSE


def test_only_what_changes_is_a_change():
    held: dict[Key, Held] = {}
    first = changes(held, evaluate([BAD], seen(globex_issues=11)), NOW_US)
    assert [(each.key.series, each.event) for each in first] == [
        ("integration=globex-issues", Event.FIRED)
    ]
    held = after(held, first)
    assert changes(held, evaluate([BAD], seen(globex_issues=12)), NOW_US + 1) == []
    [over] = changes(held, evaluate([BAD], seen(globex_issues=1)), NOW_US + 2)
    assert (over.event, over.severity) == (Event.RESOLVED, Severity.P3)


def test_a_burn_has_the_severity_of_its_window_but_never_louder_than_its_rule():
    for limit, expected in ((Severity.P1, Severity.P2), (Severity.P3, Severity.P3)):
        rule = Rule("burn", BAD.condition, limit)
        verdict = Verdict(Finding.TRUE, "burning", severity=Severity.P2)
        one = Evaluation(rule, Subject("integration=x", "x", "p"), verdict, Patience())
        [made] = changes({}, Round((one,)), NOW_US)
        assert made.severity == expected


def firing(rule: str) -> dict[Key, Held]:
    key = Key(rule, "integration=globex-issues")
    subject = Subject(key.series, "globex-issues", "globex")
    return {key: Held(1, 1, Standing(State.FIRING, 0, 1, 0), subject, Severity.P2)}


def test_an_instance_whose_rule_or_integration_is_gone_is_over():
    assert [each.event for each in changes(firing("former"), evaluate([BAD], seen()), NOW_US)] == [
        Event.RESOLVED
    ]
    without = Seen((CHAT,), {Asked(HOUR_US): view()})
    assert [each.event for each in changes(firing("bad"), evaluate([BAD], without), NOW_US)] == [
        Event.RESOLVED
    ]


def test_nothing_is_over_because_it_could_not_be_read():
    unread = Seen((), readable=False)
    assert changes(firing("bad"), evaluate([BAD], unread), NOW_US) == []
    by_operation = Rule("bad", BAD.condition, Severity.P3, By.OPERATION)
    assert changes(firing("bad"), evaluate([by_operation], Seen((ISSUES,))), NOW_US) == []


BURN = Rule("burn", BurnRate(), Severity.P1)
SUBJECT = Subject("integration=globex-issues", "globex-issues", "globex")


def burns(*severities: Severity, rule: Rule = BURN) -> Round:
    """A budget that burns over the windows of these severities, loudest first."""
    settles = {window.severity: window.short_us for window in BURN_WINDOWS}
    found = [
        Verdict(Finding.TRUE, each.value, severity=each, settles_us=settles[each])
        for each in severities
    ]
    verdict = replace(found[0], quieter=tuple(found[1:])) if found else Verdict(Finding.FALSE, "-")
    return Round((Evaluation(rule, SUBJECT, verdict, rule.patience),))


def story(
    *steps: tuple[int, tuple[Severity, ...]], rule: Rule = BURN
) -> list[tuple[int, str, str]]:
    """What is told: minutes from the start, event and severity."""
    held: dict[Key, Held] = {}
    told = []
    for minute, severities in steps:
        made = changes(held, burns(*severities, rule=rule), NOW_US + minute * MINUTE_US)
        held = after(held, made)
        told += [(minute, each.event.value, each.severity.value) for each in made if each.event]
    return told


P1, P2, P3, P4 = Severity


def test_an_outage_is_over_when_it_is_over_and_its_long_shadow_is_no_news():
    assert story(
        (0, (P1,)), (30, (P1, P2, P4)), (40, (P2, P3, P4)), (65, (P3, P4)), (159, (P3, P4)),
        (300, (P4,)), (399, (P4,)), (401, ()),
    ) == [(0, "fired", "P1"), (40, "resolved", "P1")]  # fmt: skip


def test_what_still_burns_when_all_that_is_seen_came_after_the_outage_is_news():
    assert story((0, (P1,)), (40, (P3, P4)), (159, (P3, P4)), (160, (P3, P4))) == [
        (0, "fired", "P1"), (40, "resolved", "P1"), (160, "fired", "P3"),
    ]  # fmt: skip


def test_a_ticket_that_grows_into_what_wakes_people_is_told_again_and_ends_as_that():
    assert story((0, (P4,)), (9, (P3, P4)), (20, (P2, P4)), (25, (P1, P2)), (60, (P3, P4))) == [
        (0, "fired", "P4"), (20, "fired", "P2"), (60, "resolved", "P2"),
    ]  # fmt: skip


PATIENT = next(rule for rule in DEFAULT_RULES if rule.name == "budget-burn")


def test_a_calm_in_between_neither_raises_nor_ends_an_incident():
    assert story((0, (P2,)), (9, ()), (14, (P2,)), (20, ()), (29, (P2,)), rule=PATIENT) == [
        (0, "fired", "P2")
    ]
    assert story((0, (P4,)), (9, ()), (14, (P4,)), (20, (P1, P4)), rule=PATIENT) == [
        (0, "fired", "P4"), (20, "fired", "P1"),
    ]  # fmt: skip


def test_few_exchanges_that_fail_with_gaps_are_one_incident_which_ends_soon_after_the_last():
    gaps = (72, (P2,)), (82, (P2,)), (83, (P1, P2)), (88, (P2,)), (98, ()), (99, (P1, P2))
    end = (127, (P2, P3)), (141, (P2, P3)), (142, (P2, P3))
    assert story((27, (P1,)), *gaps, *end, rule=PATIENT) == [
        (27, "fired", "P1"), (142, "resolved", "P1"),
    ]  # fmt: skip
