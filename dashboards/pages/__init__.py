"""One module per page: PATH, NAME, `layout(...)` and `register(app)`.

`layout` runs in the request that opens the page and returns a skeleton, with what never changes
already in it. `register` adds the callbacks that write its props.
"""

from dashboards.pages import (
    alerts,
    errors,
    exchange,
    exchanges,
    health,
    installs,
    overview,
    revenue,
    rules,
    settings,
    usage,
)

PAGES = (
    overview, health, errors, exchanges, exchange, installs, usage, revenue, alerts, rules,
    settings,
)  # fmt: skip
