"""What the platform tells of installations, and how far they came."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from flask import Response
from flask_smorest import Blueprint

from app import queries, telemetry
from app.api import rendering
from app.api.arguments import window_of
from app.api.context import now_us, reading, scope
from app.api.lifecycle_schemas import FunnelArguments, FunnelSchema
from app.api.posting import add_route, posted
from app.commands.lifecycle import record
from app.db import transaction
from app.domain.funnel_counts import CAUSES, FunnelCount, Order
from app.domain.lost import sentence
from app.domain.window import DAY_US, SECOND_US, window_ending
from app.queries import FunnelView, Loss
from app.queries.funnels import Asked, By
from app.queries.spreadsheet import table

Json = dict[str, Any]
_DEFAULT_US = 30 * DAY_US
_TEXT = {"type": "string", "minLength": 1}
_OPTIONAL = {"type": ["string", "null"]}
_EVENT = {
    "type": "object",
    "required": ["id", "integration", "installation", "step", "occurred_at"],
    "properties": {
        "id": {**_TEXT, "maxLength": 200, "description": "The sender's; sent twice, taken once"},
        "integration": {**_TEXT, "maxLength": 63},
        "installation": {**_TEXT, "maxLength": 200},
        "customer": {**_OPTIONAL, "maxLength": 200},
        "step": {
            **_TEXT,
            "maxLength": 63,
            "description": "One of the integration's funnel, or uninstalled, suspended, resumed, "
            "reinstalled, declined",
        },
        "occurred_at": {"type": "string", "format": "date-time"},
        "plan": {**_OPTIONAL, "maxLength": 100},
        "source": {**_OPTIONAL, "maxLength": 100},
        "reason": {**_OPTIONAL, "maxLength": 500},
    },
}


def add_routes(api: Blueprint) -> None:
    """Add them to the blueprint of the API."""
    add_route(api, "/lifecycle-events", post, _EVENT)
    wrapped = api.arguments(FunnelArguments, location="query", unknown="raise")(funnel)
    wrapped = api.response(200, FunnelSchema)(wrapped)
    for status in (401, 404, 422, 429, 503):
        wrapped = api.alt_response(status, "PROBLEM")(wrapped)
    api.route("/integrations/<slug>/funnel", methods=["GET"])(wrapped)
    wrapped = api.arguments(FunnelArguments, location="query", unknown="raise")(export)
    wrapped = api.response(200, {"type": "string"}, content_type="text/csv")(wrapped)
    for status in (401, 404, 422, 429, 503):
        wrapped = api.alt_response(status, "PROBLEM")(wrapped)
    api.route("/integrations/<slug>/funnel.csv", methods=["GET"])(wrapped)


def post() -> Json:
    """Take in up to 1,000 events, in any order; one that cannot be taken is named with its reason
    and keeps no other from being taken."""
    events = posted()
    with transaction(reading().engine) as session:
        receipt = record(session, events, now_us=now_us())
    counted = {
        "accepted": receipt.accepted,
        "duplicate": receipt.duplicates,
        "rejected": len(receipt.rejected),
    }
    for result, number in counted.items():
        telemetry.count_events("lifecycle", result, number)
    return {
        "accepted": receipt.accepted,
        "duplicates": receipt.duplicates,
        "rejected": [asdict(each) for each in receipt.rejected],
    }


def funnel(given: Json, slug: str) -> Json:
    """How installs of one integration went whose first step lies in the window; the last 30 days
    unless one is named."""
    view = _asked(given, slug)
    return _rendered(slug, view, queries.lost_reasons(reading(), scope(), slug, view.window))


def export(given: Json, slug: str) -> Response:
    """The same as CSV: a line for each cohort and step."""
    given.setdefault("by", By.DAY.value)
    view = _asked(given, slug)
    head = (
        given["by"], "entered", "step", "reached", "median (s)", "p90 (s)",
        *(f"lost: {cause}" for cause in CAUSES), "waiting",
    )  # fmt: skip
    lines = (
        (each.key, each.count.entered, step.name, step.reached, step.median_s, step.p90_s,
         *step.lost.values(), step.waiting)
        for each in view.cohorts
        for step in each.count.steps
    )  # fmt: skip
    headers = {"Content-Disposition": f'attachment; filename="{slug}-installs.csv"'}
    return Response(table(head, lines), mimetype="text/csv", headers=headers)


def _asked(given: Json, slug: str) -> FunnelView:
    asked = Asked(
        Order(given["order"]), given["within"], By(given["by"]) if "by" in given else None
    )
    bounded = "window" in given or "start" in given
    window = window_of(given, now_us()) if bounded else window_ending(now_us(), _DEFAULT_US)
    return queries.funnel(reading(), scope(), slug, window, asked)


def _rendered(slug: str, view: FunnelView, losses: Sequence[Loss]) -> Json:
    count = _count(view.count, view.within_us)
    for step in count["steps"]:
        step["why_lost"] = sentence(step["name"], [each.reason for each in losses])
    return {
        "integration": slug,
        "window": rendering.span(view.window),
        "order": view.order.value,
        **count,
        "lost_reasons": [_loss(each) for each in losses],
        "activated_interval": list(view.interval) if view.interval else None,
        "enough": view.enough,
        "cohorts": [
            {
                "key": each.key,
                "start": None if each.start_us is None else rendering.moment(each.start_us),
                **_count(each.count, view.within_us),
                "enough": each.enough,
            }
            for each in view.cohorts
        ],
        "uninstalled": view.uninstalled,
        "uninstalled_by_reason": [
            {"reason": reason or None, "uninstalled": number}
            for reason, number in view.reasons.items()
        ],
        "links": {
            "integration": rendering.href("integrations", slug),
            "page": f"/integrations/{slug}/installs",
        },
    }


def _loss(loss: Loss) -> Json:
    reason = loss.reason
    return {
        "step": reason.step,
        "cause": reason.cause.value,
        "installs": reason.installs,
        "what": reason.what or None,
        "webhook": reason.webhook,
        "ended": reason.ended or None,
        "exchange": loss.exchange,
        "links": {
            "exchange": rendering.href("exchanges", loss.exchange) if loss.exchange else None
        },
    }


def _count(count: FunnelCount, within_us: int) -> Json:
    return {
        "entered": count.entered,
        "activated": count.activated,
        "activated_ratio": _ratio(count.activated, count.entered),
        "converted": {
            "within_seconds": within_us // SECOND_US,
            "installations": count.within,
            "ratio": _ratio(count.within, count.entered),
        },
        "steps": [_step(count, at) for at in range(len(count.steps))],
    }


def _step(count: FunnelCount, at: int) -> Json:
    step = count.steps[at]
    before = count.steps[at - 1].reached if at else step.reached
    return {
        "name": step.name,
        "reached": step.reached,
        "ratio_of_previous": _ratio(step.reached, before),
        "ratio_of_entered": _ratio(step.reached, count.entered),
        "median_seconds": step.median_s,
        "p90_seconds": step.p90_s,
        "median_step_seconds": step.step_median_s,
        "p90_step_seconds": step.step_p90_s,
        "lost": step.lost,
        "waiting": step.waiting,
    }


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
