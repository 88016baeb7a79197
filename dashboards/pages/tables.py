"""Results into rows of a grid: the value to sort by and, beside it, the text to show."""

from typing import Any
from urllib.parse import quote, urlencode

from app.queries.results import ExchangeView, OperationView
from dashboards import format as show
from dashboards import words

Row = dict[str, Any]
#: The longest foreign text a cell of a list carries.
CELL = 240


def operation_row(view: OperationView, slug: str, search: str) -> Row:
    """One operation of an integration."""
    eligible = view.good + view.bad
    ratio = view.error_ratio
    more = urlencode({"operation": view.operation})
    joined = f"{search}&{more}" if search else f"?{more}"
    return {
        "id": f"{view.direction} {view.kind} {view.operation}",
        "operation": show.plain(view.operation, CELL),
        "sub": crossing(view.direction, view.kind),
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
        "sub": crossing(view.direction, view.kind),
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


def crossing(direction: str, kind: str) -> str:
    """Which way it went, and that it was a webhook."""
    arrow = "→ partner" if direction == "outbound" else "← partner"
    return f"{arrow} · webhook" if kind == "webhook" else arrow
