"""A ratio with what it was made of, as answers about money and usage give it."""

import marshmallow as ma
from marshmallow import fields


class RatioSchema(ma.Schema):
    """A ratio with both its terms; null in its place when there is no denominator."""

    value = fields.Float(required=True)
    numerator = fields.Integer(required=True)
    denominator = fields.Integer(required=True)


def both_terms() -> fields.Nested:
    """The field of one."""
    return fields.Nested(RatioSchema, required=True, allow_none=True)
