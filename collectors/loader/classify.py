"""Exchanges as they are stored: judged, named, their texts fit for any database. Pure.

The hot loop of the loader: what is the same for many exchanges is looked up, not worked out.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from app.domain.operation import Vocabulary
from app.domain.outcome import judge
from app.domain.route import RouteTable
from app.domain.words import Direction, Kind, Outcome
from app.store.port import StoredExchange
from collectors.record import Exchange

#: The most characters of a path that are stored.
PATH_CHARS = 2048
#: The most characters of an error's own words that are stored.
DETAIL_CHARS = 1024
_CACHED = 10_000

#: Direction, kind, outcome, status and error: what a judgement depends on.
_Seen = tuple[int, int, int, int, str]
#: Fault and verdict, or nothing when one of the words has no meaning.
_Judged = tuple[int, int] | tuple[()]


class Cleaner(NamedTuple):
    """How texts lose their secrets: many paths at once, and one error detail."""

    paths: Callable[[Sequence[str]], Sequence[str]]
    detail: Callable[[str], str]


class Classified(NamedTuple):
    """Rows; the exchanges among them that have a capture; and `rejected`, which counts exchanges
    that cannot be stored by why: `unknown_word` (a direction, kind or outcome of no meaning)."""

    rows: list[StoredExchange]
    captured: list[Exchange]
    rejected: Counter[str]


class Classifier:
    """Judges and names; remembers the names of operations it gave."""

    def __init__(
        self, clean: Cleaner, known: Mapping[tuple[str, int, int], Iterable[str]] | None = None
    ) -> None:
        self._clean = clean
        self._vocabularies: dict[str, Vocabulary] = {}
        self._judgements: dict[_Seen, _Judged] = {}
        self._details: dict[str, str] = {}
        for (integration, _, _), names in (known or {}).items():
            self._vocabularies[integration] = Vocabulary((), self._known(integration) | set(names))

    def use(self, table: RouteTable) -> None:
        """Name operations after the templates of `table` from now on."""
        for route in table.routes:
            known = self._known(route.integration)
            self._vocabularies[route.integration] = Vocabulary(route.operations, known)

    def classify(self, exchanges: Sequence[Exchange]) -> Classified:
        """The rows of `exchanges`, in order. Codes and flags in them are bare integers: database
        drivers take an enumeration or a bool the long way round."""
        self._forget()
        rows: list[StoredExchange] = []
        captured: list[Exchange] = []
        rejected: Counter[str] = Counter()
        append, new, row_type = rows.append, tuple.__new__, StoredExchange
        judgements, vocabularies = self._judgements, self._vocabularies
        for e, path in zip(exchanges, self._paths(exchanges), strict=True):
            seen = (e.direction, e.kind, e.outcome, e.status, e.error)
            judgement = judgements.get(seen) or self._judge(seen)
            if not judgement:
                rejected["unknown_word"] += 1
                continue
            has_capture = 0
            if e.capture is not None:
                has_capture = 1
                captured.append(e)
            vocabulary = vocabularies.get(e.integration) or self._new(e.integration)
            operation = vocabulary.settle(e.kind, e.method, path, e.operation, e.topic)
            detail = self._detail(e.error_detail) if e.error_detail else ""
            # fmt: off
            append(new(row_type, (
                e.id, e.started_us, e.direction, e.kind, e.integration, operation,
                e.installation, e.customer, e.topic, e.method, path, e.status, e.outcome,
                judgement[0], judgement[1], e.error, detail,
                e.queue_us, e.connect_us, e.tls_us, e.first_byte_us, e.total_us,
                e.request_bytes, e.response_bytes, e.delivery, e.attempt, e.trace_id, has_capture,
            )))
            # fmt: on
        return Classified(rows, captured, rejected)

    def _judge(self, seen: _Seen) -> _Judged:
        found = self._judgements[seen] = _judgement(seen)
        return found

    def _detail(self, detail: str) -> str:
        found = self._details.get(detail)
        if found is None:
            found = self._details[detail] = self._clean.detail(detail[:DETAIL_CHARS])
        return found

    def _paths(self, exchanges: Sequence[Exchange]) -> Sequence[str]:
        """The scrubbed paths of `exchanges`, not too long."""
        paths = [exchange.path for exchange in exchanges]
        if max(map(len, paths), default=0) > PATH_CHARS:
            paths = [path[:PATH_CHARS] for path in paths]
        return self._clean.paths(paths)

    def _new(self, integration: str) -> Vocabulary:
        found = self._vocabularies[integration] = Vocabulary()
        return found

    def _known(self, integration: str) -> frozenset[str]:
        found = self._vocabularies.get(integration)
        return found.names if found else frozenset()

    def _forget(self) -> None:
        for cache in (self._judgements, self._details):
            if len(cache) > _CACHED:
                cache.clear()


def _judgement(seen: _Seen) -> _Judged:
    direction, kind, outcome, status, error = seen
    try:
        Kind(kind)
        fault, verdict = judge(Direction(direction), Outcome(outcome), status, error)
    except ValueError:
        return ()
    return int(fault), int(verdict)
