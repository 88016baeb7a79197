"""The shapes of answers: what is dumped, and what the OpenAPI document promises."""

from typing import Any

import marshmallow as ma
from marshmallow import fields

_DATE_TIME = {"format": "date-time"}


def _count(description: str = "") -> fields.Integer:
    return fields.Integer(required=True, metadata={"description": description})


def _ratio(description: str) -> fields.Float:
    return fields.Float(required=True, allow_none=True, metadata={"description": description})


def _ms() -> fields.Float:
    return fields.Float(required=True, allow_none=True, metadata={"description": "Milliseconds"})


def _text(*, nullable: bool = False) -> fields.String:
    return fields.String(required=True, allow_none=nullable)


def _time() -> fields.String:
    return fields.String(required=True, metadata=_DATE_TIME)


def _counts(description: str) -> fields.Dict:
    return fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": description},
    )


def _links() -> fields.Dict:
    return fields.Dict(
        keys=fields.String(), required=True, metadata={"description": "Addresses, relative"}
    )


def _next() -> fields.String:
    return fields.String(
        required=True, allow_none=True, metadata={"description": "Cursor of the next page"}
    )


def _many(schema: type[ma.Schema]) -> fields.List[Any]:
    return fields.List(fields.Nested(schema), required=True)


class ProblemErrorSchema(ma.Schema):
    """One parameter that is at fault."""

    parameter = _text()
    detail = _text()


class ProblemSchema(ma.Schema):
    """RFC 9457."""

    type = _text()
    title = _text()
    status = _count("The status of the answer")
    detail = _text()
    instance = _text()
    errors = fields.List(fields.Nested(ProblemErrorSchema))


class PartnerSchema(ma.Schema):
    """An organisation that builds integrations."""

    slug = _text()
    name = _text()
    contacts = fields.List(fields.String(), required=True)
    links = _links()


class NoteSchema(ma.Schema):
    """What somebody wrote beside the numbers."""

    id = fields.Integer(required=True)
    integration = _text()
    at = _time()
    kind = _text()
    text = _text()
    author = _text()
    created_at = _time()
    links = _links()


class NotesSchema(ma.Schema):
    """A page of them."""

    items = _many(NoteSchema)
    next = _next()


class PartnersSchema(ma.Schema):
    """A page of them."""

    items = _many(PartnerSchema)
    next = _next()


class ObjectiveSchema(ma.Schema):
    """A target over a window."""

    name = _text()
    target = fields.Float(required=True)
    window = _text()
    threshold_ms = fields.Integer(required=True, allow_none=True)


class IntegrationSchema(ma.Schema):
    """What a partner builds."""

    slug = _text()
    name = _text()
    partner = _text(nullable=True)
    visibility = _text()
    category = _text(nullable=True)
    objectives = _many(ObjectiveSchema)
    removed = fields.Boolean(required=True)
    links = _links()


class IntegrationsSchema(ma.Schema):
    """A page of them."""

    items = _many(IntegrationSchema)
    next = _next()


class WindowSchema(ma.Schema):
    """A half-open span of time."""

    start = _time()
    end = _time()


class LatencySchema(ma.Schema):
    """Percentiles of the timed exchanges."""

    p50 = _ms()
    p95 = _ms()
    p99 = _ms()


class HealthSchema(ma.Schema):
    """One integration over one window."""

    integration = _text()
    window = fields.Nested(WindowSchema, required=True)
    proxied = _count("recorded + shed")
    recorded = _count("good + bad + excluded")
    shed = _count("Passed, but could not be recorded")
    good = _count()
    bad = _count()
    excluded = _count("Somebody else's failure")
    error_ratio = _ratio("bad / (good + bad)")
    error_interval = fields.List(
        fields.Float(),
        required=True,
        allow_none=True,
        metadata={"description": "Its Wilson 95 % interval"},
    )
    latency_ms = fields.Nested(LatencySchema, required=True)
    by_outcome = _counts("Exchanges by outcome")
    by_fault = _counts("Exchanges that somebody has to act on, by who")
    request_bytes = _count("Bytes of request bodies")
    response_bytes = _count("Bytes of answer bodies")
    status = _text()
    reasons = fields.List(fields.String(), required=True)
    sentence = _text()
    links = _links()


class PointSchema(ma.Schema):
    """One step; only `start` and the chosen number when a metric was named."""

    start = _time()
    exchanges = fields.Integer()
    good = fields.Integer()
    bad = fields.Integer()
    excluded = fields.Integer()
    shed = fields.Integer()
    error_ratio = fields.Float(allow_none=True)
    by_outcome = fields.Dict(keys=fields.String(), values=fields.Integer())
    latency_ms = fields.Nested(LatencySchema)


class SeriesSchema(ma.Schema):
    """Every step of a window, oldest first."""

    integration = _text()
    window = fields.Nested(WindowSchema, required=True)
    step_seconds = _count()
    metric = _text(nullable=True)
    points = _many(PointSchema)
    links = _links()


class CaptureSchema(ma.Schema):
    """The scrubbed evidence of an exchange; `*_cut`: the body was longer."""

    query = _text()
    request_headers = fields.List(fields.List(fields.String()), required=True)
    request_body = _text()
    request_cut = fields.Boolean(required=True)
    response_headers = fields.List(fields.List(fields.String()), required=True)
    response_body = _text()
    response_cut = fields.Boolean(required=True)


class ExchangeSchema(ma.Schema):
    """One HTTP request with its answer, or with the failure in place of one."""

    id = _text()
    started_at = _time()
    direction = _text()
    kind = _text()
    integration = _text()
    operation = _text()
    installation = _text(nullable=True)
    customer = _text(nullable=True)
    topic = _text(nullable=True)
    method = _text()
    path = _text()
    status = fields.Integer(required=True, allow_none=True)
    outcome = _text()
    fault = _text()
    verdict = _text()
    error = _text(nullable=True)
    error_detail = _text(nullable=True)
    queue_ms = _ms()
    connect_ms = _ms()
    tls_ms = _ms()
    first_byte_ms = _ms()
    total_ms = _ms()
    request_bytes = _count()
    response_bytes = _count()
    delivery = _text(nullable=True)
    attempt = _count()
    trace_id = _text(nullable=True)
    captured = fields.Boolean(required=True)
    capture = fields.Nested(CaptureSchema)
    links = _links()


class ExchangesSchema(ma.Schema):
    """A page of them, newest first, without captures."""

    items = _many(ExchangeSchema)
    next = _next()
