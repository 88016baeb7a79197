"""Rows and texts of the health page: results in, flat values out."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from app.domain.window import DAY_US
from app.queries import DayView, WayView
from app.queries.results import NoteView
from dashboards import format as show
from dashboards import urlstate, words
from dashboards.pages.tables import Row, crossing

_MONTH = 28


def way_row(view: WayView, slug: str, search: str) -> Row:
    """One direction and kind."""
    eligible = view.good + view.bad
    more = urlencode({"direction": view.direction, "kind": view.kind})
    joined = f"{search}&{more}" if search else f"?{more}"
    return {
        "id": f"{view.direction} {view.kind}",
        "name": crossing(view.direction, view.kind),
        "sub": f"{show.count(view.exchanges)} exchanges",
        "href": f"/integrations/{quote(slug)}/exchanges{joined}",
        "traffic": view.exchanges,
        "traffic_text": show.count(view.exchanges),
        "spark": list(view.by_step),
        "bad": view.bad,
        "bad_text": f"{show.count(view.bad)} of {show.count(eligible)}",
        "ratio": -1.0 if view.error_ratio is None else view.error_ratio,
        "ratio_text": show.ratio(view.error_ratio),
        "ratio_tone": "bad" if (view.error_ratio or 0) >= 0.05 and view.bad >= 3 else "",
        "p95": view.latency_ms.p95,
        "p95_text": show.ms(view.latency_ms.p95),
        "fault": words.FAULTS.get(view.main_fault or "", show.NONE),
    }


def note_row(view: NoteView) -> Row:
    """One note."""
    return {
        "id": str(view.id),
        "at_us": view.at_us,
        "stamp": show.stamp(view.at_us),
        "kind": view.kind,
        "text": show.plain(view.text, 500),
        "author": show.plain(view.author, 120),
    }


def days_of(found: Sequence[DayView]) -> list[list[Any]]:
    """What the strip of days draws: tone, words, and the address of that day, for each."""
    return [_day(day, words.status(day.status)) for day in found]


def day_summary(found: Sequence[DayView]) -> str:
    """`28 d: 99.6 % good, 1 day in trouble · 90 d: …`."""
    return " · ".join(
        f"{length}{show.THIN}d: {_over(found[-length:])}" for length in (_MONTH, len(found))
    )


def _day(day: DayView, status: words.StatusWord) -> list[Any]:
    said = f"{show.utc_day(day.start_us)}: {status.word.lower()}, {_counted(day)}"
    ends = f"from={urlstate.iso(day.start_us)}&to={urlstate.iso(day.start_us + DAY_US)}"
    return [status.tone, said, f"?{ends}"]


def _over(found: Sequence[DayView]) -> str:
    good, bad = sum(day.good for day in found), sum(day.bad for day in found)
    if not good + bad:
        return "nothing counted"
    troubled = sum(words.status(day.status).needs_person for day in found)
    days = "no day" if not troubled else f"{troubled} day{'' if troubled == 1 else 's'}"
    return f"{show.ratio(good / (good + bad))} good, {days} in trouble"


def _counted(day: DayView) -> str:
    if not day.good + day.bad:
        return "nothing counted"
    return f"{show.count(day.bad)} bad of {show.count(day.good + day.bad)}"
