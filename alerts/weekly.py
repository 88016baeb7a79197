"""What the weekly report of a partner says. Pure: a week in, a mail's words out."""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from app.domain.foreign import plain
from app.domain.phrases import count
from app.domain.units import ms, ratio
from app.domain.window import DAY_US, SECOND_US, Window
from app.queries.budgets import BudgetView
from app.queries.weekly import IntegrationWeek, PartnerWeek

_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Line:
    """A number of the week, and of the week before."""

    name: str
    now: str
    before: str


@dataclass(frozen=True, slots=True)
class Section:
    """One integration."""

    title: str
    sentence: str
    lines: tuple[Line, ...]
    worst: str
    url: str
    incidents: str


@dataclass(frozen=True, slots=True)
class WeeklyWords:
    """The whole report."""

    subject: str
    kicker: str
    headline: str
    lead: str
    sections: tuple[Section, ...]
    unsubscribe_url: str


def weekly_words(
    found: PartnerWeek, base_url: str, platform: str, unsubscribe_path: str
) -> WeeklyWords:
    """What to say about `found`; links lead to `base_url`."""
    week = days(found.week)
    return WeeklyWords(
        subject=f"{found.name}, {week}: {_verdict(found)}",
        kicker=f"Midspan · {platform or 'your platform'} · week of {week}",
        headline=_headline(found),
        lead=_lead(found),
        sections=tuple(_section(each, found.week, base_url) for each in found.integrations),
        unsubscribe_url=f"{base_url}{unsubscribe_path}",
    )


def days(week: Window) -> str:
    """`16 to 22 Nov 2026`: its first and last day."""
    first, last = (
        datetime.fromtimestamp(at_us // SECOND_US, UTC)
        for at_us in (week.start_us, week.end_us - DAY_US)
    )
    begins = f"{first.day}" if first.month == last.month else f"{first.day} {first:%b}"
    return f"{begins} to {last.day} {last:%b %Y}"


def _spent(each: IntegrationWeek) -> bool:
    """Whether an objective's budget is spent."""
    left = [budget.standing.remaining_ratio for budget in each.budgets]
    return any(ratio_left is not None and ratio_left < 0 for ratio_left in left)


def _verdict(found: PartnerWeek) -> str:
    spent = sum(_spent(each) for each in found.integrations)
    bad = sum(each.now.bad for each in found.integrations)
    if spent:
        return f"{spent} of {len(found.integrations)} over budget"
    return f"{count(bad)} errors" if bad else "no errors"


def _headline(found: PartnerWeek) -> str:
    spent = [each.view.name for each in found.integrations if _spent(each)]
    if not spent:
        return "Every objective is within its budget."
    names = ", ".join(spent[:3]) + (f" and {len(spent) - 3} more" if len(spent) > 3 else "")
    verb = "has" if len(spent) == 1 else "have"
    return f"{names} {verb} spent more than the budget of an objective."


def _lead(found: PartnerWeek) -> str:
    now = [each.now for each in found.integrations]
    before = [each.before for each in found.integrations]
    total, total_before = sum(e.proxied for e in now), sum(e.proxied for e in before)
    return (
        f"{count(total)} exchanges with {count(sum(e.bad for e in now))} errors;"
        f" the week before {count(total_before)} with {count(sum(e.bad for e in before))}."
    )


def _section(each: IntegrationWeek, week: Window, base_url: str) -> Section:
    now, before = each.now, each.before
    lines = [
        Line("Exchanges", count(now.proxied), count(before.proxied)),
        Line("Errors", ratio(now.error_ratio), ratio(before.error_ratio)),
        Line("p95", ms(now.latency_ms.p95), ms(before.latency_ms.p95)),
        *(_budget(budget) for budget in each.budgets),
    ]
    asked = urlencode({"from": _iso(week.start_us), "to": _iso(week.end_us)})
    return Section(
        title=each.view.name,
        sentence=now.sentence.replace("`", ""),
        lines=tuple(lines),
        worst=_worst(each),
        url=f"{base_url}/integrations/{each.view.slug}?{asked}",
        incidents=_incidents(each.incidents),
    )


def _budget(found: BudgetView) -> Line:
    name = f"Budget left, {found.objective.name}, {found.objective.window}"
    return Line(name, ratio(found.standing.remaining_ratio), "")


def _worst(each: IntegrationWeek) -> str:
    if each.worst is None:
        return ""
    name = plain(each.worst.operation, _LONGEST)
    return f"Most errors: {name}, {count(each.worst.bad)} of {count(each.worst.exchanges)}."


def _incidents(number: int) -> str:
    if not number:
        return "No incidents."
    return "1 incident." if number == 1 else f"{count(number)} incidents."


def _iso(at_us: int) -> str:
    return datetime.fromtimestamp(at_us // SECOND_US, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
