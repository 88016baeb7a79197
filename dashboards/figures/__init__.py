"""Charts: rows in, a plain Plotly dict out.

Plain dicts, because validating a `go.Figure` costs more than everything else a callback does.
Colours are names (`var(--bad)`) that the browser resolves for the scheme in use. Times are UTC.
A figure never fails on no rows, one row or huge numbers: it then has fewer marks.
"""
