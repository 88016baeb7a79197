"""Numbers, times and foreign text as people read them.

Every function takes a value and returns text with its unit, set off by a narrow no-break space. A
value that is None is a dash, never 0. Times are in the viewer's zone (`dashboards.zone`).
"""

from datetime import UTC, datetime

from app.domain import foreign, phrases, units
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from dashboards import zone

#: Written alike on pages and in mails.
THIN, NONE, MINUS = phrases.THIN, units.NONE, units.MINUS
ratio, ms, plain = units.ratio, units.ms, foreign.plain
money, whole, tall = units.money, units.whole, units.tall
_MEASURES = ((DAY_US, "d"), (HOUR_US, "h"), (MINUTE_US, "min"), (SECOND_US, "s"))


def count(value: int | None) -> str:
    """`12,310`; from ten million on `18.4 M`."""
    if value is None:
        return NONE
    for size, unit in ((10**12, "T"), (10**9, "G"), (10**6, "M")):
        if abs(value) >= 10 * size or (size > 10**6 and abs(value) >= size):
            return f"{value / size:.1f}{THIN}{unit}"
    return f"{value:,}"


def target(value: float) -> str:
    """A ratio somebody set, with the digits it was set with: `99.5 %`."""
    return f"{value * 100:g}{THIN}%"


def interval(low_high: tuple[float, float] | None) -> str:
    """`7.9 to 8.9 %`: between which ratios the true one lies, 95 times in 100."""
    if low_high is None:
        return ""
    low, high = (_bare(ratio(end)) for end in low_high)
    return f"{low} to {high}{THIN}%"


def size(value: int | None) -> str:
    """Bytes: `812 B`, `4.1 kB`, `12.3 MB` (powers of 1,000)."""
    if value is None:
        return NONE
    for unit_size, unit in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if value >= unit_size:
            return f"{value / unit_size:,.1f}{THIN}{unit}"
    return f"{value}{THIN}B"


def duration(text: str) -> str:
    """A duration of the registry or the address in words: `28 d` for `28d`, `15 min` for `15m`."""
    unit = "min" if text.endswith("m") else text[-1:]
    return f"{text[:-1]}{THIN}{unit}"


def span(length_us: int) -> str:
    """A length of time in one or two units: `12 min`, `1 h 14 min`, `30 d`."""
    parts: list[str] = []
    rest = max(length_us, 0)
    for unit_us, unit in _MEASURES:
        number, rest = divmod(rest, unit_us)
        if number:
            parts.append(f"{number}{THIN}{unit}")
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts) or f"0{THIN}s"


def ago(at_us: int, now_us: int) -> str:
    """`now`, `12 s ago`, `3 h ago`: one unit."""
    length = now_us - at_us
    if length < SECOND_US:
        return "now"
    return f"{span(length).split(' ')[0]} ago"


def at(at_us: int) -> datetime:
    """The same moment as an aware datetime, in the viewer's zone."""
    return zone.at(at_us)


def stamp(at_us: int) -> str:
    """`22 Nov 2026 10:26:40.123 UTC`."""
    moment = at(at_us)
    clock_text = f"{moment:%b %Y %H:%M:%S}.{moment.microsecond // 1000:03d}"
    return f"{moment.day} {clock_text} {zone.label(at_us)}"


def clock(at_us: int) -> str:
    """`10:26:40 UTC`."""
    return f"{at(at_us):%H:%M:%S} {zone.label(at_us)}"


def minute(at_us: int) -> str:
    """`22 Nov 10:26`."""
    moment = at(at_us)
    return f"{moment.day} {moment:%b %H:%M}"


def utc_day(at_us: int) -> str:
    """`22 Nov`: a day of UTC, whatever the viewer's zone."""
    moment = datetime.fromtimestamp(at_us // SECOND_US, UTC)
    return f"{moment.day} {moment:%b}"


def since(start_us: int, now_us: int) -> str:
    """`since 14:02, 41 min`; with its day when it is not today's."""
    start = at(start_us)
    when = f"{start:%H:%M}" if start.date() == at(now_us).date() else minute(start_us)
    return f"since {when}, {span((now_us - start_us) // MINUTE_US * MINUTE_US)}"


def window(start_us: int, end_us: int) -> str:
    """`22 Nov 09:10 to 09:40 UTC`; with both days when they differ."""
    start, end = at(start_us), at(end_us)
    until = f"{end:%H:%M}" if start.date() == end.date() else minute(end_us)
    return f"{minute(start_us)} to {until} {zone.label(end_us)}"


def change(now: float | None, before: float | None) -> str:
    """How much more or less, as a percentage of before: `+3.1 %`; "" when it cannot be said."""
    if now is None or before is None or before == 0:
        return ""
    percent = (now - before) / before * 100
    if abs(percent) >= 1000:
        return f"×{THIN}{now / before:,.0f}"
    if abs(percent) < 0.05:
        return f"±0{THIN}%"
    return f"{_signed(percent, 1 if abs(percent) < 100 else 0)}{THIN}%"


def points(now: float | None, before: float | None) -> str:
    """The difference of two ratios in percentage points: `+0.21 pt`."""
    if now is None or before is None:
        return ""
    difference = (now - before) * 100
    if abs(difference) < 0.005:
        return f"±0{THIN}pt"
    return f"{_signed(difference, 2 if abs(difference) < 1 else 1)}{THIN}pt"


def longer(now: float | None, before: float | None) -> str:
    """The difference of two durations in milliseconds: `+38 ms`."""
    if now is None or before is None:
        return ""
    difference = now - before
    if abs(difference) < 0.05:
        return f"±0{THIN}ms"
    return ("+" if difference > 0 else MINUS) + ms(abs(difference))


def _signed(value: float, digits: int) -> str:
    return f"{'+' if value > 0 else MINUS}{abs(value):,.{digits}f}"


def _bare(text: str) -> str:
    return text.removesuffix(f"{THIN}%")
