"""Ratios and durations as tables and mails show them: with their unit; None is a dash, never 0."""

import math

from app.domain.currency import MINOR_DIGITS
from app.domain.phrases import THIN

NONE = "–"
MINUS = "\u2212"


def ratio(value: float | None) -> str:
    """`8.4 %`, with as many digits as a small ratio needs to be told from 0."""
    if value is None:
        return NONE
    percent = value * 100
    if percent in (0, 100):
        text = f"{percent:.0f}"
    elif abs(percent) < 0.01:
        return f"{'' if percent > 0 else MINUS}<{THIN}0.01{THIN}%"
    elif abs(percent) >= 100:
        text = f"{percent:,.0f}"
    elif abs(percent) < 1 or 99 < percent < 100:
        text = f"{_toward_even(percent):.2f}"
    else:
        text = f"{percent:.1f}"
    return f"{text.replace('-', MINUS)}{THIN}%"


def ms(value: float | None) -> str:
    """`0.04 ms`, `4.2 ms`, `590 ms`, `2.30 s`, `1.5 min`."""
    if value is None or not math.isfinite(value):
        return NONE
    if 0 < value < 0.995:
        return f"{value:.2f}{THIN}ms"
    if value < 9.95:
        return f"{value:.1f}{THIN}ms"
    if value < 999.5:
        return f"{value:.0f}{THIN}ms"
    if value < 59_950:
        return f"{value / 1000:.2f}{THIN}s" if value < 9_995 else f"{value / 1000:.1f}{THIN}s"
    return f"{value / 60_000:,.1f}{THIN}min"


def _toward_even(percent: float) -> float:
    """Never round a ratio that is not whole to 100: 99.997 % is not everything."""
    return min(percent, 99.99) if percent < 100 else percent


def money(amount_minor: int | None, currency: str) -> str:
    """`4,129.00 USD`; from 100,000 on without its minor digits."""
    if amount_minor is None:
        return NONE
    digits = MINOR_DIGITS.get(currency, 0)
    size = abs(whole(amount_minor, currency))
    text = f"{size:,.0f}" if size >= 100_000 else f"{size:,.{digits}f}"
    return f"{MINUS if amount_minor < 0 else ''}{text}{THIN}{currency}".rstrip()


def whole(amount_minor: int, currency: str) -> float:
    """An amount in whole units, as the height of a mark; what is read is `money`."""
    return amount_minor / float(10 ** MINOR_DIGITS.get(currency, 0))


def tall(value: float) -> str:
    """A tick of an axis of money: `4`, `1.5 k`, `2 M`."""
    size, sign = abs(value), MINUS if value < 0 else ""
    for unit_size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if size >= unit_size:
            return f"{sign}{size / unit_size:g}{THIN}{unit}"
    return f"{sign}{size:g}"
