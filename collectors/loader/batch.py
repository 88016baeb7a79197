"""Records into one batch for the metrics store: the same for live traffic and back-fill. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from app.domain.operation import OTHER
from app.domain.route import RouteTable
from app.store.port import Batch, Position, StoredCapture
from collectors.loader.activity import activity
from collectors.loader.aggregate import aggregate
from collectors.loader.classify import Classifier, Cleaner
from collectors.loader.evidence import scrub_capture
from collectors.loader.grouping import group
from collectors.loader.scrub import Scrubber
from collectors.record import Exchange, Loss


class Prepared(NamedTuple):
    """A batch, and what was not taken over as it came: `rejected` counts exchanges that cannot
    be stored by reason, `unnamed` those whose operation became `other`."""

    batch: Batch
    rejected: Counter[str]
    unnamed: int


class Preparer:
    """Prepares batches with the secret of one installation and the operation names it knows."""

    def __init__(
        self, secret: str, known: Mapping[tuple[str, int, int], Iterable[str]] | None = None
    ) -> None:
        self.scrubber = Scrubber(secret)
        cleaner = Cleaner(self.scrubber.paths, self.scrubber.detail)
        self.classifier = Classifier(cleaner, known)

    def use(self, table: RouteTable) -> None:
        """Name operations after the templates of `table` from now on."""
        self.classifier.use(table)

    def prepare(
        self,
        exchanges: Sequence[Exchange],
        losses: Sequence[Loss] = (),
        positions: Mapping[str, Position] | None = None,
    ) -> Prepared:
        """The batch of these records; `positions` is where the journals will stand with it."""
        classified = self.classifier.classify(exchanges)
        captures = self.captures(classified.captured)
        sums = aggregate(classified.rows, losses)
        unnamed = sum(each.exchanges for each in sums if each.series.operation == OTHER)
        errors = group(classified.rows, captures)
        rows = classified.rows
        batch = Batch(rows, captures, sums, positions or {}, errors, activity(rows))
        return Prepared(batch, classified.rejected, unnamed)

    def captures(self, exchanges: Iterable[Exchange]) -> list[StoredCapture]:
        """The evidence of those that have some, scrubbed."""
        return [
            scrub_capture(self.scrubber, exchange, exchange.capture)
            for exchange in exchanges
            if exchange.capture is not None
        ]
