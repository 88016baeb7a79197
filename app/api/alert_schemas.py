"""What may be asked about alerts, and the shapes of the answers."""

import marshmallow as ma
from marshmallow import fields

from app.api.arguments import Arguments, Moment, PageArguments, plain_text
from app.commands.alerting import LONGEST_COMMENT

_TIME = {"format": "date-time"}


class AlertsArguments(PageArguments):
    """`alerts?integration&state&cursor&limit`."""

    integration = plain_text(63)
    state = fields.String(
        load_default="all",
        validate=ma.validate.OneOf(["all", "open"]),
        metadata={"description": "`open`: those that are not over"},
    )


class SilenceArguments(Arguments):
    """What is not to be told, and how long."""

    rule = plain_text(100)
    integration = plain_text(63)
    partner = plain_text(63)
    starts_at = Moment("From; default: now")
    ends_at = Moment("Until", required=True)
    comment = fields.String(load_default="", validate=ma.validate.Length(0, LONGEST_COMMENT))


class RuleArguments(ma.Schema):
    """One rule, with the keys of a rule file."""

    class Meta:
        """Which keys a rule has is told with what is wrong."""

        unknown = ma.INCLUDE

    name = fields.String(required=True)
    kind = fields.String(required=True)


class NotificationSchema(ma.Schema):
    """One message to one address; `reason` says why it was sent or dropped."""

    event = fields.String(required=True)
    receiver = fields.String(required=True)
    channel = fields.String(required=True)
    address = fields.String(required=True)
    delivery = fields.String(required=True)
    reason = fields.String(required=True)
    attempts = fields.Integer(required=True)
    at = fields.String(required=True, metadata=_TIME)
    error = fields.String(required=True, allow_none=True)


class AlertSchema(ma.Schema):
    """One time that a rule fired. `evidence` is what was frozen then."""

    id = fields.Integer(required=True)
    rule = fields.String(required=True)
    series = fields.String(required=True)
    integration = fields.String(required=True, allow_none=True)
    partner = fields.String(required=True, allow_none=True)
    severity = fields.String(required=True)
    state = fields.String(required=True)
    summary = fields.String(required=True)
    fired_at = fields.String(required=True, metadata=_TIME)
    resolved_at = fields.String(required=True, allow_none=True, metadata=_TIME)
    acknowledged_at = fields.String(required=True, allow_none=True, metadata=_TIME)
    acknowledged_by = fields.String(required=True, allow_none=True)
    closed_by = fields.String(required=True, allow_none=True)
    evidence = fields.Dict(keys=fields.String(), required=True)
    notifications = fields.List(fields.Nested(NotificationSchema), required=True)
    links = fields.Dict(keys=fields.String(), required=True)


class AlertsSchema(ma.Schema):
    """A page of them, newest first."""

    items = fields.List(fields.Nested(AlertSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class SilenceSchema(ma.Schema):
    """A time in which nobody is told of what fits every field that is not null."""

    id = fields.Integer(required=True)
    rule = fields.String(required=True, allow_none=True)
    integration = fields.String(required=True, allow_none=True)
    partner = fields.String(required=True, allow_none=True)
    starts_at = fields.String(required=True, metadata=_TIME)
    ends_at = fields.String(required=True, metadata=_TIME)
    created_by = fields.String(required=True)
    comment = fields.String(required=True)
    partners_only = fields.Boolean(
        required=True, metadata={"description": "Made by a partner, for its own people"}
    )


class SilencesSchema(ma.Schema):
    """Those in force or to come."""

    items = fields.List(fields.Nested(SilenceSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class RuleSchema(ma.Schema):
    """One rule that stands."""

    name = fields.String(required=True)
    kind = fields.String(required=True)
    severity = fields.String(required=True)
    by = fields.String(required=True)
    description = fields.String(required=True)
    runbook = fields.String(required=True, allow_none=True)
    default = fields.Boolean(required=True)


class RulesSchema(ma.Schema):
    """All that stand, and what is wrong with the files: `file:line: message`."""

    items = fields.List(fields.Nested(RuleSchema), required=True)
    problems = fields.List(fields.String(), required=True)
    next = fields.String(required=True, allow_none=True)
