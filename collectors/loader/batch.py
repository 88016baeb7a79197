"""Records into one batch for the metrics store: the same way for live traffic and back-fill. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from time import perf_counter_ns
from typing import NamedTuple

from app.domain.route import RouteTable
from app.store.port import Batch, Position, StoredCapture
from collectors.loader.aggregate import aggregate
from collectors.loader.body import scrub_body
from collectors.loader.classify import Classifier, Cleaner
from collectors.loader.scrub import Scrubber
from collectors.record import Exchange, Loss
