"""Receivers and shifts as rows of grids. Pure."""

from app.commands.receivers import ReceiverView, ShiftView
from dashboards import format as show
from dashboards.pages.tables import CELL, Row

_KINDS = {
    "mail": "mail",
    "slack": "Slack",
    "pagerduty": "PagerDuty",
    "webhook": "webhook",
    "on_call": "schedule",
    "group": "group",
}


def receiver_row(view: ReceiverView) -> Row:
    """One receiver, and what became of its newest test."""
    text, tone = _tested(view)
    return {
        "id": view.name,
        "name": view.name,
        "kind": _KINDS[view.kind],
        "where": show.plain(view.shown, CELL),
        "tested": text,
        "tested_tone": tone,
        "status": text,
        "tone": tone,
    }


def _tested(view: ReceiverView) -> tuple[str, str]:
    if view.asked_us is None:
        return "never", "quiet"
    if view.done_us is None:
        return "◌ On its way", "warn"
    if view.error:
        return f"■ {show.plain(view.error, CELL)}", "bad"
    return f"✓ Arrived {show.stamp(view.done_us)}", "ok"


def shift_row(place: int, view: ShiftView, now_us: int) -> Row:
    """One shift; the row of whoever is on call now says so."""
    is_now = view.starts_us <= now_us < view.ends_us
    note = "● now" if is_now else "stands in" if view.stands_in else ""
    return {
        "id": str(place),
        "schedule": view.schedule,
        "who": show.plain(view.mail, CELL),
        "starts": view.starts_us,
        "starts_text": show.minute(view.starts_us),
        "ends": view.ends_us,
        "ends_text": show.minute(view.ends_us),
        "note": note,
        "status": note,
        "tone": "ok" if is_now else "quiet",
    }


def on_call_now(shifts: tuple[ShiftView, ...], now_us: int) -> str:
    """Who is on call now, by schedule, in a sentence; "" without a schedule."""
    now = [each for each in shifts if each.starts_us <= now_us < each.ends_us]
    parts = [
        f"{show.plain(each.mail, CELL)} ({each.schedule}, until {show.minute(each.ends_us)})"
        for each in now
    ]
    return f"On call now: {'; '.join(parts)}." if parts else ""


def problem(problems: tuple[str, ...]) -> str:
    """What is wrong with the receiver file; "" when nothing is."""
    if not problems:
        return ""
    more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
    return f"{show.plain(problems[0], CELL)}{more}"
