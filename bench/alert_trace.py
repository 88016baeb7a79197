"""Single incidents of the month of `bench.alert_truth`, evaluation by evaluation.

For each minute: bad and all exchanges over both windows of P1 and P2, as drawn, and what the rules
made of it. What crosses is what crosses in the whole month; the history that rules have seen
begins `BEFORE` minutes earlier, and only this integration is watched, so that a silence and an
outage of the platform are measured against it alone.

    python -m bench.alert_trace 21 32
"""

import sys

from alerts.conditions import burning
from alerts.evaluate import asked
from app.domain.default_rules import DEFAULT_RULES
from app.domain.health import wilson
from app.domain.objective import Objective
from app.domain.rule import BURN_WINDOWS, WAKING, BurnRate, BurnWindow
from app.domain.window import MINUTE_US
from app.queries.counts import Counts
from bench.alert_truth import GRACE, Post, month
from bench.truth_world import ALLOWED, DAY, START_US, WINDOW, Incident, TruthWorld

#: Minutes of evaluation before the incident, and after it.
BEFORE, AFTER = 3 * DAY, 60
_AVAILABILITY = Objective("availability", 1 - ALLOWED, WINDOW * MINUTE_US)


def trace(world: TruthWorld, incident: Incident) -> list[str]:
    """The lines about one incident of one integration."""
    assert incident.who is not None, "an outage of the platform has no windows of its own"
    world.watched = [incident.who]
    post = Post(world)
    last = min(incident.end + max(GRACE, AFTER), world.days * DAY)
    post.run(range(max(0, incident.start - BEFORE), last))
    lines = [
        f"{incident}",
        f"to be told at {world.promised(incident)} min, planned {world.planned(incident):.1f} min",
    ]
    for minute in range(incident.start, last):
        lines.append(f"{minute - incident.start:5}  {_windows(world, incident.who, minute)}")
        lines += [
            f"       {mail.event.value} {mail.severity.value} {mail.key.rule} to {mail.address}"
            for mail in post.mails
            if mail.at == minute
        ]
    return lines


def _windows(world: TruthWorld, who: int, minute: int) -> str:
    seen = world.see(DEFAULT_RULES, START_US + minute * MINUTE_US, {})
    slug = world.views[who].slug
    found = {each.window_us: seen.counts[each].of(slug) for each in asked(DEFAULT_RULES)}
    shown = "  ".join(_window(each, found) for each in BURN_WINDOWS if each.severity in WAKING)
    verdict = burning(BurnRate(), [_AVAILABILITY], found)
    return f"{shown}  {verdict.severity.value if verdict.severity else '-'}"


def _window(window: BurnWindow, found: dict[int, Counts]) -> str:
    long, short = found[window.long_us], found[window.short_us]
    least, _ = wilson(long.bad, long.eligible) or (0.0, 0.0)
    return (
        f"{window.severity.value} over {window.factor(_AVAILABILITY) * ALLOWED:.4f}:"
        f" long {long.bad}/{long.eligible}, surely {least:.4f};"
        f" short {short.bad}/{short.eligible}"
    )


def main() -> None:
    world = month()
    if not sys.argv[1:]:
        for place, each in enumerate(world.incidents):
            print(f"{place:3}  {each}")
    for place in sys.argv[1:]:
        print("\n".join(trace(world, world.incidents[int(place)])))


if __name__ == "__main__":
    main()
