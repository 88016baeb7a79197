"""What happened beside the numbers: trouble as a shaded time, notes as lines of a chart."""

from collections.abc import Sequence
from html import escape
from typing import Any, Protocol

from app.domain.window import Window
from dashboards import format as show
from dashboards import words
from dashboards.figures import base
from dashboards.theme import colour

_SHOWN = 26


class Trouble(Protocol):
    """A stretch of time with a troubled status."""

    @property
    def window(self) -> Window: ...  # noqa: D102
    @property
    def status(self) -> str: ...  # noqa: D102


class Note(Protocol):
    """What somebody wrote about a moment."""

    @property
    def at_us(self) -> int: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def text(self) -> str: ...  # noqa: D102


def marked(
    figure: base.Figure,
    window: Window,
    troubles: Sequence[Trouble],
    notes: Sequence[Note],
    *,
    named: bool = False,
) -> base.Figure:
    """The figure with every trouble and note of its window. `named`: with words beside the marks,
    which one chart of a page has; on the others they show when pointed at."""
    layout = figure["layout"]
    layout["shapes"] = [*map(_shade, troubles), *layout["shapes"], *map(_line, notes)]
    words_of = [_named(each, window) for each in troubles[-1:]] if named and not notes else []
    pins = [_pin(each, window, named=named and place == 0) for place, each in enumerate(notes)]
    layout["annotations"] = [*layout["annotations"], *words_of, *pins]
    return figure


def _shade(trouble: Trouble) -> dict[str, Any]:
    tone = words.status(trouble.status).tone
    return {
        "type": "rect",
        "layer": "below",
        "xref": "x",
        "yref": "paper",
        "x0": base.iso(trouble.window.start_us),
        "x1": base.iso(trouble.window.end_us),
        "y0": 0,
        "y1": 1,
        "fillcolor": colour(f"{tone}-soft"),
        "opacity": 0.55,
        "line": {"width": 0},
    }


def _line(note: Note) -> dict[str, Any]:
    at = base.iso(note.at_us)
    line = {"color": colour("accent"), "width": 1, "dash": "2px,3px"}
    return {
        "type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1,
        "line": line,
    }  # fmt: skip


def _named(trouble: Trouble, window: Window) -> dict[str, Any]:
    status = words.status(trouble.status)
    text = f"{status.icon} {status.word.lower()} from {show.at(trouble.window.start_us):%H:%M}"
    return _words(text, trouble.window.start_us, window, status.tone)


def _pin(note: Note, window: Window, *, named: bool) -> dict[str, Any]:
    """A diamond above the line; the whole note shows when it is pointed at."""
    text = escape(show.plain(note.text, 200))
    short = escape(show.plain(note.text[:_SHOWN])) + ("…" if len(note.text) > _SHOWN else "")
    pin = _words(f"◆ {short}" if named else "◆", note.at_us, window, "accent")
    whole = f"{show.minute(note.at_us)} · {escape(note.kind)}<br>{text}"
    return {**pin, "hovertext": whole, "captureevents": True}


def _words(text: str, at_us: int, window: Window, tone: str) -> dict[str, Any]:
    late = at_us - window.start_us > window.length_us * 0.6
    return {
        "text": text,
        "x": base.iso(at_us),
        "xref": "x",
        "xanchor": "right" if late else "left",
        "y": 1,
        "yref": "paper",
        "yanchor": "top",
        "yshift": 2,
        "showarrow": False,
        "bgcolor": colour("panel"),
        "borderpad": 1,
        "opacity": 0.92,
        "font": {"size": 11, "color": colour(tone)},
    }
