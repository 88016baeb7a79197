"""What all charts share: frame, time axis, labels that do not collide."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any

from app.domain.window import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Window
from dashboards import format as show
from dashboards import zone
from dashboards.rows import Step
from dashboards.theme import FONT, colour

Figure = dict[str, Any]

HEIGHT_PX = 236
MARGIN = {"l": 48, "r": 98, "t": 20, "b": 26, "pad": 0}
PLOT_PX = HEIGHT_PX - MARGIN["t"] - MARGIN["b"]
LABEL_PX = 14
_TICKS_US = (
    *(minutes * MINUTE_US for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * HOUR_US for hours in (1, 2, 3, 6, 12)),
    *(days * DAY_US for days in (1, 2, 5, 7, 10, 14, 30, 60, 120)),
)
_MOST_TICKS = 6
_ONE = {MINUTE_US: "minute", HOUR_US: "hour", DAY_US: "day"}
#: Up to so many bars there is air between them.
_AIRY = 90


def iso(at_us: int) -> str:
    """A moment as Plotly's date axis takes it: it has no zones, so the viewer's clock is given."""
    return _iso(at_us // SECOND_US, zone.current())


@lru_cache(maxsize=20_000)
def _iso(at_s: int, where: tzinfo) -> str:
    return datetime.fromtimestamp(at_s, where).isoformat()[:19]


def times(points: Sequence[Step], shift_us: int = 0) -> list[str]:
    """When each step starts, or so much later."""
    return list(_times(tuple(point.start_us + shift_us for point in points), zone.current()))


@lru_cache(maxsize=64)
def _times(starts_us: tuple[int, ...], where: tzinfo) -> tuple[str, ...]:
    """Every trace of every chart of a page has the same times."""
    return tuple(_iso(at_us // SECOND_US, where) for at_us in starts_us)


def half(step_us: int) -> int:
    """From the start of a step to its middle, whole seconds."""
    return step_us // 2 // SECOND_US * SECOND_US


def frame(
    window: Window, y_axis: dict[str, Any], traces: list[dict[str, Any]], step_us: int
) -> Figure:
    """A figure over `window` with our typography, one hairline grid and no legend."""
    return {
        "data": traces,
        "layout": {
            "height": HEIGHT_PX,
            "margin": dict(MARGIN),
            "autosize": True,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": 11, "color": colour("dim")},
            "showlegend": False,
            "dragmode": "zoom",
            "hovermode": "x unified",
            "hoverlabel": _hover_label(),
            "barmode": "stack",
            "bargap": 0,
            "uirevision": f"{window.start_us}-{window.end_us}",
            "xaxis": time_axis(window),
            "yaxis": {**_Y_AXIS, **y_axis},
            "annotations": [],
            "shapes": [],
            "meta": {"step_ms": step_us // 1000},
        },
    }


def time_axis(window: Window) -> dict[str, Any]:
    """The axis of a window, with at most six round ticks; midnight is written as a date."""
    ticks = tick_times(window)
    return {
        "type": "date",
        "range": [iso(window.start_us), iso(window.end_us)],
        "tickmode": "array",
        "tickvals": [iso(at) for at in ticks],
        "ticktext": [_tick_text(at, window) for at in ticks],
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "tickangle": 0,
        "fixedrange": False,
        "hoverformat": f"%-d %b %H:%M {zone.label(window.end_us - 1)}",
        "color": colour("dim"),
    }


def tick_times(window: Window) -> list[int]:
    """Round moments inside the window, not so near its ends that a label would be cut."""
    step = next((s for s in _TICKS_US if window.length_us <= s * _MOST_TICKS), window.length_us)
    edge = window.length_us // 40
    if step >= DAY_US:
        return _midnights(window, edge, step // DAY_US)
    shift = _offset_us(window.start_us)
    first = -(-(window.start_us + edge + shift) // step) * step - shift
    return list(range(first, window.end_us - edge + 1, step))


def _midnights(window: Window, edge: int, days: int) -> list[int]:
    """Every so many days the moment when a day of the viewer begins, whatever its length."""
    first, last = show.at(window.start_us + edge), show.at(window.end_us - edge)
    found = []
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        day = datetime.fromordinal(ordinal).replace(tzinfo=first.tzinfo)
        if ordinal % days == 0 and first <= day <= last:
            found.append(int(day.timestamp()) * SECOND_US)
    return found


def _offset_us(at_us: int) -> int:
    offset = show.at(at_us).utcoffset()
    return int(offset.total_seconds()) * SECOND_US if offset else 0


def spread(wanted: Sequence[float], gap: float, low: float = 0.0, high: float = 1.0) -> list[float]:
    """Positions as near to those wanted as a distance of `gap` allows, in the same order.

    `wanted` lies on a scale from `low` to `high`. When there is no room for all, the gap shrinks.
    """
    if not wanted:
        return []
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    gap = min(gap, (high - low) / max(len(wanted) - 1, 1))
    placed = [0.0] * len(wanted)
    last = low - gap
    for i in order:
        placed[i] = last = max(min(wanted[i], high), last + gap)
    ceiling = high + gap
    for i in reversed(order):
        placed[i] = ceiling = min(placed[i], ceiling - gap)
    return placed


def bar_place(points: int, step_us: int) -> dict[str, float]:
    """Width and offset of a bar in milliseconds: a little air between few, none between many."""
    step_ms = step_us / 1000
    share = 0.84 if points <= _AIRY else 1.0
    return {"width": step_ms * share, "offset": step_ms * (1 - share) / 2}


def whole_steps(points: Sequence[Step], window: Window, step_us: int) -> list[float]:
    """The opacity of every bar: a step that reaches out of the window is paler, because a part
    of its time is not counted (or has not come yet)."""
    return [
        1.0 if p.start_us >= window.start_us and p.start_us + step_us <= window.end_us else 0.45
        for p in points
    ]


def unit_label(text: str) -> dict[str, Any]:
    """What the vertical axis counts, above its upper end."""
    return {
        "text": text,
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "yshift": 3,
        "showarrow": False,
        "font": {"size": 11, "color": colour("dim")},
    }


def nothing(text: str) -> dict[str, Any]:
    """What stands in the middle of a chart without marks."""
    middle = {"x": 0.5, "xref": "paper", "y": 0.5, "yref": "paper", "showarrow": False}
    ground = {"bgcolor": colour("panel"), "borderpad": 6}
    return {"text": text, **middle, **ground, "font": {"size": 13, "color": colour("dim")}}


def per(step_us: int) -> str:
    """`minute`, `10 min`, `day`: what stands after "per"."""
    return _ONE.get(step_us) or show.span(step_us)


def end_label(text: str, y_paper: float, mark: str | None = None) -> dict[str, Any]:
    """A label right of the plot, at a height from 0 to 1; `mark` names the colour of its square.

    The text itself is dark, so that it can be read in whatever colour the mark is.
    """
    square = f'<span style="color:{colour(mark)}">■</span> ' if mark else ""
    return {
        "text": square + text,
        "x": 1,
        "xref": "paper",
        "xanchor": "left",
        "xshift": 7,
        "y": y_paper,
        "yref": "paper",
        "yanchor": "middle",
        "showarrow": False,
        "font": {"size": 11, "color": colour("text")},
    }


def nice_ceiling(value: float) -> float:
    """The smallest of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten that is not below `value`."""
    if value <= 0:
        return 1.0
    power = 10.0 ** _magnitude(value)
    return next(
        step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value * 0.999999
    )


def nice_ticks(top: float) -> list[float]:
    """0, and two or three round values up to `top` (a result of `nice_ceiling`)."""
    parts = 3 if round(top / 10.0 ** _magnitude(top), 6) in (1.5, 3, 6) else 2
    return [top * i / parts for i in range(parts + 1)]


def _magnitude(value: float) -> int:
    return len(f"{value:.0f}") - 1 if value >= 1 else -len(f"{1 / value:.0f}")


def _tick_text(at_us: int, window: Window) -> str:
    moment = show.at(at_us)
    if (moment.hour, moment.minute) == (0, 0):
        return f"{moment.day} {moment:%b}"
    if window.length_us > 4 * DAY_US:
        return f"{moment.day} {moment:%b %H:%M}"
    return f"{moment:%H:%M}"


def _hover_label() -> dict[str, Any]:
    return {
        "bgcolor": colour("tip"),
        "bordercolor": colour("tip"),
        "font": {"family": FONT, "size": 12, "color": colour("tip-text")},
        "align": "left",
    }


_Y_AXIS: dict[str, Any] = {
    "fixedrange": True,
    "zeroline": False,
    "ticks": "",
    "gridcolor": colour("grid"),
    "gridwidth": 1,
    "color": colour("dim"),
    "automargin": False,
    "ticklabelstandoff": 6,
}
