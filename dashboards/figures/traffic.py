"""Exchanges over time: good calm, bad strong, the period before as a ghost."""

from collections.abc import Sequence
from typing import Any

from app.domain.window import Window
from dashboards import format as show
from dashboards import words
from dashboards.figures import base
from dashboards.rows import Step, Steps
from dashboards.theme import colour

_STACK = (("good", "calm-fill"), ("excluded", "excluded-fill"), ("bad", "bad"))


def traffic(series: Steps, before: Steps | None, window: Window) -> base.Figure:
    """Stacked bars of good, excluded and bad per step; `before` shifted under them as a line.

    `series` and `before` have the same step; the i-th points belong together.
    """
    points = series.points
    ghost = _ghost(points, before.points if before else ())
    tallest = max([p.exchanges for p in points] + [y for y in ghost if y is not None], default=0)
    top = base.nice_ceiling(tallest)
    ticks = base.nice_ticks(top)
    axis = {
        "range": [0, top],
        "tickvals": ticks,
        "ticktext": [show.count(round(t)) if t >= 1 or t == 0 else "" for t in ticks],
    }
    place = base.bar_place(len(points), series.step_us)
    opacity = base.whole_steps(points, window, series.step_us)
    bars = [_bars(points, place, opacity, stack) for stack in _STACK]
    figure = base.frame(window, axis, [*bars, _line(points, ghost, series.step_us)], series.step_us)
    unit = base.unit_label(f"exchanges per {base.per(series.step_us)}")
    figure["layout"]["annotations"] = [unit, *_labels(points, ghost, top)]
    return figure


def _bars(
    points: Sequence[Step],
    place: dict[str, float],
    opacity: list[float],
    stack: tuple[str, str],
) -> dict[str, Any]:
    field, tone = stack
    trace: dict[str, Any] = {
        "type": "bar",
        "name": field,
        "x": base.times(points),
        "y": [getattr(p, field) for p in points],
        **place,
        "marker": {"color": colour(tone), "line": {"width": 0}, "opacity": opacity},
        "hovertemplate": f"{field} %{{y:,}}<extra></extra>",
    }
    if field == "bad":
        trace["customdata"] = [_detail(p) if p.bad else "" for p in points]
        trace["hovertemplate"] = "bad %{y:,}%{customdata}<extra></extra>"
    return trace


def _line(points: Sequence[Step], ghost: list[int | None], step_us: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "period before",
        "x": base.times(points, base.half(step_us)),
        "y": ghost,
        "line": {"color": colour("ghost"), "width": 1.25, "dash": "2px,3px"},
        "hovertemplate": "period before %{y:,}<extra></extra>",
    }


def _ghost(points: Sequence[Step], before: Sequence[Step]) -> list[int | None]:
    known: list[int | None] = [p.exchanges for p in before[: len(points)]]
    if not any(known):
        return [None] * len(points)
    return known + [None] * (len(points) - len(known))


def _detail(point: Step) -> str:
    failed = {k: v for k, v in point.by_outcome.items() if k != "ok"}
    worst = sorted(failed.items(), key=lambda item: -item[1])[:3]
    return "".join(f"<br>  {n:,} {words.OUTCOMES.get(outcome, outcome)}" for outcome, n in worst)


def _labels(points: Sequence[Step], ghost: list[int | None], top: float) -> list[dict[str, Any]]:
    """Names right of the plot, each at the height of the last whole step's part."""
    if not any(p.exchanges for p in points):
        return [base.nothing("no exchange")]
    last = points[-2] if len(points) > 1 else points[-1]
    wanted: list[tuple[str, float, str]] = [("good", last.good / 2 / top, "calm-fill")]
    if any(p.excluded for p in points):
        wanted.append(("excluded", (last.good + last.excluded / 2) / top, "excluded-fill"))
    if any(p.bad for p in points):
        wanted.append(("<b>bad</b>", (last.exchanges - last.bad / 2) / top, "bad"))
    before = next((y for y in reversed(ghost) if y is not None), None)
    if before is not None:
        wanted.append(("before", before / top, "ghost"))
    heights = [y + place * 1e-6 for place, (_, y, _) in enumerate(wanted)]
    places = base.spread(heights, base.LABEL_PX / base.PLOT_PX, 0.03, 1.0)
    return [
        base.end_label(text, y, mark) for (text, _, mark), y in zip(wanted, places, strict=True)
    ]
