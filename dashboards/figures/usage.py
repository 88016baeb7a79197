"""How many installations are active: each day, and within a week and a month up to it."""

from collections.abc import Sequence
from typing import Any

from app.domain.window import DAY_US, Window
from dashboards import format as show
from dashboards.figures import base
from dashboards.rows import DayOfUse
from dashboards.theme import colour

#: Field, what it is called, and its colour.
_SPANS = (
    ("active_month", "28 days", "ghost"),
    ("active_week", "7 days", "calm-fill"),
    ("active", "<b>day</b>", "calm-line"),
)


def active(days: Sequence[DayOfUse]) -> base.Figure:
    """Three lines over the days of a window; the last day may still be running."""
    top = base.nice_ceiling(max((day.active_month for day in days), default=0))
    figure = _frame(days, top, [_line(days, *span) for span in _SPANS])
    unit = base.unit_label("installations active within")
    if not any(day.active_month for day in days):
        figure["layout"]["annotations"] = [unit, base.nothing("no active installation")]
        return figure
    heights = [getattr(days[-1], name) / top for name, _, _ in _SPANS]
    places = base.spread(heights, base.LABEL_PX / base.PLOT_PX, 0.03, 1.0)
    labels = [
        base.end_label(name, place, tone)
        for (_, name, tone), place in zip(_SPANS, places, strict=True)
    ]
    figure["layout"]["annotations"] = [unit, *labels]
    return figure


def named(days: Sequence[DayOfUse]) -> base.Figure:
    """Exchanges of each day that name an installation, bad ones on top."""
    top = base.nice_ceiling(max((day.exchanges for day in days), default=0))
    place = base.bar_place(len(days), DAY_US)
    rest = [day.exchanges - day.bad for day in days]
    bars = [
        _bars(days, "others", rest, "calm-fill", place),
        _bars(days, "bad", [day.bad for day in days], "bad", place),
    ]
    figure = _frame(days, top, bars)
    unit = base.unit_label("exchanges per day that name an installation")
    if not any(day.exchanges for day in days):
        figure["layout"]["annotations"] = [unit, base.nothing("no exchange names one")]
        return figure
    last = days[-2] if len(days) > 1 else days[-1]
    wanted = [("others", (last.exchanges - last.bad) / 2 / top, "calm-fill")]
    if any(day.bad for day in days):
        wanted.append(("<b>bad</b>", (last.exchanges - last.bad / 2) / top, "bad"))
    places = base.spread([y for _, y, _ in wanted], base.LABEL_PX / base.PLOT_PX, 0.03, 1.0)
    labels = [
        base.end_label(text, y, tone) for (text, _, tone), y in zip(wanted, places, strict=True)
    ]
    figure["layout"]["annotations"] = [unit, *labels]
    return figure


def _frame(days: Sequence[DayOfUse], top: float, traces: list[dict[str, Any]]) -> base.Figure:
    ticks = base.nice_ticks(top)
    axis = {
        "range": [0, top * 1.02],
        "tickvals": ticks,
        "ticktext": [show.count(round(tick)) if tick >= 1 or tick == 0 else "" for tick in ticks],
    }
    return base.frame(_window(days), axis, traces, DAY_US)


def _window(days: Sequence[DayOfUse]) -> Window:
    return Window(days[0].start_us, days[-1].start_us + DAY_US)


def _line(days: Sequence[DayOfUse], field: str, name: str, tone: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines" if len(days) > 1 else "markers",
        "name": field,
        "x": [base.iso(day.start_us + DAY_US // 2) for day in days],
        "y": [getattr(day, field) for day in days],
        "line": {"color": colour(tone), "width": 2 if field == "active" else 1.5},
        "hovertemplate": f"{name} %{{y:,}}<extra></extra>",
    }


def _bars(
    days: Sequence[DayOfUse], name: str, heights: list[int], tone: str, place: dict[str, float]
) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": name,
        "x": [base.iso(day.start_us) for day in days],
        "y": heights,
        **place,
        "marker": {"color": colour(tone), "line": {"width": 0}},
        "hovertemplate": f"{name} %{{y:,}}<extra></extra>",
    }
