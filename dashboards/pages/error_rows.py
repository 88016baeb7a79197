"""Error groups as rows of a grid, and the sentence over them. Pure."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from app.queries import ErrorGroupView
from dashboards import format as show
from dashboards import words
from dashboards.pages.tables import CELL, Row

#: How each standing is shown: icon and word, then tone.
STANDINGS: dict[str, tuple[str, str]] = {
    "new": ("■ New", "bad"),
    "regressed": ("▲ Regressed", "warn"),
    "ongoing": ("– Ongoing", "plain"),
    "resolved": ("✓ Resolved", "quiet"),
    "ignored": ("‖ Ignored", "quiet"),
}
_ORDER = list(STANDINGS)
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def row(view: ErrorGroupView, search: str, now_us: int) -> Row:
    """One group."""
    text, tone = STANDINGS[view.standing]
    return {
        "id": view.id,
        "integration": view.integration,
        "standing": _ORDER.index(view.standing),
        "status": text,
        "tone": tone,
        "reason": _until(view, now_us),
        "failure": show.plain(_title(view), CELL),
        "sub": show.plain(view.operation, CELL),
        "meaning": show.plain(view.message, CELL),
        "href": f"/exchanges/{view.sample}" if view.sample else log_href(view, search),
        "log": log_href(view, search),
        "exchanges": view.exchanges,
        "exchanges_text": show.count(view.exchanges),
        "points": [number for _, number in view.points],
        "points_text": f"{show.count(view.exchanges)} in this time, {show.count(view.total)} ever",
        "installations": view.installations,
        "installations_text": touched(view),
        "fault": words.FAULTS.get(view.fault, view.fault),
        "first_us": view.first_us,
        "last_us": view.last_us,
        "stamp": f"first {show.stamp(view.first_us)}, newest {show.stamp(view.last_us)}",
        "assignee": show.plain(view.assignee, 120) or show.NONE,
    }


def touched(view: ErrorGroupView) -> str:
    """How many installations; `≈` for an estimate, a dash where callers do not tell."""
    if not view.installations:
        return show.NONE
    return show.count(view.installations) if view.installations_exact else (
        f"≈{show.THIN}{show.count(view.installations)}"
    )  # fmt: skip


def log_href(view: ErrorGroupView, search: str) -> str:
    """The exchanges that failed in the same way, whatever they said, in the same time."""
    asked = {"operation": view.operation, "outcome": view.outcome, "direction": view.direction}
    if view.status:
        asked["status"] = str(view.status)
    if view.error:
        asked["error"] = view.error
    joined = f"{search}&" if search else "?"
    return f"/integrations/{quote(view.integration)}/exchanges{joined}{urlencode(asked)}"


def sentence(counts: Mapping[str, int], views: Sequence[ErrorGroupView]) -> str:
    """What the page opens with: how many failures want somebody, and whose most of them are."""
    wanting = sum(counts.get(standing, 0) for standing in ("new", "regressed", "ongoing"))
    calm = counts.get("resolved", 0) + counts.get("ignored", 0)
    if not wanting:
        return "Nothing that failed in this time wants somebody." if calm else (
            "Nothing failed in this time."
        )  # fmt: skip
    number, end = _number(wanting).capitalize(), "s want" if wanting > 1 else " wants"
    if counts.get("new") == wanting:
        return f"{number} new failure{end} somebody.{_whose(views)}"
    said = [
        f"{_number(counts[standing])} {word}"
        for standing, word in (("new", "new"), ("regressed", "back after it was resolved"))
        if counts.get(standing)
    ]
    tail = f": {' and '.join(said)}" if said else ""
    return f"{number} failure{end} somebody{tail}.{_whose(views)}"


def _whose(views: Sequence[ErrorGroupView]) -> str:
    open_ones = [view for view in views if view.standing in _ORDER[:3]]
    total = sum(view.exchanges for view in open_ones)
    by_fault: dict[str, int] = {}
    for view in open_ones:
        by_fault[view.fault] = by_fault.get(view.fault, 0) + view.exchanges
    fault = max(by_fault, key=lambda name: by_fault[name], default="none")
    if not total or fault == "none":
        return ""
    part = f"{show.count(by_fault[fault])} of {show.count(total)} failed exchanges"
    side = "of the network between" if fault == "network" else f"for the {fault} to mend"
    return f" {part} are {side}."


def _title(view: ErrorGroupView) -> str:
    what = str(view.status) if view.status else view.error or view.outcome
    said = view.example or view.message or words.OUTCOMES.get(view.outcome, view.outcome)
    return said if view.operation == "other" and not view.status else f"{what} · {said}"


def _until(view: ErrorGroupView, now_us: int) -> str:
    if view.standing != "ignored":
        return ""
    if view.more is not None:
        return f"until {show.count(view.more)} more"
    if view.until_us is not None:
        return f"for {show.span(view.until_us - now_us).split(' ')[0]}"
    return "for good"


def _number(value: int) -> str:
    return _NUMBERS[value] if value < len(_NUMBERS) else show.count(value)
