"""The bar over a list of exchanges: a control for everything that its address may ask for.

The address is the state. What is chosen is written to it, and what it says is shown, by
assets/midspan_filters.js; the list reads the address and nothing else.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import dash_mantine_components as dmc
from dash import Dash, Input, Output, html

from app.domain.words import Direction, Fault, Kind, Outcome
from dashboards import ids, words
from dashboards.client import clientside
from dashboards.components.attributes import aria, data
from dashboards.ids import part

_OF = ids.EXCHANGES_FILTER
_WAYS = {"outbound": "to the partner", "inbound": "from the partner"}


class Field(NamedTuple):
    """One name of the address. `words` None: any text; else its words as people read them."""

    name: str
    label: str
    words: Mapping[str, str] | None = None
    example: str = ""


#: What is asked for most, always in sight.
FIRST = (
    Field("q", "Search", example="Search errors and paths"),
    Field("outcome", "Result", {each.word: words.OUTCOMES[each.word] for each in Outcome}),
    Field("fault", "Fault", {each.word: words.FAULTS[each.word] for each in Fault}),
    Field("direction", "Direction", {each.word: _WAYS[each.word] for each in Direction}),
    Field("kind", "Kind", {each.word: each.word for each in Kind}),
)
#: The rest, behind a word. Each takes the whole value, as an exchange's page has it.
MORE = (
    Field("operation", "Operation", example="POST /v1/issues"),
    Field("status", "Status", example="503"),
    Field("error", "Error code", example="connect_refused"),
    Field("min_ms", "Took at least, ms", example="800"),
    Field("installation", "Installation"),
    Field("customer", "Customer"),
    Field("topic", "Topic", example="issue.created"),
    Field("method", "Method", example="PATCH"),
    Field("delivery", "Delivery"),
    Field("trace", "Trace"),
)
NAMES = tuple(field.name for field in FIRST + MORE)
_WORDED = tuple(field for field in FIRST + MORE if field.words is not None)


def bar(query: Mapping[str, str]) -> html.Div:
    """The controls, showing what `query` asks for."""
    further = [_control(field, query, labelled=True) for field in MORE]
    return html.Div(
        [
            *(_control(field, query, labelled=False) for field in FIRST),
            html.Details(
                [
                    html.Summary("More", id=part(_OF, "more"), className="tool"),
                    html.Div(further, className="custom filters"),
                ],
                className="other",
            ),
            html.A("Clear", href="?", id=part(_OF, "clear"), className="gone"),
        ],
        id=_OF,
        className="filter-bar",
        role="search",
        **aria(label="Which exchanges"),
        **data(first=_names(FIRST), more=_names(MORE), worded=_names(_WORDED)),
    )


def register(app: Dash) -> None:
    """What is chosen goes to the address, and what the address says is shown."""
    chosen = [Input(part(_OF, name), "value") for name in NAMES]
    clientside(app, "filter", Output(_OF, "title"), *chosen, first=False)
    clientside(app, "filtered", Output(_OF, "className"), Input(ids.LOCATION, "search"))


def _names(fields: Iterable[Field]) -> str:
    return " ".join(field.name for field in fields)


def _control(field: Field, query: Mapping[str, str], *, labelled: bool) -> Any:
    label = {"label": field.label} if labelled else aria(label=field.label)
    given = query.get(field.name, "")
    of, size = part(_OF, field.name), "sm"
    if field.words is None:
        return dmc.TextInput(
            id=of, value=given, placeholder=field.example or None, debounce=600, size=size,
            autoComplete="off", className=f"filter filter-{field.name}", **label,
        )  # fmt: skip
    return dmc.Select(
        id=of,
        value=given if given in field.words else None,
        data=[{"value": value, "label": text} for value, text in field.words.items()],
        placeholder=field.label,
        clearable=True,
        size=size,
        className="filter",
        comboboxProps={"withinPortal": True, "zIndex": 400},
        **label,
    )
