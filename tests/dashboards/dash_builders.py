"""Results and rows for tests: every argument has a default."""

from app.domain.window import MINUTE_US, Window
from app.queries.results import (
    ExchangeView,
    Health,
    IntegrationView,
    Latency,
    ObjectiveView,
    OperationView,
    Point,
    SeriesView,
)

NOON_US = 1_795_348_800_000_000  # 22 Nov 2026 12:00 UTC


def make_window(minutes: int = 60, end_us: int = NOON_US) -> Window:
    return Window(end_us - minutes * MINUTE_US, end_us)


def make_latency(p50=60.0, p95=200.0, p99=400.0) -> Latency:
    return Latency(p50, p95, p99)


NO_LATENCY = Latency(None, None, None)


def make_point(start_us=NOON_US, good=90, bad=8, excluded=2, latency=None, **by_outcome) -> Point:
    found = by_outcome or {"ok": good, "server_error": bad, "client_error": excluded}
    return Point(
        start_us=start_us,
        exchanges=good + bad + excluded,
        good=good,
        bad=bad,
        excluded=excluded,
        shed=0,
        by_outcome={word: count for word, count in found.items() if count},
        latency_ms=latency or (make_latency() if good + bad else NO_LATENCY),
    )


def make_series(points=None, step_us=MINUTE_US, window=None) -> SeriesView:
    window = window or make_window()
    if points is None:
        points = [make_point(at) for at in range(window.start_us, window.end_us, step_us)]
    return SeriesView(window, step_us, tuple(points))


def make_objective(name="latency", target=0.95, window="28d", threshold_ms=800) -> ObjectiveView:
    return ObjectiveView(name, target, window, threshold_ms)


def make_integration(slug="globex-issues", **more) -> IntegrationView:
    fields = {
        "name": "Globex Issues",
        "partner_slug": "globex",
        "partner_name": "Globex",
        "visibility": "public",
        "category": None,
        "objectives": (),
    }
    return IntegrationView(slug=slug, **(fields | more))


def make_health(**more) -> Health:
    fields = {
        "window": make_window(),
        "proxied": 1000,
        "recorded": 1000,
        "shed": 0,
        "good": 900,
        "bad": 80,
        "excluded": 20,
        "error_ratio": 80 / 980,
        "error_interval": (0.066, 0.1),
        "latency_ms": make_latency(),
        "by_outcome": {"ok": 900, "server_error": 80, "client_error": 20},
        "by_fault": {"partner": 80, "platform": 20},
        "status": "failing",
        "reasons": ("8.2 % errors",),
        "sentence": "8.2 % of `POST /x` failed.",
        "request_bytes": 1,
        "response_bytes": 1,
    }
    return Health(**(fields | more))


def make_operation(**more) -> OperationView:
    fields = {
        "operation": "POST /v1/issues",
        "direction": "outbound",
        "kind": "request",
        "exchanges": 100,
        "good": 90,
        "bad": 10,
        "excluded": 0,
        "error_ratio": 0.1,
        "latency_ms": make_latency(),
        "main_fault": "partner",
    }
    return OperationView(**(fields | more))


def make_exchange(**more) -> ExchangeView:
    fields = {
        "id": "01a20394-4c9a-7cb8-8000-000100007362",
        "started_us": NOON_US,
        "direction": "outbound",
        "kind": "request",
        "integration": "globex-issues",
        "operation": "POST /v1/issues",
        "installation": "inst-7",
        "customer": "cust-3",
        "topic": None,
        "method": "POST",
        "path": "/v1/issues",
        "status": 500,
        "outcome": "server_error",
        "fault": "partner",
        "verdict": "bad",
        "error": None,
        "error_detail": None,
        "queue_ms": 0.04,
        "connect_ms": 2.1,
        "tls_ms": 7.8,
        "first_byte_ms": 119.0,
        "total_ms": 139.0,
        "request_bytes": 812,
        "response_bytes": 2341,
        "delivery": None,
        "attempt": 0,
        "trace_id": None,
        "captured": False,
        "capture": None,
    }
    return ExchangeView(**(fields | more))
