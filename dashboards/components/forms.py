"""Fields and buttons in a row, and the line that says what came of it."""

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import html

from dashboards.components.attributes import aria
from dashboards.ids import part


def row(fields: list[Any], title: str | None = None) -> html.Div:
    """Fields beside each other, as many as there is room for, under what they are for."""
    head = [html.H3(title)] if title else []
    return html.Div([*head, *fields], className="form-row")


def text(id: str, label: str, example: str = "") -> dmc.TextInput:  # noqa: A002 - Dash's word
    """One line of text."""
    return dmc.TextInput(id=id, label=label, placeholder=example, autoComplete="off", size="sm")


def secret(id: str, label: str, kind: str) -> dmc.PasswordInput:  # noqa: A002 - Dash's word
    """A password; `kind` is its `autocomplete`."""
    return dmc.PasswordInput(id=id, label=label, autoComplete=kind, size="sm")


def choice(id: str, label: str, words: Mapping[str, str]) -> dmc.Select:  # noqa: A002
    """One of `words`."""
    data = [{"value": value, "label": shown} for value, shown in words.items()]
    return dmc.Select(id=id, label=label, data=data, placeholder="choose", size="sm")


def button(of: str, name: str, label: str) -> html.Button:
    """A button of a form."""
    return html.Button(label, id=part(of, name), type="button", className="button")


def said(id: str) -> html.P:  # noqa: A002 - Dash's word
    """What came of it; read out when it changes."""
    return html.P("", id=id, className="said", role="status", **aria(live="polite"))
