"""The stages of one exchange as bars after one another."""

from typing import NamedTuple

from dash import html
from dash.development.base_component import Component

from dashboards import format as show


class Stage(NamedTuple):
    """One stage; `length_ms` None: never reached."""

    name: str
    length_ms: float | None


def waterfall(stages: list[Stage]) -> html.Div:
    """Name, bar and length of every stage, the bars on one scale of time."""
    whole = sum(stage.length_ms or 0.0 for stage in stages)
    rows: list[Component] = []
    start = 0.0
    for stage in stages:
        rows += _row(stage, start, whole)
        start += stage.length_ms or 0.0
    return html.Div(rows, className="waterfall")


def _row(stage: Stage, start: float, whole: float) -> list[Component]:
    length = stage.length_ms or 0.0
    place = {
        "marginLeft": _percent(start, whole),
        "width": f"max(2px, {_percent(length, whole)})" if stage.length_ms else "0",
    }
    text = "not reached" if stage.length_ms is None else show.ms(stage.length_ms)
    return [
        html.Span(stage.name, className="stage"),
        html.Span(html.Span(className="span", style=place), className="track"),
        html.Span(text, className="length dim" if stage.length_ms is None else "length"),
    ]


def _percent(part: float, whole: float) -> str:
    return f"{part / whole * 100 if whole > 0 else 0:.2f}%"
