"""MRR over time, and what moved it: gains above the line, losses below."""

from collections.abc import Sequence
from typing import Any

from app.domain.window import DAY_US, Window
from dashboards import format as show
from dashboards.figures import base
from dashboards.rows import RevenuePeriod
from dashboards.theme import colour

#: Each movement with its colour and its sign, from the line outwards.
MOVES = (
    ("new", "calm-line", 1),
    ("reactivation", "day-ok", 1),
    ("expansion", "calm-fill", 1),
    ("contraction", "day-warn", -1),
    ("churn", "bad", -1),
)
_MS = 86_400_000


def mrr(periods: Sequence[RevenuePeriod], currency: str) -> base.Figure:
    """The balance at the end of every period, from the one before the first."""
    window = _window(periods)
    starts = [window.start_us, *(each.end_day * DAY_US for each in periods)]
    balances = [periods[0].moved.opening if periods else 0,
                *(each.moved.closing for each in periods)]  # fmt: skip
    heights = [show.whole(each, currency) for each in balances]
    top = base.nice_ceiling(max(heights, default=0))
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": "MRR",
        "x": [base.iso(at_us) for at_us in starts],
        "y": heights,
        "line": {"color": colour("calm-line"), "width": 2, "shape": "hv"},
        "fill": "tozeroy",
        "fillcolor": colour("band-high"),
        "customdata": [show.money(each, currency) for each in balances],
        "hovertemplate": "MRR %{customdata}<extra></extra>",
    }
    figure = base.frame(window, _axis([0.0, top], currency), [line], _step_us(periods))
    unit = base.unit_label(f"{currency} a month")
    now = base.end_label(f"<b>{show.money(balances[-1], currency)}</b>", heights[-1] / top)
    nothing = [] if any(balances) else [base.nothing("nobody pays yet")]
    figure["layout"]["annotations"] = [unit, *(nothing or [now])]
    return figure


def movements(periods: Sequence[RevenuePeriod], currency: str) -> base.Figure:
    """Bars of each period: what was gained, by how, and what was lost."""
    window = _window(periods)
    table = {
        name: [show.whole(getattr(each.moved, name), currency) for each in periods]
        for name, _, _ in MOVES
    }
    gained = _tallest([table[name] for name, _, sign in MOVES if sign > 0])
    lost = _tallest([table[name] for name, _, sign in MOVES if sign < 0])
    top = base.nice_ceiling(max(gained, lost))
    span = [-top if lost else 0.0, top if gained or not lost else 0.0]
    bars = [_bars(periods, currency, move, table[move[0]]) for move in MOVES if any(table[move[0]])]
    figure = base.frame(window, _axis(span, currency), bars, _step_us(periods))
    figure["layout"]["barmode"] = "relative"
    figure["layout"]["yaxis"] |= {"zeroline": True, "zerolinecolor": colour("ghost")}
    unit = base.unit_label(f"{currency} a month, won and lost per {_per(periods)}")
    figure["layout"]["annotations"] = [unit, *_labels(table, span)]
    return figure


def _bars(
    periods: Sequence[RevenuePeriod],
    currency: str,
    move: tuple[str, str, int],
    heights: Sequence[float],
) -> dict[str, Any]:
    name, tone, sign = move
    widths = [(each.end_day - each.first_day) * _MS for each in periods]
    return {
        "type": "bar",
        "name": name,
        "x": [base.iso(each.first_day * DAY_US) for each in periods],
        "y": [sign * height or None for height in heights],
        "width": [0.84 * width for width in widths],
        "offset": [0.08 * width for width in widths],
        "marker": {"color": colour(tone), "line": {"width": 0}},
        "customdata": [show.money(getattr(each.moved, name), currency) for each in periods],
        "hovertemplate": f"{name} %{{customdata}}<extra></extra>",
    }


def _labels(table: dict[str, list[float]], span: list[float]) -> list[dict[str, Any]]:
    present = [move for move in MOVES if any(table[move[0]])]
    if not present:
        return [base.nothing("nothing moved")]
    gains = [name for name, _, sign in present if sign > 0]
    losses = [name for name, _, sign in present if sign < 0]
    zero = -span[0] / (span[1] - span[0])
    step = base.LABEL_PX * 1.1 / base.PLOT_PX
    heights = {name: zero + step * (place + 0.7) for place, name in enumerate(gains)}
    heights |= {name: zero - step * (place + 0.7) for place, name in enumerate(losses)}
    places = base.spread([heights[name] for name, _, _ in present], step, 0.03, 1.0)
    return [
        base.end_label(name, place, tone)
        for (name, tone, _), place in zip(present, places, strict=True)
    ]


def _tallest(rows: Sequence[Sequence[float]]) -> float:
    return max((sum(column) for column in zip(*rows, strict=True)), default=0.0)


def _axis(span: list[float], currency: str) -> dict[str, Any]:
    top = max(abs(end) for end in span)
    ticks = base.nice_ticks(top)
    both = [*(-each for each in reversed(ticks[1:]) if span[0] < 0), 0.0,
            *(each for each in ticks[1:] if span[1] > 0)]  # fmt: skip
    texts = [show.tall(each) for each in both]
    return {"range": span, "tickvals": both, "ticktext": texts}


def _window(periods: Sequence[RevenuePeriod]) -> Window:
    if not periods:
        return Window(0, DAY_US)
    return Window(periods[0].first_day * DAY_US, periods[-1].end_day * DAY_US)


def _step_us(periods: Sequence[RevenuePeriod]) -> int:
    longest = max((each.end_day - each.first_day for each in periods), default=1)
    return longest * DAY_US


def _per(periods: Sequence[RevenuePeriod]) -> str:
    longest = max((each.end_day - each.first_day for each in periods), default=1)
    return "day" if longest == 1 else "week" if longest <= 7 else "month"
