"""What may be asked: the parameters of every route, validated before anything is looked up.

An unknown name is refused, not ignored: a misspelt filter would otherwise answer the wrong
question without a word.
"""

from datetime import UTC, datetime
from typing import Any

import marshmallow as ma

from app.commands.notes import LONGEST
from app.domain import window as spans
from app.domain.words import Direction, Fault, Kind, Outcome, Verdict, Word
from app.models import NoteKind
from app.queries.exchanges import MAX_LIMIT
from app.store.port import ExchangeFilter

#: What `series?metric=` may name.
METRICS = (
    "exchanges", "good", "bad", "excluded", "shed", "error_ratio", "by_outcome", "latency_ms",
)  # fmt: skip
_DURATION = "a whole number and one of s, m, h, d, w, such as 15m"
_MOMENT = "an RFC 3339 time with its zone, such as 2026-11-22T10:00:00Z"
_DEFAULT_US = spans.HOUR_US
_LONGEST_US = 5 * 366 * spans.DAY_US
_LATEST_DAY = (datetime(2200, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days


def _up_to(most: int) -> str:
    """A regular expression of the whole numbers from 1 to `most`, two digits or more."""
    digits = str(most)
    shorter = f"[1-9][0-9]{{0,{len(digits) - 2}}}"
    below = [
        f"{digits[:at]}[{int(at == 0)}-{int(digit) - 1}][0-9]{{{len(digits) - at - 1}}}"
        for at, digit in enumerate(digits)
        if int(digit) > int(at == 0)
    ]
    return "|".join([shorter, *below, digits])


#: What `Duration` takes, no less and no more.
_PATTERN = "^({})$".format(
    "|".join(
        f"({_up_to(_LONGEST_US // spans.parse_duration(f'1{unit}'))}){unit}" for unit in "smhdw"
    )
)


def plain_text(longest: int, description: str = "") -> ma.fields.String:
    """Text that a database can hold."""
    known = {"description": description} if description else {}
    return ma.fields.String(
        validate=ma.validate.Length(1, longest), metadata={**known, "pattern": "^[^\\x00]*$"}
    )


class Duration(ma.fields.String):
    """`15m`, `1h`, `30d`; in microseconds inside."""

    def __init__(self, description: str) -> None:
        known = {"description": description, "pattern": _PATTERN}
        super().__init__(metadata=known)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            length_us = spans.parse_duration(super()._deserialize(value, attr, data, **kwargs))
        except ValueError as error:
            raise ma.ValidationError(_DURATION) from error
        if length_us > _LONGEST_US:
            raise ma.ValidationError("at most 5 years")
        return length_us


class Moment(ma.fields.String):
    """An RFC 3339 time with its zone; microseconds since 1970 UTC inside."""

    def __init__(
        self, description: str, name: str | None = None, *, required: bool = False
    ) -> None:
        known = {"description": description, "format": "date-time"}
        super().__init__(data_key=name, required=required, metadata=known)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise ma.ValidationError(_MOMENT)
            delta = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        except (ValueError, OverflowError) as error:
            raise ma.ValidationError(_MOMENT) from error
        if not 0 <= delta.days < _LATEST_DAY:
            raise ma.ValidationError("a time between 1970 and 2200, UTC")
        return (delta.days * 86_400 + delta.seconds) * spans.SECOND_US + delta.microseconds


class WholeNumber(ma.fields.Integer):
    """A number in a JSON body: 3 and 3.0, which are the same there, and nothing else."""

    def __init__(self, low: int, high: int, description: str) -> None:
        known = {"description": description}
        super().__init__(strict=True, validate=ma.validate.Range(low, high), metadata=known)

    def _validated(self, value: Any) -> Any:
        whole = isinstance(value, float) and value.is_integer()
        return super()._validated(int(value) if whole else value)


class Choice(ma.fields.String):
    """One word of a closed vocabulary; its code inside."""

    def __init__(self, words: type[Word], **kwargs: Any) -> None:
        self.words = words
        choices = [each.word for each in words]
        super().__init__(metadata={**kwargs.pop("metadata", {}), "enum": choices}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return int(self.words.of(super()._deserialize(value, attr, data, **kwargs)))
        except ValueError as error:
            raise ma.ValidationError(str(error)) from error


class Choices(ma.fields.String):
    """One or more words of a vocabulary with commas between; their codes inside."""

    def __init__(self, words: type[Word]) -> None:
        self.words = words
        one = "|".join(each.word for each in words)
        described = "One or more, with commas between"
        super().__init__(metadata={"description": described, "pattern": f"^({one})(,({one}))*$"})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return tuple(int(self.words.of(word.strip())) for word in text.split(","))
        except ValueError as error:
            raise ma.ValidationError(str(error)) from error


class Arguments(ma.Schema):
    """Nothing may be asked; the others add to it."""

    class Meta:
        """An unknown name is an error."""

        unknown = ma.RAISE


class PageArguments(Arguments):
    """`?cursor&limit` of a list."""

    cursor = ma.fields.String(
        validate=ma.validate.Length(1, 100), metadata={"description": "`next` of the page before"}
    )
    limit = ma.fields.Integer(load_default=100, validate=ma.validate.Range(1, MAX_LIMIT))


class Span(Arguments):
    """A window, given by its length up to now, or by its ends."""

    window = Duration("Length, up to 5 years; ends now, includes the running minute")
    start = Moment("Start, from 1970 on; not together with window", "from")
    end = Moment("End, after from; default: now", "to")

    @ma.validates_schema
    def _one_way(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if "window" in data and ("start" in data or "end" in data):
            raise ma.ValidationError("give a window, or from and to", "window")
        if "end" in data and "start" not in data:
            raise ma.ValidationError("goes with from", "to")
        if "start" in data and "end" in data and data["end"] <= data["start"]:
            raise ma.ValidationError("must be after from", "to")


class HealthArguments(Span):
    """`health?window=` or `?from&to`."""


class NotesArguments(Span):
    """`notes?window=` or `?from&to`; without either, all of them."""


class NoteArguments(Arguments):
    """The body of a note."""

    text = ma.fields.String(required=True, validate=ma.validate.Length(1, LONGEST))
    kind = ma.fields.String(
        load_default=NoteKind.OTHER.value,
        validate=ma.validate.OneOf([kind.value for kind in NoteKind]),
    )
    at = Moment("The moment it is about; default: now")


class SeriesArguments(Span):
    """`series?metric&from&to&step`."""

    metric = ma.fields.String(
        validate=ma.validate.OneOf(METRICS),
        metadata={"description": "One number a point; without it, all"},
    )
    step = Duration("Whole minutes; default: about 100 steps")


class ExportArguments(Span):
    """The filters of the request log."""

    integration = plain_text(63)
    outcome = Choices(Outcome)
    direction = Choice(Direction)
    kind = Choice(Kind)
    verdict = Choice(Verdict)
    fault = Choice(Fault)
    operation = plain_text(300)
    installation = plain_text(200)
    customer = plain_text(200)
    topic = plain_text(200)
    status = ma.fields.Integer(validate=ma.validate.Range(100, 599))
    method = plain_text(40)
    error = plain_text(80, "Code of docs/errors.md")
    delivery = plain_text(200)
    trace = ma.fields.String(validate=ma.validate.Regexp("^[0-9a-f]{32}$"))
    min_ms = ma.fields.Float(
        validate=ma.validate.Range(0, 10**9),
        allow_nan=False,
        metadata={"description": "Shortest duration, milliseconds"},
    )
    q = plain_text(200, "Text in error, error detail or path")


class ExchangesArguments(ExportArguments):
    """The same, a page at a time."""

    cursor = ma.fields.String(validate=ma.validate.Length(1, 64))
    limit = ma.fields.Integer(load_default=50, validate=ma.validate.Range(1, MAX_LIMIT))


def window_of(given: dict[str, Any], now_us: int) -> spans.Window:
    """The window asked for; the last hour when none was."""
    if "start" in given:
        until_us = spans.floor(now_us, spans.MINUTE_US) + spans.MINUTE_US
        end_us = given.get("end", max(until_us, given["start"] + spans.MINUTE_US))
        return spans.Window(given["start"], end_us)
    return spans.window_ending(now_us, given.get("window", _DEFAULT_US))


def filter_of(given: dict[str, Any], now_us: int) -> ExchangeFilter:
    """The question asked of the request log; without a window all that is kept."""
    bounded = "window" in given or "start" in given
    return ExchangeFilter(
        integrations=(given["integration"],) if "integration" in given else None,
        window=window_of(given, now_us) if bounded else None,
        direction=given.get("direction"),
        kind=given.get("kind"),
        outcomes=given.get("outcome"),
        verdict=given.get("verdict"),
        fault=given.get("fault"),
        operation=given.get("operation"),
        installation=given.get("installation"),
        customer=given.get("customer"),
        topic=given.get("topic"),
        status=given.get("status"),
        text=given.get("q"),
        method=given.get("method"),
        error=given.get("error"),
        delivery=given.get("delivery"),
        trace_id=given.get("trace"),
        least_us=int(given["min_ms"] * 1000) if "min_ms" in given else None,
    )


def step_of(given: dict[str, Any], window: spans.Window) -> int:
    """The step asked for, else the shortest round one that makes at most 120 points."""
    if "step" in given:
        return int(given["step"])
    for step_us in _STEPS_US:
        if window.length_us <= 120 * step_us:
            return step_us
    return spans.ceil(window.length_us // 120, spans.DAY_US)


_STEPS_US = tuple(
    minutes * spans.MINUTE_US for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
)
