"""Levers on the revenue page: results in, sentences and rows out. Pure."""

from app.domain.benchmark import LEAST_OTHERS
from app.domain.phrases import percent
from app.queries import LeversView
from app.queries.benchmark import BenchmarkView, Compared
from app.queries.levers import Conversion, TimeTo
from dashboards import format as show
from dashboards.pages.installs_rows import seconds
from dashboards.pages.revenue_rows import FEW, day
from dashboards.pages.tables import CELL, Row

#: What a figure is called.
NAMES = {
    "error_ratio": "Errors",
    "activation": "Installs that reach the goal",
    "trial_conversion": "Trial conversion",
    "grr": "GRR",
    "logo_churn": "Logo churn",
}
_REACHED = ("reached the goal of the funnel", "reach the goal of the funnel")
_PAID = ("was paid for", "are paid for")
_DAY_US = 86_400_000_000


def conversion_rows(view: LeversView) -> list[Row]:
    """Sources first, then plans; neither where nobody told of any."""
    told = {each.by for each in view.conversion if each.name is not None}
    return [
        _conversion(each, place) for place, each in enumerate(view.conversion) if each.by in told
    ]


def _conversion(view: Conversion, place: int) -> Row:
    return {
        "id": str(place),
        "name": show.plain(view.name, CELL) or "not told",
        "sub": view.by,
        "entered": view.entered,
        "entered_text": show.count(view.entered),
        "activated": view.activated,
        "activated_text": show.count(view.activated),
        "activated_sub": _rate(view.activated, view.entered),
        "paid": view.paid,
        "paid_text": show.count(view.paid),
        "paid_sub": _rate(view.paid, view.entered),
    }


def _rate(part: int, whole: int) -> str:
    """A share of installations; of few of them nothing is concluded."""
    return show.ratio(part / whole) if whole >= FEW else ""


def sentence(view: LeversView) -> str:
    """How long value takes, and where those who pay wait."""
    said = [
        _took(view.to_activation, _REACHED),
        _took(view.to_payment, _PAID),
        _stalls(view),
    ]
    return " ".join(filter(None, said))


def _took(time: TimeTo, what: tuple[str, str]) -> str:
    """`what`: what one did, and what several do."""
    if time.median_seconds is None:
        return ""
    if time.installations == 1:
        return f"One installation {what[0]} within {seconds(time.median_seconds)}."
    return (
        f"Half of {show.count(time.installations)} installations {what[1]} within "
        f"{seconds(time.median_seconds)}, nine in ten within {seconds(time.p90_seconds)}."
    )


def _stalls(view: LeversView) -> str:
    if not view.stalled:
        return ""
    waits = [
        f"{show.count(each.installations)} for {show.plain(each.step, CELL) or 'no step'}"
        for each in view.stalled
    ]
    return f"Paid for, and still on their way: {', '.join(waits)}."


def benchmark_title(view: BenchmarkView) -> str:
    """Which month it is of, and among whom."""
    last = day(view.window.end_us // _DAY_US - 1)
    category = show.plain(view.category, CELL).replace("-", " ")
    return f"The month to {last}, beside others in {category}."


def benchmark_rows(view: BenchmarkView) -> list[Row]:
    """One for each figure."""
    return [_compared(each) for each in view.figures]


def benchmark_note(view: BenchmarkView) -> str:
    """What is to be said where the category has too few."""
    if not view.figures or any(each.others for each in view.figures):
        return ""
    return (
        f"Not enough others to compare with: a figure is told from {LEAST_OTHERS} integrations of "
        f"{LEAST_OTHERS} other partners on."
    )


def _compared(view: Compared) -> Row:
    others = view.others
    return {
        "id": view.figure,
        "figure": NAMES[view.figure],
        "own": view.own,
        "own_text": show.NONE if view.own is None else show.ratio(view.own),
        **{
            name: None if others is None else getattr(others, name)
            for name in ("lower", "median", "upper")
        },
        **{
            f"{name}_text": show.NONE if others is None else percent(getattr(others, name))
            for name in ("lower", "median", "upper")
        },
    }
