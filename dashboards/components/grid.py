"""AG Grid with our typography, in both colour schemes, growing with its rows.

Cells are shown by the renderers of assets/dashAgGridComponentFunctions.js, which make text nodes
only. A row is a flat dict: the value to sort by, and beside it the text to show.
"""

from typing import Any

import dash_ag_grid as dag
from dash import html

from dashboards.components.attributes import aria

_THEME = {
    "function": "themeQuartz.withParams({"
    "backgroundColor: 'var(--panel)', foregroundColor: 'var(--text)', "
    "headerBackgroundColor: 'var(--panel)', headerTextColor: 'var(--dim)', "
    "borderColor: 'var(--line-soft)', rowHoverColor: 'var(--hover)', "
    "accentColor: 'var(--accent)', chromeBackgroundColor: 'var(--panel)', "
    "fontFamily: 'inherit', fontSize: '13px', headerFontSize: '12px', headerFontWeight: 600, "
    "headerHeight: '34px', spacing: '6px', cellHorizontalPadding: '14px', "
    "wrapperBorder: false, wrapperBorderRadius: '0px', columnBorder: false, "
    "headerRowBorder: true, rowBorder: true, headerColumnResizeHandleColor: 'transparent'"
    "})"
}


def column(
    field: str,
    title: str,
    renderer: str = "Text",
    *,
    right: bool = False,
    tip: str | None = None,
    keep: bool = False,
    long: bool = False,
    **more: Any,
) -> dict[str, Any]:
    """One column. `keep`: it stays when the grid is narrow; `tip`: the definition in the header;
    `long`: its texts are sentences, which wrap, and the row grows with them.

    `more` are AG Grid's own column options; `params` in it goes to the renderer.
    """
    params = more.pop("params", {})
    definition: dict[str, Any] = {
        "field": field,
        "headerName": title,
        "cellRenderer": renderer,
        "cellRendererParams": params,
        "context": {"keep": keep},
        **more,
    }
    if right:
        definition |= {"cellClass": "right", "type": "rightAligned"}
    if tip:
        definition["headerTooltip"] = tip
    if long:
        definition |= {"wrapText": True, "autoHeight": True}
    return definition


def grid(
    id: str,  # noqa: A002 - Dash's word
    columns: list[dict[str, Any]],
    *,
    row_px: int = 40,
    empty: str = "Nothing here.",
    page_size: int | None = None,
    label: str,
    choose: bool = False,
) -> html.Div:
    """A grid whose rows carry `id`. `empty` stands in place of rows, `label` is read out; `choose`:
    rows have boxes to tick."""
    options: dict[str, Any] = {
        "theme": _THEME,
        "rowHeight": row_px,
        "domLayout": "autoHeight",
        "animateRows": False,
        "suppressCellFocus": True,
        "suppressMovableColumns": True,
        "suppressDragLeaveHidesColumns": True,
        "enableCellTextSelection": True,
        "tooltipShowDelay": 300,
        "localeText": {"noRowsToShow": empty, "noMatchingRows": empty},
        "rowClassRules": {"group-row": "params.data && params.data.head"},
    }
    if choose:
        options["rowSelection"] = {"mode": "multiRow", "enableClickSelection": False}
    if page_size:
        options |= {
            "pagination": True,
            "paginationPageSize": page_size,
            "paginationPageSizeSelector": False,
        }
    made = dag.AgGrid(
        id=id,
        columnDefs=columns,
        rowData=[],
        getRowId="params.data.id",
        defaultColDef={"sortable": True, "resizable": True, "suppressHeaderMenuButton": True},
        dashGridOptions=options,
        # A grid without rows draws no cell that would hand it to `watch`.
        eventListeners={key: ["narrow(params)"] for key in ("gridSizeChanged", "rowDataUpdated")},
        className="grid",
        style={"height": None, "width": "100%"},
    )
    return html.Div(made, role="group", **aria(label=label))
