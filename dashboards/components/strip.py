"""A strip of figures: each a term, a value, a comparison and a note."""

from dataclasses import dataclass

from dash import html

from dashboards.components.texts import term
from dashboards.ids import part


@dataclass(frozen=True, slots=True)
class Figure:
    """What stands in one figure. `tone`: "" or one of the tones of a status."""

    value: str
    change: str = ""
    note: str = ""
    tone: str = ""
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """One place in a strip: `key` names its parts and its definition."""

    key: str
    label: str
    definition: str


def strip(of: str, places: tuple[Place, ...]) -> html.Div:
    """An empty strip; `props` fills it."""
    return html.Div([_cell(of, place) for place in places], className="strip", id=part(of, "strip"))


def outputs(of: str, places: tuple[Place, ...]) -> list[tuple[str, str]]:
    """The (id, prop) pairs that `props` gives values for, in order."""
    pairs: list[tuple[str, str]] = []
    for place in places:
        cell = part(of, place.key)
        pairs += [
            (cell, "className"),
            (part(cell, "value"), "children"),
            (part(cell, "beside"), "children"),
        ]
    return pairs


def props(figures: list[Figure]) -> list[str]:
    """Values for `outputs`."""
    values: list[str] = []
    for figure in figures:
        classes = ["cell", *([f"tone-{figure.tone}"] if figure.tone else [])]
        if not figure.shown:
            classes.append("gone")
        beside = " · ".join(filter(None, (figure.change, figure.note)))
        values += [" ".join(classes), figure.value, beside]
    return values


def _cell(of: str, place: Place) -> html.Div:
    cell = part(of, place.key)
    return html.Div(
        [
            term(place.label, place.definition),
            html.Div("", id=part(cell, "value"), className="value"),
            html.Div("", id=part(cell, "beside"), className="beside"),
        ],
        id=cell,
        className="cell",
    )
