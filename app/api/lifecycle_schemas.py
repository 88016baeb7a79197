"""What may be asked of funnels, and the shape of what is answered."""

import marshmallow as ma
from marshmallow import fields

from app.api.arguments import Duration, Span
from app.api.schemas import WindowSchema
from app.domain.funnel_counts import Order
from app.domain.window import DAY_US
from app.queries.funnels import By

_SECONDS = {"description": "Within 2.17 %; null when nobody reached it"}


class FunnelArguments(Span):
    """`funnel?window|from&to&by&order&within`."""

    by = fields.String(validate=ma.validate.OneOf([*By]))
    order = fields.String(
        load_default=Order.ANY.value,
        validate=ma.validate.OneOf([*Order]),
        metadata={"description": "`strict`: a step counts only behind all steps before it"},
    )
    within = Duration("What `converted` counts: activated so soon after the first step")

    @ma.post_load
    def _default(self, data: dict[str, object], **_kwargs: object) -> dict[str, object]:
        return {"within": DAY_US, **data}


class ConvertedSchema(ma.Schema):
    """Installs that were activated within a time after they entered."""

    within_seconds = fields.Integer(required=True)
    installations = fields.Integer(required=True)
    ratio = fields.Float(required=True, allow_none=True)


class StepSchema(ma.Schema):
    """One step. `lost`: came to the step before and not to this one, by cause; `waiting`: still
    may. `median_seconds` from the first step on, `median_step_seconds` from the step before."""

    name = fields.String(required=True)
    reached = fields.Integer(required=True)
    ratio_of_previous = fields.Float(required=True, allow_none=True)
    ratio_of_entered = fields.Float(required=True, allow_none=True)
    median_seconds = fields.Float(required=True, allow_none=True, metadata=_SECONDS)
    p90_seconds = fields.Float(required=True, allow_none=True, metadata=_SECONDS)
    median_step_seconds = fields.Float(required=True, allow_none=True, metadata=_SECONDS)
    p90_step_seconds = fields.Float(required=True, allow_none=True, metadata=_SECONDS)
    lost = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    waiting = fields.Integer(required=True)


class CountSchema(ma.Schema):
    """How far installs came."""

    entered = fields.Integer(required=True)
    activated = fields.Integer(required=True)
    activated_ratio = fields.Float(required=True, allow_none=True)
    converted = fields.Nested(ConvertedSchema, required=True)
    steps = fields.List(fields.Nested(StepSchema), required=True)
    enough = fields.Boolean(required=True)


class CohortSchema(CountSchema):
    """Installs that entered on one day, or have one plan or source; null: it was not told."""

    key = fields.String(required=True, allow_none=True)
    start = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})


class ReasonSchema(ma.Schema):
    """Why installations were uninstalled; null: it was not told."""

    reason = fields.String(required=True, allow_none=True)
    uninstalled = fields.Integer(required=True)


class WhyStepSchema(StepSchema):
    """A step of the whole. `why_lost`: what befell most of those that were lost at it, those that
    failed first; "": none were."""

    why_lost = fields.String(required=True)


class LossSchema(ma.Schema):
    """Installs that were lost at one step in the same way. `what`: the operation or topic that
    failed, `ended` its status or outcome, `exchange` the one of the newest; null: none failed."""

    step = fields.String(required=True)
    cause = fields.String(required=True)
    installs = fields.Integer(required=True)
    what = fields.String(required=True, allow_none=True)
    webhook = fields.Boolean(required=True)
    ended = fields.String(required=True, allow_none=True)
    exchange = fields.String(required=True, allow_none=True)
    links = fields.Dict(keys=fields.String(), required=True)


class FunnelSchema(CountSchema):
    """Installations whose first step lies in the window, why they were lost (most first), and what
    was uninstalled within it."""

    steps = fields.List(fields.Nested(WhyStepSchema), required=True)
    lost_reasons = fields.List(fields.Nested(LossSchema), required=True)

    integration = fields.String(required=True)
    window = fields.Nested(WindowSchema, required=True)
    order = fields.String(required=True)
    activated_interval = fields.List(fields.Float(), required=True, allow_none=True)
    cohorts = fields.List(fields.Nested(CohortSchema), required=True)
    uninstalled = fields.Integer(required=True)
    uninstalled_by_reason = fields.List(fields.Nested(ReasonSchema), required=True)
    links = fields.Dict(keys=fields.String(), required=True)
