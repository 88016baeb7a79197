"""Arrays of events that the platform posts: one bad event rejects that event only."""

from typing import Any

import marshmallow as ma
from flask import request
from flask_smorest import Blueprint
from marshmallow import fields
from werkzeug.exceptions import BadRequest, Forbidden, UnprocessableEntity

from app.api.context import scope
from app.commands.event_fields import MOST_EVENTS

_PROBLEMS = (400, 401, 403, 413, 422, 429, 503)


class RejectionSchema(ma.Schema):
    """One event that was not taken."""

    index = fields.Integer(required=True)
    reason = fields.String(required=True)


class ReceiptSchema(ma.Schema):
    """What became of an array: events that are new, those whose id was known, and the rest."""

    accepted = fields.Integer(required=True)
    duplicates = fields.Integer(required=True)
    rejected = fields.List(fields.Nested(RejectionSchema), required=True)


def add_route(api: Blueprint, path: str, view: Any, event: dict[str, Any]) -> None:
    """`POST path` takes an array of what `event`, a JSON schema, describes."""
    array = {"type": "array", "maxItems": MOST_EVENTS, "items": event}
    body = {"required": True, "content": {"application/json": {"schema": array}}}
    wrapped = api.response(200, ReceiptSchema)(view)
    for status in _PROBLEMS:
        wrapped = api.alt_response(status, "PROBLEM")(wrapped)
    api.route(path, methods=["POST"])(api.doc(requestBody=body)(wrapped))


def posted() -> list[Any]:
    """The array that was sent, by somebody who may: events are the platform's to tell."""
    if not scope().covers(None):
        raise Forbidden("events are posted by the platform: by an admin's or ecosystem token")
    found = _json()
    if not isinstance(found, list):
        raise UnprocessableEntity("send an array of events")
    if len(found) > MOST_EVENTS:
        raise UnprocessableEntity(
            f"an array has at most {MOST_EVENTS:,} events, this one {len(found):,}: send fewer; "
            "none was taken"
        )
    return found


def _json() -> Any:
    try:
        return request.get_json()
    except RecursionError:  # brackets in brackets without end
        raise BadRequest("nested too deep") from None
