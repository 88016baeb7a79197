"""How long exchanges took, as a map: time to the right, duration upwards, darker where more are."""

from collections.abc import Sequence
from itertools import pairwise
from math import log10, sqrt
from typing import Any, Protocol

from app.domain.window import Window
from dashboards import format as show
from dashboards.figures import base
from dashboards.figures.latency import limits_of, objective_line, short, tick_values
from dashboards.rows import Objective
from dashboards.theme import colour


class Heat(Protocol):
    """Counts of each band and step, and the edges of the bands in milliseconds."""

    @property
    def edges_ms(self) -> Sequence[float]: ...  # noqa: D102
    @property
    def counts(self) -> Sequence[Sequence[int]]: ...  # noqa: D102


def heat(
    found: Heat, starts_us: Sequence[int], step_us: int, limits: Sequence[Objective], window: Window
) -> base.Figure:
    """One cell for each band and step; every latency objective as a dashed line."""
    edges = [log10(max(edge, 0.001)) for edge in found.edges_ms]
    low, high = (edges[0], edges[-1]) if edges else (0.0, 3.0)
    ticks = tick_values(low, high)
    axis = {
        "range": [low, high],
        "tickvals": [log10(value) for value in ticks],
        "ticktext": [short(value) for value in ticks],
    }
    traces = [_cells(found, edges, starts_us, step_us)] if edges else []
    figure = base.frame(window, axis, traces, step_us)
    layout = figure["layout"]
    layout["hovermode"] = "closest"
    within = [each for each in limits_of(limits) if low <= log10(each.threshold_ms or 1) <= high]
    layout["shapes"] = [objective_line(each, log10(each.threshold_ms or 1)) for each in within]
    unit = base.unit_label(f"darker: more exchanges per {base.per(step_us)}")
    layout["annotations"] = [unit, *([] if edges else [base.nothing("nothing was timed")])]
    return figure


def _cells(
    found: Heat, edges: list[float], starts_us: Sequence[int], step_us: int
) -> dict[str, Any]:
    middle = base.half(step_us)
    bands = [f"{show.ms(low)} to {show.ms(high)}" for low, high in pairwise(found.edges_ms)]
    return {
        "type": "heatmap",
        "name": "exchanges",
        "x": [base.iso(at + middle) for at in starts_us],
        "y": [(low + high) / 2 for low, high in pairwise(edges)],
        # The root, so that one in a hundred is still seen; a cell without any is empty.
        "z": [[round(sqrt(n), 2) if n else None for n in band] for band in found.counts],
        "zmin": 0,
        "meta": bands,
        "customdata": [
            [f"{bands[place]}: {n:,}" if n else None for n in band]
            for place, band in enumerate(found.counts)
        ],
        "colorscale": [[0, colour("heat-low")], [1, colour("calm-line")]],
        "showscale": False,
        "hoverongaps": False,
        "hovertemplate": "%{customdata} exchanges<extra></extra>",
    }
