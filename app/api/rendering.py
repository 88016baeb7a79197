"""Answers of `app.queries` as JSON values, with the links between them."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from app.domain.objective import error_ratio
from app.domain.window import Window
from app.queries.results import (
    ExchangeView,
    Health,
    IntegrationView,
    Latency,
    NoteView,
    PartnerView,
    Point,
    SeriesView,
)

ROOT = "/api/v1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Json = dict[str, Any]


def moment(at_us: int) -> str:
    """RFC 3339 in UTC; whole seconds without a fraction."""
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat().replace("+00:00", "Z")


def span(window: Window) -> Json:
    """`{"start", "end"}`."""
    return {"start": moment(window.start_us), "end": moment(window.end_us)}


def href(*parts: str, **query: str) -> str:
    """An address below the root, quoted."""
    path = "/".join((ROOT, *(quote(part, safe="") for part in parts)))
    return f"{path}?{urlencode(query)}" if query else path


def partner(view: PartnerView) -> Json:
    """One partner, linked to its integrations."""
    return {
        "slug": view.slug,
        "name": view.name,
        "contacts": list(view.contacts),
        "links": {
            "self": href("partners", view.slug),
            "integrations": [href("integrations", slug) for slug in view.integrations],
        },
    }


def integration(view: IntegrationView) -> Json:
    """One integration, linked to its partner and its numbers."""
    links: Json = {
        "self": href("integrations", view.slug),
        "partner": href("partners", view.partner_slug) if view.partner_slug else None,
        "health": href("integrations", view.slug, "health"),
        "series": href("integrations", view.slug, "series"),
        "error_groups": href("integrations", view.slug, "error-groups"),
        "exchanges": href("exchanges", integration=view.slug),
        "funnel": href("integrations", view.slug, "funnel"),
        "notes": href("integrations", view.slug, "notes"),
        "page": f"/integrations/{quote(view.slug, safe='')}",
    }
    return {
        "slug": view.slug,
        "name": view.name,
        "partner": view.partner_slug or None,
        "visibility": view.visibility,
        "category": view.category,
        "objectives": [asdict(each) for each in view.objectives],
        "removed": view.removed,
        "links": links,
    }


def note(view: NoteView) -> Json:
    """One note, linked to its integration."""
    return {
        "id": view.id,
        "integration": view.integration,
        "at": moment(view.at_us),
        "kind": view.kind,
        "text": view.text,
        "author": view.author,
        "created_at": moment(view.created_us),
        "links": {"integration": href("integrations", view.integration)},
    }


def latency(view: Latency) -> Json:
    """p50, p95, p99 in milliseconds, null when nothing was timed."""
    return {"p50": view.p50, "p95": view.p95, "p99": view.p99}


def health(slug: str, view: Health) -> Json:
    """How an integration is doing, linked to its evidence."""
    ends = {"from": moment(view.window.start_us), "to": moment(view.window.end_us)}
    return {
        "integration": slug,
        "window": span(view.window),
        "proxied": view.proxied,
        "recorded": view.recorded,
        "shed": view.shed,
        "good": view.good,
        "bad": view.bad,
        "excluded": view.excluded,
        "error_ratio": view.error_ratio,
        "error_interval": list(view.error_interval) if view.error_interval else None,
        "latency_ms": latency(view.latency_ms),
        "by_outcome": view.by_outcome,
        "by_fault": view.by_fault,
        "request_bytes": view.request_bytes,
        "response_bytes": view.response_bytes,
        "status": view.status,
        "reasons": list(view.reasons),
        "sentence": view.sentence,
        "links": {
            "self": href("integrations", slug, "health", **ends),
            "integration": href("integrations", slug),
            "series": href("integrations", slug, "series", **ends),
            "bad": href("exchanges", integration=slug, verdict="bad", **ends),
        },
    }


def series(slug: str, view: SeriesView, metric: str | None) -> Json:
    """Every step of a window; `metric` narrows each point to one number."""
    return {
        "integration": slug,
        "window": span(view.window),
        "step_seconds": view.step_us // 1_000_000,
        "metric": metric,
        "points": [_point(each, metric) for each in view.points],
        "links": {"integration": href("integrations", slug)},
    }


def exchange(view: ExchangeView) -> Json:
    """One exchange, linked to its integration and its page; its capture only when it was read."""
    body = asdict(view)
    body["started_at"] = moment(body.pop("started_us"))
    capture = body.pop("capture")
    if capture is not None:
        body["capture"] = capture
    body["links"] = {
        "self": href("exchanges", view.id),
        "integration": href("integrations", view.integration),
        "page": f"/exchanges/{view.id}",
    }
    return body


def _point(point: Point, metric: str | None) -> Json:
    whole: Json = {
        "exchanges": point.exchanges,
        "good": point.good,
        "bad": point.bad,
        "excluded": point.excluded,
        "shed": point.shed,
        "error_ratio": error_ratio(point.good, point.bad),
        "by_outcome": point.by_outcome,
        "latency_ms": latency(point.latency_ms),
    }
    chosen = whole if metric is None else {metric: whole[metric]}
    return {"start": moment(point.start_us), **chosen}
