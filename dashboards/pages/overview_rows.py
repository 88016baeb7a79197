"""The overview's grid: an answer of `queries.overview` into flat rows, in groups if wanted."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from app.queries import BudgetView, OverviewRow, RiskView
from app.queries.results import Health, IntegrationView
from dashboards import format as show
from dashboards import words
from dashboards.components.objective import title

Row = dict[str, Any]
GROUPS = {"partner": "Partner", "category": "Category"}
ONLY = {"trouble": "In trouble", "calm": "Healthy", "quiet": "Quiet"}
_FAULT_ORDER = ("partner", "platform", "network", "customer")
_NO_CATEGORY = "no category"


def rows(
    found: Sequence[OverviewRow], search: str, now_us: int, *, only: str = "", group: str = ""
) -> list[Row]:
    """The rows to show, in the order of `found`. `only` is a key of `ONLY`, `group` one of
    `GROUPS`; anything else is none."""
    shown = [each for each in found if only not in ONLY or _kind(each.now) == only]
    made = [row(each, search, now_us) for each in shown]
    if group not in GROUPS:
        return made
    grouped: dict[str, list[Row]] = {}
    for each, its in zip(shown, made, strict=True):
        grouped.setdefault(_group(each.view, group), []).append(its)
    return [one for name, members in grouped.items() for one in _with_head(name, members)]


def row(each: OverviewRow, search: str, now_us: int) -> Row:
    """One integration."""
    view, now = each.view, each.now
    status = words.status(now.status)
    return {
        "id": view.slug,
        "name": view.name,
        "href": f"/integrations/{quote(view.slug)}{search}",
        "partner": owner(view),
        "search": f"{view.slug} {view.partner_slug} {view.category or ''} {status.word}",
        "rank": rank(now.status),
        "status": status.text,
        "tone": status.tone,
        "reason": reason(each, now_us),
        "traffic": now.proxied,
        "traffic_text": show.count(now.proxied),
        "traffic_note": show.change(now.proxied, each.before.proxied if each.before else None),
        "spark": list(each.traffic),
        "spark_bad": list(each.failed) if any(each.failed) else [],
        **_errors(each, status.tone),
        **_latency(each),
        **_budget(each.least),
        **_risk(each.risk),
        "fault": sum(now.by_fault.values()),
        "faults": [[fault, now.by_fault.get(fault, 0)] for fault in _FAULT_ORDER],
    }


def reason(each: OverviewRow, now_us: int) -> str:
    """Why, and since when it has been so."""
    said = each.now.reasons[0] if each.now.reasons else ""
    if each.trouble is None or not each.trouble.whole:
        return said
    return f"{said}, for {show.ago(each.trouble.window.start_us, now_us).removesuffix(' ago')}"


def rank(status: str) -> int:
    """The place of a status in a list that shows trouble first."""
    return list(words.STATUSES).index(status) if status in words.STATUSES else len(words.STATUSES)


def owner(view: IntegrationView) -> str:
    """Whose it is, and that it is not in the directory."""
    if not view.partner_name:
        return "callers and names that nobody registered"
    return view.partner_name + ("" if view.visibility == "public" else f" · {view.visibility}")


def _kind(health: Health) -> str:
    word = words.status(health.status)
    if word.needs_person:
        return "trouble"
    return "calm" if health.status == "healthy" else "quiet"


def _group(view: IntegrationView, group: str) -> str:
    if group == "partner":
        return view.partner_name or "nobody"
    return (view.category or _NO_CATEGORY).replace("-", " ")


def _with_head(name: str, members: list[Row]) -> list[Row]:
    troubled = sum(row["tone"] in {"bad", "warn"} for row in members)
    count = f"{len(members):,} integration{'' if len(members) == 1 else 's'}"
    head: Row = {
        "id": f"group: {name}",
        "head": True,
        "name": name,
        "group": name,
        "partner": f"{count} · {troubled:,} in trouble" if troubled else count,
        "search": " ".join(f"{row['name']} {row['search']}" for row in members),
    }
    return [head, *({**row, "group": name} for row in members)]


def _errors(each: OverviewRow, tone: str) -> Row:
    now, before = each.now, each.before
    small = now.status == "not_enough_data"
    moved = "" if small or before is None or before.status == "not_enough_data" else show.points(
        now.error_ratio, before.error_ratio
    )  # fmt: skip
    return {
        "ratio": -1.0 if now.error_ratio is None else now.error_ratio,
        "ratio_text": _ratio(now),
        "ratio_note": _plus_minus(now),
        "ratio_sub": moved,
        "ratio_tip": _ratio_tip(now),
        "ratio_tone": tone if tone == "bad" else "",
    }


def _latency(each: OverviewRow) -> Row:
    now, before = each.now, each.before
    small = now.status == "not_enough_data"
    return {
        "p95": now.latency_ms.p95,
        "p95_text": show.ms(now.latency_ms.p95),
        "p95_sub": ""
        if small or before is None
        else show.longer(now.latency_ms.p95, before.latency_ms.p95),
        "p95_tone": {"slow": "warn", "not_enough_data": "quiet"}.get(now.status, ""),
    }


def _budget(least: BudgetView | None) -> Row:
    """The objective with the least left; sorted below all others where there is none."""
    if least is None or least.standing.remaining_ratio is None:
        return {"budget": 2.0, "budget_text": show.NONE, "budget_share": 0, "budget_tone": "quiet"}
    left = least.standing.remaining_ratio
    burn = least.standing.burn_rate or 0.0
    period = show.duration(least.objective.window)
    return {
        "budget": left,
        "budget_text": show.ratio(left) if left >= -1 else f"{burn:.0f}× spent",
        "budget_share": round(min(max(left, 0.0), 1.0), 3) if left >= 0 else 1,
        "budget_tone": "bad" if left < 0 else "warn" if left < 0.25 else "ok",
        "budget_tip": f"{title(least.objective)} over {period}: "
        f"{show.count(least.standing.bad)} of "
        f"{show.count(least.standing.good + least.standing.bad)}, burning {burn:.2f}×",
    }


def _risk(risk: RiskView | None) -> Row:
    """What failures put at risk; a dash where nobody pays."""
    if risk is None:
        return {"risk": -1, "risk_text": show.NONE, "risk_sub": ""}
    noun = "installation" if risk.installations == 1 else "installations"
    return {
        "risk": risk.at_risk_minor,
        "risk_text": show.money(risk.at_risk_minor, risk.currency),
        "risk_sub": f"{show.count(risk.installations)} {noun}" if risk.installations else "",
    }


def _ratio(health: Health) -> str:
    eligible = health.good + health.bad
    if health.status == "not_enough_data" and eligible:
        return f"{show.count(health.bad)} of {show.count(eligible)}"
    return show.ratio(health.error_ratio)


def _plus_minus(health: Health) -> str:
    if health.error_interval is None or health.status == "not_enough_data":
        return ""
    low, high = health.error_interval
    half = (high - low) / 2 * 100
    return f"±{half:.2f}" if half < 0.1 else f"±{half:.1f}"


def _ratio_tip(health: Health) -> str:
    if health.error_interval is None:
        return "nothing counted"
    return (
        f"{show.count(health.bad)} bad of {show.count(health.good + health.bad)}, "
        f"{show.count(health.excluded)} excluded; "
        f"95 % interval {show.interval(health.error_interval)}"
    )
