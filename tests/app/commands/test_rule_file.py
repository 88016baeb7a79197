"""Rule files: every rule that can be used, every problem with its line."""

import pytest

from app.commands.rule_file import parse, read_folder
from app.domain.alert import Patience
from app.domain.rule import (
    Anomaly,
    BurnRate,
    By,
    CircuitOpen,
    InstallsStuck,
    Measure,
    Override,
    PlatformOutage,
    Rule,
    Selector,
    Severity,
    Side,
    Silence,
    Threshold,
)
from app.domain.window import HOUR_US, MINUTE_US

WHOLE = """\
rules:
  - name: slow-issues
    kind: threshold
    measure: p95
    above: 2000
    window: 15m
    minimum: 50
    for: 5m
    keep_firing_for: 10m
    severity: P2
    only: {partners: [globex], categories: [crm]}
    overrides:
      - {only: {integrations: [globex-issues]}, above: 4000, for: 1m}
    runbook: https://wiki.example/slow
    description: Slow for people
  - {name: burn, kind: burn_rate, objective: availability, severity: P1}
  - {name: quiet, kind: silence, window: 1h, minimum: 100}
  - {name: open, kind: circuit_open}
  - {name: late, kind: installs_stuck, window: 6h}
  - {name: out, kind: platform_outage}
  - {name: odd, kind: anomaly, measure: p95, side: above, deviations: 4, change_ratio: 0.2}
  - {name: few, kind: threshold, measure: proxied, below: 5, window: 1h, by: partner}
"""


def problems(text: str) -> list[str]:
    return list(parse(text.encode(), "a.yaml").problems)


