"""The request log: exchanges one by one, with their evidence."""

import base64
import binascii
from dataclasses import replace

from app.domain.ids import format_id, parse_id
from app.domain.scope import Scope
from app.domain.window import HOUR_US, MINUTE_US, Window
from app.domain.words import Direction, Fault, Kind, Outcome, Verdict
from app.errors import BadQuery, NotFound
from app.queries.reading import Reading
from app.queries.registry import integration_within, slugs_within, storable
from app.queries.results import CaptureView, ExchangeView, Page, Siblings
from app.store.port import ExchangeFilter, StoredCapture, StoredExchange
from app.telemetry import timed_query

MAX_LIMIT = 500
_ID_BYTES = 16
#: How much of a body a capture keeps (`collectors.record.CAPTURE_BYTES`, which app may not import).
#: The kept text cannot tell by its length: scrubbing changed it.
KEPT_BYTES = 8192
#: How far from an exchange its siblings are looked for, and how many are shown.
AROUND_US, TRACE_US = 6 * HOUR_US, 2 * MINUTE_US
MOST_SIBLINGS = 20
BESIDE = 3
#: What a question says in words of its own.
_TEXTS = (
    "operation", "installation", "customer", "topic", "text", "method", "error", "delivery",
    "trace_id",
)  # fmt: skip
#: How many exchanges one page of a search looks at; what matches further back is behind its cursor.
SEARCHED = 50_000


