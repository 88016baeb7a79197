"""When a rule about installs, or about what depends on them, holds, row by row."""

import pytest

from alerts.earning import (
    Activations,
    contradictions,
    funnel_drop,
    installs_stuck,
    revenue_at_risk,
)
from app.domain.alert import Finding
from app.domain.reconcile import Discrepancy
from app.domain.rule import Contradictions, FunnelDrop, InstallsStuck, RevenueAtRisk
from app.queries.at_risk import RiskView
from app.queries.stuck_counts import StuckCounts

SILENT, TWICE = Discrepancy.PAYING_BUT_SILENT, Discrepancy.INSTALLED_TWICE


@pytest.mark.parametrize(
    ("found", "finding"),
    [
        (None, Finding.FALSE),
        (StuckCounts(2, 0, 0, 0), Finding.FALSE),
        # where little is known of what is usual, more than half of them
        (StuckCounts(3, 0, 0, 0), Finding.TRUE),
        (StuckCounts(3, 3, 0, 0), Finding.FALSE),
        (StuckCounts(4, 3, 19, 0), Finding.TRUE),
        # else surely more than usually
        (StuckCounts(60, 40, 600, 400), Finding.FALSE),
        (StuckCounts(4, 3, 600, 400), Finding.FALSE),
        (StuckCounts(90, 10, 600, 400), Finding.TRUE),
        (StuckCounts(9, 1, 10, 990), Finding.TRUE),
    ],
)
def test_installs_are_stuck_when_more_of_them_are_late_than_usual(found, finding):
    assert installs_stuck(InstallsStuck(), found).finding == finding


def test_stuck_installs_say_at_what_they_failed():
    why = "31 of 44 lost at verified had their `installation.created` webhook answered 500."
    verdict = installs_stuck(InstallsStuck(), StuckCounts(44, 6, 0, 0, why))
    assert verdict.summary == (
        f"44 installs are stuck, 6 went on in the last 24 hours. {why.removesuffix('.')}"
    )
    assert (verdict.value, verdict.limit) == (0.88, 0.5)


@pytest.mark.parametrize(
    ("found", "finding"),
    [
        (None, Finding.NO_DATA),
        (Activations(19, 0, 400, 300), Finding.NO_DATA),
        (Activations(100, 0, 19, 19), Finding.NO_DATA),
        (Activations(100, 75, 400, 300), Finding.FALSE),
        # a third fewer, and with so few installs that may be chance
        (Activations(20, 10, 400, 300), Finding.FALSE),
        (Activations(200, 80, 400, 300), Finding.TRUE),
        (Activations(20, 2, 400, 300), Finding.TRUE),
        (Activations(100, 0, 400, 0), Finding.FALSE),
    ],
)
def test_a_funnel_drops_when_surely_fewer_are_activated_than_usual(found, finding):
    assert funnel_drop(FunnelDrop(), found).finding == finding


def test_a_funnel_that_drops_says_both_shares():
    said = funnel_drop(FunnelDrop(), Activations(200, 80, 400, 300)).summary
    assert said.replace("\u202f", " ") == (
        "40 % of 200 installs activated within 24 hours; 75 % of 400 in the four weeks before"
    )


@pytest.mark.parametrize(
    ("condition", "found", "finding", "said"),
    [
        (Contradictions(), {}, Finding.FALSE, "every installation fits"),
        (
            Contradictions(), {SILENT: 2, TWICE: 1}, Finding.TRUE,
            "3 installations do not fit: 2 paying but silent, 1 installed twice",
        ),
        (
            Contradictions(frozenset({TWICE})), {SILENT: 9, TWICE: 1}, Finding.TRUE,
            "1 installation does not fit: 1 installed twice",
        ),
        (
            Contradictions(minimum=4), {SILENT: 2, TWICE: 1}, Finding.FALSE,
            "3 installations do not fit: 2 paying but silent, 1 installed twice",
        ),
    ],
)  # fmt: skip
def test_contradictions_are_told_by_kind_from_so_many_on(condition, found, finding, said):
    verdict = contradictions(condition, found)
    assert (verdict.finding, verdict.summary) == (finding, said)


def test_revenue_is_at_risk_above_its_limit_and_the_sentence_names_no_amount():
    limit = RevenueAtRisk(400_000, "USD")
    assert revenue_at_risk(limit, None).finding == Finding.FALSE
    assert revenue_at_risk(limit, RiskView("x", "USD", 400_000, 9)).finding == Finding.FALSE
    verdict = revenue_at_risk(limit, RiskView("x", "USD", 431_000, 31, {"partner": 431_000}))
    assert verdict.finding == Finding.TRUE
    assert verdict.summary == (
        "Failures of 31 installations put more revenue at risk than the limit, partner"
    )
    assert (verdict.value, verdict.limit) == (431_000, 400_000)
