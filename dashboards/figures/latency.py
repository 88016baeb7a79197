"""Latency over time: p50, p95 and p99 on a log axis, with the objective drawn in."""

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import Any

from app.domain.window import Window
from dashboards import format as show
from dashboards.figures import base
from dashboards.rows import Objective, Step, Steps
from dashboards.theme import colour

_LINES = (("p50", 2.2, None), ("p95", 1.7, "band-low"), ("p99", 1.1, "band-high"))
_LEAST_MS, _MOST_MS = 0.01, 1e9
_TICKS = tuple(digit * 10.0**power for power in range(-2, 9) for digit in (1, 2, 5))
_MOST_TICKS = 5


def latency(
    series: Steps,
    objectives: Sequence[Objective],
    window: Window,
    before: Steps | None = None,
) -> base.Figure:
    """Three lines, the space between them filled; every latency objective as a dashed line; the
    p95 of `before`, whose points belong to those of `series` in order, as a ghost.

    Steps in which nothing was timed leave a gap: no time is not zero time.
    """
    limits = limits_of(objectives)
    low, high = _span(series.points, [float(o.threshold_ms or 0) for o in limits])
    ticks = tick_values(low, high)
    axis = {
        "type": "log",
        "range": [low, high],
        "tickvals": ticks,
        "ticktext": [short(value) for value in ticks],
    }
    points = _settled(series, window)
    traces = [_line(points, series.step_us, *line) for line in _LINES]
    traces.append(_ghost(series, before, points))
    figure = base.frame(window, axis, traces, series.step_us)
    figure["layout"]["annotations"] = [
        *_end_labels(points, low, high),
        *(_objective_label(o) for o in limits),
    ]
    figure["layout"]["shapes"] = [objective_line(o, o.threshold_ms or 1) for o in limits]
    return figure


def limits_of(objectives: Sequence[Objective]) -> list[Objective]:
    """Those that set a longest time."""
    return [each for each in objectives if each.threshold_ms is not None]


def _ghost(series: Steps, before: Steps | None, points: Sequence[Step]) -> dict[str, Any]:
    """The p95 of the period before, under the steps that are drawn."""
    earlier = before.points if before else ()
    shown = {point.start_us for point in points}
    pairs = [
        (now, _positive(then.latency_ms.p95))
        for now, then in zip(series.points, earlier, strict=False)
        if now.start_us in shown
    ]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "p95 before",
        "x": base.times([now for now, _ in pairs], base.half(series.step_us)),
        "y": [value for _, value in pairs],
        "line": {"color": colour("ghost"), "width": 1.25, "dash": "2px,3px"},
        "connectgaps": False,
        "customdata": [show.ms(value) for _, value in pairs],
        "hovertemplate": "p95 before %{customdata}<extra></extra>",
    }


def _line(
    points: Sequence[Step], step_us: int, name: str, width: float, fill: str | None
) -> dict[str, Any]:
    values = [_positive(getattr(p.latency_ms, name)) for p in points]
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines+markers" if _lonely(values) else "lines",
        "name": name,
        "x": base.times(points, base.half(step_us)),
        "y": values,
        "line": {"color": colour("calm-line"), "width": width, "shape": "linear"},
        "marker": {"size": 4},
        "connectgaps": False,
        "customdata": [show.ms(value) for value in values],
        "hovertemplate": f"{name} %{{customdata}}<extra></extra>",
    }
    if fill and None not in values:
        trace |= {"fill": "tonexty", "fillcolor": colour(fill)}
    return trace


def _settled(series: Steps, window: Window) -> Sequence[Step]:
    """The points from the first to the last time, without steps that reach out of the window:
    the percentile of a step that has just begun is noise. They stay when there are no others."""
    whole = [
        p
        for p in series.points
        if p.start_us >= window.start_us and p.start_us + series.step_us <= window.end_us
    ]
    points = whole if any(p.latency_ms.p50 is not None for p in whole) else series.points
    known = [place for place, p in enumerate(points) if p.latency_ms.p50 is not None]
    return points[known[0] : known[-1] + 1] if known else ()


def _lonely(values: list[float | None]) -> bool:
    """Whether a value stands between gaps, where a line alone would not show it."""
    padded = [None, *values, None]
    return any(
        here is not None and left is None and right is None
        for left, here, right in zip(padded, padded[1:], padded[2:], strict=False)
    )


def _span(points: Sequence[Step], limits: list[float]) -> tuple[float, float]:
    """The axis' ends as powers of ten, with a little air."""
    timed = [p.latency_ms for p in points if p.latency_ms.p50 is not None]
    ends = [(_positive(each.p50), _positive(each.p99)) for each in timed]
    values = [value for pair in ends for value in pair if value is not None]
    values += [limit for limit in limits if limit > 0]
    if not values:
        return 0.0, 3.0
    low, high = log10(min(values)), log10(max(values))
    air = max((high - low) * 0.1, 0.12)
    return low - air, high + air


def tick_values(low: float, high: float) -> list[float]:
    """Round milliseconds between two powers of ten, at most `_MOST_TICKS`."""
    inside = [value for value in _TICKS if low <= log10(value) <= high]
    if len(inside) > _MOST_TICKS:
        inside = [10.0**power for power in range(ceil(low), floor(high) + 1)]
    return inside[:: -(-len(inside) // _MOST_TICKS) or 1]


def _end_labels(points: Sequence[Step], low: float, high: float) -> list[dict[str, Any]]:
    last = next((p for p in reversed(points) if p.latency_ms.p50 is not None), None)
    if last is None:
        return [base.nothing("nothing was timed")]
    known = [
        (name, value)
        for name in ("p50", "p95", "p99")
        if (value := _positive(getattr(last.latency_ms, name))) is not None
    ]
    wanted = [(log10(value) - low) / (high - low) for _, value in known]
    places = base.spread(wanted, base.LABEL_PX / base.PLOT_PX)
    return [base.end_label(f"<b>{name}</b>", y) for (name, _), y in zip(known, places, strict=True)]


def objective_line(objective: Objective, height: float) -> dict[str, Any]:
    """A dashed line across the plot, at the height of the objective on its axis."""
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": height,
        "y1": height,
        "line": {"color": colour("warn"), "width": 1.25, "dash": "5px,4px"},
    }


def _objective_label(objective: Objective) -> dict[str, Any]:
    limit = float(objective.threshold_ms or 1)
    return {
        "text": f"objective: {show.target(objective.target)} under {show.ms(limit)}",
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": log10(limit),
        "yref": "y",
        "yanchor": "bottom",
        "showarrow": False,
        "bgcolor": colour("panel"),
        "borderpad": 1,
        "opacity": 0.92,
        "font": {"size": 11, "color": colour("warn")},
    }


def _positive(value: float | None) -> float | None:
    if value is None or _LEAST_MS <= value <= _MOST_MS:
        return value
    return min(max(value, _LEAST_MS), _MOST_MS)


def short(value: float) -> str:
    """A round duration on an axis: `50 ms`, `2 s`."""
    if value < 1000:
        return f"{value:g}{show.THIN}ms" if value < 10 else f"{value:.0f}{show.THIN}ms"
    if value < 60_000:
        return f"{value / 1000:.3g}{show.THIN}s"
    return f"{value / 60_000:,.3g}{show.THIN}min"
