"""The request log as a table for spreadsheets: streamed, bounded, and safe to open.

One line per exchange, RFC 4180. Times are UTC, units stand in the heads. A cell that a spreadsheet
would take for a formula begins with an apostrophe, a control character is shown as `\\x1b`. When
the table is cut, or the store goes away on the way, its last line says so; nothing else does,
because the answer has begun by then.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from app.domain.scope import Scope
from app.errors import Unavailable
from app.queries.exchanges import MAX_LIMIT, list_exchanges
from app.queries.reading import Reading
from app.queries.results import ExchangeView
from app.store.port import ExchangeFilter

#: Lines of one export, and exchanges looked at for it (in pages of `queries.exchanges`).
MAX_ROWS = 100_000
MAX_PAGES = 1_000
HEAD = (
    "started at (UTC)", "id", "integration", "direction", "kind", "operation", "topic", "method",
    "path", "status", "outcome", "fault", "counts as", "error", "error detail", "installation",
    "customer", "delivery", "attempt", "trace", "queue (ms)", "connect (ms)", "TLS (ms)",
    "first byte (ms)", "total (ms)", "request (bytes)", "response (bytes)",
)  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORMULA = frozenset("=+-@\t\r|%")
_FULLWIDTH = frozenset("＝＋－＠")


def export(
    reading: Reading, scope: Scope, question: ExchangeFilter, max_rows: int = MAX_ROWS
) -> Iterator[str]:
    """The table, a page of exchanges at a time, newest first. The first page is asked for before
    this returns, so that `NotFound` and `BadQuery` are raised and not half of an answer."""
    first = list_exchanges(reading, scope, question, None, MAX_LIMIT)

    def lines() -> Iterator[str]:
        yield line(HEAD)
        page, written = first, 0
        for _ in range(MAX_PAGES):
            rows = page.items[: max_rows - written]
            written += len(rows)
            yield "".join(line(_cells(view)) for view in rows)
            if page.next is None and len(rows) == len(page.items):
                return
            if written >= max_rows or page.next is None:
                break
            try:
                page = list_exchanges(reading, scope, question, page.next, MAX_LIMIT)
            except Unavailable:
                yield line(("# incomplete: the metrics store went away; export it again",))
                return
        yield line((f"# cut after {written:,} exchanges: narrow the filter or the time",))

    return lines()


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Any small table in the same form; None is an empty cell."""
    yield line(tuple(head))
    for row in rows:
        yield line(tuple(_shown(each) for each in row))


def safe(text: str) -> str:
    """`text` as a cell that is only ever text."""
    shown = "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)
    bare = shown.lstrip()
    risky = text[:1] in _FORMULA or bare[:1] in _FORMULA | _FULLWIDTH
    return f"'{shown}" if risky else shown


def _escaped(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _cells(view: ExchangeView) -> tuple[str, ...]:
    texts = (
        view.id, view.integration, view.direction, view.kind, view.operation, view.topic,
        view.method, view.path, view.status, view.outcome, view.fault, view.verdict, view.error,
        view.error_detail, view.installation, view.customer, view.delivery, view.attempt or None,
        view.trace_id, view.queue_ms, view.connect_ms, view.tls_ms, view.first_byte_ms,
        view.total_ms, view.request_bytes, view.response_bytes,
    )  # fmt: skip
    at = (_EPOCH + timedelta(microseconds=view.started_us)).isoformat(timespec="microseconds")
    return (at.replace("+00:00", "Z"), *map(_shown, texts))


def _shown(value: object) -> str:
    return "" if value is None else safe(value) if isinstance(value, str) else str(value)


def line(cells: tuple[str, ...]) -> str:
    """One line of a table."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()
