"""From the journals of the proxy to the metrics store.

Reads every journal under `journal_dir` on from where the store says it stands, and turns frames
into one batch: rows judged and named (`classify`), captures without their secrets (`scrub`,
`body`), sums per minute at two levels (`aggregate`). A batch and the journals' new positions are
one transaction. So the loader may be killed at any moment and started again, and every exchange
is counted once.

It never touches traffic: proxies do not know of it. It never skips a batch: while the store is
away it keeps the one it has, tries again at least once a second, and the journals grow until the
store is back. What cannot be read is skipped with a reason and a count, in `status/loader.json`.

Overloaded, it takes larger batches, up to 20,000 exchanges at a time, which cost less per
exchange; visible lag grows, nothing is lost. Folding and expiry take turns with loading, in
slices. One loader per home: a second one finds the lock taken and ends.
"""
