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
    installation,
    installs,
    overview,
    revenue,
    rules,
    settings,
    usage,
    witnesses,
)

PAGES = (
    overview, health, errors, exchanges, exchange, installs, witnesses, installation, usage,
    revenue, alerts, rules, settings,
)  # fmt: skip
