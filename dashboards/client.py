"""Callbacks that run in the browser: functions of `window.dash_clientside.midspan`."""

from typing import Any, cast

from dash import ClientsideFunction, Dash


def clientside(app: Dash, name: str, output: Any, *inputs: Any, first: bool = True) -> None:
    """Let assets/midspan.js's function `name` fill `output`; `first`: also when the page opens."""
    function = ClientsideFunction("midspan", name)
    untyped = cast(Any, app)
    untyped.clientside_callback(function, output, *inputs, prevent_initial_call=not first)
