"""The metrics store: exchanges, captures and rollups, large and append-mostly.

`port` is the Protocol and its values, `open` opens one, `schema` creates one. SQLite and
PostgreSQL both pass `tests/contract/test_metrics_store.py`. One transaction takes a whole batch:
raw rows, captures, rollup sums and the journal position, so that loading a batch twice is the
same as once.

Rollups are kept at four resolutions and two levels: an integration, and each of its operations.
Minutes are written with every batch. When an hour is over it is folded from its minutes, a day
from its hours, a week (seven days counted from 1970-01-01) from its days, and the store's
`hours_until`, `days_until` and `weeks_until` marks move in the same transaction. What arrives
late, for a time already folded, is added to those rows directly. So at any moment every exchange
is counted exactly once in weeks before `weeks_until`, in days before `days_until`, in hours before
`hours_until`, and in minutes (as long as those are kept), and a question about a month reads a
dozen rows of each resolution at most.

Minutes and hours past their retention are neither kept nor written, only what they add up to. A
loader therefore folds and expires once before its first batch: on a new store this moves the
marks to the present, and ninety days of history then go straight into hours and days.

What each installation did on each day lies in parts (`activity_parts`): every batch appends some,
`fold` merges them.

It never answers with another scope's data, because it does not know scopes: only `app.queries`
may ask it. When it is locked or away, it raises `StoreUnavailable` and the caller tries again.
"""
