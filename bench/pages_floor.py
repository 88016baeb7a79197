"""The least that a first page makes a browser do: the libraries of the pages, and one list.

Served and visited like the real one, so that both are measured by the same clock.
"""

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import Dash, html
from flask_compress import Compress

_COLUMNS, _ROWS = 8, 25

app = Dash("floor", add_log_handler=False)
app.layout = dmc.MantineProvider(
    html.Main(
        html.Div(
            dag.AgGrid(
                columnDefs=[{"field": f"c{column}"} for column in range(_COLUMNS)],
                rowData=[{f"c{column}": row for column in range(_COLUMNS)} for row in range(_ROWS)],
            ),
            className="page",
        )
    )
)
server = app.server
server.config.update(COMPRESS_ALGORITHM=["br", "gzip"], COMPRESS_BR_LEVEL=4)
Compress(server)
