"""Which failures, as a share of all exchanges, over time: by what happened, or by whose fault."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.window import Window
from dashboards import format as show
from dashboards.figures import base
from dashboards.rows import Step, Steps
from dashboards.theme import colour

Counts = Sequence[Mapping[str, int]]
Layer = tuple[str, str, tuple[str, ...]]
#: Outcomes that a person mends in the same way are one layer: five hues are all an eye tells apart.
LAYERS: tuple[Layer, ...] = (
    ("5xx", "outcome-server_error", ("server_error",)),
    ("timeout", "outcome-timeout", ("timeout",)),
    ("network", "outcome-network", ("connect_error", "dns_error", "tls_error", "protocol_error")),
    ("4xx", "outcome-client_error", ("client_error",)),
    ("refused", "outcome-refused", ("rejected", "aborted")),
)
FAULTS: tuple[Layer, ...] = tuple(
    (fault, f"fault-{fault}", (fault,)) for fault in ("partner", "platform", "network", "customer")
)


def errors(series: Steps, window: Window, by_fault: Counts | None = None) -> base.Figure:
    """Stacked bars: each failing outcome's share of the exchanges of its step; with `by_fault`,
    counts by fault for every step, each fault's share."""
    points = series.points
    layers = LAYERS if by_fault is None else FAULTS
    counts: Counts = [p.by_outcome for p in points] if by_fault is None else by_fault
    table = [_counted(counts, keys) for *_, keys in layers]
    present = [
        (layer, row) for layer, row in zip(layers, table, strict=True) if any(row)
    ]  # fmt: skip
    top = _top(points, [row for _, row in present])
    ticks = base.nice_ticks(top)
    axis = {
        "range": [0, top],
        "tickvals": ticks,
        "ticktext": [f"{value:g}{show.THIN}%" for value in ticks],
    }
    place = base.bar_place(len(points), series.step_us)
    opacity = base.whole_steps(points, window, series.step_us)
    traces = [_bars(points, place, opacity, layer, row) for layer, row in present]
    figure = base.frame(window, axis, traces, series.step_us)
    unit = base.unit_label(f"share of exchanges per {base.per(series.step_us)}")
    figure["layout"]["annotations"] = [unit, *_labels(points, present, top)]
    return figure


def _counted(counts: Counts, keys: tuple[str, ...]) -> list[int]:
    """How many of one layer in every step."""
    columns = [[each.get(key, 0) for each in counts] for key in keys]
    return [sum(column) for column in zip(*columns, strict=True)] if keys[1:] else columns[0]


def _top(points: Sequence[Step], rows: Sequence[Sequence[int]]) -> float:
    sums = [sum(column) for column in zip(*rows, strict=True)] if rows else []
    shares = [n / p.exchanges for n, p in zip(sums, points, strict=False) if p.exchanges]
    return min(base.nice_ceiling(max(max(shares, default=0.0) * 100, 1.0)), 100.0)


def _bars(
    points: Sequence[Step],
    place: dict[str, float],
    opacity: list[float],
    layer: Layer,
    counts: Sequence[int],
) -> dict[str, Any]:
    name, tone, _ = layer
    pairs = list(zip(counts, points, strict=True))
    return {
        "type": "bar",
        "name": name,
        "x": base.times(points),
        "y": [n / p.exchanges * 100 if n and p.exchanges else None for n, p in pairs],
        **place,
        "marker": {"color": colour(tone), "line": {"width": 0}, "opacity": opacity},
        "customdata": [f"{n:,} of {p.exchanges:,}" for n, p in pairs],
        "hovertemplate": f"{name} %{{y:.2f}}{show.THIN}% · %{{customdata}}<extra></extra>",
    }


def _labels(
    points: Sequence[Step], present: list[tuple[Layer, list[int]]], top: float
) -> list[dict[str, Any]]:
    """Names right of the plot, in the order of the stack, each with its total."""
    if not present:
        return [base.nothing("nothing failed" if any(p.exchanges for p in points) else "")]
    failed = [sum(row[i] for _, row in present) for i in range(len(points))]
    last = next((i for i in reversed(range(len(points))) if failed[i]), 0)
    whole = max(points[last].exchanges, 1)
    heights, below = [], 0.0
    for _, row in present:
        share = row[last] / whole * 100
        heights.append((below + share / 2) / top)
        below += share
    gap = base.LABEL_PX * 1.05 / base.PLOT_PX
    places = base.spread([h + i * 1e-6 for i, h in enumerate(heights)], gap, 0.03, 1.0)
    return [
        base.end_label(f"<b>{name}</b> {_short(sum(row))}", y, tone)
        for ((name, tone, _), row), y in zip(present, places, strict=True)
    ]


def _short(total: int) -> str:
    if total < 10_000:
        return f"{total:,}"
    return f"{total / 1000:,.0f}{show.THIN}k" if total < 10**6 else show.count(total)
