"""The loader's turn: gather what is new, prepare it, commit it, or keep it and try again."""

import time
from typing import NamedTuple

from app import logs
from app.errors import StoreUnavailable
from app.store.port import Batch, MetricsStore
from collectors.loader.batch import Preparer
from collectors.loader.decode import decode
from collectors.loader.routing import RoutesFile
from collectors.loader.status import Status
from collectors.loader.tail import Tail

#: The most that is loaded in one transaction, and how much of the journals is read for it.
MAX_FRAMES = 50_000
MAX_BYTES = 32 << 20
#: How long frames are waited for before they are loaded: freshness against work per exchange.
INTERVAL_S = 0.2
_BACKOFF_S = 0.05
_BACKOFF_MAX_S = 1.0


class _Pending(NamedTuple):
    """A batch on its way to the store."""

    batch: Batch
    frames: int
    losses: int
    unnamed: int
    begun_s: float


class Outage:
    """Whether the store is away: counted once, and logged once when it goes and when it is back."""

    def __init__(self, status: Status) -> None:
        self._status = status
        self._log = logs.get("load")

    def goes_on(self, error: StoreUnavailable) -> None:
        """The store could not be reached."""
        if not self._status.store_away:
            self._status.store_away = True
            self._status.outages += 1
            self._log.warning("store_unavailable", reason=str(error))

    def over(self) -> None:
        """The store answered."""
        if self._status.store_away:
            self._status.store_away = False
            self._log.info("store_back")


class Loader:
    """Loads journals into a store, one transaction a turn."""

    def __init__(
        self,
        store: MetricsStore,
        tail: Tail,
        preparer: Preparer,
        routes: RoutesFile,
        status: Status,
    ) -> None:
        self._store = store
        self._tail = tail
        self._preparer = preparer
        self._routes = routes
        self._status = status
        self._pending: _Pending | None = None
        self._backoff_s = _BACKOFF_S
        self._outage = Outage(status)

    def turn(self) -> float:
        """Load what is new; how many seconds to wait before the next turn.

        Raises `StoreRefused` or `SchemaError` when the store will never take the batch.
        """
        begun_s = time.monotonic()
        self._pending = self._pending or self._gather(begun_s)
        if self._pending is None:
            return INTERVAL_S
        if not self._commit(self._pending):
            return self._back_off()
        full = self._pending.frames >= MAX_FRAMES
        self._pending = None
        return 0.0 if full else max(0.0, INTERVAL_S - (time.monotonic() - begun_s))

    def _gather(self, begun_s: float) -> _Pending | None:
        table = self._routes.changed()
        if table is not None:
            self._preparer.use(table)
        self._tail.discover()
        frames, positions, skipped = self._tail.read(MAX_FRAMES, MAX_BYTES)
        self._status.failures += skipped
        if not positions:
            return None
        exchanges, losses, unreadable = decode(frames)
        batch, rejected, unnamed = self._preparer.prepare(exchanges, losses, positions)
        self._status.failures += unreadable + rejected
        return _Pending(batch, len(frames), len(losses), unnamed, begun_s)

    def _commit(self, pending: _Pending) -> bool:
        try:
            self._store.append(pending.batch)
        except StoreUnavailable as error:
            self._outage.goes_on(error)
            return False
        self._outage.over()
        self._backoff_s = _BACKOFF_S
        self._tail.committed(pending.batch.positions)
        self._count(pending)
        return True

    def _back_off(self) -> float:
        self._backoff_s, wait_s = min(2 * self._backoff_s, _BACKOFF_MAX_S), self._backoff_s
        return wait_s

    def _count(self, pending: _Pending) -> None:
        status, batch = self._status, pending.batch
        status.frames += pending.frames
        status.losses += pending.losses
        status.exchanges += len(batch.exchanges)
        status.captures += len(batch.captures)
        status.sums += len(batch.sums)
        status.unnamed += pending.unnamed
        status.batches += 1
        status.last_batch_exchanges = len(batch.exchanges)
        status.last_batch_us = int((time.monotonic() - pending.begun_s) * 1e6)
        if batch.exchanges:
            status.newest_us = max(status.newest_us, batch.exchanges[-1].started_us)
