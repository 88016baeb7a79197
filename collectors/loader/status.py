"""The loader's own numbers, for the process that shows them.

`<home>/status/loader.json` is replaced once a second, whole. One object:

    version          1
    pid              of the loader
    started_us       when it started, µs since 1970
    updated_us       when this was written; older than 10 s: it hangs or is gone
    frames           journal frames read
    exchanges        exchanges committed to the metrics store
    captures         of them, those stored with their evidence
    losses           loss records read: exchanges that passed unrecorded are in the rollups' `shed`
    sums             rollup rows added to
    batches          transactions committed
    last_batch_us    how long the newest one took from the first frame read to its commit
    last_batch_exchanges
    newest_us        start of the newest exchange committed; 0: none yet
    lag_bytes        journal bytes not committed yet
    unnamed          exchanges counted under the operation `other`
    folded, expired  rollup rows folded, rows deleted by retention
    store_away       whether the metrics store cannot be written right now
    outages          how often it could not
    routes_revision  revision of the routing table in use
    failures         counts by reason: what was not loaded or not done, and why (below)

Reasons: `undecodable_exchange`, `undecodable_loss`, `unknown_frame`, `unknown_word` (frames that
are no record); `damaged`, `torn`, `missing` (journal records lost, with `damaged_bytes` and so
on); `journal_unreadable`, `routes_unreadable`, `registry_unavailable`, `publish_failed`,
`upkeep_postponed`, `lifecycle_postponed`, `lists_postponed` (tried again); `list_` and a word of
`app.domain.partner_list.ListFailure` (a partner's own list was not taken). All counts
begin at 0 with the process.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

VERSION = 1
FILE = Path("status") / "loader.json"


@dataclass(slots=True)
class Status:
    """The numbers; the fields are those of the file."""

    pid: int
    started_us: int
    updated_us: int = 0
    frames: int = 0
    exchanges: int = 0
    captures: int = 0
    losses: int = 0
    sums: int = 0
    batches: int = 0
    last_batch_us: int = 0
    last_batch_exchanges: int = 0
    newest_us: int = 0
    lag_bytes: int = 0
    unnamed: int = 0
    folded: int = 0
    expired: int = 0
    store_away: bool = False
    outages: int = 0
    routes_revision: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    def write(self, home: Path) -> None:
        """Replace the file in `home`; `OSError` if that cannot be done."""
        path = home / FILE
        path.parent.mkdir(mode=0o700, exist_ok=True)
        fresh = path.with_suffix(".new")
        numbers = {name: getattr(self, name) for name in self.__slots__}
        document = {"version": VERSION, **numbers, "failures": dict(self.failures)}
        fresh.write_text(json.dumps(document, indent=1))
        fresh.replace(path)
