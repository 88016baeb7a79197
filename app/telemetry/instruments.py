"""The instruments of the reading side: how long questions and requests take."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from opentelemetry import metrics, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

#: Seconds: the bounds of the OpenTelemetry HTTP conventions, with some below them for queries.
BOUNDS_S = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075,
    0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
)  # fmt: skip

_meter = metrics.get_meter("midspan")
_tracer = trace.get_tracer("midspan")
_query_seconds = _meter.create_histogram(
    "midspan.query.duration",
    unit="s",
    description="Time a question to app.queries took",
    explicit_bucket_boundaries_advisory=BOUNDS_S,
)
_request_seconds = _meter.create_histogram(
    "midspan.web.request.duration",
    unit="s",
    description="Time an answer of the web process took",
    explicit_bucket_boundaries_advisory=BOUNDS_S,
)

_mails = _meter.create_counter(
    "midspan.mails", description="Mails handed over: sent, kept in the outbox, failed, dropped"
)
_logins = _meter.create_counter(
    "midspan.logins", description="Log-ins by method (password, link, oidc) and how they ended"
)
_events = _meter.create_counter(
    "midspan.events", description="Posted events by kind (lifecycle, billing) and what became of it"
)

P = ParamSpec("P")
R = TypeVar("R")


def timed_query(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: the duration of every call, with a span of its own. `ok` is "false" for one
    that raised."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            with _query(name):
                return function(*args, **kwargs)

        return timed

    return decorate


@contextmanager
def _query(name: str) -> Iterator[None]:
    started_ns, ok = time.perf_counter_ns(), "false"
    try:
        with _tracer.start_as_current_span(f"query {name}"):
            yield
        ok = "true"
    finally:
        elapsed_s = (time.perf_counter_ns() - started_ns) / 1e9
        _query_seconds.record(elapsed_s, {"query": name, "ok": ok})


def count_mail(result: str) -> None:
    """One mail was `sent`, `kept` in the outbox, `failed`, or `dropped` before it was written."""
    _mails.add(1, {"result": result})


def count_login(method: str, result: str) -> None:
    """One log-in by `method` ended as `in`, `wrong` or `throttled`."""
    _logins.add(1, {"method": method, "result": result})


def count_events(kind: str, result: str, number: int) -> None:
    """So many events of a `kind` were `accepted`, `duplicate` or `rejected`."""
    _events.add(number, {"kind": kind, "result": result})


class RequestSpan:
    """The span and duration of one request; `end` once its answer is known."""

    def __init__(self, method: str, route: str) -> None:
        self._started_ns = time.perf_counter_ns()
        self._labels = {"method": method, "route": route}
        self._span: Span = _tracer.start_span(f"{method} {route}", kind=SpanKind.SERVER)
        self._context = trace.use_span(self._span, end_on_exit=True)
        self._context.__enter__()

    def end(self, status: int) -> None:
        """Record it with the status of the answer."""
        self._span.set_attribute("http.response.status_code", status)
        if status >= 500:
            self._span.set_status(Status(StatusCode.ERROR))
        self._context.__exit__(None, None, None)
        elapsed_s = (time.perf_counter_ns() - self._started_ns) / 1e9
        _request_seconds.record(elapsed_s, {**self._labels, "status": str(status)})
