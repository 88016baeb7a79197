"""Small pieces of text: a term with its definition, a badge, a code."""

from typing import Any

from dash import html

from dashboards import words
from dashboards.components.attributes import aria, data


def term(label: str, key: str, id: str | None = None) -> html.Span:  # noqa: A002 - Dash's word
    """A label whose definition (`words.DEFINITIONS[key]`) shows on hover and on focus."""
    definition = words.DEFINITIONS[key]
    extra: dict[str, Any] = {"id": id} if id else {}
    attributes = data(tip=definition) | aria(description=definition)
    return html.Span(label, className="term", tabIndex="0", role="note", **attributes, **extra)


def badge(status: str, id: str | None = None) -> html.Span:  # noqa: A002 - Dash's word
    """Icon and word of a status."""
    word = words.status(status)
    extra: dict[str, Any] = {"id": id} if id else {}
    return html.Span(word.text, className=badge_class(status), **extra)


def badge_class(status: str) -> str:
    """The class that gives a badge its colours."""
    return f"badge tone-{words.status(status).tone}"


def shown(when: bool, base: str = "") -> str:
    """The class names of a part that is there only at times."""
    return base if when else f"{base} gone".strip()
