"""Funnels as rows, figures and the sentence over them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain import lost as why
from app.domain.funnel_counts import ENOUGH, SOON_US, FunnelCount, StepCount
from app.domain.health import wilson
from app.domain.window import SECOND_US
from app.queries import FunnelView, Loss
from app.queries.funnels import Cohort
from dashboards import format as show
from dashboards.components.strip import Figure, Place
from dashboards.pages.tables import CELL, Row

PLACES = (
    Place("entered", "Began", "entered"),
    Place("activated", "Activated", "activated"),
    Place("time", "Time to activate", "seconds"),
    Place("waiting", "Under way", "waiting"),
    Place("lost", "Lost", "lost"),
    Place("uninstalled", "Uninstalled", "uninstalled"),
)
#: How each cause is told of so many installs.
CAUSES = {
    "failed": "failed",
    "stuck": "stuck",
    "declined": "declined",
    "timed_out": "timed out",
}
_WHY = {
    "failed": "because an exchange failed",
    "stuck": "without any traffic after it",
    "declined": "because the customer said no",
    "timed_out": "although their exchanges went well",
}
_UNTOLD = "not told"


@dataclass(frozen=True, slots=True)
class Bar:
    """A day of the chart."""

    start_us: int
    counts: tuple[int, int, int]


def bars(cohorts: Sequence[Cohort]) -> list[Bar]:
    """Cohorts by day as the chart draws them."""
    return [Bar(each.start_us, fates(each.count)) for each in cohorts if each.start_us is not None]


def fates(count: FunnelCount) -> tuple[int, int, int]:
    """Activated, under way, lost: together all that entered."""
    return count.activated, count.entered - count.activated - count.lost, count.lost


def sentence(view: FunnelView, losses: Sequence[Loss] = ()) -> str:
    """What the page opens with: how many became users, where most of the others were lost, and at
    what."""
    count = view.count
    gone = f"{_counted(view.uninstalled, 'uninstall')} in this time." if view.uninstalled else ""
    if not count.entered:
        return f"No install began in this time. {gone}".strip()
    share = f" ({show.ratio(count.activated / count.entered)})" if view.enough else ""
    begun = _counted(count.entered, "install")
    activated = f"{show.count(count.activated)} of {begun} that began in this time"
    said = f"{activated} {_was(count.activated)} activated{share}."
    return " ".join(filter(None, (said, _worst(count, losses), gone)))


def figures(now: FunnelView, before: FunnelView) -> list[Figure]:
    """One for each of `PLACES`, compared with the equal period before."""
    count, earlier = now.count, before.count
    activated, under_way, lost = fates(count)
    median_s, p90_s = _times(count)
    return [
        Figure(show.count(count.entered), show.change(count.entered, earlier.entered)),
        _activated(now, before),
        Figure(seconds(median_s), _slower(median_s, _times(earlier)[0]),
               f"p90 {seconds(p90_s)}" if p90_s is not None else ""),
        Figure(show.count(under_way), "", "not late yet" if under_way else ""),
        Figure(show.count(lost), show.change(lost, earlier.lost),
               _share(lost, count.entered), "warn" if now.enough and lost > activated else ""),
        Figure(show.count(now.uninstalled), show.change(now.uninstalled, before.uninstalled),
               "whenever installed"),
    ]  # fmt: skip


def step_rows(view: FunnelView) -> list[Row]:
    """The funnel, a row a step."""
    steps = view.count.steps
    return [
        _step_row(step, steps[at - 1] if at else None, view.count) for at, step in enumerate(steps)
    ]


def lost_rows(losses: Sequence[Loss]) -> list[Row]:
    """Why installs were lost, most first, each with the exchange at which the newest failed."""
    total = sum(each.reason.installs for each in losses)
    return [
        {
            "id": f"l{at}",
            "name": show.plain(each.reason.step, 80),
            "count": each.reason.installs,
            "count_text": show.count(each.reason.installs),
            "count_tip": _share(each.reason.installs, total, of="all that were lost"),
            "how": show.plain(why.how(each.reason), CELL),
            "cause": CAUSES[each.reason.cause.value],
            "href": f"/exchanges/{each.exchange}" if each.exchange else None,
        }
        for at, each in enumerate(losses)
    ]


def time_rows(count: FunnelCount) -> list[Row]:
    """How soon installs were activated: a row for each span of time."""
    ends = [*count.sooner, count.activated]
    starts = [0, *count.sooner]
    names = [f"within {show.span(bound)}" for bound in SOON_US]
    return [
        {
            "id": str(at),
            "name": name,
            **_bar(max(end - start, 0), count.entered),
            "share_text": _share(max(end - start, 0), count.entered, of="all"),
        }
        for at, (name, start, end) in enumerate(zip([*names, "later"], starts, ends, strict=True))
    ]


def cohort_rows(cohorts: Sequence[Cohort], *, newest_first: bool) -> list[Row]:
    """Cohorts, the newest day first or the largest first."""
    ordered = list(reversed(cohorts)) if newest_first else list(cohorts)
    return [_cohort_row(at, each) for at, each in enumerate(ordered)]


def reason_rows(reasons: Mapping[str, int]) -> list[Row]:
    """Why installations were uninstalled, most first."""
    total = sum(reasons.values())
    return [
        {"id": f"r{at}", "name": show.plain(reason, CELL) or _UNTOLD, **_bar(number, total)}
        for at, (reason, number) in enumerate(reasons.items())
    ]


def seconds(value: float | None) -> str:
    """`12 s`, `4 min 20 s`, `1 d 2 h`."""
    if value is None:
        return show.NONE
    return show.span(round(value) * SECOND_US) if value >= 1 else f"<{show.THIN}1{show.THIN}s"


def _step_row(step: StepCount, before: StepCount | None, count: FunnelCount) -> Row:
    lost = {cause: number for cause, number in step.lost.items() if number}
    ordered = sorted(lost, key=lambda cause: -lost[cause])
    total = sum(lost.values())
    return {
        "id": step.name,
        "name": step.name,
        **_bar(step.reached, count.entered),
        "previous": step.reached / before.reached if before and before.reached else 1.0,
        "previous_text": _share(step.reached, before.reached, of="")
        if before and before.reached else show.NONE,
        "entered_sub": _share(step.reached, count.entered, of="all"),
        "median": step.step_median_s,
        "median_text": seconds(step.step_median_s) if before else show.NONE,
        "median_sub": f"p90 {seconds(step.step_p90_s)}" if before and step.reached else "",
        "lost": total,
        "lost_text": show.count(total) if before else show.NONE,
        "lost_tone": "bad" if lost.get("failed") else "",
        "lost_sub": ", ".join(f"{show.count(lost[cause])} {CAUSES[cause]}" for cause in ordered),
        "waiting": step.waiting,
        "waiting_text": show.count(step.waiting) if before else show.NONE,
    }  # fmt: skip


def _cohort_row(at: int, cohort: Cohort) -> Row:
    count = cohort.count
    median_s = _times(count)[0]
    interval = wilson(count.activated, count.entered)
    start = cohort.start_us
    name = show.utc_day(start) if start is not None else show.plain(cohort.key, CELL) or _UNTOLD
    activated, under_way, lost = fates(count)
    return {
        "id": f"c{at}",
        "name": name,
        "entered": count.entered,
        "entered_text": show.count(count.entered),
        "activated": activated / count.entered if count.entered else -1.0,
        "activated_text": show.ratio(activated / count.entered)
        if cohort.enough else f"{show.count(activated)} of {show.count(count.entered)}",
        "activated_sub": show.interval(interval) if cohort.enough else "too few to judge",
        "median": median_s,
        "median_text": seconds(median_s),
        "waiting": under_way,
        "waiting_text": show.count(under_way),
        "lost": lost,
        "lost_text": show.count(lost),
    }  # fmt: skip


def _activated(now: FunnelView, before: FunnelView) -> Figure:
    count, earlier = now.count, before.count
    if not now.enough:
        value = f"{show.count(count.activated)} of {show.count(count.entered)}"
        return Figure(value, "", "too few to judge" if count.entered else "", "quiet")
    ratio = count.activated / count.entered
    change = show.points(ratio, earlier.activated / earlier.entered) if before.enough else ""
    return Figure(show.ratio(ratio), change, show.interval(now.interval))


def _worst(count: FunnelCount, losses: Sequence[Loss]) -> str:
    """The step at which most are lost, and the main cause, with what failed where that is known."""
    worst = max(count.steps, key=lambda step: sum(step.lost.values()))
    number = sum(worst.lost.values())
    if not number:
        return ""
    told = why.sentence(worst.name, [each.reason for each in losses])
    if told:
        return show.plain(told, CELL)
    cause = max(worst.lost, key=lambda each: worst.lost[each])
    part = worst.lost[cause]
    which = f"{show.count(part)} of {show.count(number)} lost" if part < number else (
        f"All {show.count(number)} lost" if number > 1 else "One lost"
    )  # fmt: skip
    return f"{which} at {worst.name} {'were' if part > 1 else 'was'} lost {_WHY[cause]}."


def _times(count: FunnelCount) -> tuple[float | None, float | None]:
    """Median and p90 from the first step to the goal."""
    goal = next((step for step in count.steps if step.name == "activated"), count.steps[-1])
    return goal.median_s, goal.p90_s


def _slower(now_s: float | None, before_s: float | None) -> str:
    if now_s is None or before_s is None:
        return ""
    return show.longer(now_s * 1000, before_s * 1000) if abs(now_s - before_s) < 60 else (
        f"{'+' if now_s > before_s else show.MINUS}{seconds(abs(now_s - before_s))}"
    )  # fmt: skip


def _bar(number: int, of: int) -> Row:
    """A count with a bar for its share, as the grid's `Budget` cells draw it."""
    return {
        "count": number,
        "count_text": show.count(number),
        "budget_share": min(number / of, 1.0) if of else 0.0,
        "budget_tone": "plain",
        "budget_tip": _share(number, of, of="all"),
    }


def _share(part: int, whole: int, of: str = "all") -> str:
    if not whole:
        return ""
    if whole < ENOUGH:
        return f"{show.count(part)} of {show.count(whole)}"
    return show.ratio(part / whole) + (f" of {of}" if of else "")


def _counted(number: int, noun: str) -> str:
    return f"{show.count(number)} {noun}{'' if number == 1 else 's'}"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
