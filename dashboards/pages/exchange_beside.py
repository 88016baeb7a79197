"""What belongs to an exchange: attempts of its delivery, its trace, its installation."""

from collections.abc import Iterable

from dash import html
from dash.development.base_component import Component

from app.queries import Siblings
from app.queries.results import ExchangeView
from dashboards import format as show
from dashboards import words
from dashboards.components.panel import panel


def beside(view: ExchangeView, found: Siblings) -> list[Component]:
    """A panel for each sort that there is; nothing where there is none."""
    around = [*reversed(found.before), view, *found.after]
    parts = [
        ("Other attempts of this delivery", found.attempts),
        ("Others of this trace", found.trace),
        ("This installation just before and after", around if len(around) > 1 else ()),
    ]
    panels = [_panel(title, rows, view) for title, rows in parts if rows]
    return [html.Div(panels, className="columns")] if panels else []


def _panel(title: str, rows: Iterable[ExchangeView], here: ExchangeView) -> html.Section:
    lines = [_line(row, here) for row in rows]
    return panel(title, html.Table(html.Tbody(lines), className="beside-list"))


def _line(row: ExchangeView, here: ExchangeView) -> html.Tr:
    when = _offset(row.started_us - here.started_us)
    what = show.plain(row.operation, 120)
    link = html.A(what, href=f"/exchanges/{row.id}") if row.id != here.id else html.Strong(what)
    result = str(row.status) if row.status else words.OUTCOMES.get(row.outcome, row.outcome)
    tone = " toned tone-bad" if row.verdict == "bad" else ""
    return html.Tr(
        [
            html.Td(when, className="number", title=show.stamp(row.started_us)),
            html.Td(link, className="mono"),
            html.Td(html.Span(result, className=tone.strip())),
            html.Td(show.ms(row.total_ms), className="number"),
        ]
    )


def _offset(length_us: int) -> str:
    """`+1.20 s` after the exchange itself."""
    if length_us == 0:
        return "this one"
    return ("+" if length_us > 0 else show.MINUS) + show.ms(abs(length_us) / 1000)
