"""Installs by the day on which they began, by what became of them."""

from collections.abc import Sequence
from typing import Any, Protocol

from app.domain.window import DAY_US, Window
from dashboards.figures import base
from dashboards.theme import colour

_STACK = (("activated", "calm-fill"), ("under way", "excluded-fill"), ("lost", "bad"))


class Day(Protocol):
    """Installs that began on one day."""

    @property
    def start_us(self) -> int: ...  # noqa: D102
    @property
    def counts(self) -> tuple[int, int, int]:
        """Activated, under way, lost."""


def installs(days: Sequence[Day], window: Window) -> base.Figure:
    """Stacked bars, one a day (UTC)."""
    tallest = max((sum(day.counts) for day in days), default=0)
    top = base.nice_ceiling(tallest)
    ticks = base.nice_ticks(top)
    axis = {
        "range": [0, top],
        "tickvals": ticks,
        "ticktext": [f"{tick:,.0f}" if tick >= 1 or tick == 0 else "" for tick in ticks],
    }
    place = base.bar_place(max(window.length_us // DAY_US, 1), DAY_US)
    bars = [_bars(days, place, number) for number in range(len(_STACK))]
    wide = Window(
        min([window.start_us, *(day.start_us for day in days)]),
        max([window.end_us, *(day.start_us + DAY_US for day in days)]),
    )
    figure = base.frame(wide, axis, bars, DAY_US)
    figure["layout"]["annotations"] = [
        base.unit_label("installs begun per day"),
        *_labels(days, top),
    ]
    return figure


def _bars(days: Sequence[Day], place: dict[str, float], number: int) -> dict[str, Any]:
    name, tone = _STACK[number]
    return {
        "type": "bar",
        "name": name,
        "x": [base.iso(day.start_us) for day in days],
        "y": [day.counts[number] for day in days],
        **place,
        "marker": {"color": colour(tone), "line": {"width": 0}},
        "hovertemplate": f"{name} %{{y:,}}<extra></extra>",
    }


def _labels(days: Sequence[Day], top: float) -> list[dict[str, Any]]:
    """Names right of the plot, each at the height of the last day's part."""
    if not days:
        return [base.nothing("no install began")]
    last, below = days[-1].counts, 0
    wanted: list[tuple[str, float, str]] = []
    for (name, mark), number in zip(_STACK, last, strict=True):
        if any(day.counts[len(wanted)] for day in days) or name == "activated":
            wanted.append((name, (below + number / 2) / top, mark))
        below += number
    heights = [y + place * 1e-6 for place, (_, y, _) in enumerate(wanted)]
    places = base.spread(heights, base.LABEL_PX / base.PLOT_PX, 0.03, 1.0)
    return [
        base.end_label(name, y, mark) for (name, _, mark), y in zip(wanted, places, strict=True)
    ]
