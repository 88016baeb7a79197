"""Whether a rule about installs, or about the money that depends on them, holds for one
integration. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from alerts.conditions import Verdict
from app.domain.alert import Finding
from app.domain.health import wilson
from app.domain.phrases import count, faults_in_words, percent, span
from app.domain.reconcile import Discrepancy
from app.domain.rule import MIN_EVENTS, Contradictions, FunnelDrop, InstallsStuck, RevenueAtRisk
from app.queries.at_risk import RiskView
from app.queries.stuck_counts import StuckCounts

#: What is usual at the most, where too few installs were due before to say.
_USUALLY_LATE = 0.5


class Activations(NamedTuple):
    """Installs that entered, and those of them that were activated in time: now and usually."""

    entered: int
    activated: int
    usual_entered: int
    usual_activated: int


def installs_stuck(condition: InstallsStuck, found: StuckCounts | None) -> Verdict:
    """Whether more installs are stuck than usually are: surely more, where enough is known of
    what is usual."""
    if found is None or found.late < condition.minimum:
        return Verdict(Finding.FALSE, "no more installs are late than may be")
    due = found.late + found.went_on
    usual = found.usual_late + found.usual_on
    known = usual >= MIN_EVENTS
    limit = found.usual_late / usual if known else _USUALLY_LATE
    surely = wilson(found.late, due)
    ratio = surely[0] if known and surely else found.late / due
    installs = "install is" if found.late == 1 else "installs are"
    summary = f"{count(found.late)} {installs} stuck, {count(found.went_on)} went on"
    summary += f" in the last {span(condition.window_us)}"
    if found.why:
        summary += f". {found.why.removesuffix('.')}"
    holds = Finding.TRUE if ratio > limit else Finding.FALSE
    return Verdict(holds, summary, found.late / due, limit)


def funnel_drop(condition: FunnelDrop, found: Activations | None) -> Verdict:
    """Whether surely fewer installs than usual are activated in time."""
    if found is None or min(found.entered, found.usual_entered) < condition.minimum:
        entered = min(found.entered, found.usual_entered) if found else 0
        few = f"{count(entered)} of {count(condition.minimum)} installs that it takes to judge"
        return Verdict(Finding.NO_DATA, few)
    now = found.activated / found.entered
    usual = found.usual_activated / found.usual_entered
    limit = usual * (1 - condition.drop_ratio)
    _, most = wilson(found.activated, found.entered) or (0.0, 1.0)
    summary = (
        f"{percent(now)} of {count(found.entered)} installs activated within"
        f" {span(condition.within_us)}; {percent(usual)} of {count(found.usual_entered)} in the"
        " four weeks before"
    )
    return Verdict(Finding.TRUE if most < limit else Finding.FALSE, summary, now, limit)


def contradictions(condition: Contradictions, found: Mapping[Discrepancy, int]) -> Verdict:
    """Whether too many installations do not fit what the witnesses say."""
    asked = {
        kind: number for kind, number in found.items() if kind in condition.findings and number
    }
    total = sum(asked.values())
    if not total:
        return Verdict(Finding.FALSE, "every installation fits", 0, condition.minimum)
    ordered = sorted(asked, key=lambda kind: (-asked[kind], kind.value))
    kinds = ", ".join(f"{count(asked[kind])} {kind.value.replace('_', ' ')}" for kind in ordered)
    fit = "installation does" if total == 1 else "installations do"
    holds = Finding.TRUE if total >= condition.minimum else Finding.FALSE
    return Verdict(holds, f"{count(total)} {fit} not fit: {kinds}", total, condition.minimum)


def revenue_at_risk(condition: RevenueAtRisk, found: RiskView | None) -> Verdict:
    """Whether failures put more revenue at risk than may be. The sentence names no amount: who may
    know it, reads it beside (`alerts.speaker`)."""
    if found is None:
        return Verdict(Finding.FALSE, "nobody pays for it", 0, condition.above_minor)
    installations = "installation" if found.installations == 1 else "installations"
    whose = f", {faults_in_words(found.by_fault)}" if found.by_fault else ""
    summary = (
        f"Failures of {count(found.installations)} {installations} put"
        f" {'more' if found.at_risk_minor > condition.above_minor else 'no more'} revenue at risk"
        f" than the limit{whose}"
    )
    holds = Finding.TRUE if found.at_risk_minor > condition.above_minor else Finding.FALSE
    return Verdict(holds, summary, found.at_risk_minor, condition.above_minor)
