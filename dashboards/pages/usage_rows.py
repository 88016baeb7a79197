"""Usage as figures of a strip and rows of grids. Pure."""

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from app.domain.objective import error_ratio
from app.domain.usage import COHORTS
from app.domain.window import DAY_US
from app.queries import UsageView
from app.queries.usage import CustomerUse
from app.queries.usage_days import Cohort
from app.queries.usage_operations import CallersView, OperationUse
from dashboards import format as show
from dashboards.components.strip import Figure, Place
from dashboards.pages.tables import CELL, Row, crossing

PLACES = (
    Place("active", "Active", "active"),
    Place("new", "New", "installations"),
    Place("returning", "Returning", "installations"),
    Place("lapsed", "Fell silent", "lapsed"),
    Place("stickiness", "Stickiness", "stickiness"),
    Place("people", "Customers", "customers_active"),
    Place("share", "Greatest", "concentration"),
    Place("exchanges", "Exchanges", "exchanges_before"),
    Place("waited", "Platform waited", "waited_seconds"),
    Place("quota", "Quota used", "used_ratio"),
)
_OPERATIONS = 100


def figures(view: UsageView) -> list[Figure]:
    """One for each of `PLACES`."""
    growth, sticky = view.growth, view.stickiness
    first, tenth = view.concentration[1], view.concentration[10]
    unnamed = f"{show.count(view.unnamed)} name nobody" if view.unnamed else ""
    return [
        Figure(show.count(growth.active), show.change(growth.active, growth.before),
               f"{show.count(growth.kept)} stayed"),
        Figure(show.count(growth.new), "", f"of {show.count(growth.active)}"),
        Figure(show.count(growth.returning), "", "silent before"),
        Figure(show.count(growth.lapsed), "", f"of {show.count(growth.before)} before"),
        Figure(show.ratio(sticky.value), "",
               f"{show.count(sticky.numerator)} of {show.count(sticky.denominator)} days"
               if sticky.denominator else ""),
        Figure(show.count(view.customers_active)),
        Figure(show.ratio(first.value), "", f"greatest 10: {show.ratio(tenth.value)}"),
        Figure(show.count(view.exchanges), show.change(view.exchanges, view.exchanges_before),
               unnamed),
        Figure(show.span(view.waited_us), show.change(view.waited_us, view.waited_before_us),
               "for calls and webhooks", shown=view.waited_us > 0),
        _quota(view),
    ]  # fmt: skip


def _quota(view: UsageView) -> Figure:
    limit = view.quota.requests_per_second
    if limit is None or not view.quota.ways:
        return Figure(show.NONE, "", "", shown=False)
    way = max(view.quota.ways, key=lambda each: each.per_second)
    used = view.quota.used(way)
    refused = sum(each.refused for each in view.quota.ways)
    note = f"of {limit:g}{show.THIN}/s, {way.direction}"
    if refused:
        note += f"; {show.count(refused)} refused"
    return Figure(show.ratio(used), "", note, "warn" if used and used >= 0.8 else "")


def operation_row(each: OperationUse, slug: str, search: str) -> Row:
    """One operation; deprecated ones and changes are said in a word."""
    joined = f"{search}&" if search else "?"
    more = urlencode({"operation": each.operation, "direction": each.direction})
    word, tone = _word(each)
    return {
        "id": f"{each.direction} {each.kind} {each.operation}",
        "operation": show.plain(each.operation, CELL),
        "sub": crossing(each.direction, each.kind),
        "href": f"/integrations/{quote(slug)}/exchanges{joined}{more}",
        "exchanges": each.exchanges,
        "exchanges_text": show.count(each.exchanges),
        "before": each.before,
        "before_text": show.change(each.exchanges, each.before) or show.NONE,
        "before_sub": f"{show.count(each.before)} before",
        "word": word,
        "word_tone": tone,
    }


def operation_rows(view: UsageView, search: str) -> list[Row]:
    """The most used operations, and all that stopped."""
    found = [each for each in view.operations if each.exchanges][:_OPERATIONS]
    found += [each for each in view.operations if each.change == "stopped"][:_OPERATIONS]
    return [operation_row(each, view.integration, search) for each in found]


def _word(each: OperationUse) -> tuple[str, str]:
    if each.deprecated and each.exchanges:
        return "deprecated", "warn"
    return {"adopted": ("adopted", "ok"), "stopped": ("stopped", "quiet")}.get(
        each.change or "", ("", "")
    )


def customer_rows(view: UsageView) -> list[Row]:
    """Those with the most exchanges."""
    total = view.concentration[1].denominator
    return [_customer(each, total) for each in view.customers]


def _customer(each: CustomerUse, total: int) -> Row:
    ratio = error_ratio(each.good, each.bad)
    return {
        "id": f"{'c' if each.named else 'i'} {each.customer}",
        "customer": show.plain(each.customer, 120),
        "sub": _installations(each),
        "exchanges": each.exchanges,
        "exchanges_text": show.count(each.exchanges),
        "change_sub": show.change(each.exchanges, each.before) or "none before",
        "share": each.exchanges / total if total else 0.0,
        "share_text": show.ratio(each.exchanges / total if total else None),
        "ratio": -1.0 if ratio is None else ratio,
        "ratio_text": show.ratio(ratio),
    }


def _installations(each: CustomerUse) -> str:
    if not each.named:
        return "installation, customer not told"
    return f"{show.count(each.installations)} installation{'' if each.installations == 1 else 's'}"


def cohort_rows(cohorts: Sequence[Cohort]) -> list[Row]:
    """Newest week first; each cell the share that was active so many weeks later."""
    return [_cohort(each) for each in reversed(cohorts)]


def _cohort(each: Cohort) -> Row:
    row: Row = {
        "id": str(each.day),
        "week_at_text": f"week of {show.utc_day(each.day * DAY_US)}",
        "week_at": each.day,
        "size": each.size,
        "size_text": show.count(each.size),
    }
    for place in range(COHORTS):
        known = place < len(each.active) and each.size > 0
        row[f"w{place}"] = each.active[place] if known else -1
        row[f"w{place}_text"] = show.ratio(each.active[place] / each.size) if known else " "
        row[f"w{place}_tip"] = f"{each.active[place]:,} of {each.size:,}" if known else ""
    return row


def caller_rows(found: Sequence[CallersView]) -> list[Row]:
    """Who still calls what is deprecated."""
    return [
        {
            "id": f"{view.direction} {view.operation} {caller.installation} {caller.customer}",
            "operation": show.plain(view.operation, CELL),
            "installation": show.plain(caller.installation, 120) or "none named",
            "customer": show.plain(caller.customer, 120) or show.NONE,
            "exchanges": caller.exchanges,
            "exchanges_text": f"{show.count(caller.exchanges)} of {show.count(view.looked_at)}",
            "newest_us": caller.newest_us,
            "stamp": show.stamp(caller.newest_us),
        }
        for view in found
        for caller in view.callers
    ]
