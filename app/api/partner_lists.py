"""A partner's own list of its installations: posted, and compared with the platform's."""

from typing import Any

import marshmallow as ma
from flask_smorest import Blueprint
from marshmallow import fields
from werkzeug.exceptions import UnprocessableEntity

from app import queries
from app.api import rendering
from app.api.arguments import Arguments, WholeNumber
from app.api.context import now_us, reading, scope
from app.commands.partner_lists import MOST, ListRefused, note, read, take
from app.db import transaction
from app.domain.partner_list import ListFailure
from app.domain.window import SECOND_US
from app.queries.partner_lists import ListView

Json = dict[str, Any]
_PATH = "/integrations/<slug>/installation-list"


class ListArguments(Arguments):
    """A whole list. `total`: how many it has, by which a cut one is known."""

    items = fields.List(
        fields.Raw(allow_none=True),
        required=True,
        metadata={
            "items": {
                "type": "object",
                "required": ["installation", "state"],
                "properties": {
                    "installation": {"type": "string", "minLength": 1, "maxLength": 200},
                    "state": {"enum": ["active", "suspended", "uninstalled"]},
                },
            },
            "maxItems": MOST,
        },
    )
    total = WholeNumber(0, 10**9, "How many the list has")


class DifferenceSchema(ma.Schema):
    """One installation: where it stands here and there, null: not known."""

    kind = fields.String(required=True)
    installation = fields.String(required=True)
    here = fields.String(required=True, allow_none=True)
    there = fields.String(required=True, allow_none=True)


class NotTakenSchema(ma.Schema):
    """Why a list was not taken: a word, and what was wrong with this one."""

    reason = fields.String(required=True, validate=ma.validate.OneOf([*ListFailure]))
    detail = fields.String(required=True)


class ListSchema(ma.Schema):
    """The newest list that was taken against the platform's, the first 500 differences by name.
    `failure`: why the list that was posted or pulled last (`tried_at`) was not taken; then the one
    before stands. `pulled_every_seconds` null: it is only posted."""

    taken_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    tried_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    failure = fields.Nested(NotTakenSchema, required=True, allow_none=True)
    pulled_every_seconds = fields.Integer(required=True, allow_none=True)
    listed = fields.Integer(required=True)
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    items = fields.List(fields.Nested(DifferenceSchema), required=True)
    next = fields.String(required=True, allow_none=True)


def add_routes(api: Blueprint) -> None:
    """Add them to the blueprint of the API."""
    asked = api.arguments(Arguments, location="query", unknown="raise")(compared)
    given = api.arguments(ListArguments, location="json", unknown="raise")(post)
    asked, given = api.response(200, ListSchema)(asked), api.response(200, ListSchema)(given)
    for status in (400, 401, 404, 413, 422, 429, 503):
        given = api.alt_response(status, "PROBLEM")(given)
    for status in (401, 404, 422, 429, 503):
        asked = api.alt_response(status, "PROBLEM")(asked)
    api.route(_PATH, methods=["GET"])(asked)
    api.route(_PATH, methods=["POST"])(given)


def compared(_given: Json, slug: str) -> Json:
    """How the partner's own list differs from what the platform tells."""
    return _rendered(queries.partner_list(reading(), scope(), slug))


def post(given: Json, slug: str) -> Json:
    """Take a list in place of the one before; one bad item, and nothing is taken."""
    queries.get_integration(reading(), scope(), slug)
    try:
        listed = read(given["items"], given.get("total"))
    except ListRefused as error:
        with transaction(reading().engine) as session:
            note(session, slug, error.failure, str(error), now_us=now_us())
        raise UnprocessableEntity(f"{error}; nothing was taken") from None
    with transaction(reading().engine) as session:
        take(session, slug, listed, now_us=now_us())
    return _rendered(queries.partner_list(reading(), scope(), slug))


def _rendered(view: ListView) -> Json:
    return {
        "taken_at": _moment(view.taken_us),
        "tried_at": _moment(view.tried_us),
        "failure": view.failure._asdict() if view.failure else None,
        "pulled_every_seconds": None if view.every_us is None else view.every_us // SECOND_US,
        "listed": view.listed,
        "counts": view.counts,
        "items": [each._asdict() for each in view.items],
        "next": None,
    }


def _moment(at_us: int | None) -> str | None:
    return None if at_us is None else rendering.moment(at_us)
