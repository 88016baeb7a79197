"""Every colour, size and typeface of the pages, light and dark.

Figures and components name a colour as `var(--name)`; the browser resolves it, so that one answer
of the server serves both schemes and a switch needs no request. Contrast of text against its
ground is at least 4.5:1 in both schemes (a test computes it). Meaning never rests on colour alone.
The hues of outcomes and faults are Okabe and Ito's, which colour-blind readers can tell apart.
"""

from typing import Any

FONT = 'Inter, system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'
MONO = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace'

LIGHT: dict[str, str] = {
    "page": "#fafaf8",
    "panel": "#ffffff",
    "line": "#e4e4e0",
    "line-soft": "#efefec",
    "hover": "#f3f3ef",
    "text": "#17181a",
    "dim": "#5f6168",
    "faint": "#80828a",
    "accent": "#2750c4",
    "accent-soft": "#e9eefb",
    "focus": "#2750c4",
    "bad": "#b3300c",
    "bad-soft": "#fce6dd",
    "warn": "#855000",
    "warn-soft": "#fbefd3",
    "ok": "#0a6e51",
    "ok-soft": "#e1f3ec",
    "calm-fill": "#bccbf0",
    "calm-line": "#2750c4",
    "band-high": "rgba(39,80,196,0.10)",
    "band-low": "rgba(39,80,196,0.20)",
    "heat-low": "#e9eefb",
    "day-ok": "#5aa88f",
    "day-warn": "#e0a83a",
    "day-bad": "#c2491f",
    "excluded-fill": "#d9d9d5",
    "ghost": "#8b8d94",
    "grid": "#ededea",
    "tip": "#222326",
    "tip-text": "#ffffff",
    "outcome-client_error": "#e69f00",
    "outcome-server_error": "#b3300c",
    "outcome-timeout": "#0072b2",
    "outcome-network": "#cc79a7",
    "outcome-refused": "#80828a",
    "fault-partner": "#0072b2",
    "fault-platform": "#cc79a7",
    "fault-network": "#e69f00",
    "fault-customer": "#8b8d94",
}

DARK: dict[str, str] = {
    "page": "#101113",
    "panel": "#18191c",
    "line": "#2b2d31",
    "line-soft": "#232528",
    "hover": "#202226",
    "text": "#f1f1ef",
    "dim": "#a5a7ae",
    "faint": "#85878f",
    "accent": "#93b0ff",
    "accent-soft": "#212a44",
    "focus": "#93b0ff",
    "bad": "#ff9770",
    "bad-soft": "#3f1c10",
    "warn": "#f2bb57",
    "warn-soft": "#382a0d",
    "ok": "#5fd0ab",
    "ok-soft": "#11332a",
    "calm-fill": "#3b4770",
    "calm-line": "#93b0ff",
    "band-high": "rgba(147,176,255,0.10)",
    "band-low": "rgba(147,176,255,0.18)",
    "heat-low": "#222a44",
    "day-ok": "#3c8c73",
    "day-warn": "#c9922b",
    "day-bad": "#ff9770",
    "excluded-fill": "#4a4c52",
    "ghost": "#8f9198",
    "grid": "#25272a",
    "tip": "#33363c",
    "tip-text": "#f5f5f3",
    "outcome-client_error": "#e69f00",
    "outcome-server_error": "#ff9770",
    "outcome-timeout": "#56b4e9",
    "outcome-network": "#e59ac4",
    "outcome-refused": "#9a9ca4",
    "fault-partner": "#56b4e9",
    "fault-platform": "#e59ac4",
    "fault-network": "#e69f00",
    "fault-customer": "#9a9ca4",
}

#: What every chart is given: nothing leaves the browser, no toolbar, drag selects a span of time.
GRAPH: dict[str, Any] = {
    "displayModeBar": False,
    "displaylogo": False,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "doubleClick": "autosize",
    "responsive": True,
}


def colour(name: str) -> str:
    """The name of a colour as figures and styles use it; `KeyError` for one that is not ours."""
    LIGHT[name]
    return f"var(--{name})"


def style_sheet() -> str:
    """Both schemes as CSS custom properties."""
    return (
        f":root{{{_properties(LIGHT)}--font:{FONT};--mono:{MONO};color-scheme:light}}"
        f'[data-mantine-color-scheme="dark"]{{{_properties(DARK)}color-scheme:dark}}'
    )


def _properties(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())
