"""Ratios and durations as tables and mails show them: with their unit; None is a dash, never 0."""

import math

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
