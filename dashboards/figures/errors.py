"""Which failures, as a share of all exchanges, over time."""

from collections.abc import Sequence
from typing import Any

from app.domain.window import Window
from dashboards import format as show
from dashboards.figures import base
from dashboards.rows import Step, Steps
from dashboards.theme import colour

Layer = tuple[str, str, tuple[str, ...]]
#: Outcomes that a person mends in the same way are one layer: five hues are all an eye tells apart.
LAYERS: tuple[Layer, ...] = (
    ("5xx", "outcome-server_error", ("server_error",)),
    ("timeout", "outcome-timeout", ("timeout",)),
    ("network", "outcome-network", ("connect_error", "dns_error", "tls_error", "protocol_error")),
    ("4xx", "outcome-client_error", ("client_error",)),
    ("refused", "outcome-refused", ("rejected", "aborted")),
)


def errors(series: Steps, window: Window) -> base.Figure:
    """Stacked bars: each failing outcome's share of the exchanges of its step."""
    points = series.points
    present = [layer for layer in LAYERS if any(_count(p, layer[2]) for p in points)]
    tallest = max((_failed(p) / p.exchanges for p in points if p.exchanges), default=0.0)
    top = min(base.nice_ceiling(max(tallest * 100, 1.0)), 100.0)
    ticks = base.nice_ticks(top)
    axis = {
        "range": [0, top],
        "tickvals": ticks,
        "ticktext": [f"{value:g}{show.THIN}%" for value in ticks],
    }
    place = base.bar_place(len(points), series.step_us)
    opacity = base.whole_steps(points, window, series.step_us)
    traces = [_bars(points, place, opacity, layer) for layer in present]
    figure = base.frame(window, axis, traces)
    unit = base.unit_label(f"share of exchanges per {base.per(series.step_us)}")
    figure["layout"]["annotations"] = [unit, *_labels(points, present, top)]
    return figure


def _bars(
    points: Sequence[Step], place: dict[str, float], opacity: list[float], layer: Layer
) -> dict[str, Any]:
    name, tone, outcomes = layer
    counts = [_count(p, outcomes) for p in points]
    return {
        "type": "bar",
        "name": name,
        "x": [base.iso(p.start_us) for p in points],
        "y": [n / p.exchanges * 100 if n else None for n, p in zip(counts, points, strict=True)],
        **place,
        "marker": {"color": colour(tone), "line": {"width": 0}, "opacity": opacity},
        "customdata": [f"{n:,} of {p.exchanges:,}" for n, p in zip(counts, points, strict=True)],
        "hovertemplate": f"{name} %{{y:.2f}}{show.THIN}% · %{{customdata}}<extra></extra>",
    }


def _labels(points: Sequence[Step], present: list[Layer], top: float) -> list[dict[str, Any]]:
    """Names right of the plot, in the order of the stack, each with its total."""
    if not present:
        return [base.nothing("nothing failed" if any(p.exchanges for p in points) else "")]
    totals = [sum(_count(p, outcomes) for p in points) for _, _, outcomes in present]
    last = next((p for p in reversed(points) if _failed(p)), None)
    heights, below = [], 0.0
    for _, _, outcomes in present:
        share = _count(last, outcomes) / last.exchanges * 100 if last else 0.0
        heights.append((below + share / 2) / top)
        below += share
    gap = base.LABEL_PX * 1.05 / base.PLOT_PX
    places = base.spread([h + i * 1e-6 for i, h in enumerate(heights)], gap, 0.03, 1.0)
    return [
        base.end_label(f"<b>{name}</b> {_short(total)}", y, tone)
        for (name, tone, _), total, y in zip(present, totals, places, strict=True)
    ]


def _short(total: int) -> str:
    if total < 10_000:
        return f"{total:,}"
    return f"{total / 1000:,.0f}{show.THIN}k" if total < 10**6 else show.count(total)


def _count(point: Step, outcomes: tuple[str, ...]) -> int:
    return sum(point.by_outcome.get(outcome, 0) for outcome in outcomes)


def _failed(point: Step) -> int:
    return sum(n for outcome, n in point.by_outcome.items() if outcome != "ok")
