"""Objectives with what is left of their budget."""

from dataclasses import dataclass

from dash import html

from dashboards import format as show
from dashboards import words
from dashboards.components.attributes import aria, data
from dashboards.ids import part
from dashboards.rows import Objective


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of one budget. `remaining_ratio` None: nothing was eligible yet."""

    remaining_ratio: float | None
    burn_rate: float | None
    good: int
    bad: int
    excluded: int | None = None


Props = tuple[str, str, str, dict[str, str], str]
HIDDEN: Props = ("objective gone", "", "", {"width": "0"}, "")


def title(objective: Objective) -> str:
    """`Availability 99.5 %`, `95 % under 800 ms`."""
    if objective.threshold_ms is None:
        return f"{objective.name.capitalize()} {show.target(objective.target)}"
    return f"{show.target(objective.target)} under {show.ms(float(objective.threshold_ms))}"


def objective(of: str) -> html.Div:
    """The place of one objective, hidden until `props` fills it."""
    definition = words.DEFINITIONS["budget_left"]
    tip = data(tip=definition) | aria(description=definition)
    return html.Div(
        [
            html.Div(
                [
                    html.Span(
                        "",
                        id=part(of, "title"),
                        className="term",
                        tabIndex="0",
                        role="note",
                        **tip,
                    ),
                    html.Strong(show.NONE, id=part(of, "left")),
                ],
                className="between",
            ),
            html.Div(html.Div(id=part(of, "fill"), className="fill"), className="bar"),
            html.Div("", id=part(of, "detail"), className="detail"),
        ],
        id=of,
        className="objective gone",
    )


def outputs(of: str) -> list[tuple[str, str]]:
    """The (id, prop) pairs that `props` gives values for."""
    return [
        (of, "className"),
        (part(of, "title"), "children"),
        (part(of, "left"), "children"),
        (part(of, "fill"), "style"),
        (part(of, "detail"), "children"),
    ]


def props(objective: Objective, left: Left) -> Props:
    """Values for `outputs`: the bar shows what is left, full and bad when nothing is."""
    name = title(objective)
    if left.remaining_ratio is None or left.burn_rate is None:
        period = show.duration(objective.window)
        return "objective", name, show.NONE, {"width": "0"}, f"nothing counted in {period}"
    remaining = left.remaining_ratio
    width = 100.0 if remaining < 0 else min(remaining * 100, 100.0)
    tone = "bad" if remaining < 0 else "warn" if remaining < 0.25 else "ok"
    return (
        f"objective tone-{tone}",
        name,
        f"{show.ratio(remaining)} left" if remaining >= 0 else f"{left.burn_rate:.1f}× spent",
        {"width": f"{width:.1f}%"},
        _detail(objective, left),
    )


def _detail(objective: Objective, left: Left) -> str:
    noun = "bad" if objective.threshold_ms is None else "slow"
    parts = [f"{show.count(left.bad)} {noun} of {show.count(left.good + left.bad)}"]
    if left.excluded:
        parts.append(f"{show.count(left.excluded)} excluded")
    parts.append(show.duration(objective.window))
    burn = left.burn_rate or 0.0
    if burn <= 1:
        parts.append(f"burning {burn:.2f}×")
    return " · ".join(parts)
