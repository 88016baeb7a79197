"""The past, from records that never were in a journal, through the code that loads live traffic."""

from collections import Counter
from collections.abc import Iterable
from itertools import islice

from app.domain.route import RouteTable
from app.store.port import MetricsStore
from collectors.loader.batch import Preparer
from collectors.record import Exchange

_BATCH = 20_000


def load_records(
    store: MetricsStore, records: Iterable[Exchange], routes: RouteTable, *, secret: str
) -> Counter[str]:
    """Load `records`, in batches of one transaction each; counts `loaded`, and those that cannot
    be stored by reason.

    `secret` is that of the home: fingerprints of scrubbed values then agree with the loader's.
    Raises `StoreUnavailable` with the batches before committed, and `StoreRefused` if an exchange
    is stored already. Who must be able to go on after an interruption uses `Preparer` with
    positions of its own.
    """
    preparer = Preparer(secret, store.operations())
    preparer.use(routes)
    counts: Counter[str] = Counter()
    remaining = iter(records)
    while part := list(islice(remaining, _BATCH)):
        prepared = preparer.prepare(part)
        store.append(prepared.batch)
        counts += Counter(loaded=len(prepared.batch.exchanges)) + prepared.rejected
    return counts
