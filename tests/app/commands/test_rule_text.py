"""A rule written out and read again is the same rule; a wrong one says the line."""

import pytest

from app.commands.rule_file import parse
from app.commands.rule_text import rule_text
from app.commands.rules import rule_of
from app.domain.alert import Patience
from app.domain.default_rules import DEFAULT_RULES
from app.domain.reconcile import Discrepancy
from app.domain.rule import (
    Anomaly,
    BurnRate,
    By,
    Contradictions,
    FreshErrors,
    FunnelDrop,
    Measure,
    Override,
    RevenueAtRisk,
    Rule,
    Selector,
    Severity,
    Side,
    Threshold,
)
from app.domain.window import DAY_US, HOUR_US, MINUTE_US
from app.errors import Refused

SLOW = Threshold(Measure.P95, HOUR_US, above=2000.0, minimum=50)
RULES = [
    *(rule for rule in DEFAULT_RULES if rule.kind != "midspan"),
    Rule(
        "odd", Anomaly(Measure.P95, Side.ABOVE, 4.5, 0.25, 100), Severity.P3,
        overrides=(
            Override(
                Selector(integrations=frozenset({"globex-chat"})),
                Anomaly(Measure.P95, Side.ANY, 9, 0.25, 100), Patience(),
            ),
        ),
    ),
    Rule("one", BurnRate("latency", 9), Severity.P2),
    Rule(
        "slow", SLOW, Severity.P3, By.OPERATION, Selector(partners=frozenset({"globex"})),
        Patience(5 * MINUTE_US, 90 * MINUTE_US),
        (
            Override(
                Selector(integrations=frozenset({"globex-chat"})),
                Threshold(Measure.P95, HOUR_US, above=4000.0, minimum=50),
                Patience(MINUTE_US, 90 * MINUTE_US),
            ),
        ),
        "Slow: issues", "https://wiki.example/slow",
    ),
    Rule(
        "drop", FunnelDrop(14 * DAY_US, HOUR_US, 0.5, 40), Severity.P3,
        overrides=(
            Override(
                Selector(integrations=frozenset({"globex-chat"})),
                FunnelDrop(14 * DAY_US, HOUR_US, 0.5, 100), Patience(),
            ),
        ),
    ),
    Rule("odd-ones", Contradictions(frozenset({Discrepancy.INSTALLED_TWICE}), 3), Severity.P4),
    Rule("money", RevenueAtRisk(4990, "EUR", 3 * DAY_US), Severity.P3),
    Rule("yen", RevenueAtRisk(5000, "JPY"), Severity.P3),
    Rule("fresh", FreshErrors(minimum=5), Severity.P4),
    Rule("few", Threshold(Measure.PROXIED, HOUR_US, below=0.5, minimum=0), Severity.P4, By.PARTNER),
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_written_out_reads_as_the_same_rule(rule):
    assert parse(rule_text(rule).encode(), "x").rules == (rule,)
    assert rule_of(rule_text(rule)) == rule


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- name: x\n  kind: tresholt\n", "line 2: 'kind': 'tresholt' is not one of threshold"),
        ("rules:\n  - {name: x, kind: silence, windw: 5m}\n", "line 2: "),
        ("- {name: a, kind: silence}\n- {name: b, kind: silence}\n", "one rule at a time"),
        ("name: x\nkind: silense\n", "line 2: 'kind': 'silense' is not one of"),
        ("", "line "),
        ("- name: [", "line 2: not YAML"),
    ],
)
def test_what_is_no_rule_says_the_line_and_what_was_meant(text, said):
    with pytest.raises(Refused, match="^" + said.replace("[", r"\[")):
        rule_of(text)
