"""What happened beside the numbers: trouble as a shaded time, incidents and notes as lines."""

from collections.abc import Sequence
from dataclasses import dataclass
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


class Incident(Protocol):
    """A time that a rule fired."""

    @property
    def id(self) -> int: ...  # noqa: D102
    @property
    def severity(self) -> str: ...  # noqa: D102
    @property
    def summary(self) -> str: ...  # noqa: D102
    @property
    def fired_us(self) -> int: ...  # noqa: D102
    @property
    def resolved_us(self) -> int | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Marks:
    """What happened within a window, each kind oldest first."""

    troubles: Sequence[Trouble] = ()
    incidents: Sequence[Incident] = ()
    notes: Sequence[Note] = ()


def marked(
    figure: base.Figure, window: Window, marks: Marks, *, named: bool = False
) -> base.Figure:
    """The figure with every mark of its window. `named`: with words beside one mark of each
    kind, which one chart of a page has; on the others they show when pointed at."""
    layout = figure["layout"]
    begun = [each for each in marks.incidents if each.fired_us >= window.start_us]
    lines = [_line(each.fired_us, "bad") for each in begun]
    lines += [_line(each.at_us, "accent") for each in marks.notes]
    layout["shapes"] = [*map(_shade, marks.troubles), *layout["shapes"], *lines]
    flags = [_flag(each, window, named=named and each is begun[-1]) for each in begun]
    pins = [
        _pin(each, window, named=named and place == 0) for place, each in enumerate(marks.notes)
    ]
    alone = named and not flags and not pins
    words_of = [_named(each, window) for each in marks.troubles[-1:]] if alone else []
    layout["annotations"] = [*layout["annotations"], *words_of, *flags, *pins]
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


def _line(at_us: int, tone: str) -> dict[str, Any]:
    at = base.iso(at_us)
    line = {"color": colour(tone), "width": 1, "dash": "2px,3px"}
    return {
        "type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1,
        "line": line,
    }  # fmt: skip


def _named(trouble: Trouble, window: Window) -> dict[str, Any]:
    status = words.status(trouble.status)
    text = f"{status.icon} {status.word.lower()} from {show.at(trouble.window.start_us):%H:%M}"
    return _words(text, trouble.window.start_us, window, status.tone)


def _flag(incident: Incident, window: Window, *, named: bool) -> dict[str, Any]:
    """A flag beside the line of an incident, below where notes stand; what it was about shows when
    it is pointed at."""
    words_of = f"⚑ incident {incident.id} from {show.at(incident.fired_us):%H:%M}"
    flag = _words(words_of if named else "⚑", incident.fired_us, window, "bad")
    until = "" if incident.resolved_us is None else f" to {show.minute(incident.resolved_us)}"
    when = f"{show.minute(incident.fired_us)}{until or ', firing'}"
    said = escape(show.plain(incident.summary, 200))
    whole = f"{escape(incident.severity)} · incident {incident.id} · {when}<br>{said}"
    return {**flag, "yshift": -14, "hovertext": whole, "captureevents": True}


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
