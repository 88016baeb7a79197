"""Numbers, spans and faults as people read them."""

from collections.abc import Mapping

from app.domain.window import DAY_US, HOUR_US, MINUTE_US, SECOND_US

#: U+202F, the thin no-break space between a number and its unit.
THIN = "\u202f"
#: From this share on a fault is called the main one.
_MOSTLY_RATIO = 0.8

_SPAN_RATIO = 0.02
_SPANS = ((DAY_US, "day"), (HOUR_US, "hour"), (MINUTE_US, "minute"))


def count(number: int) -> str:
    """`12,310`."""
    return f"{number:,}"


def percent(ratio: float) -> str:
    """`12 %`, `8.4 %`, `0.5 %`, `0.05 %`: two digits that count, and never a rounded 0 or 100."""
    value = ratio * 100
    if 0 < value < 0.01:
        return f"under 0.01{THIN}%"
    if 99 < value < 100:
        return f"over 99{THIN}%"
    digits = 0 if value >= 10 else 1 if value >= 1 else 2
    text = f"{value:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if digits else text}{THIN}%"


def span(length_us: int) -> str:
    """`hour`, `15 minutes`, `24 hours`, `30 days`: what follows "the last".

    The coarsest unit that is right within `_SPAN_RATIO`: a window whose start was moved to the
    hour is still "7 days".
    """
    for unit_us, name in _SPANS:
        units = round(length_us / unit_us)
        if units and abs(length_us - units * unit_us) <= _SPAN_RATIO * length_us:
            if (units, unit_us) == (1, DAY_US):
                return "24 hours"  # "the last day" is taken for yesterday
            return name if units == 1 else f"{count(units)} {name}s"
    return f"{length_us / MINUTE_US:.1f} minutes"


def period(length_us: int, *, to_now: bool) -> str:
    """`in the last hour`, or `in those 30 days` for a time that is over."""
    words = span(length_us)
    if to_now:
        return f"in the last {words}"
    return f"in those {words}" if words[0].isdigit() else f"in that {words}"


def main_fault(by_fault: Mapping[str, int]) -> str | None:
    """The fault with the most exchanges; None when there are none."""
    return max(by_fault, key=lambda fault: by_fault[fault]) if by_fault else None


def faults_in_words(by_fault: Mapping[str, int]) -> str:
    """`partner`, `mostly partner`, or `partner and network`, most first."""
    ordered = sorted(by_fault, key=lambda fault: -by_fault[fault])
    if not ordered:
        return "fault unknown"
    if len(ordered) == 1:
        return ordered[0]
    if by_fault[ordered[0]] >= _MOSTLY_RATIO * sum(by_fault.values()):
        return f"mostly {ordered[0]}"
    return f"{', '.join(ordered[:-1])} and {ordered[-1]}"


def short_duration(length_us: int) -> str:
    """`28d`, `36h`, `90m`: as `app.domain.window.parse_duration` reads it."""
    for unit_us, letter in ((DAY_US, "d"), (HOUR_US, "h"), (MINUTE_US, "m")):
        if length_us % unit_us == 0:
            return f"{length_us // unit_us}{letter}"
    return f"{length_us // SECOND_US}s"
