"""The figures and objectives of the health page: results in, props out."""

from collections.abc import Sequence

from app.domain.words import Outcome
from app.queries import BudgetView
from app.queries.results import Health
from dashboards import format as show
from dashboards import words
from dashboards.components import objective
from dashboards.components.strip import Figure, Place

PLACES = (
    Place("exchanges", "Exchanges", "exchanges"),
    Place("ratio", "Errors", "error_ratio"),
    Place("p50", "p50", "p50"),
    Place("p95", "p95", "p95"),
    Place("p99", "p99", "p99"),
    Place("excluded", "Excluded", "excluded"),
    Place("refused", "Refused", "refused"),
    Place("shed", "Not recorded", "shed"),
)


_SMALL = frozenset({"idle", "not_enough_data"})
_REFUSED = Outcome.REJECTED.word


def figures(now: Health, before: Health) -> list[Figure]:
    """One for each of `PLACES`, compared with the equal period before. Of too few exchanges
    counts are shown and nothing is concluded."""
    return [
        Figure(show.count(now.proxied), show.change(now.proxied, before.proxied)),
        _ratio(now, before),
        *(_latency(now, before, name) for name in ("p50", "p95", "p99")),
        _excluded(now, before),
        refused([now], [before]),
        Figure(show.count(now.shed), "", "missing here", "warn", shown=now.shed > 0),
    ]


def refused(now: Sequence[Health], before: Sequence[Health]) -> Figure:
    """What the proxy refused; not there while it refuses nothing."""
    number, earlier = (sum(each.by_outcome.get(_REFUSED, 0) for each in many)
                       for many in (now, before))  # fmt: skip
    recorded = sum(each.recorded for each in now)
    note = f"{show.ratio(number / recorded)} of all" if number and recorded else ""
    return Figure(show.count(number), show.change(number, earlier), note, shown=number > 0)


def budgets(found: list[BudgetView], slots: int) -> list[tuple[str, str, str, dict[str, str], str]]:
    """Props of the first `slots` objectives; slots without one are hidden."""
    filled = [
        objective.props(
            each.objective,
            objective.Left(
                each.standing.remaining_ratio,
                each.standing.burn_rate,
                each.standing.good,
                each.standing.bad,
                each.excluded if each.objective.threshold_ms is None else None,
            ),
        )
        for each in found[:slots]
    ]
    return filled + [objective.HIDDEN] * (slots - len(filled))


def _ratio(now: Health, before: Health) -> Figure:
    eligible = now.good + now.bad
    if now.status in _SMALL and eligible:
        value = f"{show.count(now.bad)} of {show.count(eligible)}"
        return Figure(value, "", "too few to judge", "quiet")
    tone = words.status(now.status).tone
    return Figure(
        show.ratio(now.error_ratio),
        "" if before.status in _SMALL else show.points(now.error_ratio, before.error_ratio),
        show.interval(now.error_interval),
        tone if now.status in {"failing", "silent", "degraded"} else "",
    )


def _latency(now: Health, before: Health, name: str) -> Figure:
    value = getattr(now.latency_ms, name)
    if now.status in _SMALL:
        note = f"of {show.count(now.recorded)} exchanges" if value is not None else ""
        return Figure(show.ms(value), "", note, "quiet")
    known = before.status not in _SMALL
    change = show.longer(value, getattr(before.latency_ms, name)) if known else ""
    return Figure(show.ms(value), change, "", "warn" if _too_slow(now, name) else "")


def _too_slow(now: Health, name: str) -> bool:
    return now.status == "slow" and name == "p95"


def _excluded(now: Health, before: Health) -> Figure:
    share = now.excluded / now.recorded if now.recorded else None
    note = f"{show.ratio(share)} of all" if now.excluded else ""
    change = show.change(now.excluded, before.excluded) if now.excluded else ""
    return Figure(show.count(now.excluded), change, note)
