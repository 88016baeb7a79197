"""Error groups below an integration: what fails, and what is decided about it."""

from dataclasses import asdict
from typing import Any

import marshmallow as ma
from flask_smorest import Blueprint
from marshmallow import fields

from app import queries
from app.api import rendering
from app.api.arguments import Arguments, Moment, Span, WholeNumber, window_of
from app.api.context import actor, now_us, reading, scope
from app.api.schemas import WindowSchema
from app.commands.error_groups import Seen, Wish, decide
from app.db import transaction
from app.domain.error_group import OPEN, Handling, Standing
from app.domain.window import DAY_US, Window, window_ending
from app.errors import BadQuery
from app.queries import ErrorGroupsView, ErrorGroupView

Json = dict[str, Any]
_LONGEST_PATIENCE = 10**9


class GroupsArguments(Span):
    """`error-groups?window|from&to&standing=`; the last day unless a window is named."""

    standing = fields.String(
        validate=ma.validate.OneOf([*Standing, "open"]),
        metadata={"description": "`open`: new, regressed and ongoing; without it, all"},
    )


class GroupChange(Arguments):
    """What is to be so; what is left out stays as it is."""

    handling = fields.Enum(Handling, by_value=True)
    until = Moment("Ignored until then")
    more = WholeNumber(1, _LONGEST_PATIENCE, "Ignored until so many more exchanges")
    assignee = fields.Email(
        allow_none=True, metadata={"description": "Whose it is to mend; null: nobody's"}
    )


class GroupPointSchema(ma.Schema):
    """One step."""

    start = fields.String(required=True, metadata={"format": "date-time"})
    exchanges = fields.Integer(required=True)


class ErrorGroupSchema(ma.Schema):
    """Failing exchanges that are one and the same failure. `exchanges` and `installations` are of
    the window, `total` is since the first."""

    id = fields.String(required=True)
    integration = fields.String(required=True)
    direction = fields.String(required=True)
    kind = fields.String(required=True)
    operation = fields.String(required=True)
    outcome = fields.String(required=True)
    status = fields.Integer(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)
    message = fields.String(required=True)
    example = fields.String(required=True)
    fault = fields.String(required=True)
    first_at = fields.String(required=True, metadata={"format": "date-time"})
    last_at = fields.String(required=True, metadata={"format": "date-time"})
    exchanges = fields.Integer(required=True)
    total = fields.Integer(required=True)
    installations = fields.Integer(required=True)
    installations_exact = fields.Boolean(required=True)
    points = fields.List(fields.Nested(GroupPointSchema), required=True)
    standing = fields.String(required=True)
    handling = fields.String(required=True)
    decided_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    decided_by = fields.String(required=True, allow_none=True)
    until = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    more = fields.Integer(required=True, allow_none=True)
    assignee = fields.String(required=True, allow_none=True)
    links = fields.Dict(keys=fields.String(), required=True)


class ErrorGroupsSchema(ma.Schema):
    """Those seen within the window, those that want somebody first; never more than some 300."""

    window = fields.Nested(WindowSchema, required=True)
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    items = fields.List(fields.Nested(ErrorGroupSchema), required=True)
    next = fields.String(required=True, allow_none=True)


def add_routes(api: Blueprint) -> None:
    """Add them to the blueprint of the API."""
    base = "/integrations/<slug>/error-groups"
    _route(api, base, groups, ErrorGroupsSchema, GroupsArguments)
    _route(api, f"{base}/<group>", group, ErrorGroupSchema, GroupsArguments)
    _route(api, f"{base}/<group>", change, ErrorGroupSchema, GroupChange, patch=True)


def _route(
    api: Blueprint, path: str, view: Any, answer: Any, arguments: Any, *, patch: bool = False
) -> None:
    location = "json" if patch else "query"
    wrapped = api.arguments(arguments, location=location, unknown="raise")(view)
    wrapped = api.response(200, answer)(wrapped)
    for status in (401, 404, *((409,) if patch else ()), 422, 429, 503):
        wrapped = api.alt_response(status, "PROBLEM")(wrapped)
    api.route(path, methods=["PATCH" if patch else "GET"])(wrapped)


def groups(given: Json, slug: str) -> Json:
    """What fails at one integration."""
    word = given.get("standing")
    wanted = None if word is None else OPEN if word == "open" else (Standing(word),)
    found = queries.error_groups(reading(), scope(), slug, _window(given), wanted)
    return _rendered(found)


def group(given: Json, slug: str, group: str) -> Json:
    """One failure."""
    window = _window(given)
    return _group(queries.get_error_group(reading(), scope(), slug, group, window))


def change(given: Json, slug: str, group: str) -> Json:
    """Resolve it, ignore it, open it again, assign it."""
    day = window_ending(now_us(), DAY_US)
    found = queries.get_error_group(reading(), scope(), slug, group, day)
    _check_assignee(given.get("assignee"), slug)
    wish = Wish(
        given.get("handling"),
        given.get("until"),
        given.get("more"),
        "assignee" in given,
        given.get("assignee"),
    )
    seen = Seen(int(found.id, 16), slug, found.first_us, found.last_us, found.total)
    with transaction(reading().engine) as session:
        decide(session, seen, wish, now_us=now_us(), actor=actor())
    return _group(queries.get_error_group(reading(), scope(), slug, group, day))


def _check_assignee(email: str | None, slug: str) -> None:
    if email is not None and email not in queries.assignees(reading(), scope(), slug):
        raise BadQuery("assignee", "nobody of that address has to do with this integration")


def _window(given: Json) -> Window:
    if "window" in given or "start" in given:
        return window_of(given, now_us())
    return window_ending(now_us(), DAY_US)


def _rendered(view: ErrorGroupsView) -> Json:
    return {
        "window": rendering.span(view.window),
        "counts": view.counts,
        "items": [_group(each) for each in view.items],
        "next": None,
    }


def _group(view: ErrorGroupView) -> Json:
    body = asdict(view)
    for name in ("first", "last", "decided"):
        at_us = body.pop(f"{name}_us")
        body[f"{name}_at"] = None if at_us is None else rendering.moment(at_us)
    until_us = body.pop("until_us")
    body["until"] = None if until_us is None else rendering.moment(until_us)
    body["points"] = [
        {"start": rendering.moment(at_us), "exchanges": number} for at_us, number in view.points
    ]
    sample = body.pop("sample")
    body["links"] = {
        "self": rendering.href("integrations", view.integration, "error-groups", view.id),
        "integration": rendering.href("integrations", view.integration),
        "sample": rendering.href("exchanges", sample) if sample else None,
        "page": f"/integrations/{view.integration}/errors",
    }
    return body
