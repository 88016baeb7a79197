"""Reading one posted lifecycle event, which may be anything.

Nearly all events are as they should be: these are recognised by msgspec at once. Whatever it does
not recognise is read key by key, which takes ten times as long and can say what is wrong.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple

import msgspec

from app.commands import event_fields as fields
from app.domain.funnel import Event

#: Ids that begin so are made by Midspan itself, of exchanges.
WIRE = "wire:"
_KEYS = frozenset(
    {"id", "integration", "installation", "customer", "step", "occurred_at", "plan", "source",
     "reason"}
)  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Word = Annotated[str, msgspec.Meta(min_length=1, max_length=63)]
_Label = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class Sent(NamedTuple):
    """An event with what it is about."""

    integration: str
    installation: str
    event: Event


class _Good(msgspec.Struct, forbid_unknown_fields=True):
    """An event that is as it should be, but for its time."""

    id: _Name
    integration: _Word
    installation: _Name
    step: _Word
    occurred_at: Annotated[datetime, msgspec.Meta(tz=True)]
    customer: _Name | None = None
    plan: _Label | None = None
    source: _Label | None = None
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)] | None = None


def read_event(raw: Any, now_us: int) -> Sent | str:
    """The event, or what is wrong with it."""
    try:
        good = msgspec.convert(raw, _Good)
    except msgspec.ValidationError:
        return _looked_at(raw, now_us)
    at_us = (good.occurred_at - _EPOCH) // _MICROSECOND
    texts = (
        f"{good.id}{good.integration}{good.installation}{good.step}"
        f"{good.customer}{good.plan}{good.source}{good.reason}"
    )
    fine = texts.isprintable() and not good.id.startswith(WIRE)
    if not fine or not 0 <= at_us <= now_us + fields.AHEAD_US:
        return _looked_at(raw, now_us)
    event = Event(good.id, good.step, at_us, good.customer, good.plan, good.source, good.reason)
    return Sent(good.integration, good.installation, event)


def _looked_at(raw: Any, now_us: int) -> Sent | str:
    try:
        given = fields.entries(raw, _KEYS)
        own_id = fields.needed(given, "id", 200)
        if own_id.startswith(WIRE):
            raise ValueError(f"ids that begin with {WIRE!r} are Midspan's own")
        event = Event(
            own_id,
            fields.needed(given, "step", 63),
            fields.moment(given, "occurred_at", now_us),
            fields.optional(given, "customer", 200),
            fields.optional(given, "plan", 100),
            fields.optional(given, "source", 100),
            fields.optional(given, "reason", 500),
        )
        slug = fields.needed(given, "integration", 63)
        return Sent(slug, fields.needed(given, "installation", 200), event)
    except ValueError as error:
        return str(error)
