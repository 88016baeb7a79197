"""Attributes with a hyphen, which Python's keywords cannot spell."""

from typing import Any


def aria(**values: str) -> dict[str, Any]:
    """`aria(label="Pages")` is `aria-label`."""
    return {f"aria-{name}": value for name, value in values.items()}


def data(**values: str) -> dict[str, Any]:
    """`data(keep="range")` is `data-keep`, which the scripts in assets read."""
    return {f"data-{name}": value for name, value in values.items()}
