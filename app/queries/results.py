"""What queries answer: frozen values in public words, milliseconds and microseconds since 1970.

A number that could not be computed (a ratio without a denominator, a percentile of nothing) is
None, never 0.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from app.domain.window import Window

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ObjectiveView:
    """One objective: `target` is the good ratio promised over `window` (such as `28d`).

    `threshold_ms` None: availability; else: answered within so many milliseconds.
    """

    name: str
    target: float
    window: str
    threshold_ms: int | None


@dataclass(frozen=True, slots=True)
class PartnerView:
    """One partner and its integrations' slugs, in order of slug."""

    slug: str
    name: str
    contacts: tuple[str, ...]
    integrations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IntegrationView:
    """One integration as the registry knows it. `removed`: the registry file no longer names it;
    lists leave it out, its history stays readable. `paused`: the proxy lets nothing through."""

    slug: str
    name: str
    partner_slug: str
    partner_name: str
    visibility: str
    category: str | None
    objectives: tuple[ObjectiveView, ...]
    removed: bool = False
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles in milliseconds; None when nothing was timed."""

    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Health:
    """One integration over one window: what the API answers and the page shows.

    `proxied == recorded + shed` and `recorded == good + bad + excluded`. `error_ratio` is
    bad / (good + bad), `error_interval` its Wilson 95 % interval. `by_outcome` and `by_fault`
    leave out what did not occur. `status`, `reasons`, `sentence`: `app.domain.health`.
    `window` is what the numbers really cover.
    """

    window: Window
    proxied: int
    recorded: int
    shed: int
    good: int
    bad: int
    excluded: int
    error_ratio: float | None
    error_interval: tuple[float, float] | None
    latency_ms: Latency
    by_outcome: dict[str, int]
    by_fault: dict[str, int]
    status: str
    reasons: tuple[str, ...]
    sentence: str
    request_bytes: int
    response_bytes: int


@dataclass(frozen=True, slots=True)
class Point:
    """One step of a chart. Steps without traffic are present, with zeros and no latency."""

    start_us: int
    exchanges: int
    good: int
    bad: int
    excluded: int
    shed: int
    by_outcome: dict[str, int]
    latency_ms: Latency


@dataclass(frozen=True, slots=True)
class SeriesView:
    """Every step of `window`, oldest first. The first and last may reach beyond its ends, on to
    the grid of `step_us`, but count only what lies within."""

    window: Window
    step_us: int
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class OperationView:
    """One operation over one window. `main_fault`: who has to act on most of its failures."""

    operation: str
    direction: str
    kind: str
    exchanges: int
    good: int
    bad: int
    excluded: int
    error_ratio: float | None
    latency_ms: Latency
    main_fault: str | None


@dataclass(frozen=True, slots=True)
class NoteView:
    """What somebody wrote beside an integration's numbers, about the moment `at_us`."""

    id: int
    integration: str
    at_us: int
    kind: str
    text: str
    author: str
    created_us: int


@dataclass(frozen=True, slots=True)
class CaptureView:
    """The scrubbed evidence of an exchange. Bodies are text; bytes that are not UTF-8 are shown
    as U+FFFD. `*_cut`: the body was longer than what is kept. `query`: without question mark."""

    query: str
    request_headers: tuple[tuple[str, str], ...]
    request_body: str
    request_cut: bool
    response_headers: tuple[tuple[str, str], ...]
    response_body: str
    response_cut: bool


@dataclass(frozen=True, slots=True)
class ExchangeView:
    """One exchange in words. None: there was none (no answer, no topic, a stage never reached).

    `captured` says that evidence was taken, `capture` is it, as long as it is kept; lists leave
    it out.
    """

    id: str
    started_us: int
    direction: str
    kind: str
    integration: str
    operation: str
    installation: str | None
    customer: str | None
    topic: str | None
    method: str
    path: str
    status: int | None
    outcome: str
    fault: str
    verdict: str
    error: str | None
    error_detail: str | None
    queue_ms: float | None
    connect_ms: float | None
    tls_ms: float | None
    first_byte_ms: float | None
    total_ms: float | None
    request_bytes: int
    response_bytes: int
    delivery: str | None
    attempt: int
    trace_id: str | None
    captured: bool
    capture: CaptureView | None


@dataclass(frozen=True, slots=True)
class Siblings:
    """What belongs to an exchange: other attempts of its delivery and others of its trace, oldest
    first; what its installation did `before` (newest first) and `after` (oldest first)."""

    attempts: tuple[ExchangeView, ...] = ()
    trace: tuple[ExchangeView, ...] = ()
    before: tuple[ExchangeView, ...] = ()
    after: tuple[ExchangeView, ...] = ()


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; `next` is the cursor of the following one, None at the end."""

    items: tuple[T, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class NotificationView:
    """One message to one address: `reason` says why it was sent or dropped, `error` what the last
    failed attempt said."""

    event: str
    receiver: str
    channel: str
    address: str
    delivery: str
    reason: str
    attempts: int
    at_us: int
    error: str | None


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One time that a rule fired about one series. `state` is firing, recovering or resolved;
    `evidence` is the JSON frozen when it fired; `closed_by`: who said that it is over, None where
    an evaluation found so."""

    id: int
    rule: str
    series: str
    integration: str | None
    partner: str | None
    severity: str
    state: str
    summary: str
    fired_us: int
    resolved_us: int | None
    acked_us: int | None
    acked_by: str | None
    evidence: str
    notifications: tuple[NotificationView, ...]
    closed_by: str | None = None


@dataclass(frozen=True, slots=True)
class IncidentTime:
    """When one incident was on: `resolved_us` None while it is. `taken`: somebody has it."""

    id: int
    severity: str
    summary: str
    fired_us: int
    resolved_us: int | None
    taken: bool


@dataclass(frozen=True, slots=True)
class SilenceView:
    """A time in which nobody is told of what fits every field that is not None; `partners_only`:
    nobody of the partner, who made it."""

    id: int
    rule: str | None
    integration: str | None
    partner: str | None
    starts_us: int
    ends_us: int
    created_by: str
    comment: str
    partners_only: bool = False