@timed_query("list_exchanges")
def list_exchanges(
    reading: Reading,
    scope: Scope,
    question: ExchangeFilter,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[ExchangeView]:
    """Newest first, without captures. `question.integrations` None means all within the scope; one
    outside it is `NotFound`. A search for what has no index looks at about `SEARCHED` exchanges at
    a time: its page may hold fewer than `limit`, or none, and still have a `next`. `BadQuery` for a
    limit beyond 1..`MAX_LIMIT`, a cursor that this function did not make, or a text that no
    database holds."""
    if not 1 <= limit <= MAX_LIMIT:
        raise BadQuery("limit", f"from 1 to {MAX_LIMIT}")
    before = None if cursor is None else _decode(cursor)
    inside = _narrowed(reading, scope, question)
    horizon = None
    if inside.searches and inside.integrations != ():
        horizon = reading.store.horizon(inside, before=before, rows=SEARCHED)
    found = reading.store.find(inside, before=before, after=horizon, limit=limit + 1)
    more = _encode(found[limit - 1].id) if len(found) > limit else None
    if more is None and horizon is not None:
        # The horizon itself was not looked at: the next page begins with it.
        more = _encode(_following(horizon))
    return Page(_views(found[:limit]), more)


@timed_query("get_exchange")
def get_exchange(reading: Reading, scope: Scope, exchange_id: str) -> ExchangeView:
    """One, with its capture; `NotFound` outside the scope or for an id that is none."""
    try:
        raw = parse_id(exchange_id)
    except ValueError:
        raise NotFound(f"no exchange {exchange_id!r}") from None
    found = reading.store.get(raw)
    slugs = slugs_within(reading, scope)
    if found is None or (slugs is not None and found[0].integration not in slugs):
        raise NotFound(f"no exchange {exchange_id!r}")
    return _view(*found)


@timed_query("siblings")
def siblings(reading: Reading, scope: Scope, view: ExchangeView) -> Siblings:
    """What belongs to an exchange that the caller was shown: the other attempts of its delivery,
    what has its trace, and what its installation did just before and after. Each of them looks at
    about `SEARCHED` exchanges, within `AROUND_US` of it or, for a trace, within `TRACE_US`."""
    own = ExchangeFilter(integrations=(view.integration,), window=_around(view, AROUND_US))
    attempts: tuple[ExchangeView, ...] = ()
    trace, before, after = attempts, attempts, attempts
    if view.delivery:
        attempts = _others(reading, scope, view, replace(own, delivery=view.delivery))
    if view.trace_id:
        near = ExchangeFilter(window=_around(view, TRACE_US), trace_id=view.trace_id)
        trace = _others(reading, scope, view, near)
    if view.installation:
        here = parse_id(view.id)
        beside = _narrowed(reading, scope, replace(own, installation=view.installation))
        horizon = reading.store.horizon(beside, before=here, rows=SEARCHED)
        earlier = reading.store.find(beside, before=here, after=horizon, limit=BESIDE)
        later = reading.store.find(beside, after=here, limit=BESIDE, oldest_first=True)
        before, after = _views(earlier), _views(later)
    return Siblings(attempts, trace, before, after)


def _others(
    reading: Reading, scope: Scope, view: ExchangeView, question: ExchangeFilter
) -> tuple[ExchangeView, ...]:
    """What matches beside the exchange itself, oldest first."""
    inside = _narrowed(reading, scope, question)
    horizon = reading.store.horizon(inside, rows=SEARCHED) if inside.integrations != () else None
    found = reading.store.find(inside, after=horizon, limit=MOST_SIBLINGS + 1)
    return tuple(each for each in reversed(_views(found)) if each.id != view.id)[-MOST_SIBLINGS:]


def _views(found: list[StoredExchange]) -> tuple[ExchangeView, ...]:
    return tuple(_view(each, None) for each in found)


def _around(view: ExchangeView, length_us: int) -> Window:
    return Window(max(view.started_us - length_us, 0), view.started_us + length_us)


def _narrowed(reading: Reading, scope: Scope, question: ExchangeFilter) -> ExchangeFilter:
    """The question, asking for no integration outside the scope and for nothing unstorable."""
    for name in _TEXTS:
        if not storable(getattr(question, name)):
            raise BadQuery(name, "holds a character that no exchange can hold")
    for slug in question.integrations or ():
        integration_within(reading, scope, slug)
    slugs = slugs_within(reading, scope)
    if question.integrations is not None or slugs is None:
        return question
    return replace(question, integrations=tuple(sorted(slugs)))


def _following(exchange_id: bytes) -> bytes:
    """The next greater id."""
    return (int.from_bytes(exchange_id, "big") + 1).to_bytes(_ID_BYTES, "big")


def _encode(exchange_id: bytes) -> str:
    return base64.urlsafe_b64encode(exchange_id).decode().rstrip("=")


def _decode(cursor: str) -> bytes:
    try:
        raw = base64.b64decode(cursor + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _ID_BYTES or _encode(raw) != cursor:
        raise BadQuery("cursor", "not a cursor of this list: take `next` of the page before")
    return raw


def _view(stored: StoredExchange, capture: StoredCapture | None) -> ExchangeView:
    return ExchangeView(
        id=format_id(stored.id),
        started_us=stored.started_us,
        direction=Direction(stored.direction).word,
        kind=Kind(stored.kind).word,
        integration=stored.integration,
        operation=stored.operation,
        installation=stored.installation or None,
        customer=stored.customer or None,
        topic=stored.topic or None,
        method=stored.method,
        path=stored.path,
        status=stored.status or None,
        outcome=Outcome(stored.outcome).word,
        fault=Fault(stored.fault).word,
        verdict=Verdict(stored.verdict).word,
        error=stored.error or None,
        error_detail=stored.error_detail or None,
        queue_ms=_ms(stored.queue_us),
        connect_ms=_ms(stored.connect_us),
        tls_ms=_ms(stored.tls_us),
        first_byte_ms=_ms(stored.first_byte_us),
        total_ms=_ms(stored.total_us),
        request_bytes=stored.request_bytes,
        response_bytes=stored.response_bytes,
        delivery=stored.delivery or None,
        attempt=stored.attempt,
        trace_id=stored.trace_id or None,
        captured=stored.captured,
        capture=None if capture is None else _evidence(stored, capture),
    )


def _evidence(stored: StoredExchange, capture: StoredCapture) -> CaptureView:
    return CaptureView(
        query=capture.query,
        request_headers=capture.request_headers,
        request_body=capture.request_body.decode(errors="replace"),
        request_cut=stored.request_bytes > KEPT_BYTES,
        response_headers=capture.response_headers,
        response_body=capture.response_body.decode(errors="replace"),
        response_cut=stored.response_bytes > KEPT_BYTES,
    )


def _ms(duration_us: int) -> float | None:
    """Milliseconds; None for a stage that was never reached (negative in the record)."""
    return None if duration_us < 0 else duration_us / 1000
