"""What failures put at risk: the MRR of installations that met more of them than allowed.

Counts are those of the whole UTC days that a window touches (daily activity marks); MRR is that of
now. All integrations of a scope are read at once: two readings, of counts and of what is paid.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from sqlalchemy import ColumnElement, Connection, func, select, text

from app.db import looking_up, one_of
from app.domain.health import USUAL_TARGET
from app.domain.money import Conversion
from app.domain.risk import is_at_risk, is_unsure
from app.domain.scope import Scope
from app.domain.window import DAY_US, Window, ceil, floor
from app.domain.words import Fault
from app.errors import BadQuery
from app.models import Integration, Subscription
from app.models.billing import IS_PAYING
from app.queries import revenue_rows
from app.queries.reading import Reading
from app.queries.registry import integration_within, integrations_within
from app.queries.results import IntegrationView
from app.telemetry import timed_query

#: What is said where nobody pays.
_NO_CURRENCY = "USD"
_SLUGS = select(Integration.slug, Integration.id)
_PAYERS = (
    select(Subscription.integration_id, Subscription.currency, func.count())
    .where(text(IS_PAYING))
    .group_by(Subscription.integration_id, Subscription.currency)
)
_INSTALLATION: ColumnElement[str] = Subscription.__table__.c.installation
_PAYING = select(
    Subscription.integration_id,
    Subscription.installation,
    Subscription.currency,
    Subscription.mrr_minor,
).where(text(IS_PAYING))
_COUNTED = ("good", "bad", "partner_faults", "network_faults")


@dataclass(frozen=True, slots=True)
class RiskView:
    """One integration; amounts in minor units of `currency`. `by_fault` adds up to
    `at_risk_minor`: each installation under who caused most of its failures. `unsure`:
    installations that met a failure among too few exchanges, and what they pay. `unconverted`:
    currencies without a rate, whose amounts are in none of these."""

    integration: str
    currency: str
    at_risk_minor: int = 0
    installations: int = 0
    by_fault: Mapping[str, int] = field(default_factory=dict)
    unsure_minor: int = 0
    unsure: int = 0
    unconverted: tuple[str, ...] = ()


class _Met(NamedTuple):
    """What an installation met in the window; `fault` caused most of its failures."""

    at_risk: bool
    fault: str


_Mets = Mapping[str, Mapping[str, _Met]]
#: What installations are worth, by currency.
_Worth = dict[str, dict[str, int]]


@timed_query("at_risk")
def at_risk(
    reading: Reading,
    scope: Scope,
    slug: str,
    window: Window,
    currency: str | None = None,
    *,
    among: Collection[str] | None = None,
) -> RiskView | None:
    """One integration; None where nobody pays. `NotFound` outside the scope. Without a
    `currency`, in what most of its subscriptions pay in. `among`: of these installations only."""
    view = integration_within(reading, scope, slug)
    return _risks(reading, [view], window, currency, among).get(slug)


@timed_query("at_risk_of_all")
def at_risk_of_all(
    reading: Reading, scope: Scope, window: Window, currency: str | None = None
) -> dict[str, RiskView]:
    """Every integration of the scope that anybody pays for, all in one currency: the one given,
    else what most subscriptions of these pay in."""
    return _risks(reading, integrations_within(reading, scope), window, currency)


def _risks(
    reading: Reading,
    views: Sequence[IntegrationView],
    window: Window,
    currency: str | None,
    among: Collection[str] | None = None,
) -> dict[str, RiskView]:
    if window.length_us <= 0:
        raise BadQuery("from", "a window ends after it starts")
    slugs = [view.slug for view in views if view.visibility != "internal"]
    with looking_up(reading.engine) as registry:
        payers, usual = _payers(registry, slugs)
    met = _met(reading, window, [view for view in views if view.slug in payers]) if payers else {}
    if among is not None:
        met = {slug: {name: its[name] for name in its.keys() & among} for slug, its in met.items()}
    with looking_up(reading.engine) as registry:
        worth = _worth(registry, payers, met)
        names = {name for its in worth.values() for amounts in its.values() for name in amounts}
        today = reading.clock() // DAY_US
        rates = revenue_rows.rates(registry, currency or usual, names, today)
    return {slug: _view(slug, met.get(slug, {}), its, rates) for slug, its in worth.items()}


def _met(reading: Reading, window: Window, views: Sequence[IntegrationView]) -> _Mets:
    """The installations that met a failure and are at risk or unsure, by integration."""
    days = Window(floor(window.start_us, DAY_US), ceil(window.end_us, DAY_US))
    slugs = sorted(view.slug for view in views)
    activity = reading.store.day_counts(days, integrations=slugs, columns=_COUNTED, failing=True)
    size = len(activity.installations)
    sums = [
        np.bincount(activity.who, weights=activity.counts[name], minlength=size)
        for name in _COUNTED
    ]
    target = {view.slug: target_of(view) for view in views}
    columns = (each.astype(np.int64).tolist() for each in sums)
    found: dict[str, dict[str, _Met]] = defaultdict(dict)
    for it, (good, bad, partner, network) in enumerate(zip(*columns, strict=True)):
        slug = activity.integrations[activity.owner[it]]
        risky = is_at_risk(good, bad, target[slug])
        if risky or is_unsure(good, bad):
            fault = Fault.PARTNER if partner >= network else Fault.NETWORK
            found[slug][activity.installations[it]] = _Met(risky, fault.word)
    return found


def target_of(view: IntegrationView) -> float:
    """The strictest availability target of an integration."""
    targets = (each.target for each in view.objectives if each.threshold_ms is None)
    return max(targets, default=USUAL_TARGET)


def _payers(registry: Connection, slugs: Sequence[str]) -> tuple[dict[str, int], str]:
    """The integrations that anybody pays for, by slug, and the currency that most of these
    subscriptions pay in."""
    named = registry.execute(_SLUGS.where(Integration.slug.in_(slugs)))
    slug_of = {number: slug for slug, number in named}
    counts: Counter[str] = Counter()
    payers = {}
    wanted = _PAYERS.where(Subscription.integration_id.in_(sorted(slug_of)))
    for number, currency, many in registry.execute(wanted):
        payers[slug_of[number]] = number
        counts[currency or ""] += many
    return payers, min(counts, key=lambda it: (-counts[it], it), default=_NO_CURRENCY)


def _worth(registry: Connection, payers: Mapping[str, int], met: _Mets) -> dict[str, _Worth]:
    """What the installations that met something are worth a month now, in each currency; of those
    integrations that anybody pays for."""
    found: dict[str, _Worth] = {slug: {} for slug in payers}
    slug_of = {payers[slug]: slug for slug in met}
    wanted = _PAYING.where(Subscription.integration_id.in_(sorted(slug_of)))
    if len(met) == 1:  # of several, all are read: as fast as to name thousands by integration
        [names] = (its.keys() for its in met.values())
        known = (name for name in names if "\0" not in name)  # which no registry can hold
        wanted = wanted.where(one_of(registry.dialect.name, _INSTALLATION, known))
    for number, installation, currency, amount in registry.execute(wanted).all():
        slug = slug_of[number]
        if installation in met[slug]:
            amounts = found[slug].setdefault(installation, {})
            amounts[currency or ""] = amounts.get(currency or "", 0) + amount
    return found


def _view(
    slug: str, met: Mapping[str, _Met], paid: Mapping[str, Mapping[str, int]], rates: Conversion
) -> RiskView:
    """Rounded once for each number, so that the parts by fault are rounded from the whole: what
    rounding leaves goes to the greater part."""
    exact: Counter[str] = Counter()
    people: Counter[bool] = Counter()
    lacking: set[str] = set()
    for installation, amounts in paid.items():
        each = met[installation]
        people[each.at_risk] += 1
        lacking |= amounts.keys() - rates.weights.keys()
        parts = sum(rates.exact(name, amount) for name, amount in amounts.items())
        exact[each.fault if each.at_risk else ""] += parts
    unsure = exact.pop("", 0)
    whole = rates.minor(exact.total())
    by_fault = {fault: rates.minor(parts) for fault, parts in sorted(exact.items()) if parts}
    if by_fault:
        greatest = max(by_fault, key=lambda fault: by_fault[fault])
        by_fault[greatest] += whole - sum(by_fault.values())
    return RiskView(
        integration=slug,
        currency=rates.into,
        at_risk_minor=whole,
        installations=people[True],
        by_fault=by_fault,
        unsure_minor=rates.minor(unsure),
        unsure=people[False],
        unconverted=tuple(sorted(lacking)),
    )
