"""Results into rows of a grid: the value to sort by and, beside it, the text to show."""

from typing import Any
from urllib.parse import quote, urlencode

from app.queries.results import ExchangeView, Health, IntegrationView, OperationView
from dashboards import format as show
from dashboards import words

Row = dict[str, Any]
_FAULT_ORDER = ("partner", "platform", "network", "customer")
#: The longest foreign text a cell of a list carries.
CELL = 240


def league_row(view: IntegrationView, health: Health, search: str) -> Row:
    """One integration of the overview."""
    status = words.status(health.status)
    return {
        "id": view.slug,
        "name": view.name,
        "href": f"/integrations/{quote(view.slug)}{search}",
        "partner": _owner(view),
        "rank": list(words.STATUSES).index(health.status) if health.status in words.STATUSES else 9,
        "status": status.text,
        "tone": status.tone,
        "reason": health.reasons[0] if health.reasons else "",
        "exchanges": health.proxied,
        "exchanges_text": show.count(health.proxied),
        "ratio": -1.0 if health.error_ratio is None else health.error_ratio,
        "ratio_text": _ratio_text(health),
        "ratio_note": _plus_minus(health),
        "ratio_tip": _ratio_tip(health),
        "ratio_tone": status.tone if status.tone == "bad" else "",
        "p95": health.latency_ms.p95,
        "p95_text": show.ms(health.latency_ms.p95),
        "p95_tone": {"slow": "warn", "not_enough_data": "quiet"}.get(health.status, ""),
        "excluded": health.excluded,
        "excluded_text": show.count(health.excluded) if health.excluded else show.NONE,
        "fault": sum(health.by_fault.values()),
        "faults": [[fault, health.by_fault.get(fault, 0)] for fault in _FAULT_ORDER],
    }


def operation_row(view: OperationView, slug: str, search: str) -> Row:
    """One operation of an integration."""
    eligible = view.good + view.bad
    ratio = view.error_ratio
    more = urlencode({"operation": view.operation})
    joined = f"{search}&{more}" if search else f"?{more}"
    return {
        "id": f"{view.direction} {view.kind} {view.operation}",
        "operation": show.plain(view.operation, CELL),
        "sub": _crossing(view.direction, view.kind),
        "href": f"/integrations/{quote(slug)}/exchanges{joined}",
        "exchanges": view.exchanges,
        "bad": view.bad,
        "bad_text": f"{show.count(view.bad)} of {show.count(eligible)}",
        "ratio": -1.0 if ratio is None else ratio,
        "ratio_text": show.ratio(ratio),
        "ratio_tone": "bad" if ratio and ratio >= 0.05 and view.bad >= 3 else "",
        "p95": view.latency_ms.p95,
        "p95_text": show.ms(view.latency_ms.p95),
        "fault": words.FAULTS.get(view.main_fault or "", show.NONE),
    }


def exchange_row(view: ExchangeView) -> Row:
    """One exchange of a list."""
    failed = view.outcome != "ok"
    return {
        "id": view.id,
        "href": f"/exchanges/{view.id}",
        "started_us": view.started_us,
        "stamp": show.stamp(view.started_us),
        "operation": show.plain(view.operation, CELL),
        "sub": _crossing(view.direction, view.kind),
        "outcome": _outcome(view),
        "tone": ("bad" if view.verdict == "bad" else "quiet") if failed else "",
        "error": show.plain(_error(view), CELL),
        "fault": words.FAULTS.get(view.fault, view.fault) if failed else show.NONE,
        "verdict": view.verdict,
        "total": view.total_ms,
        "total_text": show.ms(view.total_ms),
        "installation": show.plain(view.installation, 80) or show.NONE,
    }


def _outcome(view: ExchangeView) -> str:
    word = words.OUTCOMES.get(view.outcome, view.outcome)
    if view.status is None:
        return word
    return str(view.status) if view.outcome in {"ok", "client_error", "server_error"} else word


def _error(view: ExchangeView) -> str:
    said = " · ".join(part for part in (view.error, view.error_detail) if part)
    return said or ("" if view.outcome == "ok" else words.OUTCOMES.get(view.outcome, ""))


def _crossing(direction: str, kind: str) -> str:
    arrow = "→ partner" if direction == "outbound" else "← partner"
    return f"{arrow} · webhook" if kind == "webhook" else arrow


def _owner(view: IntegrationView) -> str:
    if not view.partner_name:
        return "callers and names that nobody registered"
    return view.partner_name + ("" if view.visibility == "public" else f" · {view.visibility}")


def _ratio_text(health: Health) -> str:
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
        f"{show.count(health.bad)} bad of {show.count(health.good + health.bad)}; "
        f"95 % interval {show.interval(health.error_interval)}"
    )
