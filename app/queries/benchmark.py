"""How an integration compares with others of its category, last month.

The one question that reads beyond its scope: what of it leaves here are quartiles of at least five
others, by the rules of `app.domain.benchmark`.

The figures of all integrations are counted ahead, four times an hour (`figures_of_last_month`,
kept by `app.commands.benchmark`): a page would count those of a whole category. What nobody counted
yet, of a new integration or in the first minutes of a month, is counted when it is asked for.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, func, select

from app.db import looking_up
from app.domain.benchmark import (
    FIGURES,
    LEAST,
    Peer,
    Quartiles,
    last_month,
    month_us,
    quartiles,
)
from app.domain.retention import Days, Ratio, ratio, retention
from app.domain.window import DAY_US, Window
from app.models import BenchmarkFigure, Installation, Integration, Partner, Subscription, Visibility
from app.queries import revenue_rows as rows
from app.queries.reading import Reading
from app.queries.results import IntegrationView
from app.queries.revenue import usual

_Figures = dict[str, Ratio]


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure: the integration's own, None where it rests on too little, and the quartiles of
    the others, None where there are not enough of them."""

    figure: str
    own: float | None
    others: Quartiles | None


@dataclass(frozen=True, slots=True)
class BenchmarkView:
    """All figures over the last whole month; empty for an integration without a category."""

    category: str | None
    window: Window
    figures: tuple[Compared, ...]


def benchmark(reading: Reading, view: IntegrationView) -> BenchmarkView:
    """The benchmark of an integration that the caller may see."""
    days = last_month(reading.clock())
    window = Window(*month_us(days))
    if view.category is None:
        return BenchmarkView(None, window, ())
    with looking_up(reading.engine) as registry:
        members = _members(registry, view)
        figures = _kept(registry, members, days)
    rest = {slug: number for slug, (number, _) in members.items() if slug not in figures}
    figures |= _counted(reading, rest, days)
    return BenchmarkView(
        view.category, window, tuple(_compared(name, view, members, figures) for name in FIGURES)
    )


def figures_of_last_month(reading: Reading) -> tuple[int, dict[int, _Figures]]:
    """The first day of the last whole month, and the figures of every integration that is compared,
    by its id."""
    days = last_month(reading.clock())
    statement = select(Integration.slug, Integration.id).where(
        Integration.category.is_not(None),
        Integration.visibility != Visibility.INTERNAL,
        Integration.removed_us.is_(None),
    )
    with looking_up(reading.engine) as registry:
        ids = {row.slug: row.id for row in registry.execute(statement)}
    found = _counted(reading, ids, days)
    return days.first, {ids[slug]: its for slug, its in found.items()}


def _kept(
    registry: Connection, members: Mapping[str, tuple[int, str]], days: Days
) -> dict[str, _Figures]:
    """The figures of those members that are counted already."""
    slug_of = {number: slug for slug, (number, _) in members.items()}
    table = BenchmarkFigure
    rows_ = registry.execute(
        select(table.integration_id, table.figure, table.numerator, table.denominator).where(
            table.integration_id.in_(sorted(slug_of)), table.first_day == days.first
        )
    )
    found: dict[str, _Figures] = defaultdict(dict)
    for number, figure, numerator, denominator in rows_:
        its = found[slug_of[number]]
        if denominator:
            its[figure] = Ratio(numerator, denominator)
    return dict(found)


def _counted(reading: Reading, ids: Mapping[str, int], days: Days) -> dict[str, _Figures]:
    """The figures of integrations over a month, from what they rest on."""
    if not ids:
        return {}
    with looking_up(reading.engine) as registry:
        figures = {slug: _of_money(registry, number, days) for slug, number in ids.items()}
        _add_installs(registry, ids, days, figures)
    _add_errors(reading, Window(*month_us(days)), figures)
    return figures


def _members(registry: Connection, view: IntegrationView) -> dict[str, tuple[int, str]]:
    """The integration itself and all others of its category by other partners: id and partner."""
    rows_ = registry.execute(
        select(Integration.slug, Integration.id, Partner.slug)
        .join(Partner)
        .where(
            Integration.category == view.category,
            Integration.visibility != Visibility.INTERNAL,
            Integration.removed_us.is_(None),
            (Partner.slug != view.partner_slug) | (Integration.slug == view.slug),
        )
    )
    return {slug: (number, partner) for slug, number, partner in rows_}


def _of_money(registry: Connection, number: int, days: Days) -> _Figures:
    """What is told of an integration that anybody ever paid or tried."""
    one = select(Subscription.external_id).where(Subscription.integration_id == number).limit(1)
    if registry.scalar(one) is None:
        return {}
    held = rows.holdings(registry, number, days)
    names = {name for each in held for name in (*each.opening, *each.closing)}
    rates = rows.rates(registry, usual(held), names, days.end - 1)
    kept = retention(held, rates, days)
    found = {
        "trial_conversion": rows.trial_conversion(registry, number, days),
        "logo_churn": kept.logo_churn,
        # Of few payers, however much they pay, it says little.
        "grr": kept.grr if kept.customers_opening >= LEAST else None,
    }
    return {name: terms for name, terms in found.items() if terms is not None}


def _add_installs(
    registry: Connection, ids: Mapping[str, int], days: Days, figures: Mapping[str, _Figures]
) -> None:
    slug_of = {number: slug for slug, number in ids.items()}
    counts = registry.execute(
        select(
            Installation.integration_id,
            func.count(),
            func.count(Installation.activated_us),
        )
        .where(
            Installation.integration_id.in_(sorted(slug_of)),
            Installation.entered_us >= days.first * DAY_US,
            Installation.entered_us < days.end * DAY_US,
        )
        .group_by(Installation.integration_id)
    )
    for number, entered, activated in counts:
        terms = ratio(activated, entered)
        if terms is not None:
            figures[slug_of[number]]["activation"] = terms


def _add_errors(reading: Reading, window: Window, figures: Mapping[str, _Figures]) -> None:
    rollups = reading.store.rollups(window, integrations=sorted(figures))
    size = len(rollups.series)
    good, bad = (
        np.bincount(rollups.series_index, weights=column, minlength=size)
        for column in (rollups.good, rollups.bad)
    )
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for each, fine, failed in zip(rollups.series, good.tolist(), bad.tolist(), strict=True):
        sums[each.integration][0] += int(failed)
        sums[each.integration][1] += int(fine + failed)
    for slug, (failed, counted) in sums.items():
        terms = ratio(failed, counted)
        if terms is not None:
            figures[slug]["error_ratio"] = terms


def _compared(
    name: str,
    view: IntegrationView,
    members: Mapping[str, tuple[int, str]],
    figures: Mapping[str, _Figures],
) -> Compared:
    known = {
        slug: its[name].value
        for slug, its in figures.items()
        if name in its and its[name].denominator >= LEAST
    }
    others: Sequence[Peer] = [
        Peer(members[slug][1], value) for slug, value in known.items() if slug != view.slug
    ]
    return Compared(name, known.get(view.slug), quartiles(others))
