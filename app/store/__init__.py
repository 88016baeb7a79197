"""The metrics store: exchanges, captures and rollups, large and append-mostly.

`port` is the Protocol and its values, `open` opens one, `schema` creates one. SQLite and
PostgreSQL both pass `tests/contract/test_metrics_store.py`. One transaction takes a whole batch:
raw rows, captures, rollup sums and the journal position, so that loading a batch twice is the
same as once.

Rollups are kept at three resolutions and two levels: an integration, and each of its operations.
Minutes are written with every batch. When an hour is over it is folded from its minutes, and a
day from its hours, and the store's `hours_until` and `days_until` marks move in the same
transaction. What arrives late, for an hour or a day already
folded, is added to that row directly. So at any moment every exchange is counted exactly once in
days before `days_until`, hours before `hours_until`, and minutes (as long as those are kept), and
a question about a month reads some thirty rows.

Minutes and hours past their retention are neither kept nor written, only what they add up to. A
loader therefore folds and expires once before its first batch: on a new store this moves the
marks to the present, and ninety days of history then go straight into hours and days.

It never answers with another scope's data, because it does not know scopes: only `app.queries`
may ask it. When it is locked or away, it raises `StoreUnavailable` and the caller tries again.
"""
