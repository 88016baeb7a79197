"""What is failing, as a part of the health page: the failures that want somebody."""

from dash import html

from app.domain.error_group import OPEN
from app.queries import error_groups
from dashboards import asking, ids, urlstate
from dashboards.components.grid import column, grid
from dashboards.pages import error_rows
from dashboards.pages.tables import Row

#: The most that are shown; the errors page has them all.
SHOWN = 6
_COLUMNS = [
    column("standing", "State", "Status", keep=True, minWidth=112, flex=2),
    column("failure", "What fails", "Failure", keep=True, minWidth=150, flex=6),
    column("exchanges", "Exchanges", "Shown", right=True, keep=True, minWidth=100, flex=2),
    column("points", "Over time", "Bars", minWidth=110, flex=3, sortable=False,
           cellDataType=False),
    column("installations", "Installations", "Shown", right=True, minWidth=98, flex=2),
    column("fault", "Fault", "Text", minWidth=84, flex=2),
    column("first_us", "First", "When", minWidth=106, flex=2),
]  # fmt: skip


def failing() -> html.Section:
    """The skeleton; few nodes, because the page has many. The tab of the errors has them all."""
    body = grid(
        ids.HEALTH_GROUPS,
        _COLUMNS,
        row_px=54,
        empty="Nothing failed in this time that wants somebody.",
        label="What is failing",
    )
    heading = html.H2("What is failing", className="panel-head")
    return html.Section([heading, body], className="panel wide")


def rows(ask: asking.Asked, slug: str) -> list[Row]:
    """The first of them."""
    found = error_groups(ask.reading, ask.scope, slug, ask.range.window, OPEN)
    kept = urlstate.build(ask.range)
    return [error_rows.row(view, kept, ask.now_us) for view in found.items[:SHOWN]]