def test_a_file_of_every_kind_is_read_as_it_is_meant():
    found = parse(WHOLE.encode(), "a.yaml")
    assert found.problems == ()
    limit = Threshold(Measure.P95, 15 * MINUTE_US, above=2000, minimum=50)
    assert found.rules == (
        Rule(
            "slow-issues",
            limit,
            Severity.P2,
            only=Selector(partners=frozenset({"globex"}), categories=frozenset({"crm"})),
            patience=Patience(5 * MINUTE_US, 10 * MINUTE_US),
            overrides=(
                Override(
                    Selector(frozenset({"globex-issues"})),
                    Threshold(Measure.P95, 15 * MINUTE_US, above=4000, minimum=50),
                    Patience(MINUTE_US, 10 * MINUTE_US),
                ),
            ),
            description="Slow for people",
            runbook="https://wiki.example/slow",
        ),
        Rule("burn", BurnRate("availability"), Severity.P1),
        Rule("quiet", Silence(HOUR_US, 100), Severity.P3),
        Rule("open", CircuitOpen(), Severity.P3),
        Rule("late", InstallsStuck(6 * HOUR_US, 3), Severity.P3),
        Rule("out", PlatformOutage(), Severity.P3, By.MIDSPAN),
        Rule("odd", Anomaly(Measure.P95, Side.ABOVE, 4, 0.2), Severity.P3),
        Rule(
            "few", Threshold(Measure.PROXIED, HOUR_US, below=5, minimum=0), Severity.P3, By.PARTNER
        ),
    )


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("{name: a, kind: treshold}", "'kind': 'treshold' is not one of threshold, burn_rate"),
        ("{nmae: a, kind: silence}", "rule has no 'nmae': did you mean 'name'?"),
        ("{kind: silence}", "rule lacks 'name'"),
        (
            "{name: a, kind: threshold, measure: latency, above: 1, window: 1h}",
            "'measure': 'latency' is not one of proxied, bad",
        ),
        ("{name: a, kind: threshold, measure: bad, window: 1h}", "needs 'above' or 'below'"),
        (
            "{name: a, kind: threshold, measure: bad, above: 1, below: 0, window: 1h}",
            "'above' and 'below' exclude each other",
        ),
        ("{name: a, kind: threshold, measure: bad, above: 1}", "lacks 'window'"),
        (
            "{name: a, kind: threshold, measure: error_ratio, above: 5, window: 1h}",
            "'above': '5' is not a number between 0 and 1",
        ),
        ("{name: a, kind: silence, above: 1}", "a rule of kind 'silence' has no 'above'"),
        ("{name: a, kind: anomaly, side: above}", "lacks 'measure'"),
        ("{name: a, kind: anomaly, measure: bad, side: over}", "'over' is not one of any, above"),
        ("{name: a, kind: silence, by: operation}", "cannot be by 'operation'"),
        (
            "{name: a, kind: threshold, measure: p95, above: 1, window: 1h, by: partner}",
            "p95 of several integrations is not one number",
        ),
        (
            "{name: a, kind: error_group, standings: [new, ongoin]}",
            "'standings': 'ongoin' is not one of new, regressed",
        ),
        (
            "{name: a, kind: reconciliation, findings: [paying_but_silnt]}",
            "did you mean 'paying_but_silent'?",
        ),
        ("{name: a, kind: revenue_at_risk, above: 5000}", "rule 'a' lacks 'currency'"),
        (
            "{name: a, kind: revenue_at_risk, above: 5000, currency: EURO}",
            "'currency': 'EURO' is not known: did you mean 'EUR'?",
        ),
        (
            "{name: a, kind: revenue_at_risk, above: 5000.5, currency: JPY}",
            "'5000.5' has more than 0 digits behind the point",
        ),
        ("{name: a, kind: revenue_at_risk, above: NaN, currency: USD}", "is not a number between"),
        ("{name: a, kind: circuit_near}", "lacks 'used_ratio'"),
        ("{name: a, kind: funnel_drop, window: 1h}", "is not between 86400 and 2,592,000 seconds"),
        ("{name: a, kind: silence, severity: P5}", "'severity': 'P5' is not one of P1, P2, P3, P4"),
        ("{name: a, kind: silence, window: 1 hour}", "bad duration '1 hour'"),
        (
            "{name: a, kind: silence, runbook: 'javascript:x'}",
            "must begin with http:// or https://",
        ),
        ("{name: a, kind: silence, overrides: [{window: 1h}]}", "override lacks 'only'"),
        ("[]", "rule must be keys with values, not a list"),
    ],
)
def test_a_problem_is_named_with_its_line_and_what_was_meant(rule, problem):
    found = problems(f"rules:\n  - {{name: fine, kind: silence}}\n  - {rule}\n")
    assert all(each.startswith("a.yaml:3: ") for each in found)
    assert problem in found[0] + found[-1]


def test_a_broken_rule_leaves_the_others_standing():
    found = parse(b"rules:\n  - {name: a, kind: x}\n  - {name: b, kind: silence}\n", "a.yaml")
    assert [rule.name for rule in found.rules] == ["b"]
    assert len(found.problems) == 1


def test_two_rules_of_one_name_are_one_rule_and_a_problem():
    found = parse(
        b"rules:\n  - {name: a, kind: silence}\n  - {name: a, kind: circuit_open}\n", "a.yaml"
    )
    assert [type(rule.condition) for rule in found.rules] == [Silence]
    assert found.problems == ("a.yaml:3: rule 'a' is there already, on line 2",)


@pytest.mark.parametrize("content", [b"rules: {a: &b *b}", b"\xff", b"rules: {}", b"a: 1"])
def test_a_file_that_is_no_rule_file_is_a_problem_and_no_crash(content):
    found = parse(content, "a.yaml")
    assert found.rules == ()
    assert found.problems[0].startswith("a.yaml:1: ")


def test_a_folder_is_read_in_order_of_name(tmp_path):
    (tmp_path / "b.yaml").write_text("rules: [{name: a, kind: circuit_open}]")
    (tmp_path / "a.yaml").write_text("rules: [{name: a, kind: silence}]")
    (tmp_path / "notes.txt").write_text("not a rule")
    found = read_folder(tmp_path)
    assert [type(rule.condition) for rule in found.rules] == [Silence]
    assert found.problems == ("b.yaml: rule 'a' is there already in another file",)
    assert read_folder(tmp_path / "missing").rules == ()
