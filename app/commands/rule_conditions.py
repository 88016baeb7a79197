"""What the keys of a rule mean, kind by kind: `condition_of` makes a condition of them.

An override names only what it changes; what it leaves out is as in the rule itself.
"""

from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from app.commands import registry_checks as check
from app.commands.receiver_checks import meant
from app.commands.registry_fields import Fields, Problems
from app.domain.currency import MINOR_DIGITS
from app.domain.error_group import Standing
from app.domain.reconcile import Discrepancy
from app.domain.rule import (
    LATENCIES,
    MIN_EVENTS,
    Anomaly,
    BurnRate,
    CircuitNear,
    CircuitOpen,
    Condition,
    Contradictions,
    FreshErrors,
    FunnelDrop,
    InstallsStuck,
    Measure,
    PlatformOutage,
    RevenueAtRisk,
    Side,
    Silence,
    Threshold,
)
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, SECOND_US

#: The kinds of rules, and the keys that each has beside those of all.
OF_KIND: dict[str, tuple[str, ...]] = {
    "threshold": ("measure", "above", "below", "window", "minimum"),
    "burn_rate": ("objective", "minimum"),
    "silence": ("window", "minimum"),
    "anomaly": ("measure", "side", "deviations", "change_ratio", "minimum"),
    "circuit_open": (),
    "circuit_near": ("used_ratio", "window", "minimum"),
    "error_group": ("standings", "window", "minimum"),
    "installs_stuck": ("window", "minimum"),
    "funnel_drop": ("window", "within", "drop_ratio", "minimum"),
    "reconciliation": ("findings", "minimum"),
    "revenue_at_risk": ("above", "currency", "window"),
    "platform_outage": ("window", "minimum"),
}
#: Numbers that say nothing when they come from a few exchanges.
_JUDGED = LATENCIES | {Measure.ERROR_RATIO}
_LEAST = check.whole(0, 10**9)
_LIMIT = check.number(-1, 1e12)
_MONEY = check.number(-1e-9, 1e12)
_SPAN = check.seconds(60, 30 * DAY_US // SECOND_US)
_DAYS = check.seconds(DAY_US // SECOND_US, 30 * DAY_US // SECOND_US)
_WITHIN = check.seconds(60, 7 * DAY_US // SECOND_US)
_DEVIATIONS, _CHANGE = check.number(0, 1_000), check.number(-1e-9, 1_000)
#: A longer list of words is not repeated in a problem.
_LISTED = 20
_FRESH = (Standing.NEW, Standing.REGRESSED)

_W = TypeVar("_W", bound=StrEnum)


def condition_of(
    kind: str, fields: Fields, problems: Problems, instead: Condition | None = None
) -> Condition:
    """The condition that `fields` give; what they leave out is as in `instead`, if that is set."""
    return _READERS[kind](fields, problems, instead)


def _minimum(fields: Fields, instead: Condition | None, usual: int = MIN_EVENTS) -> int:
    return fields.value("minimum", _LEAST, getattr(instead, "minimum", usual))


def _burn_rate(fields: Fields, _problems: Problems, instead: Condition | None) -> BurnRate:
    objective = getattr(instead, "objective", None)
    return BurnRate(fields.value("objective", check.word, objective), _minimum(fields, instead))


def _silence(fields: Fields, _problems: Problems, instead: Condition | None) -> Silence:
    return Silence(_window(fields, instead, 15 * MINUTE_US), _minimum(fields, instead))


def _platform_outage(
    fields: Fields, _problems: Problems, instead: Condition | None
) -> PlatformOutage:
    return PlatformOutage(_window(fields, instead, 5 * MINUTE_US), _minimum(fields, instead))


def _circuit_open(_fields: Fields, _problems: Problems, _instead: Condition | None) -> CircuitOpen:
    return CircuitOpen()


def _installs_stuck(
    fields: Fields, _problems: Problems, instead: Condition | None
) -> InstallsStuck:
    minimum = _minimum(fields, instead, InstallsStuck().minimum)
    return InstallsStuck(_window(fields, instead, DAY_US), minimum)


def _fresh_errors(fields: Fields, _problems: Problems, instead: Condition | None) -> FreshErrors:
    usual = instead if isinstance(instead, FreshErrors) else FreshErrors()
    return FreshErrors(
        _several(fields, "standings", _FRESH, usual.standings),
        _window(fields, instead, HOUR_US),
        _minimum(fields, instead),
    )


def _contradictions(
    fields: Fields, _problems: Problems, instead: Condition | None
) -> Contradictions:
    usual = instead if isinstance(instead, Contradictions) else Contradictions()
    return Contradictions(
        _several(fields, "findings", tuple(Discrepancy), usual.findings),
        _minimum(fields, instead, usual.minimum),
    )


def _anomaly(fields: Fields, _problems: Problems, instead: Condition | None) -> Anomaly:
    given = instead if isinstance(instead, Anomaly) else None
    if given is None:
        fields.require("measure")
    usual = given or Anomaly(Measure.BAD)
    return Anomaly(
        fields.value("measure", word(Measure), usual.measure),
        fields.value("side", word(Side), usual.side),
        fields.value("deviations", _DEVIATIONS, usual.deviations),
        fields.value("change_ratio", _CHANGE, usual.change_ratio),
        fields.value("minimum", _LEAST, usual.minimum),
    )


def _threshold(fields: Fields, problems: Problems, instead: Condition | None) -> Threshold:
    given = instead if isinstance(instead, Threshold) else None
    if given is None:
        fields.require("measure", "window")
    measure = fields.value("measure", word(Measure), given.measure if given else Measure.BAD)
    limit = check.ratio if measure == Measure.ERROR_RATIO else _LIMIT
    above, below = fields.value("above", limit, None), fields.value("below", limit, None)
    if fields.has("above") and fields.has("below"):
        problems.add(fields.line_of("below"), "'above' and 'below' exclude each other")
    if not fields.has("above") and not fields.has("below"):
        if given is None:
            problems.add(fields.line, "a threshold needs 'above' or 'below'")
        else:
            above, below = given.above, given.below
    least = MIN_EVENTS if measure in _JUDGED else 0
    minimum = fields.value("minimum", _LEAST, given.minimum if given else least)
    return Threshold(measure, _window(fields, instead, 15 * MINUTE_US), above, below, minimum)


def _circuit_near(fields: Fields, _problems: Problems, instead: Condition | None) -> CircuitNear:
    if instead is None:
        fields.require("used_ratio")
    used = fields.value("used_ratio", check.ratio, getattr(instead, "used_ratio", 1.0))
    return CircuitNear(used, _window(fields, instead, 5 * MINUTE_US), _minimum(fields, instead))


def _funnel_drop(fields: Fields, _problems: Problems, instead: Condition | None) -> FunnelDrop:
    usual = instead if isinstance(instead, FunnelDrop) else FunnelDrop()
    return FunnelDrop(
        fields.value("window", _DAYS, usual.window_us),
        fields.value("within", _WITHIN, usual.within_us),
        fields.value("drop_ratio", check.ratio, usual.drop_ratio),
        _minimum(fields, instead),
    )


def _revenue_at_risk(
    fields: Fields, problems: Problems, instead: Condition | None
) -> RevenueAtRisk:
    given = instead if isinstance(instead, RevenueAtRisk) else None
    if given is None:
        fields.require("above", "currency")
    if given is not None and fields.has("currency") and not fields.has("above"):
        problems.add(fields.line_of("currency"), "another 'currency' needs its own 'above'")
    currency = fields.value("currency", one_of(MINOR_DIGITS), given.currency if given else "USD")
    window_us = fields.value("window", _DAYS, given.window_us if given else DAY_US)
    above = fields.value("above", _minor(MINOR_DIGITS[currency]), None)
    return RevenueAtRisk(given.above_minor if above is None and given else above or 0,
                         currency, window_us)  # fmt: skip


def _minor(digits: int) -> Callable[[str], int]:
    """The rule for an amount in whole units, as it is written: `5000` or `49.90`."""

    def rule(text: str) -> int:
        _MONEY(text)
        minor = Decimal(text).scaleb(digits)
        if minor != int(minor):
            raise ValueError(f"{text!r} has more than {digits} digits behind the point")
        return int(minor)

    return rule


def _window(fields: Fields, instead: Condition | None, default_us: int) -> int:
    return fields.value("window", _SPAN, getattr(instead, "window_us", default_us))


def _several(
    fields: Fields, key: str, words: Sequence[_W], instead: frozenset[_W]
) -> frozenset[_W]:
    """Some of these words; `instead` where nothing is said."""
    known = {each.value: each for each in words}
    found = fields.texts(key, one_of(list(known)), len(known))
    return frozenset(known[text] for text in found) or instead


def word(vocabulary: type[_W]) -> Callable[[str], _W]:
    """The rule for one word of a vocabulary."""

    def rule(text: str) -> _W:
        return vocabulary(one_of([member.value for member in vocabulary])(text))

    return rule


def one_of(choices: Collection[str]) -> Callable[[str], str]:
    """The rule for one word of several, with what may have been meant."""

    def rule(text: str) -> str:
        if text not in choices:
            listed = f"one of {', '.join(choices)}" if len(choices) <= _LISTED else "known"
            raise ValueError(f"{text!r} is not {listed}{meant(text, choices)}")
        return text

    return rule


_Reader = Callable[[Fields, Problems, Condition | None], Condition]
_READERS: dict[str, _Reader] = {
    "threshold": _threshold,
    "burn_rate": _burn_rate,
    "silence": _silence,
    "anomaly": _anomaly,
    "circuit_open": _circuit_open,
    "circuit_near": _circuit_near,
    "error_group": _fresh_errors,
    "installs_stuck": _installs_stuck,
    "funnel_drop": _funnel_drop,
    "reconciliation": _contradictions,
    "revenue_at_risk": _revenue_at_risk,
    "platform_outage": _platform_outage,
}
